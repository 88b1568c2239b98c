//! Data sets: where they come from, how they are fetched, and whether they are whole.
//!
//! Each is a file in this crate's `datasets/` and a line in [`Dataset::all`]. [`fetch()`] downloads an
//! archive beside its destination, goes on where the last attempt ended, checks it, unpacks it into a
//! temporary folder and renames that: what lies at the destination is whole. [`verify()`] looks at
//! what is already there.

mod checksum;
mod copy;
mod download;
mod fetch;
mod unpack;
mod verify;

use serde::Deserialize;

pub use download::DownloadError;
pub use fetch::{FetchError, Stage, fetch};
pub use unpack::UnpackError;
pub use verify::{Found, VerifyError, verify};

const SOURCES: [&str; 2] = [
    include_str!("../datasets/audiomnist.toml"),
    include_str!("../datasets/fsdd.toml"),
];

/// A data set, as a file in this crate's `datasets/` describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// What it is called on the command line.
    pub name: String,
    /// What its authors call it.
    pub title: String,
    /// What may be done with it.
    pub licence: String,
    /// Who made it.
    pub authors: String,
    /// What to cite.
    pub citation: String,
    /// Where to read about it.
    pub homepage: String,
    /// The file to download.
    pub archive: Archive,
    /// What is in it.
    pub contents: Contents,
}

/// A file to download.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its web address.
    pub url: String,
    /// How it is packed.
    pub kind: ArchiveKind,
    /// Its size, in words.
    pub size: String,
    /// Its SHA-256 checksum in hexadecimal digits, where that is known.
    pub sha256: Option<String>,
}

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ArchiveKind {
    /// tar, then gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
}

/// What is in a data set of spoken digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// How many recordings.
    pub recordings: usize,
    /// How many speakers.
    pub speakers: usize,
    /// The SHA-256 checksum over sorted lines `<sha256>  <file name>` of all recordings, where that
    /// is known.
    pub manifest_sha256: Option<String>,
}

impl Dataset {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// If it is not TOML or has missing, unknown or wrong keys.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Those there are.
    pub fn all() -> Vec<Self> {
        let parse = |text| Self::parse(text).expect("the descriptions that come along are valid");
        SOURCES.map(parse).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptions_are_usable() {
        for dataset in Dataset::all() {
            assert!(dataset.archive.url.starts_with("https://"), "{dataset:?}");
            assert!(dataset.archive.url.ends_with(".tar.gz"), "{dataset:?}");
            let contents = &dataset.contents;
            assert_eq!(contents.recordings, contents.speakers * 10 * 50);
            let checksums = [&dataset.archive.sha256, &contents.manifest_sha256];
            for checksum in checksums.into_iter().flatten() {
                assert_eq!(checksum.len(), 64);
                let hexadecimal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert!(checksum.bytes().all(hexadecimal), "{checksum}");
            }
        }
    }

    #[test]
    fn names_are_different() {
        let mut names: Vec<String> = Dataset::all().into_iter().map(|set| set.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), SOURCES.len());
    }
}
