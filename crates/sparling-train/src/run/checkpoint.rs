//! Saved states of a run: weights as safetensors beside a small JSON that names them.
//!
//! `NAME.json` is written last and names the files that belong to it with their size and checksum,
//! so that a checkpoint is either whole or still the one before. What is read is checked: the JSON by its own
//! checksum (`seal`) and number by number (`checks`), the weights and moments by theirs and by what they are.

mod checks;
mod moments;
mod seal;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};
use sparling_layer::Pending;
use sparling_layer::annealing::AnnealState;
use sparling_models::{Offsets, Sparling};

use crate::files::atomic::{self, SaveError};
use crate::metrics::Figures;

/// The version of the JSON's layout.
pub const FORMAT: u32 = 1;

/// The newest state, from which training goes on.
pub const LAST: &str = "last";

/// The one before, should the newest be damaged.
pub const PREVIOUS: &str = "previous";

/// A checkpoint of the ladder, by its name.
pub type Rung = (String, Result<Checkpoint, CheckpointError>);

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
    /// The checksum of all this; `None` in what was saved before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
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
    /// What it was trained with, as far as that decides what is learnt; `None` in what was saved before this
    /// was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<serde_json::Value>,
    /// How far `metrics.jsonl` was; `None` in what was saved before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Extent>,
}

/// The beginning of a file, up to where it had got.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// Its size.
    pub bytes: u64,
    /// The CRC-32 of its contents.
    pub crc32: u32,
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
    /// The JSON is not the one that was saved.
    #[error("{path} is damaged: {message}; use another checkpoint of this run")]
    Changed {
        /// The file.
        path: PathBuf,
        /// What shows it.
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
    /// The weights to save are not finite, and were not saved.
    #[error(
        "the weights are not finite any more: `{tensor}` after {samples} samples; the last good state is \
         {kept}: lower training.learning_rate or set training.gradient_clip_norm in a new run"
    )]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// Training samples seen.
        samples: u64,
        /// What was saved before.
        kept: PathBuf,
    },
    /// It could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl CheckpointError {
    /// Whether what was saved cannot be used, so that what was saved before it may be.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Read { .. } | Self::Foreign { .. } | Self::Changed { .. } | Self::Damaged { .. }
        )
    }
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

    /// The name of the checkpoint that the ladder keeps for a density, with as many digits as tell it from the
    /// next, which is `update` times as high.
    pub fn ladder_name(density: f64, update: f64) -> String {
        let digits = (1.0 - (1.0 - update).log10()).ceil() as usize;
        format!("density-{density:.*e}", digits.clamp(3, 17))
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
        Ok(self.write(
            format!("{name}-{samples}.optimizer"),
            &moments::of(optimizer),
        )?)
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
        let weights = weights::of(model);
        self.refuse_not_finite(&weights, state.samples)?;
        let file = format!("{name}-{}.safetensors", state.samples);
        let mut checkpoint = Checkpoint {
            format: FORMAT,
            samples: state.samples,
            density: state.density,
            validation: state.validation,
            weights: self.write(file, &weights)?,
            offsets: model.offsets.all().to_vec(),
            training,
            crc32: None,
        };
        let json = serde_json::to_vec(&checkpoint).expect("plain structs serialise");
        let json = serde_json::from_slice(&json).expect("what was just written reads");
        checkpoint.crc32 = Some(seal::checksum(&json));
        let json = serde_json::to_vec_pretty(&checkpoint).expect("plain structs serialise");
        let older = match checkpoint.training {
            Some(_) => self.set_aside(name)?,
            None => None,
        };
        atomic::write(&self.path(name), &json)?;
        self.remove_superseded(name, &[Some(checkpoint), older]);
        Ok(())
    }

    /// Checks that a model's weights are finite before something is done with them.
    ///
    /// # Errors
    ///
    /// Names the tensor that is not, and what was saved before.
    pub fn require_finite(&self, model: &Sparling, samples: u64) -> Result<(), CheckpointError> {
        self.refuse_not_finite(&weights::of(model), samples)
    }

    fn refuse_not_finite(&self, weights: &[u8], samples: u64) -> Result<(), CheckpointError> {
        match weights::not_finite(weights) {
            None => Ok(()),
            Some(tensor) => Err(CheckpointError::NotFinite {
                tensor,
                samples,
                kept: self.path(LAST),
            }),
        }
    }

    /// Keeps the JSON that is about to be replaced as [`PREVIOUS`], and gives what is in it.
    fn set_aside(&self, name: &str) -> Result<Option<Checkpoint>, CheckpointError> {
        // Only what could be gone on from.
        let Ok(older) = self.read(name) else {
            return Ok(self.read(PREVIOUS).ok());
        };
        let json = serde_json::to_vec_pretty(&older).expect("plain structs serialise");
        atomic::write(&self.path(PREVIOUS), &json)?;
        Ok(Some(older))
    }

    /// Makes [`PREVIOUS`] the newest again, once `last` has turned out to be damaged.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written.
    pub fn restore_previous(&self) -> Result<(), CheckpointError> {
        Ok(atomic::write(
            &self.path(LAST),
            &read(&self.path(PREVIOUS))?,
        )?)
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
        if let Some(message) = seal::broken(&json) {
            return Err(CheckpointError::Changed { path, message });
        }
        let checkpoint: Checkpoint =
            serde_json::from_value(json).map_err(|error| foreign(error.to_string()))?;
        checkpoint.validate().map_err(foreign)?;
        Ok(checkpoint)
    }

    /// Reads the weights of a checkpoint into a model of the same configuration.
    ///
    /// # Errors
    ///
    /// If the file is missing, damaged, or of a model of another configuration.
    pub fn load_weights(
        &self,
        checkpoint: &Checkpoint,
        model: Sparling,
    ) -> Result<Sparling, CheckpointError> {
        let foreign = |message: String| CheckpointError::Foreign {
            path: self.folder.join(&checkpoint.weights.file),
            message,
        };
        let bytes = self.read_checked(&checkpoint.weights)?;
        let mut model = weights::put(bytes, model).map_err(foreign)?;
        let sparsity = &mut model.bottleneck.sparsity;
        let offsets = &checkpoint.offsets;
        if !offsets.is_empty() && offsets.len() != sparsity.channels() {
            let channels = sparsity.channels();
            let message = format!(
                "there are {} offsets for {channels} channels",
                offsets.len()
            );
            return Err(foreign(message));
        }
        model.offsets = Offsets::new(offsets.clone());
        if let Some(training) = &checkpoint.training {
            let pending = sparsity.set_pending(training.pending.clone());
            pending.map_err(|error| foreign(error.to_string()))?;
        }
        let density = sparsity.set_density(checkpoint.density);
        density.map_err(|error| foreign(error.to_string()))?;
        Ok(model)
    }

    /// Reads the optimiser's state, for a model whose weights have been read.
    ///
    /// # Errors
    ///
    /// If the file is missing, damaged or of another model.
    pub fn load_optimizer(
        &self,
        file: &FileRef,
        optimizer: ModuleOptimizer,
        model: &Sparling,
    ) -> Result<ModuleOptimizer, CheckpointError> {
        let moments = moments::put(self.read_checked(file)?, optimizer, model);
        moments.map_err(|message| CheckpointError::Foreign {
            path: self.folder.join(&file.file),
            message,
        })
    }

    /// The names and JSONs of the ladder, one per density, the densest first; instead of those that cannot be
    /// used, why.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn ladder(&self) -> Result<Vec<Rung>, CheckpointError> {
        let rungs = self.rungs()?.into_iter();
        Ok(rungs
            .map(|(_, name)| {
                let checkpoint = self.read(&name);
                (name, checkpoint)
            })
            .collect())
    }

    /// The name and JSON of the density nearest to the one asked for, in ratio; without one, the
    /// lowest of the ladder or, before the first cut, the newest.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), of that checkpoint alone.
    pub fn nearest(&self, density: Option<f64>) -> Result<(String, Checkpoint), CheckpointError> {
        // A density may be so low that a ratio would be infinite.
        let wanted = density.map_or(f64::NEG_INFINITY, f64::ln);
        let distance = |density: f64| (density.ln() - wanted).abs();
        let rungs = self.rungs()?;
        let nearest = match density {
            None => rungs.into_iter().next_back(),
            Some(_) => rungs
                .into_iter()
                .min_by(|(a, _), (b, _)| distance(*a).total_cmp(&distance(*b))),
        };
        let name = nearest.map_or_else(|| LAST.to_owned(), |(_, name)| name);
        let checkpoint = self.read(&name)?;
        Ok((name, checkpoint))
    }

    /// The densities and names of the ladder, the densest first; the densities as the names give them.
    fn rungs(&self) -> Result<Vec<(f64, String)>, CheckpointError> {
        let unreadable = |source| CheckpointError::Read {
            path: self.folder.clone(),
            source,
        };
        let mut rungs = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.file_name();
            let file = file.to_string_lossy();
            let name = file.strip_suffix(".json");
            let density = name.and_then(|name| name.strip_prefix("density-")?.parse().ok());
            if let (Some(name), Some(density)) = (name, density) {
                rungs.push((density, name.to_owned()));
            }
        }
        rungs.sort_by(|(a, _), (b, _): &(f64, String)| b.total_cmp(a));
        Ok(rungs)
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

    /// Removes the files of older checkpoints of the same name, but those of `kept`. What cannot be removed
    /// stays: it does no harm.
    fn remove_superseded(&self, name: &str, kept: &[Option<Checkpoint>]) {
        let files = |checkpoint: &Checkpoint| {
            let training = checkpoint.training.as_ref();
            let optimizer = training.map(|training| training.optimizer.file.clone());
            [Some(checkpoint.weights.file.clone()), optimizer]
        };
        let kept: Vec<String> = kept.iter().flatten().flat_map(files).flatten().collect();
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
            if is_ours && !kept.contains(&file) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    })
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::config::RunConfig;

    fn state(samples: u64) -> State {
        State {
            samples,
            density: 0.5,
            validation: None,
        }
    }

    #[test]
    fn weights_that_are_not_finite_replace_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path());
        let config = RunConfig::load("digitcircle", "small", None, &[]).unwrap();
        let domain = config.build_domain().unwrap();
        let mut model = config.model(&*domain).init(&Backend::Flex.device());
        checkpoints.save("last", &model, state(100), None).unwrap();
        let weight = model.motif_model.conv_in.weight;
        model.motif_model.conv_in.weight = weight.map(|values| values * f32::INFINITY);
        let error = checkpoints.save("last", &model, state(110), None);
        let error = error.unwrap_err().to_string();
        for wanted in [
            "`motif_model.conv_in.weight` after 110 samples",
            "last.json",
        ] {
            assert!(error.contains(wanted), "{error}");
        }
        let last = checkpoints.read("last").unwrap();
        assert_eq!(last.samples, 100);
        checkpoints.load_weights(&last, model).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_two_rungs_have_one_name() {
        assert_eq!(Checkpoints::ladder_name(0.5, 0.85), "density-5.000e-1");
        for update in [0.5, 0.99, 0.9985, 0.999, 0.9999, 1.0 - 1e-9] {
            for density in [1.0, 0.999_95, 0.5, 0.1, 1e-5] {
                let names = [density, density * update]
                    .map(|density| Checkpoints::ladder_name(density, update));
                assert_ne!(names[0], names[1]);
            }
        }
    }
}
