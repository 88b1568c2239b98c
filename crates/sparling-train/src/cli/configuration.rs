//! The options that choose a configuration.

use std::path::PathBuf;

use clap::Args;

use crate::config::{RunConfig, RunConfigError};

/// Where a configuration comes from, for commands that do not start from a run.
#[derive(Debug, Args)]
pub struct Configuration {
    /// The built-in configuration to start from: small, full or paper.
    #[arg(long, default_value = "small", conflicts_with = "config")]
    pub(super) preset: String,
    /// A TOML file to use instead of a preset.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Change one value, e.g. `training.learning_rate=1e-3`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// A folder that examples are made from: for audiomnist recordings, laid out as AudioMNIST or the
    /// Free Spoken Digit Dataset, instead of synthetic voices.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Configuration {
    /// The configuration for a domain, with `seed` instead of the configured one if it is given.
    pub(super) fn load(
        &self,
        domain: &str,
        seed: Option<u64>,
    ) -> Result<RunConfig, RunConfigError> {
        let mut settings = self.settings.clone();
        settings.extend(seed.map(|seed| format!("seed={seed}")));
        let mut config = RunConfig::load(domain, &self.preset, self.config.as_deref(), &settings)?;
        if let Some(folder) = &self.data {
            let refused = |error: sparling_data::ConfigError| {
                RunConfigError::Override(format!("{domain} --data"), error.to_string())
            };
            config.domain.read_from(folder).map_err(refused)?;
            config.validate()?;
        }
        Ok(config)
    }
}
