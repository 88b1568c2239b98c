//! Experiments: several variants of a configuration, each with several seeds, as one TOML file.
//!
//! ```toml
//! title = "DigitCircle, small: an L1 penalty instead of the sparsity layer"
//! domain = "digitcircle"
//! preset = "small" # or base = "my.toml", beside this file
//! seeds = [1, 2, 3]
//! set = ["splitting=", "bottleneck.competition="]
//! max_samples = 200_000
//!
//! [[variant]]
//! name = "1"
//! set = ["bottleneck.baseline={ kind = 'l1', weight = 1.0 }"]
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparling_data::input_file;

use crate::config::{RunConfig, RunConfigError};
use crate::run::event::Event;
use crate::run::folder::{RunError, RunFolder};

/// The most bytes that an experiment's file may have.
const LONGEST_FILE: u64 = 1 << 24;

/// An experiment file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// What is compared, in a line.
    pub title: String,
    /// The domain of all its runs.
    pub domain: String,
    /// The preset they start from.
    pub preset: Option<String>,
    /// Instead of a preset, the file they start from, relative to this file.
    pub base: Option<PathBuf>,
    /// The seeds of each variant.
    pub seeds: Vec<u64>,
    /// What all variants change in the base, as `train --set`.
    #[serde(default)]
    pub set: Vec<String>,
    /// Where runs end that do not end by themselves.
    pub max_samples: Option<u64>,
    /// What is compared.
    pub variant: Vec<Variant>,
    /// The file it was read from.
    #[serde(skip)]
    pub file: PathBuf,
}

/// One of the configurations compared.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name in the names of its runs and in reports.
    pub name: String,
    /// What it changes besides.
    #[serde(default)]
    pub set: Vec<String>,
    /// Its seeds, if not the experiment's.
    pub seeds: Option<Vec<u64>>,
    /// Where its runs end, if not where the experiment's do.
    pub max_samples: Option<u64>,
    /// A variant whose runs of the same seed it retrains, as `train --retrain`.
    pub retrain: Option<String>,
    /// What is measured of its runs once they are trained.
    #[serde(default)]
    pub then: Vec<Measurement>,
}

/// A command that measures a trained run, and the file it leaves in the run's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measurement {
    /// How many bits a motif's strength carries.
    Binning,
    /// The motif model beside one trained on single motifs.
    Direct,
    /// Whether outputs follow motifs that are given to another channel.
    Causality,
    /// What tells without any truth how far the run can be trusted.
    Trust,
}

/// A run of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The seed.
    pub seed: u64,
    /// The run's folder.
    pub folder: PathBuf,
    base: Base,
    set: Vec<String>,
    max_samples: Option<u64>,
    /// The run that has to be trained before.
    pub retrain: Option<PathBuf>,
    then: Vec<Measurement>,
}

/// The configuration that runs start from.
#[derive(Clone, Debug, PartialEq)]
enum Base {
    Preset(String),
    File(PathBuf),
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has no folder yet.
    Missing,
    /// It was begun.
    Begun,
    /// It is trained; something is still to be measured.
    Trained(Measurement),
    /// Nothing is left to do.
    Done,
}

/// An experiment file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// It cannot be read, or is not as it should be.
    #[error("{file}: {message}")]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// One of its configurations cannot be used.
    #[error("{file}, variant {variant}")]
    Variant {
        /// The file.
        file: PathBuf,
        /// The variant's name.
        variant: String,
        /// Why.
        source: Box<RunConfigError>,
    },
}

impl Measurement {
    /// The command, and its file's name without extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binning => "binning",
            Self::Direct => "direct",
            Self::Causality => "causality",
            Self::Trust => "trust",
        }
    }

    /// Where a run keeps it.
    pub fn file(self, run: &Path) -> PathBuf {
        run.join(self.name()).with_extension("json")
    }
}

impl Experiment {
    /// Reads a file and checks the configuration of every variant.
    ///
    /// # Errors
    ///
    /// Names the file, and the variant if it is one's.
    pub fn load(file: &Path) -> Result<Self, ExperimentError> {
        let wrong = |message: String| ExperimentError::File {
            file: file.to_owned(),
            message,
        };
        let text = input_file::read_text(file, LONGEST_FILE);
        let text = text.map_err(|error| wrong(error.to_string()))?;
        let mut experiment: Self =
            toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        experiment.file = file.to_owned();
        let mut names = BTreeSet::new();
        for variant in &experiment.variant {
            let name = &variant.name;
            if name.is_empty()
                || !name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
            {
                return Err(wrong(format!(
                    "variant `{name}`: expected letters, digits, - and ."
                )));
            }
            if let Some(other) = variant
                .retrain
                .as_ref()
                .filter(|other| !names.contains(other))
            {
                return Err(wrong(format!(
                    "variant {name}: there is no variant {other} before it"
                )));
            }
            if variant.retrain.is_some() && !variant.set.is_empty() {
                return Err(wrong(format!(
                    "variant {name}: what is retrained keeps its values"
                )));
            }
            if !names.insert(name) {
                return Err(wrong(format!("there are two variants {name}")));
            }
            let base = experiment.base().ok_or_else(|| {
                wrong("expected either `preset` or `base`, to say what runs start from".to_owned())
            })?;
            let set = experiment.settings(variant);
            base.load(&experiment.domain, &set)
                .map_err(|source| ExperimentError::Variant {
                    file: file.to_owned(),
                    variant: name.clone(),
                    source: Box::new(source),
                })?;
        }
        Ok(experiment)
    }

    fn settings(&self, variant: &Variant) -> Vec<String> {
        [self.set.as_slice(), &variant.set].concat()
    }

    fn base(&self) -> Option<Base> {
        match (&self.preset, &self.base) {
            (Some(preset), None) => Some(Base::Preset(preset.clone())),
            (None, Some(file)) => {
                let folder = self.file.parent().unwrap_or(Path::new(""));
                Some(Base::File(folder.join(file)))
            }
            _ => None,
        }
    }

    /// The file's name without extension, which begins the names of its runs.
    pub fn name(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// All runs, each after the one it retrains. With `seeds` those alone are run, of each variant.
    pub fn runs(&self, out: &Path, seeds: Option<&[u64]>) -> Vec<Planned> {
        let folder = |variant: &str, seed: u64| {
            let name = format!("{}-{variant}-seed{seed}", self.name());
            out.join(&self.domain).join(name)
        };
        let mut runs = Vec::new();
        for variant in &self.variant {
            let own = variant.seeds.as_deref().unwrap_or(&self.seeds);
            for seed in seeds.unwrap_or(own) {
                let retrain = variant.retrain.as_ref();
                runs.push(Planned {
                    seed: *seed,
                    folder: folder(&variant.name, *seed),
                    base: self.base().expect("checked when it was read"),
                    set: self.settings(variant),
                    max_samples: variant.max_samples.or(self.max_samples),
                    retrain: retrain.map(|other| folder(other, *seed)),
                    then: variant.then.clone(),
                });
            }
        }
        runs
    }
}

impl Base {
    fn load(&self, domain: &str, set: &[String]) -> Result<RunConfig, RunConfigError> {
        match self {
            Self::Preset(preset) => RunConfig::load(domain, preset, None, set),
            Self::File(file) => RunConfig::load(domain, "", Some(file), set),
        }
    }
}

impl Planned {
    /// The run's name.
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// How far it is, by its events and results alone, so that a run whose weights were not kept is done.
    ///
    /// # Errors
    ///
    /// If its folder is damaged.
    pub fn progress(&self) -> Result<Progress, RunError> {
        let Ok(folder) = RunFolder::open(&self.folder) else {
            return Ok(Progress::Missing);
        };
        if folder.results()?.is_none() {
            return Ok(Progress::Begun);
        }
        let events = folder.events()?;
        let finished = events.iter().any(Event::finishes);
        // No event is left to come before the limit.
        let next =
            events.last().map_or(0, Event::samples) + folder.config()?.training.log_every_samples;
        let full = self.max_samples.is_some_and(|most| next > most);
        if !finished && !full {
            return Ok(Progress::Begun);
        }
        let mut left = self.then.iter();
        let next = left.find(|measurement| !measurement.file(&self.folder).exists());
        Ok(next.map_or(Progress::Done, |measurement| {
            Progress::Trained(*measurement)
        }))
    }

    /// The arguments of the next command to run for it, none if it is done.
    pub fn command(&self, progress: Progress, domain: &str) -> Option<Vec<String>> {
        let path = |path: &Path| path.display().to_string();
        let mut arguments = match progress {
            Progress::Done => return None,
            Progress::Trained(measurement) => {
                return Some(vec![measurement.name().to_owned(), path(&self.folder)]);
            }
            Progress::Begun => vec![
                "train".to_owned(),
                "--resume".to_owned(),
                path(&self.folder),
            ],
            Progress::Missing => {
                let mut arguments = vec!["train".to_owned()];
                match &self.retrain {
                    Some(run) => arguments.extend(["--retrain".to_owned(), path(run)]),
                    None => {
                        let (option, base) = match &self.base {
                            Base::Preset(preset) => ("--preset", preset.clone()),
                            Base::File(file) => ("--config", path(file)),
                        };
                        arguments.extend([domain.to_owned(), option.to_owned(), base]);
                        for setting in &self.set {
                            arguments.extend(["--set".to_owned(), setting.clone()]);
                        }
                    }
                }
                let out = self.folder.ancestors().nth(2).unwrap_or(Path::new(""));
                let seed = self.seed.to_string();
                arguments.extend(["--seed".to_owned(), seed, "--name".to_owned(), self.name()]);
                arguments.extend(["--out".to_owned(), path(out)]);
                arguments
            }
        };
        if let Some(most) = self.max_samples {
            arguments.extend(["--max-samples".to_owned(), most.to_string()]);
        }
        Some(arguments)
    }
}
