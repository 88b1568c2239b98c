//! The options that choose a configuration.

use std::path::{Path, PathBuf};

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
    /// For audiomnist: a folder of recordings, laid out as AudioMNIST or the Free Spoken Digit
    /// Dataset, instead of synthetic voices.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Configuration {
    /// The configuration for a domain, with `seed` instead of the configured one if it is given.
    pub(super) fn load(&self, domain: &str, seed: Option<u64>) -> Result<RunConfig, ConfigError> {
        let data = self
            .data
            .as_deref()
            .map(|folder| speech_folder(domain, folder));
        let mut settings: Vec<String> = data.transpose()?.into_iter().collect();
        settings.extend_from_slice(&self.settings);
        settings.extend(seed.map(|seed| format!("seed={seed}")));
        RunConfig::load(domain, &self.preset, self.config.as_deref(), &settings)
    }
}

/// The setting that makes a domain read its recordings from a folder.
fn speech_folder(domain: &str, folder: &Path) -> Result<String, ConfigError> {
    if domain != "audiomnist" {
        let setting = format!("--data {}", folder.display());
        let message = "only audiomnist reads recordings".to_owned();
        return Err(ConfigError::Override(setting, message));
    }
    let folder = toml::Value::String(folder.display().to_string());
    Ok(format!(
        "domain.speech={{ source = \"folder\", path = {folder} }}"
    ))
}
