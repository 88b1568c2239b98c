//! Whether a data set is whole.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sparling_data::speech::folder::{self, FolderError, TakeFile};
use sparling_data::speech::wav::{self, WavError};

use super::{Dataset, checksum};

/// What is in a folder that holds a whole data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How many recordings.
    pub recordings: usize,
    /// How many speakers.
    pub speakers: usize,
    /// How many seconds all recordings last.
    pub seconds: f64,
    /// The recordings' sample rates, in samples per second.
    pub sample_rates: BTreeSet<u32>,
    /// Whether the checksum of all recordings was compared: it is not known of every data set.
    pub checksum: bool,
}

/// Why a folder does not hold a whole data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It holds no recordings that could be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It holds more or less than the data set.
    #[error(
        "{folder} has {found} {what} instead of the {expected} of {title}; unpack the data set \
         again, into an empty folder"
    )]
    Count {
        /// The folder.
        folder: PathBuf,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
        /// The data set.
        title: String,
    },
    /// A recording cannot be read.
    #[error(transparent)]
    Wav(#[from] WavError),
    /// A recording's checksum cannot be computed.
    #[error("cannot read {path}")]
    Read {
        /// The recording.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A recording is not the one that was published, or is named otherwise.
    #[error(
        "the recordings in {folder} are not those of {title}: their checksum is {actual} instead of \
         {expected}; unpack the data set again, into an empty folder"
    )]
    Checksum {
        /// The folder.
        folder: PathBuf,
        /// The data set.
        title: String,
        /// The checksum expected.
        expected: String,
        /// The one of what is there.
        actual: String,
    },
}

/// What one recording contributes.
struct Heard {
    seconds: f64,
    sample_rate: u32,
    /// Its line of the manifest.
    line: Option<String>,
}

/// Looks whether a folder holds a whole data set: counts, reads every recording, and compares the
/// checksum of all of them if that is known.
///
/// # Errors
///
/// If something is missing, too much, unreadable or different.
pub fn verify(dataset: &Dataset, folder: &Path) -> Result<Found, VerifyError> {
    let files = folder::list(folder)?;
    let speakers: BTreeSet<&str> = files.iter().map(|file| file.speaker.as_str()).collect();
    let contents = &dataset.contents;
    for (what, found, expected) in [
        ("recordings", files.len(), contents.recordings),
        ("speakers", speakers.len(), contents.speakers),
    ] {
        if found != expected {
            let folder = folder.to_owned();
            let title = dataset.title.clone();
            return Err(VerifyError::Count {
                folder,
                what,
                found,
                expected,
                title,
            });
        }
    }
    let hash = contents.manifest_sha256.is_some();
    let heard: Vec<_> = files.par_iter().map(|file| hear(file, hash)).collect();
    // One after the other, so that the first error is told, whichever thread was faster.
    let heard = heard.into_iter().collect::<Result<Vec<Heard>, _>>()?;
    let found = Found {
        recordings: files.len(),
        speakers: speakers.len(),
        seconds: heard.iter().map(|heard| heard.seconds).sum(),
        sample_rates: heard.iter().map(|heard| heard.sample_rate).collect(),
        checksum: hash,
    };
    compare(dataset, folder, heard)?;
    Ok(found)
}

fn hear(file: &TakeFile, hash: bool) -> Result<Heard, VerifyError> {
    let (samples, sample_rate) = wav::read(&file.path)?;
    let line = hash.then(|| manifest_line(&file.path)).transpose()?;
    Ok(Heard {
        seconds: samples.len() as f64 / f64::from(sample_rate),
        sample_rate,
        line,
    })
}

fn manifest_line(path: &Path) -> Result<String, VerifyError> {
    let checksum = checksum::of_file(path).map_err(|source| VerifyError::Read {
        path: path.to_owned(),
        source,
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{checksum}  {name}\n"))
}

/// Compares the checksum if it is known.
fn compare(dataset: &Dataset, folder: &Path, heard: Vec<Heard>) -> Result<(), VerifyError> {
    let Some(expected) = &dataset.contents.manifest_sha256 else {
        return Ok(());
    };
    let lines = heard.into_iter().filter_map(|heard| heard.line).collect();
    let actual = checksum::of_sorted(lines);
    if actual == *expected {
        return Ok(());
    }
    Err(VerifyError::Checksum {
        folder: folder.to_owned(),
        title: dataset.title.clone(),
        expected: expected.clone(),
        actual,
    })
}
