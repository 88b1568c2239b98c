//! The folder of a run: what it was asked to do, what it measured and what it learnt.
//!
//! ```text
//! config.toml       the resolved configuration
//! environment.json  commit, versions and device
//! metrics.jsonl     one event a line
//! checkpoints/      last, best and one per density
//! results.json      what the model at the lowest density gets right, once training has ended
//! supports.json     where its channels look
//! names.json        what its channels stand for, by what outputs lose without them
//! ```

use std::fs::{self, File, OpenOptions};
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
    /// It is no run.
    #[error("{0} is not a run: it has no config.toml")]
    NotARun(PathBuf),
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
    /// Makes the folder of a new run and writes down what it is to do.
    ///
    /// # Errors
    ///
    /// If there is one of that name, or it cannot be written.
    pub fn create(
        path: &Path,
        config: &RunConfig,
        environment: &Environment,
    ) -> Result<Self, RunError> {
        let folder = Self {
            path: path.to_owned(),
        };
        let io = |source| RunError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        match fs::create_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(RunError::Exists(path.to_owned()));
            }
            Err(error) => return Err(io(error)),
        }
        fs::create_dir(path.join("checkpoints")).map_err(io)?;
        let environment = serde_json::to_vec_pretty(environment).expect("plain structs serialise");
        atomic::write(&path.join("environment.json"), &environment)?;
        // Last: a folder without it is no run.
        atomic::write(&folder.config_path(), config.to_toml().as_bytes())?;
        Ok(folder)
    }

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

    /// Appends an event to `metrics.jsonl` and waits until it is on disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn append(&self, event: &Event) -> Result<(), RunError> {
        let path = self.metrics_path();
        let mut line = serde_json::to_vec(event).expect("plain structs serialise");
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

    /// All events so far.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a line but the last, which may be cut off, is damaged.
    pub fn events(&self) -> Result<Vec<Event>, RunError> {
        let path = self.metrics_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(RunError::Io { path, source }),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .enumerate()
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|error| RunError::Metrics {
                    path: path.clone(),
                    line: index + 1,
                    message: error.to_string(),
                })
            })
            .collect()
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

    /// Drops the events after `samples`: those a resumed run will measure again.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written.
    pub fn rewind(&self, samples: u64) -> Result<(), RunError> {
        let mut kept = Vec::new();
        for event in self
            .events()?
            .iter()
            .filter(|event| event.samples() <= samples)
        {
            serde_json::to_writer(&mut kept, event).expect("plain structs serialise");
            kept.push(b'\n');
        }
        Ok(atomic::write(&self.metrics_path(), &kept)?)
    }

    /// Takes the run for this process, so that two never train it at once.
    ///
    /// # Errors
    ///
    /// If another process has it.
    pub fn lock(&self) -> Result<File, RunError> {
        let path = self.path.join(".lock");
        let io = |source| RunError::Io {
            path: path.clone(),
            source,
        };
        let file = File::create(&path).map_err(io)?;
        file.try_lock().map_err(|error| {
            io(io::Error::other(format!(
                "in use by another process ({error})"
            )))
        })?;
        Ok(file)
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
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
