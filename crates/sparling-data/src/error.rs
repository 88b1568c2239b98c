//! What can be wrong with a domain's configuration.

use crate::digitcircle::StampsError;
use crate::speech::folder::FolderError;

/// A configuration that does not describe a domain.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key has a value that cannot be used.
    #[error("`{key}` is {value}: {advice}")]
    Value {
        /// The key in the configuration.
        key: &'static str,
        /// The value it has.
        value: String,
        /// Why that cannot be, and what to do.
        advice: String,
    },
    /// The file that `stamps` names cannot be used.
    #[error("`stamps` does not name a usable file")]
    Stamps(#[from] StampsError),
    /// The folder of recordings cannot be used.
    #[error(transparent)]
    Speech(#[from] FolderError),
}

impl ConfigError {
    /// An error about one key.
    pub fn value(
        key: &'static str,
        value: impl std::fmt::Display,
        advice: impl Into<String>,
    ) -> Self {
        Self::Value {
            key,
            value: value.to_string(),
            advice: advice.into(),
        }
    }
}
