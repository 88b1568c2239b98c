//! The options that choose a configuration.

use std::path::PathBuf;

use clap::Args;

use crate::config::{ConfigError, RunConfig};

/// Where a configuration comes from, for commands that do not start from a run.
#[derive(Debug, Args)]
pub struct Configuration {
    /// The built-in configuration to start from: small or paper.
    #[arg(long, default_value = "small", conflicts_with = "config")]
    pub(super) preset: String,
    /// A TOML file to use instead of a preset.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Change one value, e.g. `training.learning_rate=1e-3`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl Configuration {
    /// The configuration for a domain, with `seed` instead of the configured one if it is given.
    pub(super) fn load(&self, domain: &str, seed: Option<u64>) -> Result<RunConfig, ConfigError> {
        let mut settings = self.settings.clone();
        settings.extend(seed.map(|seed| format!("seed={seed}")));
        RunConfig::load(domain, &self.preset, self.config.as_deref(), &settings)
    }
}
