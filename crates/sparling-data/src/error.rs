//! What can be wrong with a domain's configuration.

use std::error::Error;

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
    /// The file or folder that a key names cannot be used.
    #[error("`{key}` does not name a usable file; --data names another")]
    File {
        /// The key in the configuration.
        key: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What examples are made from cannot be used.
    #[error(transparent)]
    Source(Box<dyn Error + Send + Sync>),
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
