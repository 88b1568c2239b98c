//! The configuration of a data set of one's own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Folder;
use super::data::checksum_of;
use super::input::InputConfig;
use super::tokens::{Tokenizer, Tokens};
use crate::domain::{Domain, DomainConfig};
use crate::error::ConfigError;
use crate::vocab::Vocabulary;

/// A folder and how it is read, as an experiment file gives it; `sparling init` writes one.
///
/// Every key but `input.scale` must be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// The folder, relative to the working directory.
    pub path: PathBuf,
    /// What its files' names, contents and labels hash to: training never goes on with other data by
    /// accident. Boxes do not count.
    pub checksum: String,
    /// The column of the metadata with the labels.
    pub label: String,
    /// How labels are cut into tokens.
    pub tokens: Tokens,
    /// The tokens, in the order of their numbers.
    pub vocabulary: Vec<String>,
    /// The most tokens of a label.
    pub longest_label: usize,
    /// The most memory that the decoded files may take, in MiB. All of them are kept.
    pub memory_mib: usize,
    /// Which files are held out.
    pub split: SplitConfig,
    /// How files become inputs.
    pub input: InputConfig,
}

/// Which files are held out where the folder has no `validation` or no `test` within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// The share of the files for validation.
    pub validation: f64,
    /// The share of the files for the test.
    pub test: f64,
    /// What decides on a file.
    pub by: SplitBy,
}

/// What decides on whether a file is held out: a hash of it, so that what is added later moves none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// Its contents: equal files are in the same split.
    Content,
    /// Its path within the folder.
    Name,
}

#[typetag::serde(name = "folder")]
impl DomainConfig for FolderConfig {
    fn build(&self) -> Result<Box<dyn Domain>, ConfigError> {
        Ok(Box::new(self.clone().validate()?))
    }

    fn sources(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.path]
    }

    fn read_from(&mut self, folder: &Path) -> Result<(), ConfigError> {
        self.checksum = checksum_of(folder, &self.label)?;
        self.path = folder.to_owned();
        Ok(())
    }
}

impl FolderConfig {
    /// Checks the configuration. The files are read by [`prepare`](crate::Domain::prepare), since reading
    /// a picture or a recording of one's own needs none of them.
    ///
    /// # Errors
    ///
    /// If a value is out of range.
    pub fn validate(self) -> Result<Folder, ConfigError> {
        self.check_vocabulary()?;
        self.check_split()?;
        if self.longest_label == 0 {
            let advice = "a label has at least one token; choose 1 or more";
            return Err(ConfigError::value("longest_label", 0, advice));
        }
        let vocabulary = Vocabulary::new(self.vocabulary.iter().cloned());
        Ok(Folder {
            front_end: self.input.build()?,
            tokenizer: Tokenizer::new(self.tokens, &vocabulary),
            vocabulary,
            data: OnceLock::new(),
            config: self,
        })
    }

    fn check_vocabulary(&self) -> Result<(), ConfigError> {
        let shown = || format!("[{}]", self.vocabulary.join(", "));
        if self.vocabulary.len() < 2 {
            let advice = "there is nothing to tell apart; give two tokens or more";
            return Err(ConfigError::value("vocabulary", shown(), advice));
        }
        let mut known = BTreeSet::new();
        for name in &self.vocabulary {
            if name.is_empty() || !known.insert(name) {
                let advice = format!("`{name}` is empty or there twice; give each token one name");
                return Err(ConfigError::value("vocabulary", shown(), advice));
            }
        }
        Ok(())
    }

    fn check_split(&self) -> Result<(), ConfigError> {
        let SplitConfig {
            validation, test, ..
        } = self.split;
        for (key, share) in [("split.validation", validation), ("split.test", test)] {
            if !(0.0..1.0).contains(&share) {
                let advice = "it is a share of the files; choose from 0 to below 1";
                return Err(ConfigError::value(key, share, advice));
            }
        }
        if validation + test >= 1.0 {
            let advice = format!(
                "with `split.validation` {validation} nothing is left to train on; choose less"
            );
            return Err(ConfigError::value("split.test", test, advice));
        }
        Ok(())
    }
}
