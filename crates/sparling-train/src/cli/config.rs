//! `sparling config`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use toml::{Table, Value};

use super::configuration::Configuration;
use super::output::say;
use crate::config::{RunConfig, preset_names};
use crate::run::folder::RunFolder;

/// What `config` takes.
#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the built-in configurations.
    List,
    /// Print a configuration with every key, as `train` would run it.
    Show {
        /// The domain: digitcircle, audiomnist, latexocr or folder.
        domain: String,
        #[command(flatten)]
        configuration: Box<Configuration>,
    },
    /// Check configurations without running them.
    Check {
        /// TOML files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the keys in which two configurations differ.
    Diff {
        /// A file, a run's folder, or a built-in configuration such as digitcircle/small.
        one: String,
        /// As the first.
        other: String,
    },
}

impl Config {
    pub(super) fn run(self) -> Result<()> {
        match self.action {
            Action::List => preset_names().for_each(|[domain, preset]| say!("{domain}/{preset}")),
            Action::Show {
                domain,
                configuration,
            } => say!(
                "{}",
                configuration.load(&domain, None)?.to_toml()?.trim_end()
            ),
            Action::Check { files } => {
                for file in &files {
                    from_file(file)?;
                    say!("{}: can be run", file.display());
                }
            }
            Action::Diff { one, other } => {
                let lines = differences(&named(&one)?, &named(&other)?)?;
                lines.iter().for_each(|line| say!("{line}"));
            }
        }
        Ok(())
    }
}

/// A configuration by what a user calls it.
fn named(name: &str) -> Result<RunConfig> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(RunFolder::open(path)?.config()?);
    }
    if path.exists() {
        return from_file(path);
    }
    let parts = name.split_once('/');
    let (domain, preset) = parts.with_context(|| {
        format!(
            "`{name}` is neither a file, nor a run's folder, nor a name such as digitcircle/small"
        )
    })?;
    Ok(RunConfig::load(domain, preset, None, &[])?)
}

/// A configuration from a file, whatever its domain.
fn from_file(path: &Path) -> Result<RunConfig> {
    let origin = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
    let table: Table = text.parse().with_context(|| origin.clone())?;
    let domain = table.get("domain").and_then(|domain| domain.get("name"));
    let domain = domain.and_then(Value::as_str);
    ensure!(
        domain.is_some(),
        "{origin} has no domain.name: it is no configuration of a run"
    );
    Ok(RunConfig::parse(
        domain.unwrap_or_default(),
        &origin,
        &text,
        &[],
    )?)
}

/// A line for each key that is not the same.
fn differences(one: &RunConfig, other: &RunConfig) -> Result<Vec<String>> {
    let keys = |config: &RunConfig| -> Result<BTreeMap<String, String>> {
        let mut keys = BTreeMap::new();
        flatten("", &Value::Table(config.to_toml()?.parse()?), &mut keys);
        Ok(keys)
    };
    let (one, other) = (keys(one)?, keys(other)?);
    let keys: BTreeMap<&String, ()> = one
        .keys()
        .chain(other.keys())
        .map(|key| (key, ()))
        .collect();
    let shown = |value: Option<&String>| value.map_or("absent", String::as_str).to_owned();
    let differing = keys
        .into_keys()
        .filter(|key| one.get(*key) != other.get(*key))
        .map(|key| {
            format!(
                "{key}: {} -> {}",
                shown(one.get(key)),
                shown(other.get(key))
            )
        });
    Ok(differing.collect())
}

/// Every value by its whole key.
fn flatten(prefix: &str, value: &Value, keys: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let key = match prefix {
                    "" => key.clone(),
                    prefix => format!("{prefix}.{key}"),
                };
                flatten(&key, value, keys);
            }
        }
        value => {
            keys.insert(prefix.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_key_by_key() {
        let load = |settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
            RunConfig::load("digitcircle", "small", None, &settings).unwrap()
        };
        let one = load(&[]);
        assert_eq!(differences(&one, &one).unwrap(), Vec::<String>::new());
        let other = load(&["training.batch_size=20", "last_phase="]);
        let lines = differences(&one, &other).unwrap();
        assert_eq!(lines[0], "last_phase.centre: true -> absent");
        assert_eq!(lines.last().unwrap(), "training.batch_size: 10 -> 20");
    }

    #[test]
    fn presets_go_by_domain_and_name() {
        assert_eq!(named("latexocr/full").unwrap().domain_name(), "latexocr");
        let error = named("nothing").unwrap_err().to_string();
        assert!(error.contains("digitcircle/small"), "{error}");
    }
}
