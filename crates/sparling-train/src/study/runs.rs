//! Runs side by side: those that differ in their seed alone make a group.

mod checks;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use sparling_data::Domain;

use crate::config::RunConfig;
use crate::metrics::Figures;
use crate::metrics::statistics::Mean;
use crate::run::event::{Event, ValidationEvent};
use crate::run::folder::{Results, RunFolder};
use crate::study::binning::Binning;
use crate::study::causality::Causality;
use crate::study::direct::Direct;
use crate::study::experiment::Measurement;
use crate::study::trust::Trust;

/// Runs of one domain.
#[derive(Debug)]
pub struct DomainStudy {
    /// The domain's name.
    pub domain: String,
    /// The groups: those of the most seeds first, then in the order of their names and weights.
    pub groups: Vec<Group>,
}

/// Runs that differ in their seed alone.
#[derive(Debug)]
pub struct Group {
    /// The runs' name without the seed and their domain's name; a number is added where another group, of
    /// another configuration, has the same.
    pub name: String,
    /// The names of the domain's symbols.
    pub symbols: Vec<String>,
    /// Whether test examples come from elsewhere than validation's, as other speakers do.
    pub generalises: bool,
    /// The runs, in the order of their seeds.
    pub runs: Vec<Run>,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// Its folder.
    pub path: PathBuf,
    /// Its seed.
    pub seed: u64,
    /// What it was asked to do.
    pub config: RunConfig,
    /// The commit of the program that began it.
    pub commit: Option<String>,
    /// Every check.
    pub checks: Vec<ValidationEvent>,
    /// What the trained model gets right.
    pub results: Results,
    /// How many bits its motifs' strength carries, density by density, if it was measured.
    pub binning: Vec<Binning>,
    /// The motif model beside one that was shown labels, if it was measured.
    pub direct: Option<Direct>,
    /// How often outputs follow motifs that are given to another channel, if it was measured.
    pub causality: Option<Causality>,
    /// What tells without any truth how far it can be trusted, if it was measured.
    pub trust: Option<Trust>,
}

/// The runs that were found.
#[derive(Debug)]
pub struct Found {
    /// Domain by domain.
    pub domains: Vec<DomainStudy>,
    /// Those that are left out, each with the reason.
    pub left_out: Vec<String>,
}

/// Reads all runs in some folders, at any depth, that have ended. Links are not followed. A run that is damaged
/// is left out.
///
/// # Errors
///
/// If a folder cannot be read, or there is no such run.
pub fn read(folders: &[PathBuf]) -> Result<Found> {
    let mut paths = BTreeMap::new();
    for folder in folders {
        find(folder, &mut paths)?;
    }
    let mut left_out = Vec::new();
    let mut domains: BTreeMap<String, BTreeMap<Key, Group>> = BTreeMap::new();
    for path in paths.values() {
        let (run, domain) = match Run::read(path) {
            Ok(Some(run)) => run,
            Ok(None) => continue,
            Err(error) => {
                left_out.push(format!("{}: {error:#}", path.display()));
                continue;
            }
        };
        let groups = domains
            .entry(run.config.domain_name().to_owned())
            .or_default();
        let group = groups.entry(run.key()).or_insert_with(|| Group {
            name: run.group(),
            symbols: domain.symbols().to_vec(),
            generalises: domain.test_differs(),
            runs: Vec::new(),
        });
        match group.runs.iter().find(|other| other.seed == run.seed) {
            None => group.runs.push(run),
            Some(other) => left_out.push(format!(
                "{}: there is one of the same name, configuration and seed in {}",
                path.display(),
                other.path.display()
            )),
        }
    }
    ensure!(
        !domains.is_empty(),
        "no run that has ended in {}{}",
        folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect::<Vec<_>>()
            .join(", "),
        left_out
            .iter()
            .map(|run| format!("; {run}"))
            .collect::<String>(),
    );
    let domains = domains.into_iter().map(|(domain, groups)| DomainStudy {
        domain,
        groups: in_order(groups.into_values().collect()),
    });
    Ok(Found {
        domains: domains.collect(),
        left_out,
    })
}

/// What the runs of a group have in common: their name, and their configuration but for the seed.
type Key = (String, String);

/// Sorts groups and their runs, and numbers groups of the same name.
fn in_order(mut groups: Vec<Group>) -> Vec<Group> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for group in &mut groups {
        group.runs.sort_by_key(|run| run.seed);
        let number = names.entry(group.name.clone()).or_default();
        *number += 1;
        if *number > 1 {
            group.name = format!("{}, configuration {number}", group.name);
        }
    }
    groups.sort_by(|left, right| {
        let order = left.rank().partial_cmp(&right.rank());
        order.expect("weights are finite")
    });
    groups
}

/// The runs in a folder, each once: by where they really are.
fn find(folder: &Path, runs: &mut BTreeMap<PathBuf, PathBuf>) -> Result<()> {
    let unreadable = || format!("cannot read {}", folder.display());
    if RunFolder::open(folder).is_ok() {
        let place = fs::canonicalize(folder).with_context(unreadable)?;
        runs.entry(place).or_insert_with(|| folder.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        // What begins with a dot is not whole yet.
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.file_type().with_context(unreadable)?.is_dir() {
            find(&entry.path(), runs)?;
        }
    }
    Ok(())
}

impl Run {
    /// Reads a run and makes its domain; `None` if it has not ended.
    fn read(path: &Path) -> Result<Option<(Self, Box<dyn Domain>)>> {
        let folder = RunFolder::open(path)?;
        let Some(results) = folder.results()? else {
            return Ok(None);
        };
        let config = folder.config()?;
        let environment: Option<serde_json::Value> = json(&path.join("environment.json"))?;
        let commit = environment.and_then(|environment| {
            let commit = environment.get("commit")?.as_str()?;
            Some(commit.to_owned())
        });
        let domain = config.build_domain()?;
        let run = Self {
            path: path.to_owned(),
            seed: config.seed,
            config,
            commit,
            checks: folder
                .events()?
                .into_iter()
                .filter_map(Event::check)
                .collect(),
            results,
            binning: json(&Measurement::Binning.file(path))?.unwrap_or_default(),
            direct: json(&Measurement::Direct.file(path))?,
            causality: json(&Measurement::Causality.file(path))?,
            trust: json(&Measurement::Trust.file(path))?,
        };
        run.validate(domain.symbols().len())?;
        Ok(Some((run, domain)))
    }

    /// What it has in common with the other runs of its group.
    fn key(&self) -> Key {
        let mut config = self.config.decisive();
        if let Some(fields) = config.as_object_mut() {
            fields.remove("seed");
        }
        // Each seed of a variant that is retrained has a run of its own to begin with.
        if let Some(retrain) = config["retrain"].as_object_mut() {
            retrain.clear();
        }
        (self.group(), config.to_string())
    }

    /// Its name without the seed and the domain's name.
    fn group(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.replacen(&format!("-seed{}", self.seed), "", 1);
        let domain = format!("{}-", self.config.domain_name());
        name.strip_prefix(&domain).unwrap_or(&name).to_owned()
    }

    /// Time spent training, in minutes.
    pub fn minutes(&self) -> Option<f64> {
        self.checks.last().map(|check| check.elapsed_seconds / 60.0)
    }
}

impl Group {
    /// What groups are ordered by: their seeds, then the name, in which `l1-10` comes after `l1-2`.
    fn rank(&self) -> (Reverse<usize>, &str, f64) {
        let weighted = self.name.rsplit_once('-').and_then(|(name, weight)| {
            let weight: f64 = weight.parse().ok()?;
            weight.is_finite().then_some((name, weight))
        });
        let (name, weight) = weighted.unwrap_or((&self.name, 0.0));
        (Reverse(self.runs.len()), name, weight)
    }

    /// The run of the lowest E2EE on validation examples, which are not those that it is reported on;
    /// `None` of fewer than three runs.
    pub fn best_by_validation(&self) -> Option<&Run> {
        let e2ee = |run: &Run| run.results.validation.figures.e2ee.unwrap_or(f64::INFINITY);
        let best = self.runs.iter().min_by(|a, b| e2ee(a).total_cmp(&e2ee(b)));
        best.filter(|_| self.runs.len() >= 3)
    }

    /// The mean over runs of what is known of each.
    pub fn mean(&self, value: impl Fn(&Run) -> Option<f64>) -> Option<Mean> {
        Mean::of(&self.runs.iter().filter_map(value).collect::<Vec<_>>())
    }

    /// The mean of a figure on test examples.
    pub fn test(&self, share: fn(&Figures) -> Option<f64>) -> Option<Mean> {
        self.mean(|run| share(&run.results.test.figures))
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => {
            let value = serde_json::from_slice(&bytes);
            Ok(Some(value.with_context(|| {
                format!("cannot read {}", path.display())
            })?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_ordered_as_numbers() {
        let group = |name: &str| Group {
            name: name.to_owned(),
            symbols: Vec::new(),
            generalises: false,
            runs: Vec::new(),
        };
        let names = [
            "kl-100", "kl-1e4", "l1-0.1", "l1-2", "l1-10", "mt", "mt-alone", "mt-nan",
        ];
        let groups = names.map(group);
        assert!(groups.is_sorted_by(|left, right| left.rank() < right.rank()));
    }
}
