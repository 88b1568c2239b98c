//! The folder of a run: what it was asked to do, what it measured and what it learnt.
//!
//! ```text
//! config.toml       the resolved configuration
//! environment.json  commit, versions and device
//! metrics.jsonl     one event a line
//! changes.jsonl     what was changed while it was trained, if anything was
//! checkpoints/      last, best and one per density
//! results.json      what the model at the lowest density gets right, once training has ended
//! supports.json     where its channels look
//! names.json        what its channels stand for, by what outputs lose without them
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::backend::Backend;
use crate::config::{RunConfig, RunConfigError};
use crate::files::atomic;
use crate::metrics::{DetailedFigures, Names, Supports};
use crate::run::checkpoint::{Checkpoints, FileRef};
use crate::run::event::Event;
use crate::run::lock::Lock;
use crate::run::log::Log;

/// A run's folder. Nothing in it is ever deleted but superseded checkpoints.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// A run folder that cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is a run of that name.
    #[error("{0} exists already; continue it with --resume {0}, or choose another --name")]
    Exists(PathBuf),
    /// There is a run of that name, and it is being trained.
    #[error("{0} exists already, and another process trains it; choose another --name")]
    ExistsInUse(PathBuf),
    /// There is something else of that name.
    #[error("{0} is there, but is no run; move it away or choose another --name")]
    NotFree(PathBuf),
    /// It is no run.
    #[error("{0} is not a run: it has no config.toml")]
    NotARun(PathBuf),
    /// Another process trains it.
    #[error("{0}: in use by another process, which trains this run; wait for it or stop it")]
    InUse(PathBuf),
    /// A file or folder in it cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of `metrics.jsonl` is none of this program's.
    #[error("{path}, line {line}: {message}")]
    Metrics {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// `metrics.jsonl` is not what it was when the run was saved.
    #[error(
        "{path} is not what it was when the run was saved: it holds {found}; put it back from a copy, or go on \
         with what is left of it by --changed"
    )]
    LogChanged {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// A file could not be saved.
    #[error(transparent)]
    Save(#[from] atomic::SaveError),
    /// The configuration in it cannot be used.
    #[error(transparent)]
    Config(#[from] RunConfigError),
}

/// Where and by what a run was made.
#[derive(Clone, Debug, Serialize)]
pub struct Environment {
    /// The version of this program.
    pub version: &'static str,
    /// The commit it was built from, as the environment variable `SPARLING_COMMIT` gives it.
    pub commit: Option<String>,
    /// The version of Burn.
    pub burn: &'static str,
    /// The backend.
    pub backend: Backend,
    /// The device.
    pub device: String,
    /// The operating system and processor family.
    pub platform: String,
    /// The processor threads that compute, as `RAYON_NUM_THREADS` sets them.
    pub threads: usize,
}

impl Environment {
    /// Describes this program on this machine.
    pub fn of(backend: Backend) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: std::env::var("SPARLING_COMMIT").ok(),
            burn: "0.22.1",
            backend,
            device: format!("{:?}", backend.device()),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: rayon::current_num_threads(),
        }
    }
}

/// What a trained model gets right, at its lowest density.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The training samples it had seen.
    pub samples: u64,
    /// On test examples; for speech, of speakers never trained on.
    pub test: DetailedFigures,
    /// On validation examples; for speech, of the speakers of training.
    pub validation: DetailedFigures,
}

/// What the channels of the trained model stand for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedNames {
    /// The weights that they were measured on.
    pub weights: FileRef,
    /// Channel by channel.
    pub names: Names,
}

/// Where the channels of the trained model look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSupports {
    /// The weights that they were measured on.
    pub weights: FileRef,
    /// Channel by channel.
    pub supports: Supports,
}

impl RunFolder {
    /// Opens the folder of a run.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let folder = Self {
            path: path.to_owned(),
        };
        if folder.config_path().is_file() {
            Ok(folder)
        } else {
            Err(RunError::NotARun(path.to_owned()))
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved configuration.
    ///
    /// # Errors
    ///
    /// If it cannot be read or used.
    pub fn config(&self) -> Result<RunConfig, RunConfigError> {
        RunConfig::from_run(&self.config_path())
    }

    /// The checkpoints.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.path.join("checkpoints"))
    }

    /// What it measured.
    pub fn log(&self) -> Log {
        Log::new(self.path.join("metrics.jsonl"))
    }

    /// All events so far.
    ///
    /// # Errors
    ///
    /// As [`Log::events`].
    pub fn events(&self) -> Result<Vec<Event>, RunError> {
        self.log().events()
    }

    /// Writes down that training goes on with something else than what it was begun with.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn record_change(&self, change: &impl Serialize) -> Result<(), RunError> {
        let path = self.path.join("changes.jsonl");
        let mut line = serde_json::to_vec(change).expect("plain structs serialise");
        line.push(b'\n');
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(&line)?;
            file.sync_data()
        };
        append().map_err(|source| RunError::Io {
            path: path.clone(),
            source,
        })
    }

    /// Writes down what the trained model gets right.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save_results(&self, results: &Results) -> Result<(), RunError> {
        self.save_json("results.json", results)
    }

    /// What the trained model gets right; `None` before training has ended.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn results(&self) -> Result<Option<Results>, RunError> {
        self.json("results.json")
    }

    /// Writes down where the trained model's channels look.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save_supports(&self, supports: &SavedSupports) -> Result<(), RunError> {
        self.save_json("supports.json", supports)
    }

    /// Where the trained model's channels look; `None` before training has ended.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn supports(&self) -> Result<Option<SavedSupports>, RunError> {
        self.json("supports.json")
    }

    /// Writes down what the trained model's channels stand for.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save_names(&self, names: &SavedNames) -> Result<(), RunError> {
        self.save_json("names.json", names)
    }

    /// What the trained model's channels stand for; `None` before training has ended.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn names(&self) -> Result<Option<SavedNames>, RunError> {
        self.json("names.json")
    }

    fn save_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let json = serde_json::to_vec_pretty(value).expect("plain structs serialise");
        Ok(atomic::write(&self.path.join(name), &json)?)
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, RunError> {
        let path = self.path.join(name);
        let damaged = |source| RunError::Io {
            path: path.clone(),
            source,
        };
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_err(|error| damaged(error.into()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(damaged(error)),
        }
    }

    /// Takes the run for this process, so that two never train it at once.
    ///
    /// # Errors
    ///
    /// If another process has it.
    pub fn lock(&self) -> Result<Lock, RunError> {
        Lock::take(&self.path)
    }

    /// Removes what processes that died had not finished writing. What cannot be removed does no harm.
    pub fn remove_temporaries(&self) {
        for folder in [&self.path, &self.path.join("checkpoints")] {
            atomic::remove_abandoned(folder);
        }
    }

    /// Where the resolved configuration is.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }
}

/// A folder in `parent` for a run called `name`; unless the name must be just that, a number is
/// added where it is taken.
pub fn free_path(parent: &Path, name: &str) -> PathBuf {
    let first = parent.join(name);
    if !first.exists() {
        return first;
    }
    (2..)
        .map(|number| parent.join(format!("{name}-{number}")))
        .find(|path| !path.exists())
        .expect("there are more numbers than folders")
}
