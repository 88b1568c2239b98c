//! DigitCircle's configuration.

use std::path::{Path, PathBuf};

use super::{DigitCircle, Stamps};
use crate::domain::{Domain, DomainConfig};
use crate::error::ConfigError;
use crate::seed::Probability;
use crate::vocab::Vocabulary;

/// The sizes and noise levels of DigitCircle, as an experiment file gives them.
///
/// Every key but `margin` and `stamps` must be there.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitCircleConfig {
    /// The square image's side, in pixels.
    pub size: u16,
    /// The fewest digits an image has, at least 1.
    pub minimum_digits: u8,
    /// The most digits an image has, at most 10.
    pub maximum_digits: u8,
    /// The smallest radius of the circle, in pixels.
    pub minimum_radius: u16,
    /// How far a digit may lie off the circle in each direction, in pixels.
    pub jitter: u16,
    /// How far the circle keeps from the image's edges, in pixels: at least the jitter and half a
    /// stamp. Absent: the jitter and the longest side of a stamp, as in the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<u16>,
    /// The probability that a pixel is flipped before digits are stamped, as a multiple of the
    /// stamps' mean share of ink.
    pub noise_before: f64,
    /// The probability that a pixel is flipped after digits are stamped.
    pub noise_after: f64,
    /// A file with the digits' bitmaps (see [`Stamps`]), relative to the working directory.
    /// Without one, they are made from the [font](crate::font) that comes along.
    pub stamps: Option<PathBuf>,
}

#[typetag::serde(name = "digitcircle")]
impl DomainConfig for DigitCircleConfig {
    fn build(&self) -> Result<Box<dyn Domain>, ConfigError> {
        Ok(Box::new(self.clone().validate()?))
    }

    fn single(&self) -> Result<Option<Box<dyn Domain>>, ConfigError> {
        let single = Self {
            minimum_digits: 1,
            maximum_digits: 1,
            ..self.clone()
        };
        single.build().map(Some)
    }

    fn sources(&mut self) -> Vec<&mut PathBuf> {
        self.stamps.iter_mut().collect()
    }

    fn read_from(&mut self, file: &Path) -> Result<(), ConfigError> {
        if file.is_dir() {
            let advice = "it is a folder; give a file of stamps";
            return Err(ConfigError::value("--data", file.display(), advice));
        }
        self.stamps = Some(file.to_owned());
        Ok(())
    }
}

impl DigitCircleConfig {
    /// Checks the configuration and loads the stamps.
    ///
    /// # Errors
    ///
    /// If a value is out of range, if the circle has no room in the image, or if the stamps cannot
    /// be loaded.
    pub fn validate(self) -> Result<DigitCircle, ConfigError> {
        let stamps = match &self.stamps {
            Some(path) => Stamps::load(path)?,
            None => Stamps::embedded().clone(),
        };
        self.check_digits(&stamps)?;
        self.check_room(&stamps)?;
        let mean_ink = stamps.mean_ink();
        let before = Probability::new(self.noise_before * mean_ink).ok_or_else(|| {
            let most = 1.0 / mean_ink;
            let advice = format!(
                "times the stamps' mean ink of {mean_ink:.3} it must be a probability; \
                 choose from 0 to {most:.3}"
            );
            ConfigError::value("noise_before", self.noise_before, advice)
        })?;
        let after = Probability::new(self.noise_after).ok_or_else(|| {
            let advice = "it must be a probability; choose from 0 to 1";
            ConfigError::value("noise_after", self.noise_after, advice)
        })?;
        Ok(DigitCircle {
            vocabulary: Vocabulary::new((0..stamps.len()).map(|digit| digit.to_string())),
            flip_before: before,
            flip_after: after,
            config: self,
            stamps,
        })
    }

    fn check_digits(&self, stamps: &Stamps) -> Result<(), ConfigError> {
        let (fewest, most) = (self.minimum_digits, self.maximum_digits);
        if fewest == 0 {
            let advice = "an output needs at least one digit; choose 1 or more";
            return Err(ConfigError::value("minimum_digits", fewest, advice));
        }
        if usize::from(most) > stamps.len() {
            let advice = format!(
                "the digits of an image are distinct; choose at most {}",
                stamps.len()
            );
            return Err(ConfigError::value("maximum_digits", most, advice));
        }
        if most < fewest {
            let advice = format!("`minimum_digits` is {fewest}; choose at least that");
            return Err(ConfigError::value("maximum_digits", most, advice));
        }
        Ok(())
    }

    /// How far the circle keeps from the image's edges, in pixels.
    pub(super) fn margin(&self, stamps: &Stamps) -> u16 {
        let longest = stamps.longest_side() as u16;
        self.margin.unwrap_or(self.jitter.saturating_add(longest))
    }

    /// The radius must have at least one value to be drawn from; then so has the centre.
    fn check_room(&self, stamps: &Stamps) -> Result<(), ConfigError> {
        if self.minimum_radius == 0 {
            let advice = "all digits would lie on one spot; choose 1 or more";
            return Err(ConfigError::value("minimum_radius", 0, advice));
        }
        let (radius, jitter) = (usize::from(self.minimum_radius), usize::from(self.jitter));
        let (longest, margin) = (stamps.longest_side(), usize::from(self.margin(stamps)));
        let smallest_margin = jitter + longest.div_ceil(2);
        if margin < smallest_margin {
            let advice = format!(
                "with `jitter` {jitter} and stamps of up to {longest} pixels digits would be cut \
                 off; choose at least {smallest_margin}"
            );
            return Err(ConfigError::value("margin", margin, advice));
        }
        let smallest_size = 2 * (radius + margin + 1);
        if usize::from(self.size) < smallest_size {
            let advice = format!(
                "a circle with `minimum_radius` {radius}, {margin} pixels from the edges, needs at \
                 least {smallest_size}; choose a larger size or a smaller radius"
            );
            return Err(ConfigError::value("size", self.size, advice));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn paper() -> DigitCircleConfig {
        let text = include_str!("../../tests/data/digitcircle-paper.toml");
        toml::from_str(text).expect("every key is there")
    }

    pub(in super::super) fn small() -> DigitCircleConfig {
        let text = include_str!("../../tests/data/digitcircle-small.toml");
        toml::from_str(text).expect("every key is there")
    }

    /// The error of the paper's configuration after a change.
    fn error(change: impl FnOnce(&mut DigitCircleConfig)) -> String {
        let mut config = paper();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let cases = [
            (
                error(|config| config.minimum_digits = 0),
                "`minimum_digits` is 0: an output needs at least one digit; choose 1 or more",
            ),
            (
                error(|config| config.maximum_digits = 11),
                "`maximum_digits` is 11: the digits of an image are distinct; choose at most 10",
            ),
            (
                error(|config| config.maximum_digits = 2),
                "`maximum_digits` is 2: `minimum_digits` is 3; choose at least that",
            ),
            (
                error(|config| config.minimum_radius = 0),
                "`minimum_radius` is 0: all digits would lie on one spot; choose 1 or more",
            ),
            (
                error(|config| config.size = 71),
                "`size` is 71: a circle with `minimum_radius` 20, 15 pixels from the edges, needs at \
                 least 72; choose a larger size or a smaller radius",
            ),
            (
                error(|config| config.margin = Some(8)),
                "`margin` is 8: with `jitter` 3 and stamps of up to 12 pixels digits would be cut \
                 off; choose at least 9",
            ),
            (
                error(|config| config.noise_after = 1.5),
                "`noise_after` is 1.5: it must be a probability; choose from 0 to 1",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
        for noise in [-0.1, 4.0, f64::NAN] {
            let message = error(|config| config.noise_before = noise);
            let start = format!("`noise_before` is {noise}: times the stamps' mean ink of 0.2");
            assert!(message.starts_with(&start), "{message}");
        }
    }

    #[test]
    fn the_smallest_size_works() {
        use crate::{Domain, Split};
        for size in [72, 73] {
            let config = DigitCircleConfig { size, ..paper() };
            let domain = config.validate().unwrap();
            for index in 0..500 {
                domain.example(Split::Test, index);
            }
        }
    }

    #[test]
    fn keys_have_no_defaults() {
        let text = toml::to_string(&paper()).unwrap();
        let read: DigitCircleConfig = toml::from_str(&text).unwrap();
        assert_eq!(read, paper());
        for key in text.lines() {
            let without = text.replace(key, "");
            let error = toml::from_str::<DigitCircleConfig>(&without).unwrap_err();
            assert!(error.to_string().contains("missing field"), "{error}");
        }
        let error = toml::from_str::<DigitCircleConfig>(&format!("{text}noise = 1")).unwrap_err();
        assert!(error.to_string().contains("unknown field `noise`"));
    }
}
