//! The options that choose a configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use sparling_data::folder::Wishes;

use crate::config::{RunConfig, RunConfigError};
use crate::recipe::{self, Recipe};
use crate::run::folder::RunFolder;

use super::output::say;

/// The preset that is meant where none is named.
const PRESET: &str = "small";

/// Where a configuration comes from, for commands that do not start from a run.
#[derive(Debug, Args)]
pub struct Configuration {
    /// The built-in configuration to start from: small, which is the default, full or paper.
    #[arg(long, conflicts_with = "config")]
    preset: Option<String>,
    /// A TOML file to use instead of a preset.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Change one value, e.g. `training.learning_rate=1e-3`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// The folder that examples are made from, as it is now. For folder, your pictures or recordings with
    /// their labels; for audiomnist recordings, laid out as AudioMNIST or the Free Spoken Digit Dataset,
    /// instead of synthetic voices.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

impl Configuration {
    /// The configuration for a domain, with `seed` instead of the configured one if it is given.
    pub(super) fn load(&self, domain: &str, seed: Option<u64>) -> Result<RunConfig> {
        let mut settings = self.settings.clone();
        settings.extend(seed.map(|seed| format!("seed={seed}")));
        let file = self.config.as_deref();
        if domain == recipe::DOMAIN && file.is_none() {
            return self.write_down(&settings);
        }
        let mut config = RunConfig::load(domain, self.preset(), file, &settings)?;
        if let Some(folder) = &self.data {
            read_from(&mut config, folder)?;
        }
        Ok(config)
    }

    /// The built-in configuration to start from.
    pub(super) fn preset(&self) -> &str {
        self.preset.as_deref().unwrap_or(PRESET)
    }

    /// Chooses a configuration for a folder, and says what was chosen.
    fn write_down(&self, settings: &[String]) -> Result<RunConfig> {
        ensure!(
            self.preset.is_none(),
            "there is no preset for a folder of one's own; leave --preset out"
        );
        let folder = self.data.as_deref().context(
            "give the folder with your pictures or recordings as --data DIR, or what `sparling init DIR` has \
             written as --config FILE",
        )?;
        let recipe = Recipe::write(folder, &Wishes::default())?;
        recipe.summary.iter().for_each(|line| say!("{line}"));
        Ok(RunConfig::parse(
            recipe::DOMAIN,
            recipe::ORIGIN,
            &recipe.text,
            settings,
        )?)
    }
}

/// The configuration of a run, with its examples made from another folder if one is given.
pub(super) fn of_run(run: &RunFolder, data: Option<&Path>) -> Result<RunConfig, RunConfigError> {
    let Some(folder) = data else {
        return run.config();
    };
    let mut config = RunConfig::as_written(&run.config_path())?;
    read_from(&mut config, folder)?;
    Ok(config)
}

fn read_from(config: &mut RunConfig, folder: &Path) -> Result<(), RunConfigError> {
    let option = format!("{} --data", config.domain_name());
    let refused =
        |error: sparling_data::ConfigError| RunConfigError::Override(option, error.to_string());
    config.domain.read_from(folder).map_err(refused)?;
    config.validate()
}
