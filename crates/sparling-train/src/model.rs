//! A trained model, picked from a run by its density.

use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use sparling_data::{Domain, Split};
use sparling_models::Sparling;

use crate::backend::Backend;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::config::{ConfigError, RunConfig};
use crate::evaluate::{Evaluator, Figures};
use crate::run::{RunError, RunFolder};
use crate::support::{Differentiable, SavedSupports, Supports};

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
}

/// A model that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A density nobody can ask for.
    #[error("--density must be above 0 and at most 1, got {0}")]
    Density(f64),
    /// The run's folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The run's configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
        if let Some(density) = density.filter(|density| !(*density > 0.0 && *density <= 1.0)) {
            return Err(LoadError::Density(density));
        }
        let domain = RunFolder::open(run)?.config()?.domain.build()?;
        Self::nearest(run, Arc::from(domain), density, backend)
    }

    /// Loads the lowest density of a run whose domain is at hand.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_lowest(
        run: &Path,
        domain: Arc<dyn Domain>,
        backend: Backend,
    ) -> Result<Self, LoadError> {
        Self::nearest(run, domain, None, backend)
    }

    fn nearest(
        run: &Path,
        domain: Arc<dyn Domain>,
        density: Option<f64>,
        backend: Backend,
    ) -> Result<Self, LoadError> {
        let folder = RunFolder::open(run)?;
        let config = folder.config()?;
        let checkpoints = folder.checkpoints();
        let (name, checkpoint) = checkpoints.nearest(density)?;
        let device = backend.device();
        let model = config.model(&*domain).init(&device);
        let model = checkpoints.load_weights(&checkpoint, model)?.valid();
        let saved = folder.supports()?;
        let saved = saved.filter(|saved| saved.weights == checkpoint.weights);
        Ok(Self {
            config,
            domain,
            model,
            device,
            folder,
            name,
            checkpoint,
            supports: saved.map(|saved| saved.supports),
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

    /// Measures where its channels look, unless that is known. The domain must be prepared.
    ///
    /// # Errors
    ///
    /// If the run's folder cannot be read any more.
    pub fn measure_supports(&mut self) -> Result<&Supports, LoadError> {
        if self.supports.is_none() {
            let device = self.device.clone().autodiff();
            let config = self.config.model(&*self.domain);
            let model = self
                .folder
                .checkpoints()
                .load_weights(&self.checkpoint, config.init(&device))?;
            let motif_model = Differentiable {
                model: model.motif_model.freeze(),
                window: config.motif_model.window(),
                device,
            };
            let supports = Supports::measure(&self.evaluator(), Split::Validation, &motif_model);
            self.supports = Some(supports);
        }
        Ok(self.supports.as_ref().expect("just measured"))
    }

    /// Writes down where its channels look, so that it need not be measured again.
    ///
    /// # Errors
    ///
    /// If it cannot be measured or written.
    pub fn save_supports(&mut self) -> Result<(), LoadError> {
        let supports = self.measure_supports()?.clone();
        let weights = self.checkpoint.weights.clone();
        let saved = SavedSupports { weights, supports };
        Ok(self.folder.save_supports(&saved)?)
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
