//! Saved states of a run: weights as safetensors beside a small JSON that names them.
//!
//! `NAME.json` is written last and names the files that belong to it with their size and checksum,
//! so that a checkpoint is either whole or still the one before.

use std::fs;
use std::path::{Path, PathBuf};

use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use sparling_layer::Pending;
use sparling_layer::annealing::AnnealState;
use sparling_models::{Offsets, Sparling};

use crate::files::atomic::{self, SaveError};
use crate::metrics::Figures;

/// The version of the JSON's layout.
pub const FORMAT: u32 = 1;

/// The JSON of a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Training samples seen.
    pub samples: u64,
    /// The density the bottleneck was at.
    pub density: f64,
    /// What the last check measured, if it was of these weights.
    pub validation: Option<Figures>,
    /// The weights, thresholds and running statistics.
    pub weights: FileRef,
    /// By how many rows and columns each channel's motifs are moved; empty if none is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offsets: Vec<[isize; 2]>,
    /// What else training needs to go on exactly; only in `last`.
    pub training: Option<TrainingState>,
}

/// A file that belongs to a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Its name, in the folder of the JSON.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// The CRC-32 of its contents.
    pub crc32: u32,
}

/// What training needs to go on exactly, beside the weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// Adam's moments.
    pub optimizer: FileRef,
    /// The density and the target.
    pub annealer: AnnealState,
    /// The best check so far.
    pub best: Option<Best>,
    /// The losses since the last training event.
    pub losses: Vec<f32>,
    /// Batches gathered for the next threshold update.
    pub pending: Pending,
    /// Time spent training.
    pub elapsed_seconds: f64,
}

/// Where a model is in its training.
#[derive(Clone, Debug)]
pub struct State {
    /// Training samples seen.
    pub samples: u64,
    /// The density the bottleneck is at.
    pub density: f64,
    /// What the last check measured, if it was of these weights.
    pub validation: Option<Figures>,
}

/// The check whose weights are kept as `best`: the lowest density first, then the accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The density it was at.
    pub density: f64,
    /// Its exact-match accuracy.
    pub accuracy: f64,
}

impl Best {
    /// Whether a check at `density` and `accuracy` is better.
    pub fn is_beaten_by(&self, density: f64, accuracy: f64) -> bool {
        density < self.density || (density == self.density && accuracy > self.accuracy)
    }
}

/// A checkpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file is not there or cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The JSON is damaged or of another program.
    #[error("{path} is not a checkpoint of this program: {message}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file is not the one its JSON describes.
    #[error(
        "{path} is damaged: expected {expected}, found {found}; use another checkpoint of this run"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The size and checksum the JSON gives.
        expected: String,
        /// Those of the file.
        found: String,
    },
    /// It could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// The folder of a run's checkpoints.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// The checkpoints in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The JSON of the checkpoint `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// The name of the checkpoint that the ladder keeps for a density.
    pub fn ladder_name(density: f64) -> String {
        format!("density-{density:.3e}")
    }

    /// Saves an optimiser's state for the checkpoint `name` after so many training samples, and gives the
    /// file that its JSON will name.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save_optimizer(
        &self,
        name: &str,
        samples: u64,
        optimizer: &ModuleOptimizer,
    ) -> Result<FileRef, CheckpointError> {
        let bytes = optimizer.to_record().into_bytes();
        let bytes = bytes.expect("an optimiser's record serialises").to_vec();
        Ok(self.write(format!("{name}-{samples}.optimizer"), &bytes)?)
    }

    /// Saves a model under `name`; with `training`, so that training can go on from it.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the checkpoint of that name is then still the old one.
    pub fn save(
        &self,
        name: &str,
        model: &Sparling,
        state: State,
        training: Option<TrainingState>,
    ) -> Result<(), CheckpointError> {
        let file = format!("{name}-{}.safetensors", state.samples);
        let checkpoint = Checkpoint {
            format: FORMAT,
            samples: state.samples,
            density: state.density,
            validation: state.validation,
            weights: self.write(file, &weights_of(model))?,
            offsets: model.offsets.all().to_vec(),
            training,
        };
        let json = serde_json::to_vec_pretty(&checkpoint).expect("plain structs serialise");
        atomic::write(&self.path(name), &json)?;
        self.remove_superseded(name, &checkpoint);
        Ok(())
    }

    /// Reads the JSON of a checkpoint.
    ///
    /// # Errors
    ///
    /// If it is missing, damaged or of another format.
    pub fn read(&self, name: &str) -> Result<Checkpoint, CheckpointError> {
        let path = self.path(name);
        let bytes = read(&path)?;
        let foreign = |message: String| CheckpointError::Foreign {
            path: path.clone(),
            message,
        };
        let json: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| foreign(error.to_string()))?;
        match json.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(foreign(format!(
                    "its format is {format}, this program's is {FORMAT}"
                )));
            }
            None => return Err(foreign("it has no format".to_owned())),
        }
        serde_json::from_value(json).map_err(|error| foreign(error.to_string()))
    }

    /// Reads the weights of a checkpoint into a model of the same configuration.
    ///
    /// # Errors
    ///
    /// If the file is missing, damaged, or of a model of another configuration.
    pub fn load_weights(
        &self,
        checkpoint: &Checkpoint,
        mut model: Sparling,
    ) -> Result<Sparling, CheckpointError> {
        let bytes = self.read_checked(&checkpoint.weights)?;
        let mut store = SafetensorsStore::from_bytes(Some(bytes));
        let foreign = |message: String| CheckpointError::Foreign {
            path: self.folder.join(&checkpoint.weights.file),
            message,
        };
        let result = model
            .load_from(&mut store)
            .map_err(|error| foreign(error.to_string()))?;
        if let Some(name) = result.unused.first() {
            return Err(foreign(format!("the configured model has no `{name}`")));
        }
        model.offsets = Offsets::new(checkpoint.offsets.clone());
        if let Some(training) = &checkpoint.training {
            model
                .bottleneck
                .sparsity
                .set_pending(training.pending.clone());
        }
        let density = model.bottleneck.sparsity.set_density(checkpoint.density);
        density.map_err(|error| foreign(error.to_string()))?;
        Ok(model)
    }

    /// Reads the optimiser's state.
    ///
    /// # Errors
    ///
    /// If the file is missing or damaged.
    pub fn load_optimizer(
        &self,
        file: &FileRef,
        optimizer: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, CheckpointError> {
        let bytes = Bytes::from_bytes_vec(self.read_checked(file)?);
        let record =
            OptimizerRecord::from_bytes(bytes).map_err(|error| CheckpointError::Foreign {
                path: self.folder.join(&file.file),
                message: error.to_string(),
            })?;
        Ok(optimizer.load_record(record))
    }

    /// The names and JSONs of the ladder, one per density, the densest first.
    ///
    /// # Errors
    ///
    /// If the folder or one of them cannot be read.
    pub fn ladder(&self) -> Result<Vec<(String, Checkpoint)>, CheckpointError> {
        let unreadable = |source| CheckpointError::Read {
            path: self.folder.clone(),
            source,
        };
        let mut ladder = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.file_name();
            let file = file.to_string_lossy();
            if let Some(name) = file
                .strip_suffix(".json")
                .filter(|name| name.starts_with("density-"))
            {
                ladder.push((name.to_owned(), self.read(name)?));
            }
        }
        ladder.sort_by(|(_, a), (_, b)| b.density.total_cmp(&a.density));
        Ok(ladder)
    }

    /// The name and JSON of the density nearest to the one asked for, in ratio; without one, the
    /// lowest of the ladder or, before the first cut, the newest.
    ///
    /// # Errors
    ///
    /// As [`ladder`](Self::ladder) and [`read`](Self::read).
    pub fn nearest(&self, density: Option<f64>) -> Result<(String, Checkpoint), CheckpointError> {
        let wanted = density.unwrap_or(f64::MIN_POSITIVE);
        let distance = |checkpoint: &Checkpoint| (checkpoint.density / wanted).ln().abs();
        let nearest = self
            .ladder()?
            .into_iter()
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        match nearest {
            Some(nearest) => Ok(nearest),
            None => Ok(("last".to_owned(), self.read("last")?)),
        }
    }

    fn write(&self, file: String, contents: &[u8]) -> Result<FileRef, SaveError> {
        atomic::write(&self.folder.join(&file), contents)?;
        Ok(FileRef {
            file,
            bytes: contents.len() as u64,
            crc32: crc32fast::hash(contents),
        })
    }

    fn read_checked(&self, file: &FileRef) -> Result<Vec<u8>, CheckpointError> {
        let path = self.folder.join(&file.file);
        let bytes = read(&path)?;
        let found = (bytes.len() as u64, crc32fast::hash(&bytes));
        if found == (file.bytes, file.crc32) {
            return Ok(bytes);
        }
        let describe = |(bytes, crc32)| format!("{bytes} bytes with CRC-32 {crc32:08x}");
        Err(CheckpointError::Damaged {
            path,
            expected: describe((file.bytes, file.crc32)),
            found: describe(found),
        })
    }

    /// Removes the files of older checkpoints of the same name. What cannot be removed stays: it
    /// does no harm.
    fn remove_superseded(&self, name: &str, current: &Checkpoint) {
        let kept = [
            Some(&current.weights.file),
            current
                .training
                .as_ref()
                .map(|training| &training.optimizer.file),
        ];
        let prefix = format!("{name}-");
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let samples = file
                .strip_prefix(&prefix)
                .and_then(|rest| rest.split_once('.'));
            let is_ours = samples.is_some_and(|(samples, extension)| {
                samples.bytes().all(|byte| byte.is_ascii_digit())
                    && ["safetensors", "optimizer"].contains(&extension)
            });
            if is_ours && !kept.contains(&Some(&file)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn weights_of(model: &Sparling) -> Vec<u8> {
    // One entry alone: Burn's own come in another order each time, and so would the file.
    let mut store = SafetensorsStore::from_bytes(None)
        .clear_metadata()
        .metadata("format", "safetensors");
    model
        .save_into(&mut store)
        .expect("tensors in memory serialise");
    store
        .get_bytes()
        .expect("the store holds what was just saved")
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    })
}
