//! Recordings of spoken digits in a folder.
//!
//! Two layouts are understood, `D` being a digit from 0 to 9:
//! - AudioMNIST: `data/NN/D_NN_R.wav`, `NN` being the speaker and `R` the repetition;
//! - the Free Spoken Digit Dataset: `recordings/D_SPEAKER_INDEX.wav`.
//!
//! The folder is the one that holds `data` or `recordings`, or that folder itself. Other files in it
//! do not matter.

mod layout;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::resample::Resampler;
use super::wav::{self, WavError};
use super::{Collection, DIGITS, Speaker};
use crate::error::ConfigError;
use crate::parallel::{available_threads, in_parallel};

pub use layout::TakeFile;

/// Why no collection can be had from a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is no such folder.
    #[error("there is no folder {path}; give the one that the recordings are in")]
    Missing {
        /// What was given.
        path: PathBuf,
    },
    /// It is a file.
    #[error("{path} is not a folder; give the one that the recordings are in")]
    NotAFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A folder cannot be listed.
    #[error("cannot list the folder {path}")]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It holds nothing that is named like a recording.
    #[error(
        "no recordings in {path}; they must be laid out as AudioMNIST, data/01/7_01_0.wav for a 7 \
         by speaker 01, or as the Free Spoken Digit Dataset, recordings/7_jackson_0.wav"
    )]
    NoRecordings {
        /// The folder.
        path: PathBuf,
    },
    /// A speaker does not say every digit.
    #[error(
        "speaker {speaker} in {path} has no recording of a {digit}; add one or take the speaker's \
         files away"
    )]
    MissingDigit {
        /// The folder.
        path: PathBuf,
        /// The speaker.
        speaker: String,
        /// The first digit that is missing.
        digit: usize,
    },
    /// A recording cannot be read.
    #[error(transparent)]
    Wav(#[from] WavError),
    /// Nothing of a recording remains at the collection's sample rate.
    #[error("{path} is too short to be speech: {samples} samples; remove it or record it again")]
    TooShort {
        /// The recording.
        path: PathBuf,
        /// How many samples it has, at its own rate.
        samples: usize,
    },
}

impl From<FolderError> for ConfigError {
    fn from(error: FolderError) -> Self {
        Self::Source(Box::new(error))
    }
}

impl Collection {
    /// Loads the recordings in a folder, resampled to so many samples per second.
    ///
    /// A speaker's takes of a digit are in the order of their numbers.
    ///
    /// # Errors
    ///
    /// If the folder holds no recordings in one of the [layouts](self), or not every digit by every
    /// speaker, or if one of them cannot be read.
    ///
    /// # Panics
    ///
    /// If the sample rate is zero.
    pub fn load(folder: &Path, sample_rate: u32) -> Result<Self, FolderError> {
        load(folder, sample_rate, available_threads())
    }
}

/// The recordings in a folder, by speaker, digit and number. None of them is read.
///
/// # Errors
///
/// If the folder holds no recordings in one of the [layouts](self), or not every digit by every
/// speaker.
pub fn list(folder: &Path) -> Result<Vec<TakeFile>, FolderError> {
    let path = folder.to_owned();
    if !folder.exists() {
        return Err(FolderError::Missing { path });
    }
    if !folder.is_dir() {
        return Err(FolderError::NotAFolder { path });
    }
    let files = layout::find(folder)?;
    if files.is_empty() {
        return Err(FolderError::NoRecordings { path });
    }
    match missing_digit(&files) {
        Some((speaker, digit)) => Err(FolderError::MissingDigit {
            path,
            speaker,
            digit,
        }),
        None => Ok(files),
    }
}

fn load(folder: &Path, sample_rate: u32, threads: usize) -> Result<Collection, FolderError> {
    let files = list(folder)?;
    let takes = read_all(&files, sample_rate, threads)?;
    let mut speakers: BTreeMap<String, [Vec<Vec<f32>>; DIGITS]> = BTreeMap::new();
    for (file, take) in files.into_iter().zip(takes) {
        speakers.entry(file.speaker).or_default()[file.digit].push(take);
    }
    let speakers = speakers.into_iter();
    Ok(Collection {
        sample_rate,
        speakers: speakers
            .map(|(name, takes)| Speaker { name, takes })
            .collect(),
    })
}

/// The first speaker who does not say every digit, with the first that is missing.
fn missing_digit(files: &[TakeFile]) -> Option<(String, usize)> {
    let mut said: BTreeMap<&str, [bool; DIGITS]> = BTreeMap::new();
    for file in files {
        said.entry(&file.speaker).or_default()[file.digit] = true;
    }
    said.into_iter().find_map(|(speaker, said)| {
        let digit = said.iter().position(|&said| !said)?;
        Some((speaker.to_owned(), digit))
    })
}

/// The takes in the files' order. Where several cannot be read, the first of them is the error.
fn read_all(
    files: &[TakeFile],
    sample_rate: u32,
    threads: usize,
) -> Result<Vec<Vec<f32>>, FolderError> {
    let parts = in_parallel(files, threads, |part| read_part(part, sample_rate));
    let mut takes = Vec::with_capacity(files.len());
    for part in parts {
        takes.extend(part?);
    }
    Ok(takes)
}

fn read_part(files: &[TakeFile], sample_rate: u32) -> Result<Vec<Vec<f32>>, FolderError> {
    let mut resampler = Resampler::new(sample_rate, sample_rate);
    let mut takes = Vec::with_capacity(files.len());
    for file in files {
        let (samples, rate) = wav::read(&file.path)?;
        if resampler.source_hz() != rate {
            resampler = Resampler::new(rate, sample_rate);
        }
        let mut take = resampler.resample(&samples);
        if take.is_empty() {
            return Err(FolderError::TooShort {
                path: file.path.clone(),
                samples: samples.len(),
            });
        }
        // A filter overshoots where a recording was clipped.
        take.iter_mut()
            .for_each(|sample| *sample = sample.clamp(-1.0, 1.0));
        takes.push(take);
    }
    Ok(takes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, sample_rate: u32, samples: &[i16]) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(path, spec).unwrap();
        for &sample in samples {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        for digit in 0..10 {
            for take in 0..3_u32 {
                let name = format!("{digit}_ada_{take}.wav");
                let rate = [8_000, 11_025, 48_000][take as usize];
                let samples: Vec<i16> = (0..500 + 10 * digit).map(|at| 40 * at - 9_000).collect();
                write(&folder.path().join(name), rate, &samples);
            }
        }
        let alone = load(folder.path(), 8_000, 1).unwrap();
        for threads in [2, 3, 7, 100] {
            assert_eq!(
                load(folder.path(), 8_000, threads).unwrap(),
                alone,
                "{threads}"
            );
        }
    }

    #[test]
    fn the_first_of_several_errors_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for digit in 0..10 {
            std::fs::write(folder.path().join(format!("{digit}_ada_0.wav")), "no sound").unwrap();
        }
        for threads in [1, 2, 5, 20] {
            let error = load(folder.path(), 8_000, threads).unwrap_err().to_string();
            assert!(error.contains("0_ada_0.wav is no WAV file"), "{error}");
        }
    }

    #[test]
    fn nothing_left_of_a_recording_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for digit in 0..10 {
            write(
                &folder.path().join(format!("{digit}_ada_0.wav")),
                48_000,
                &[1, 2],
            );
        }
        let error = load(folder.path(), 8_000, 2).unwrap_err();
        assert!(
            matches!(error, FolderError::TooShort { samples: 2, .. }),
            "{error}"
        );
    }
}
