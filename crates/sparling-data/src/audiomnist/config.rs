//! AudioMNISTSequence's configuration.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::augment::AugmentationConfig;
use super::noise::Noise;
use super::{AudioMnist, Collection};
use crate::domain::{Domain, DomainConfig};
use crate::error::ConfigError;
use crate::spectrogram::SpectrogramConfig;
use crate::speech::synthetic::SyntheticConfig;
use crate::vocab::Vocabulary;

/// The sizes and noise levels of AudioMNISTSequence, as an experiment file gives them.
///
/// Every key must be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioMnistConfig {
    /// A recording's length, in seconds.
    pub seconds: f64,
    /// The fewest digits a recording has, at least 1.
    pub minimum_digits: u8,
    /// The most digits a recording has.
    pub maximum_digits: u8,
    /// The noise's standard deviation before it is truncated to plus or minus that much; samples
    /// lie between -1 and 1.
    pub noise: f64,
    /// What is to be written down.
    pub task: Task,
    /// Added to the spectrogram's decibels.
    pub offset_db: f32,
    /// What the sum is divided by.
    pub scale_db: f32,
    /// The held-out speakers.
    pub test_speakers: TestSpeakers,
    /// Where takes come from.
    pub speech: SpeechConfig,
    /// How training takes are varied.
    pub augmentation: AugmentationConfig,
    /// The front end.
    pub spectrogram: SpectrogramConfig,
}

/// What is to be written down about the digits spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The digits in their order: the paper's.
    List,
    /// Their sum, in decimal.
    Sum,
    /// Their sum's last digit.
    LastDigitOfSum,
    /// The largest of them.
    Maximum,
}

/// Which speakers are the test split's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TestSpeakers {
    /// A share of them, above 0 and below 1, rounded to at least one: the last of a fixed shuffle.
    Share(f64),
    /// By name.
    Named(Vec<String>),
}

/// Where takes of spoken digits come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
pub enum SpeechConfig {
    /// Synthesised.
    Synthetic {
        /// How many voices.
        speakers: u16,
        /// How many takes of each digit by each of them.
        takes: u16,
        /// Decides the voices.
        seed: u64,
    },
    /// Recorded, in a folder laid out as AudioMNIST or the Free Spoken Digit Dataset.
    Folder {
        /// The folder, relative to the working directory.
        path: PathBuf,
    },
}

#[typetag::serde(name = "audiomnist")]
impl DomainConfig for AudioMnistConfig {
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
        match &mut self.speech {
            SpeechConfig::Folder { path } => vec![path],
            SpeechConfig::Synthetic { .. } => Vec::new(),
        }
    }

    fn read_from(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let path = folder.to_owned();
        self.speech = SpeechConfig::Folder { path };
        Ok(())
    }
}

impl AudioMnistConfig {
    /// Checks the configuration. Voices are loaded by [`prepare`](crate::Domain::prepare), since
    /// reading a recording of one's own needs none.
    ///
    /// # Errors
    ///
    /// If a value is out of range.
    pub fn validate(self) -> Result<AudioMnist, ConfigError> {
        let spectrogram = self.spectrogram.build()?;
        let samples = self.samples()?;
        self.check_digits()?;
        self.check_levels()?;
        self.augmentation.check()?;
        Ok(AudioMnist {
            spectrogram,
            samples,
            noise: Noise::new(),
            vocabulary: Vocabulary::new((0..10).map(|digit| digit.to_string())),
            voices: OnceLock::new(),
            config: self,
        })
    }

    /// Loads or synthesises the takes.
    pub(super) fn collection(&self) -> Result<Collection, ConfigError> {
        let sample_rate = self.spectrogram.sample_rate;
        match &self.speech {
            SpeechConfig::Synthetic {
                speakers,
                takes,
                seed,
            } => SyntheticConfig {
                sample_rate,
                speakers: *speakers,
                takes: *takes,
                seed: *seed,
            }
            .build(),
            SpeechConfig::Folder { path } => Ok(Collection::load(path, sample_rate)?),
        }
    }

    fn samples(&self) -> Result<usize, ConfigError> {
        let samples = self.seconds * f64::from(self.spectrogram.sample_rate);
        // A minute at the highest rate there is.
        if !(samples >= self.spectrogram.window as f64 && samples <= 60.0 * 192_000.0) {
            let advice = "choose at least the spectrogram's window and at most a minute";
            return Err(ConfigError::value("seconds", self.seconds, advice));
        }
        Ok(samples.round() as usize)
    }

    fn check_digits(&self) -> Result<(), ConfigError> {
        let (fewest, most) = (self.minimum_digits, self.maximum_digits);
        if fewest == 0 {
            let advice = "an output needs at least one digit; choose 1 or more";
            return Err(ConfigError::value("minimum_digits", fewest, advice));
        }
        if most < fewest {
            let advice = format!("`minimum_digits` is {fewest}; choose at least that");
            return Err(ConfigError::value("maximum_digits", most, advice));
        }
        Ok(())
    }

    fn check_levels(&self) -> Result<(), ConfigError> {
        if !(0.0..=1.0).contains(&self.noise) {
            let advice = "samples lie between -1 and 1; choose from 0 to 1";
            return Err(ConfigError::value("noise", self.noise, advice));
        }
        if !self.offset_db.is_finite() {
            let advice = "choose a finite number";
            return Err(ConfigError::value("offset_db", self.offset_db, advice));
        }
        if !(self.scale_db > 0.0 && self.scale_db.is_finite()) {
            let advice = "decibels are divided by it; choose a number above 0";
            return Err(ConfigError::value("scale_db", self.scale_db, advice));
        }
        Ok(())
    }
}

impl Task {
    /// The output for some digits.
    pub(super) fn output(self, digits: &[usize]) -> Vec<usize> {
        let sum: usize = digits.iter().sum();
        match self {
            Self::List => digits.to_vec(),
            Self::Sum => sum
                .to_string()
                .bytes()
                .map(|digit| usize::from(digit - b'0'))
                .collect(),
            Self::LastDigitOfSum => vec![sum % 10],
            Self::Maximum => digits.iter().max().copied().into_iter().collect(),
        }
    }

    /// The most tokens an output for so many digits has.
    pub(super) fn longest_output(self, digits: u8) -> usize {
        match self {
            Self::List => digits.into(),
            Self::Sum => self.output(&vec![9; digits.into()]).len(),
            Self::LastDigitOfSum | Self::Maximum => 1,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn small() -> AudioMnistConfig {
        let text = include_str!("../../tests/data/audiomnist-small.toml");
        toml::from_str(text).expect("every key is there")
    }

    fn error(change: impl FnOnce(&mut AudioMnistConfig)) -> String {
        let mut config = small();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn the_papers_sizes() {
        let paper = AudioMnistConfig {
            seconds: 15.0,
            maximum_digits: 10,
            ..small()
        };
        let paper = paper.validate().unwrap();
        assert_eq!(paper.input_shape(), [64, 1, 642]);
        assert_eq!(paper.longest_output(), 10);
        let small = small().validate().unwrap();
        assert_eq!(small.input_shape(), [64, 1, 172]);
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let cases = [
            (error(|config| config.seconds = 0.0), "`seconds` is 0"),
            (
                error(|config| config.seconds = f64::NAN),
                "`seconds` is NaN",
            ),
            (
                error(|config| config.minimum_digits = 0),
                "`minimum_digits` is 0",
            ),
            (
                error(|config| config.maximum_digits = 2),
                "`maximum_digits` is 2: `minimum_digits` is 3",
            ),
            (error(|config| config.noise = -1.0), "`noise` is -1"),
            (error(|config| config.scale_db = 0.0), "`scale_db` is 0"),
        ];
        for (message, expected) in cases {
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn tasks_compute_their_output() {
        let digits = [7, 0, 9, 4];
        assert_eq!(Task::List.output(&digits), digits);
        assert_eq!(Task::Sum.output(&digits), [2, 0]);
        assert_eq!(Task::Sum.output(&[0, 0]), [0]);
        assert_eq!(Task::LastDigitOfSum.output(&digits), [0]);
        assert_eq!(Task::Maximum.output(&digits), [9]);
        assert_eq!(Task::Sum.longest_output(10), 2);
        assert_eq!(Task::Sum.longest_output(12), 3);
    }

    #[test]
    fn keys_have_no_defaults_and_no_strangers() {
        let text = toml::to_string(&small()).unwrap();
        let read: AudioMnistConfig = toml::from_str(&text).unwrap();
        assert_eq!(read, small());
        for line in text.lines().filter(|line| line.contains(" = ")) {
            let without = text.replacen(&format!("{line}\n"), "", 1);
            assert!(
                toml::from_str::<AudioMnistConfig>(&without).is_err(),
                "{line}"
            );
        }
        assert!(toml::from_str::<AudioMnistConfig>(&format!("loud = 1\n{text}")).is_err());
        let folder = text.replace(
            "source = \"synthetic\"",
            "source = \"folder\"\npath = \"x\"",
        );
        assert!(
            toml::from_str::<AudioMnistConfig>(&folder).is_err(),
            "both sources' keys"
        );
    }
}
