//! A trained model, picked from a run by its density.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use sparling_data::Domain;
use sparling_models::{MotifModel, Sparling};

use crate::backend::Backend;
use crate::config::{RunConfig, RunConfigError};
use crate::evaluate::Evaluator;
use crate::metrics::{Figures, Name, Names, Supports};
use crate::run::checkpoint::{Checkpoint, CheckpointError, FileRef};
use crate::run::folder::{RunError, RunFolder, SavedNames, SavedSupports};

/// A model in evaluation mode, with its domain, which is not prepared: reading one's own files
/// needs nothing that examples are made from.
pub struct Trained {
    config: RunConfig,
    domain: Arc<dyn Domain>,
    model: Sparling,
    device: Device,
    folder: RunFolder,
    name: String,
    checkpoint: Checkpoint,
    supports: Option<Supports>,
    names: Option<Names>,
}

/// A model that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A density nobody can ask for.
    #[error("--density must be above 0 and at most 1, got {0}")]
    Density(f64),
    /// What channels stand for is nothing that outputs have.
    #[error("{0}, or names.json, names a symbol that this run's outputs do not have")]
    Unknown(PathBuf),
    /// The run's folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run's configuration.
    #[error(transparent)]
    Config(#[from] RunConfigError),
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Trained {
    /// Loads the state of a run whose density is nearest to the one asked for, in ratio; without
    /// one, the lowest of the ladder or, before the first cut, the newest.
    ///
    /// # Errors
    ///
    /// If the folder is no run, or what it holds is missing or damaged.
    pub fn load(run: &Path, density: Option<f64>, backend: Backend) -> Result<Self, LoadError> {
        let domain = RunFolder::open(run)?.config()?.build_domain()?;
        Self::load_on(run, Arc::from(domain), density, backend)
    }

    /// As [`load`](Self::load), on examples of the domain at hand.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_on(
        run: &Path,
        domain: Arc<dyn Domain>,
        density: Option<f64>,
        backend: Backend,
    ) -> Result<Self, LoadError> {
        if let Some(density) = density.filter(|density| !(*density > 0.0 && *density <= 1.0)) {
            return Err(LoadError::Density(density));
        }
        let folder = RunFolder::open(run)?;
        let config = RunConfig::as_written(&folder.config_path())?;
        let checkpoints = folder.checkpoints();
        let (name, checkpoint) = checkpoints.nearest(density)?;
        let device = backend.device();
        let model = config.model(&*domain).init(&device);
        let model = checkpoints.load_weights(&checkpoint, model)?.valid();
        let supports = folder.supports()?;
        let supports = supports.filter(|saved| saved.weights == checkpoint.weights);
        let names = folder.names()?;
        let names = names.filter(|saved| saved.weights == checkpoint.weights);
        let symbols = checkpoint
            .validation
            .iter()
            .flat_map(|of| of.symbols.iter().flatten());
        let tokens = names
            .iter()
            .flat_map(|saved| saved.names.0.iter().flatten());
        let known = symbols
            .max()
            .is_none_or(|symbol| *symbol < domain.symbols().len())
            && tokens
                .map(|name| name.token)
                .max()
                .is_none_or(|token| token < domain.vocabulary().len());
        if !known {
            return Err(LoadError::Unknown(checkpoints.path(&name)));
        }
        Ok(Self {
            config,
            domain,
            model,
            device,
            folder,
            name,
            checkpoint,
            supports: supports.map(|saved| saved.supports),
            names: names.map(|saved| saved.names),
        })
    }

    /// Runs the model on examples.
    pub fn evaluator(&self) -> Evaluator<'_> {
        Evaluator {
            model: &self.model,
            domain: &*self.domain,
            device: &self.device,
            batch_size: self.config.validation.batch_size,
            supports: self.supports.as_ref(),
        }
    }

    /// Where its channels look, if that was saved or measured.
    pub fn supports(&self) -> Option<&Supports> {
        self.supports.as_ref()
    }

    /// Its motif model as it is, on a device with autodiff, so that it can be differentiated by its input.
    ///
    /// # Errors
    ///
    /// If the run's folder cannot be read any more.
    pub fn frozen_motif_model(&self) -> Result<MotifModel, LoadError> {
        let device = self.device.clone().autodiff();
        let model = self.config.model(&*self.domain).init(&device);
        let checkpoints = self.folder.checkpoints();
        let model = checkpoints.load_weights(&self.checkpoint, model)?;
        Ok(model.motif_model.freeze())
    }

    /// Takes where its channels look from a measurement.
    pub fn set_supports(&mut self, supports: Supports) {
        self.supports = Some(supports);
    }

    /// Writes down where its channels look, so that it need not be measured again.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save_supports(&self) -> Result<(), LoadError> {
        if let Some(supports) = &self.supports {
            self.folder.save_supports(&SavedSupports {
                weights: self.checkpoint.weights.clone(),
                supports: supports.clone(),
            })?;
        }
        Ok(())
    }

    /// What its channels stand for, by what outputs lose without them, if that was saved or measured.
    pub fn names(&self) -> Option<&Names> {
        self.names.as_ref()
    }

    /// Takes what its channels stand for from a measurement.
    pub fn set_names(&mut self, names: Names) {
        self.names = Some(names);
    }

    /// Writes down what its channels stand for, so that it need not be measured again.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save_names(&self) -> Result<(), LoadError> {
        if let Some(names) = &self.names {
            self.folder.save_names(&SavedNames {
                weights: self.checkpoint.weights.clone(),
                names: names.clone(),
            })?;
        }
        Ok(())
    }

    /// What a channel stands for, if outputs lose anything without it.
    pub fn name_of(&self, channel: usize) -> Option<&Name> {
        self.names.as_ref()?.0.get(channel)?.as_ref()
    }

    /// The symbol that a channel stands for: by what outputs lose without it or, where that was not
    /// measured, by true footprints in validation.
    pub fn symbol_of(&self, channel: usize) -> Option<usize> {
        if self.names.is_some() {
            return self.domain.symbol_of(self.name_of(channel)?.token);
        }
        self.validation()?.symbols.get(channel).copied().flatten()
    }

    /// What tells its weights from others: their size and checksum.
    pub fn weights(&self) -> String {
        let FileRef { bytes, crc32, .. } = &self.checkpoint.weights;
        format!("{bytes} bytes, crc32 {crc32}")
    }

    /// The checkpoint's name in the run's folder.
    pub fn checkpoint_name(&self) -> &str {
        &self.name
    }

    /// Training samples it had seen.
    pub fn samples(&self) -> u64 {
        self.checkpoint.samples
    }

    /// What validation measured when it was saved.
    pub fn validation(&self) -> Option<&Figures> {
        self.checkpoint.validation.as_ref()
    }

    /// Its domain.
    pub fn domain(&self) -> &dyn Domain {
        &*self.domain
    }

    /// Its run's configuration.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }
}
