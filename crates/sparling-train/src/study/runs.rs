//! Runs side by side: those that differ in their seed alone make a group.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

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
    /// The names of its symbols.
    pub symbols: Vec<String>,
    /// Whether test examples come from elsewhere than validation's, as other speakers do.
    pub generalises: bool,
    /// The groups: those of the most seeds first, then in the order of their names and weights.
    pub groups: Vec<Group>,
}

/// Runs that differ in their seed alone.
#[derive(Debug)]
pub struct Group {
    /// The runs' name without the seed and their domain's name.
    pub name: String,
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

/// Reads all runs in some folders, at any depth, that have ended.
///
/// # Errors
///
/// If a file cannot be read, or there is no such run.
pub fn read(folders: &[PathBuf]) -> Result<Vec<DomainStudy>> {
    let mut paths = Vec::new();
    for folder in folders {
        find(folder, &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    let mut domains: BTreeMap<String, BTreeMap<String, Vec<Run>>> = BTreeMap::new();
    for path in &paths {
        let Some(run) = Run::read(path).with_context(|| format!("in {}", path.display()))? else {
            continue;
        };
        let groups = domains
            .entry(run.config.domain_name().to_owned())
            .or_default();
        groups.entry(run.group()).or_default().push(run);
    }
    ensure!(
        !domains.is_empty(),
        "no run that has ended in {}",
        folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect::<Vec<_>>()
            .join(", ")
    );
    domains
        .into_iter()
        .map(|(domain, groups)| {
            let mut groups: Vec<Group> = groups
                .into_iter()
                .map(|(name, runs)| Group { name, runs })
                .collect();
            for group in &mut groups {
                group.runs.sort_by_key(|run| run.seed);
            }
            groups.sort_by(|left, right| {
                let order = left.rank().partial_cmp(&right.rank());
                order.expect("weights are finite")
            });
            let of_domain = groups[0].runs[0].config.build_domain()?;
            Ok(DomainStudy {
                symbols: of_domain.symbols().to_vec(),
                generalises: of_domain.test_differs(),
                domain,
                groups,
            })
        })
        .collect()
}

fn find(folder: &Path, runs: &mut Vec<PathBuf>) -> Result<()> {
    if RunFolder::open(folder).is_ok() {
        runs.push(folder.to_owned());
        return Ok(());
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, runs)?;
        }
    }
    Ok(())
}

impl Run {
    /// Reads a run; `None` if it has not ended.
    fn read(path: &Path) -> Result<Option<Self>> {
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
        Ok(Some(Self {
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
        }))
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
            runs: Vec::new(),
        };
        let names = [
            "kl-100", "kl-1e4", "l1-0.1", "l1-2", "l1-10", "mt", "mt-alone", "mt-nan",
        ];
        let groups = names.map(group);
        assert!(groups.is_sorted_by(|left, right| left.rank() < right.rank()));
    }
}
