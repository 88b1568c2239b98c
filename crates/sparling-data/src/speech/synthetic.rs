//! Synthesised spoken digits, for those who have no recordings.
//!
//! A formant synthesiser after Klatt (1980) says the ten words with any number of virtual
//! [voices](Voice). These differ in pitch, in the length of the vocal tract, in where they put their
//! vowels, in tempo and in timbre; the takes of one voice differ in intonation, timing, formants and
//! level. Everything is a pure function of (seed, speaker, digit, take), the same on every platform
//! and whatever the number of threads.
//!
//! A word is a row of phones (`phone`, `word`). A take of it is a score: curves over time of pitch,
//! of the strength of three sources and of the formants (`score`). Pulses and breath of the glottis
//! (`glottis`) pass through the vocal tract's resonators in cascade (`tract`), the noise of
//! fricatives and bursts through parallel ones of its own (`utterance`). Resonances above half the
//! sample rate are left out.
//!
//! # References
//!
//! - G. E. Peterson, H. L. Barney: Control methods used in a study of the vowels. Journal of the
//!   Acoustical Society of America 24, 1952.
//! - D. H. Klatt: Software for a cascade/parallel formant synthesizer. Journal of the Acoustical
//!   Society of America 67, 1980.
//! - D. H. Klatt, L. C. Klatt: Analysis, synthesis, and perception of voice quality variations among
//!   female and male talkers. Journal of the Acoustical Society of America 87, 1990.
//! - J. Hillenbrand, L. A. Getty, M. J. Clark, K. Wheeler: Acoustic characteristics of American
//!   English vowels. Journal of the Acoustical Society of America 97, 1995.

mod draw;
mod glottis;
mod phone;
mod resonator;
mod score;
mod track;
mod tract;
mod utterance;
mod voice;
mod word;

use std::ops::RangeInclusive;

pub use voice::Voice;

use super::wav::SAMPLE_RATES;
use super::{Collection, Speaker};
use crate::error::ConfigError;
use crate::parallel::{available_threads, in_parallel};

/// How many speakers there can be, and takes of each digit.
const COUNTS: RangeInclusive<u16> = 1..=1000;

/// Which voices are synthesised.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticConfig {
    /// Samples per second, 4000 to 192,000.
    pub sample_rate: u32,
    /// The number of speakers, 1 to 1000.
    pub speakers: u16,
    /// The number of takes of each digit by each speaker, 1 to 1000.
    pub takes: u16,
    /// Another seed gives other speakers.
    pub seed: u64,
}

impl SyntheticConfig {
    /// Synthesises every take, on all cores.
    ///
    /// The speakers are named `synthetic-00` and so on, with leading zeros so that they sort.
    ///
    /// # Errors
    ///
    /// If a value is out of range.
    pub fn build(&self) -> Result<Collection, ConfigError> {
        self.check()?;
        let numbers: Vec<u16> = (0..self.speakers).collect();
        let speakers = in_parallel(&numbers, available_threads(), |numbers| -> Vec<Speaker> {
            numbers.iter().map(|&number| self.speaker(number)).collect()
        });
        Ok(Collection {
            sample_rate: self.sample_rate,
            speakers: speakers.into_iter().flatten().collect(),
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !SAMPLE_RATES.contains(&self.sample_rate) {
            let advice = "words need the lowest formants, and no device records above; choose from \
                          4000 to 192000";
            return Err(ConfigError::value("sample_rate", self.sample_rate, advice));
        }
        if !COUNTS.contains(&self.speakers) {
            let advice = "somebody must speak, and all takes are held in memory; choose from 1 to \
                          1000";
            return Err(ConfigError::value("speakers", self.speakers, advice));
        }
        if !COUNTS.contains(&self.takes) {
            let advice = "each digit must be said, and all takes are held in memory; choose from 1 \
                          to 1000";
            return Err(ConfigError::value("takes", self.takes, advice));
        }
        Ok(())
    }

    fn speaker(&self, number: u16) -> Speaker {
        let voice = Voice::new(self.seed, number);
        let takes = |digit| {
            (0..self.takes)
                .map(|take| voice.say(digit, take, self.sample_rate))
                .collect()
        };
        let width = (self.speakers - 1).to_string().len().max(2);
        Speaker {
            name: format!("synthetic-{number:0width$}"),
            takes: std::array::from_fn(takes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(change: impl FnOnce(&mut SyntheticConfig)) -> String {
        let mut config = SyntheticConfig {
            sample_rate: 8000,
            speakers: 60,
            takes: 8,
            seed: 1,
        };
        change(&mut config);
        config.build().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let cases = [
            (
                error(|config| config.sample_rate = 3999),
                "`sample_rate` is 3999: words need",
            ),
            (
                error(|config| config.sample_rate = 192_001),
                "`sample_rate` is 192001: words",
            ),
            (
                error(|config| config.speakers = 0),
                "`speakers` is 0: somebody must speak",
            ),
            (
                error(|config| config.speakers = 1001),
                "`speakers` is 1001: somebody must",
            ),
            (
                error(|config| config.takes = 0),
                "`takes` is 0: each digit must be said",
            ),
            (
                error(|config| config.takes = 1001),
                "`takes` is 1001: each digit must be",
            ),
        ];
        for (message, start) in cases {
            assert!(message.starts_with(start), "{message}");
            assert!(message.contains("; choose from "), "{message}");
        }
    }

    #[test]
    fn names_sort() {
        let config = SyntheticConfig {
            speakers: 101,
            takes: 1,
            sample_rate: 4000,
            seed: 0,
        };
        let names = |config: &SyntheticConfig| -> Vec<String> {
            let collection = config.build().unwrap();
            let speakers = collection.speakers.into_iter();
            speakers.map(|speaker| speaker.name).collect()
        };
        let many = names(&config);
        assert!(many.is_sorted());
        assert_eq!(many[100], "synthetic-100");
        let few = names(&SyntheticConfig {
            speakers: 2,
            ..config
        });
        assert_eq!(few, ["synthetic-00", "synthetic-01"]);
    }
}
