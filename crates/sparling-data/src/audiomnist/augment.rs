//! Variations of training takes, against learning a few speakers by heart.

use serde::{Deserialize, Serialize};

use super::noise::Noise;
use crate::error::ConfigError;
use crate::seed::Stream;

/// How much training takes are varied; 0 is not at all, and validation and test never are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Takes are played faster or slower, and so higher or lower, by up to this share.
    pub speed: f64,
    /// Takes are louder or softer by up to so many decibels.
    pub level_db: f64,
    /// Recordings get more noise, of a deviation up to this.
    pub noise: f64,
}

impl AugmentationConfig {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let keys = [
            ("augmentation.speed", self.speed, 0.5),
            ("augmentation.level_db", self.level_db, 60.0),
            ("augmentation.noise", self.noise, 1.0),
        ];
        for (key, value, most) in keys {
            if !(0.0..=most).contains(&value) {
                let advice = format!("choose from 0, which is none, to {most}");
                return Err(ConfigError::value(key, value, advice));
            }
        }
        Ok(())
    }

    /// A take, varied.
    pub(crate) fn vary(&self, take: &[f32], stream: &mut Stream) -> Vec<f32> {
        let mut varied = if self.speed > 0.0 {
            play(take, 1.0 + self.speed * (2.0 * stream.unit() - 1.0))
        } else {
            take.to_vec()
        };
        if self.level_db > 0.0 {
            let decibels = self.level_db * (2.0 * stream.unit() - 1.0);
            let gain = libm::exp10(decibels / 20.0) as f32;
            varied.iter_mut().for_each(|sample| *sample *= gain);
        }
        varied
    }

    /// Adds noise to a recording.
    pub(crate) fn add_noise(&self, noise: &Noise, samples: &mut [f32], stream: &mut Stream) {
        if self.noise > 0.0 {
            let deviation = self.noise * stream.unit();
            noise.add(samples, deviation, stream);
        }
    }
}

/// A take at another speed, by linear interpolation.
fn play(take: &[f32], speed: f64) -> Vec<f32> {
    let length = (take.len() as f64 / speed).round().max(1.0) as usize;
    let last = take.len() - 1;
    (0..length)
        .map(|index| {
            let position = (index as f64 * speed).min(last as f64);
            let (whole, part) = (position as usize, position.fract() as f32);
            take[whole] + part * (take[(whole + 1).min(last)] - take[whole])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    #[test]
    fn nothing_is_varied_by_default() {
        let mut stream = Stream::new(Split::Test, 0);
        let take = [0.1, -0.2, 0.3];
        assert_eq!(AugmentationConfig::default().vary(&take, &mut stream), take);
    }

    #[test]
    fn speed_and_level_stay_in_their_bounds() {
        let config = AugmentationConfig {
            speed: 0.1,
            level_db: 6.0,
            noise: 0.0,
        };
        let take = vec![0.5; 1000];
        for index in 0..200 {
            let varied = config.vary(&take, &mut Stream::new(Split::Test, index));
            assert!((909..=1112).contains(&varied.len()), "{}", varied.len());
            assert!((0.25..=1.0).contains(&varied[0]), "{}", varied[0]);
        }
    }

    #[test]
    fn half_the_speed_is_twice_as_long() {
        assert_eq!(play(&[0.0, 1.0, 2.0], 0.5), [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]);
        assert_eq!(play(&[3.0], 1.3), [3.0]);
    }
}
