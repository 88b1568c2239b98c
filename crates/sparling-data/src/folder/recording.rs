//! Recordings as inputs: log-mel spectrograms of a fixed length, made as AudioMNISTSequence's are.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::audiomnist::{AugmentationConfig, Noise};
use crate::domain::Recordings;
use crate::error::ConfigError;
use crate::example::Footprint;
use crate::seed::{Split, Stream};
use crate::spectrogram::{Spectrogram, SpectrogramConfig};
use crate::speech::{resample, wav};

/// Samples are kept as 16-bit integers.
const FULL_SCALE: f32 = 32_768.0;

/// How recordings become inputs, as an experiment file gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingConfig {
    /// An input's length, in seconds; what a recording lacks is silence after it.
    pub seconds: f64,
    /// The deviation of the noise that is added to every input, where samples lie between -1 and 1.
    pub noise: f64,
    /// Added to the spectrogram's decibels.
    pub offset_db: f32,
    /// What the sum is divided by.
    pub scale_db: f32,
    /// How training recordings are varied.
    pub augmentation: AugmentationConfig,
    /// The front end.
    pub spectrogram: SpectrogramConfig,
}

/// What makes inputs of recordings; made by [`RecordingConfig::build`].
#[derive(Debug)]
pub(super) struct Ear {
    config: RecordingConfig,
    spectrogram: Spectrogram,
    /// The length of an input.
    samples: usize,
    noise: Noise,
}

impl RecordingConfig {
    /// Checks the configuration.
    pub(super) fn build(&self) -> Result<Ear, ConfigError> {
        let spectrogram = self.spectrogram.build()?;
        let samples = self.seconds * f64::from(self.spectrogram.sample_rate);
        if !(samples >= self.spectrogram.window as f64 && self.seconds <= 600.0) {
            let advice = "choose at least the spectrogram's window and at most 600";
            return Err(ConfigError::value("input.seconds", self.seconds, advice));
        }
        if !(0.0..=1.0).contains(&self.noise) {
            let advice = "samples lie between -1 and 1; choose from 0 to 1";
            return Err(ConfigError::value("input.noise", self.noise, advice));
        }
        if !self.offset_db.is_finite() {
            let advice = "choose a finite number";
            return Err(ConfigError::value(
                "input.offset_db",
                self.offset_db,
                advice,
            ));
        }
        if !(self.scale_db > 0.0 && self.scale_db.is_finite()) {
            let advice = "decibels are divided by it; choose a number above 0";
            return Err(ConfigError::value("input.scale_db", self.scale_db, advice));
        }
        self.augmentation.check()?;
        Ok(Ear {
            spectrogram,
            samples: samples.round() as usize,
            noise: Noise::new(),
            config: self.clone(),
        })
    }
}

impl Ear {
    /// Bands and frames.
    pub(super) fn shape(&self) -> [usize; 2] {
        let frames = self.spectrogram.frames(self.samples);
        [self.config.spectrogram.mels, frames]
    }

    /// Reads a recording that is no longer than an input.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<i16>, String> {
        let (samples, rate) = wav::read(path).map_err(|error| error.problem.to_string())?;
        let seconds = samples.len() as f64 / f64::from(rate);
        let samples = resample::resample(&samples, rate, self.sample_rate());
        if samples.is_empty() {
            return Err("is too short to hold anything".to_owned());
        }
        if samples.len() > self.samples {
            let most = self.config.seconds;
            return Err(format!(
                "lasts {seconds:.2} s, longer than domain.input.seconds = {most}"
            ));
        }
        // A cast to an integer stays within the integer's range.
        let kept = samples
            .iter()
            .map(|sample| (sample * FULL_SCALE).round() as i16);
        Ok(kept.collect())
    }

    /// The frames of a symbol, of its start and end in seconds, in a recording of so many samples.
    pub(super) fn footprint(
        &self,
        symbol: usize,
        [start, end]: [f64; 2],
        samples: usize,
    ) -> Result<Footprint, String> {
        let rate = f64::from(self.sample_rate());
        let seconds = samples as f64 / rate;
        // Other programs round.
        const SLACK: f64 = 0.05;
        if !(start >= 0.0 && start < end && start < seconds && end <= seconds + SLACK) {
            return Err(format!(
                "the interval [{start}, {end}] is not within the {seconds:.2} s of the recording"
            ));
        }
        Ok(self.frames(symbol, [start, end].map(|at| at * rate)))
    }

    /// The frames of an interval that is given in samples.
    fn frames(&self, symbol: usize, [start, end]: [f64; 2]) -> Footprint {
        let hop = self.hop() as f64;
        let [_, frames] = self.shape();
        let left = ((start / hop) as usize).min(frames - 1);
        Footprint {
            symbol,
            top: 0,
            bottom: 1,
            left,
            right: ((end / hop).ceil() as usize).clamp(left + 1, frames),
        }
    }

    /// The window of an example and its footprints, varied if it is for training.
    pub(super) fn example(
        &self,
        recording: &[i16],
        footprints: &[Footprint],
        split: Split,
        index: u64,
    ) -> (Vec<f32>, Vec<Footprint>) {
        let mut stream = Stream::new(split, index);
        let samples = recording
            .iter()
            .map(|sample| f32::from(*sample) / FULL_SCALE);
        let samples: Vec<f32> = samples.collect();
        if !matches!(split, Split::Train { .. }) {
            return (self.filled(&samples, &mut stream), footprints.to_vec());
        }
        let augmentation = &self.config.augmentation;
        let mut varied = augmentation.vary(&samples, &mut stream);
        if varied.len() > self.samples {
            // Slowed down it does not fit.
            varied = samples;
        }
        let speed = recording.len() as f64 / varied.len() as f64;
        let mut window = self.filled(&varied, &mut stream);
        augmentation.add_noise(&self.noise, &mut window, &mut stream);
        let moved = footprints.iter().map(|footprint| {
            let ends = [footprint.left, footprint.right];
            let hop = self.hop() as f64;
            self.frames(
                footprint.symbol,
                ends.map(|frame| frame as f64 * hop / speed),
            )
        });
        (window, moved.collect())
    }

    /// A recording filled up with silence, and with the noise that every input has.
    fn filled(&self, recording: &[f32], stream: &mut Stream) -> Vec<f32> {
        let mut window = vec![0.0; self.samples];
        window[..recording.len()].copy_from_slice(recording);
        self.noise.add(&mut window, self.config.noise, stream);
        window
    }
}

impl Recordings for Ear {
    fn sample_rate(&self) -> u32 {
        self.config.spectrogram.sample_rate
    }

    fn samples(&self) -> usize {
        self.samples
    }

    fn hop(&self) -> usize {
        self.config.spectrogram.hop
    }

    fn silence(&self) -> f64 {
        self.config.noise
    }

    /// Labels are taken to be what is heard, in its order.
    fn is_list(&self) -> bool {
        true
    }

    fn window(&self, recording: &[f32], index: u64) -> Vec<f32> {
        self.filled(recording, &mut Stream::new(Split::Test, index))
    }

    /// `[mels, frames]`: decibels, shifted and scaled as configured.
    fn input(&self, window: &[f32]) -> Vec<f32> {
        let (offset, scale) = (self.config.offset_db, self.config.scale_db);
        let mut input = self.spectrogram.log_mel(window);
        for value in &mut input {
            *value = (*value + offset) / scale;
        }
        input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> RecordingConfig {
        RecordingConfig {
            seconds: 1.0,
            noise: 0.0,
            offset_db: 40.0,
            scale_db: 40.0,
            augmentation: AugmentationConfig::default(),
            spectrogram: SpectrogramConfig {
                sample_rate: 8000,
                window: 200,
                hop: 100,
                mels: 16,
                smallest_power: 1e-10,
                dynamic_range: 80.0,
            },
        }
    }

    #[test]
    fn intervals_are_frames() {
        let ear = config().build().unwrap();
        let footprint = ear.footprint(4, [0.26, 0.5], 8000).unwrap();
        assert_eq!((footprint.left, footprint.right), (20, 40));
        assert_eq!(
            (footprint.top, footprint.bottom, footprint.symbol),
            (0, 1, 4)
        );
        for outside in [[0.5, 0.5], [-0.1, 0.5], [0.9, 1.2], [f64::NAN, 0.5]] {
            assert!(ear.footprint(4, outside, 8000).is_err(), "{outside:?}");
        }
    }

    #[test]
    fn intervals_follow_the_speed() {
        let mut config = config();
        config.augmentation.speed = 0.2;
        let ear = config.build().unwrap();
        let mut recording = vec![0; 6000];
        recording[3000..3400].fill(20_000);
        let footprints = [ear.footprint(0, [0.375, 0.425], 6000).unwrap()];
        let mut lefts = Vec::new();
        for index in 0..20 {
            let split = Split::Train { seed: 1 };
            let (window, moved) = ear.example(&recording, &footprints, split, index);
            let loud = window.iter().position(|sample| *sample > 0.3).unwrap();
            assert!(
                moved[0].contains(0, loud.div_ceil(100)),
                "{moved:?}, {loud}"
            );
            lefts.push(moved[0].left);
        }
        lefts.dedup();
        assert!(lefts.len() > 5, "{lefts:?}");
        let (window, same) = ear.example(&recording, &footprints, Split::Test, 0);
        assert_eq!((window.len(), &same[..]), (8000, &footprints[..]));
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let error = |change: fn(&mut RecordingConfig)| {
            let mut config = config();
            change(&mut config);
            config.build().unwrap_err().to_string()
        };
        for (message, expected) in [
            (
                error(|config| config.seconds = 0.01),
                "`input.seconds` is 0.01: ",
            ),
            (error(|config| config.noise = -1.0), "`input.noise` is -1: "),
            (
                error(|config| config.scale_db = 0.0),
                "`input.scale_db` is 0: ",
            ),
        ] {
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
