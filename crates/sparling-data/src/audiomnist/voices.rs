//! The speakers of a collection, split into those of training and those of the test.

use std::collections::BTreeMap;

use super::config::{AudioMnistConfig, TestSpeakers};
use crate::error::ConfigError;
use crate::seed::{Split, Stream};
use crate::speech::{Collection, DIGITS, Speaker};

/// Which stream shuffles the speakers: the same for everybody.
const SHUFFLE: u64 = u64::MAX;

/// A collection's speakers, by split.
#[derive(Clone, Debug)]
pub(super) struct Voices {
    /// Heard in training and validation.
    train: Vec<Speaker>,
    /// Heard in the test alone.
    test: Vec<Speaker>,
}

impl Voices {
    /// Splits a collection, and checks that the most digits fit into recordings of so many samples.
    pub(super) fn split(
        collection: Collection,
        config: &AudioMnistConfig,
        samples: usize,
    ) -> Result<Self, ConfigError> {
        let is_test = chosen(&collection.speakers, &config.test_speakers)?;
        let mut voices = Self {
            train: Vec::new(),
            test: Vec::new(),
        };
        for (speaker, is_test) in collection.speakers.into_iter().zip(is_test) {
            let side = if is_test {
                &mut voices.test
            } else {
                &mut voices.train
            };
            side.push(speaker);
        }
        for split in [Split::Validation, Split::Test] {
            let longest = (0..DIGITS).map(|digit| voices.shortest(split, digit).len());
            let needed = longest.max().unwrap_or(0) * usize::from(config.maximum_digits);
            if needed > samples {
                let seconds = needed as f64 / f64::from(config.spectrogram.sample_rate);
                let advice = format!(
                    "{} digits take up to {seconds:.2} seconds even in their shortest takes; choose \
                     at least that, or a smaller `maximum_digits`",
                    config.maximum_digits
                );
                return Err(ConfigError::value("seconds", config.seconds, advice));
            }
        }
        Ok(voices)
    }

    /// A random take of a digit by a random speaker of the split.
    pub(super) fn draw(&self, split: Split, digit: usize, stream: &mut Stream) -> &[f32] {
        let speakers = self.speakers(split);
        let speaker = &speakers[stream.below(speakers.len() as u64) as usize];
        let takes = &speaker.takes[digit];
        &takes[stream.below(takes.len() as u64) as usize]
    }

    /// The shortest take of a digit in the split.
    pub(super) fn shortest(&self, split: Split, digit: usize) -> &[f32] {
        let takes = self
            .speakers(split)
            .iter()
            .flat_map(|speaker| &speaker.takes[digit]);
        takes
            .min_by_key(|take| take.len())
            .expect("each speaker has takes of each digit")
    }

    fn speakers(&self, split: Split) -> &[Speaker] {
        match split {
            Split::Train { .. } | Split::Validation => &self.train,
            Split::Test => &self.test,
        }
    }
}

/// Which of the speakers are the test's.
fn chosen(speakers: &[Speaker], wanted: &TestSpeakers) -> Result<Vec<bool>, ConfigError> {
    let key = "test_speakers";
    let count = speakers.len();
    let mut is_test = vec![false; count];
    match wanted {
        TestSpeakers::Share(share) => {
            let test = (share * count as f64).round().max(1.0) as usize;
            if !(*share > 0.0 && *share < 1.0) || test >= count {
                let advice = format!(
                    "there are {count} speakers, of whom some must be left to train on and one to \
                     test on; choose a share above 0 and below 1, or names"
                );
                return Err(ConfigError::value(key, share, advice));
            }
            for index in shuffled(count).into_iter().rev().take(test) {
                is_test[index] = true;
            }
        }
        TestSpeakers::Named(names) => {
            let known: BTreeMap<&str, usize> = speakers
                .iter()
                .enumerate()
                .map(|(index, speaker)| (speaker.name.as_str(), index))
                .collect();
            for name in names {
                let Some(index) = known.get(name.as_str()) else {
                    let all: Vec<&str> = known.into_keys().collect();
                    let advice = format!("there is no such speaker; choose of {}", all.join(", "));
                    return Err(ConfigError::value(key, name, advice));
                };
                is_test[*index] = true;
            }
            let test = is_test.iter().filter(|is_test| **is_test).count();
            if test == 0 || test == count {
                let advice = format!("choose at least one of the {count} speakers, but not all");
                return Err(ConfigError::value(key, names.join(", "), advice));
            }
        }
    }
    Ok(is_test)
}

/// The numbers below `count` in a fixed random order (Fisher and Yates).
fn shuffled(count: usize) -> Vec<usize> {
    let mut stream = Stream::new(Split::Test, SHUFFLE);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, stream.below(last as u64 + 1) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::small;
    use super::*;

    fn speakers(names: &[&str]) -> Vec<Speaker> {
        let takes = std::array::from_fn(|digit| vec![vec![0.5; 100 + digit], vec![0.5; 300]]);
        names
            .iter()
            .map(|name| Speaker {
                name: (*name).to_owned(),
                takes: takes.clone(),
            })
            .collect()
    }

    fn error(wanted: TestSpeakers) -> String {
        chosen(&speakers(&["ann", "bob", "cy"]), &wanted)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_share_takes_the_last_of_a_fixed_shuffle() {
        let sixty = speakers(&["x"; 60]);
        let is_test = chosen(&sixty, &TestSpeakers::Share(0.15)).unwrap();
        assert_eq!(is_test.iter().filter(|is_test| **is_test).count(), 9);
        assert_eq!(is_test, chosen(&sixty, &TestSpeakers::Share(0.15)).unwrap());
        let six = chosen(&speakers(&["x"; 6]), &TestSpeakers::Share(0.15)).unwrap();
        assert_eq!(six.iter().filter(|is_test| **is_test).count(), 1);
    }

    #[test]
    fn names_are_taken_by_name() {
        let wanted = TestSpeakers::Named(vec!["bob".to_owned()]);
        let is_test = chosen(&speakers(&["ann", "bob", "cy"]), &wanted).unwrap();
        assert_eq!(is_test, [false, true, false]);
    }

    #[test]
    fn nobody_may_be_missing() {
        let eve = error(TestSpeakers::Named(vec!["eve".to_owned()]));
        assert!(eve.contains("eve") && eve.contains("ann, bob, cy"), "{eve}");
        let nobody = error(TestSpeakers::Named(Vec::new()));
        assert!(nobody.contains("at least one of the 3"), "{nobody}");
        for share in [0.0, 1.0, 0.99, f64::NAN] {
            let message = error(TestSpeakers::Share(share));
            assert!(message.contains("there are 3 speakers"), "{message}");
        }
    }

    #[test]
    fn digits_must_fit_the_clip() {
        let config = AudioMnistConfig {
            seconds: 0.05,
            maximum_digits: 5,
            ..small()
        };
        let collection = Collection {
            sample_rate: 8000,
            speakers: speakers(&["ann", "bob"]),
        };
        let voices = Voices::split(collection.clone(), &config, 545).unwrap();
        assert_eq!(voices.shortest(Split::Test, 3).len(), 103);
        let error = Voices::split(collection, &config, 544)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`seconds`") && error.contains("0.07 seconds"),
            "{error}"
        );
    }
}
