//! What can be wrong with a data set of one's own.

use std::fmt;
use std::path::PathBuf;

use crate::error::ConfigError;

/// How many cases a message names.
const NAMED: usize = 3;

/// Why no examples can be made from a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is no such folder.
    #[error("there is no folder {path}; give the one with the pictures or recordings as --data")]
    Missing {
        /// What was given.
        path: PathBuf,
    },
    /// It is a file.
    #[error("{path} is not a folder; give the one with the pictures or recordings as --data")]
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
    /// A file with labels cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Nobody says what is written or said in the files.
    #[error(
        "there are no labels in {path}: no metadata.jsonl or metadata.csv, neither there nor in train, \
         validation or test; write one with a line such as \
         {{\"file_name\": \"0001.png\", \"text\": \"3017\"}} for each file"
    )]
    NoLabels {
        /// The folder.
        path: PathBuf,
    },
    /// There are two files with labels.
    #[error("{path} has a metadata.jsonl and a metadata.csv; take one of them away")]
    TwoLabelFiles {
        /// The folder.
        path: PathBuf,
    },
    /// A line of a file with labels cannot be used.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Several files or labels cannot be used.
    #[error("{what}: {cases}; {remedy}")]
    Cases {
        /// What is wrong with them.
        what: &'static str,
        /// Which.
        cases: Cases,
        /// What to do.
        remedy: String,
    },
    /// There is not one label.
    #[error("{path} has labels for no file; write a line for each into its metadata.jsonl")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to tell apart.
    #[error(
        "all labels in {path} consist of `{symbol}` alone, so that there is nothing to tell apart; a model \
         needs two symbols or more"
    )]
    OneSymbol {
        /// The folder.
        path: PathBuf,
        /// The only symbol.
        symbol: String,
    },
    /// A split is empty.
    #[error(
        "there are no {split} examples among the {files} files of {path}; add files to {split}, or choose a \
         larger share as domain.split.{split}"
    )]
    EmptySplit {
        /// The folder.
        path: PathBuf,
        /// The split's name.
        split: &'static str,
        /// How many files there are.
        files: usize,
    },
    /// The data set is not the one that was configured.
    #[error(
        "the data in {path} has changed since this was configured (its checksum was {was} and is {is}); put it \
         back as it was, or go on with it as it is by --data {path}"
    )]
    Changed {
        /// The folder.
        path: PathBuf,
        /// The checksum that was configured.
        was: String,
        /// What it is now.
        is: String,
    },
    /// The examples are too large together.
    #[error(
        "the {files} files of {path} would take {needed} MiB of memory, more than domain.memory_mib = {bound}; \
         raise it, or make inputs smaller"
    )]
    Memory {
        /// The folder.
        path: PathBuf,
        /// How many files there are.
        files: usize,
        /// What they would take.
        needed: usize,
        /// What they may take.
        bound: usize,
    },
}

impl From<FolderError> for ConfigError {
    fn from(error: FolderError) -> Self {
        Self::Source(Box::new(error))
    }
}

/// What something is wrong with: how many, and the first few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cases {
    count: usize,
    first: Vec<String>,
}

impl fmt::Display for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The error that these cases make together; none if there are none.
pub(super) fn unless_none(
    what: &'static str,
    remedy: impl Into<String>,
    cases: impl IntoIterator<Item = String>,
) -> Result<(), FolderError> {
    let mut cases = cases.into_iter();
    let first: Vec<String> = cases.by_ref().take(NAMED).collect();
    if first.is_empty() {
        return Ok(());
    }
    Err(FolderError::Cases {
        what,
        cases: Cases {
            count: first.len() + cases.count(),
            first,
        },
        remedy: remedy.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_cases_are_named_and_the_rest_counted() {
        let message = |count: usize| {
            let cases = (0..count).map(|case| format!("{case}.png"));
            unless_none("files that are blank", "remove them", cases)
                .map_err(|error| error.to_string())
        };
        assert_eq!(message(0), Ok(()));
        let three = "files that are blank: 0.png, 1.png, 2.png; remove them";
        assert_eq!(message(3), Err(three.to_owned()));
        let many = "files that are blank: 0.png, 1.png, 2.png and 9 more; remove them";
        assert_eq!(message(12), Err(many.to_owned()));
    }
}
