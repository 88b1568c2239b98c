//! A run's models, one for each density.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sparling_data::Domain;

use super::channels::Channels;
use crate::backend::Backend;
use crate::evaluate::Evaluator;
use crate::metrics::Figures;
use crate::run::checkpoint::Checkpoint;
use crate::run::folder::RunFolder;
use crate::run::trained::{LoadError, Trained};

/// Inputs that are run together; few, so that little memory is needed.
const BATCH: usize = 10;

/// The models of a run.
pub struct Models {
    path: PathBuf,
    backend: Backend,
    domain: Arc<dyn Domain>,
    /// The densest first.
    rungs: Vec<Rung>,
}

/// A state of the run's ladder.
struct Rung {
    density: f64,
    validation: Option<Figures>,
    model: Mutex<Option<Arc<Model>>>,
}

/// A model that was loaded.
pub(super) struct Model {
    trained: Trained,
    /// What was measured of its channels.
    channels: Mutex<Option<Arc<Channels>>>,
}

impl Models {
    /// Looks at a run, and loads its model of the lowest density. Its domain must be prepared.
    ///
    /// # Errors
    ///
    /// If the folder is no run, or what it holds is missing or damaged.
    pub fn of(run: &Path, domain: Arc<dyn Domain>, backend: Backend) -> Result<Self, LoadError> {
        let checkpoints = RunFolder::open(run)?.checkpoints();
        // One damaged rung must not hide the others.
        let usable = checkpoints.ladder()?.into_iter();
        let mut ladder: Vec<Checkpoint> = usable.filter_map(|(_, rung)| rung.ok()).collect();
        if ladder.is_empty() {
            // Before the first cut there is the newest state alone.
            ladder.push(checkpoints.nearest(None)?.1);
        }
        let rungs = ladder.into_iter().map(|checkpoint| Rung {
            density: checkpoint.density,
            validation: checkpoint.validation,
            model: Mutex::default(),
        });
        let models = Self {
            path: run.to_owned(),
            backend,
            domain,
            rungs: rungs.collect(),
        };
        models.model(None)?;
        Ok(models)
    }

    /// The model whose density is nearest to the one asked for, in ratio; without one, the lowest.
    ///
    /// # Errors
    ///
    /// If the density is none, or the model cannot be loaded.
    pub(super) fn model(&self, density: Option<f64>) -> Result<Arc<Model>, LoadError> {
        if let Some(density) = density.filter(|density| !(*density > 0.0 && *density <= 1.0)) {
            return Err(LoadError::Density(density));
        }
        let wanted = density.unwrap_or(f64::MIN_POSITIVE);
        let distance = |rung: &Rung| (rung.density / wanted).ln().abs();
        let rungs = self.rungs.iter();
        let rung = rungs.min_by(|one, other| distance(one).total_cmp(&distance(other)));
        let rung = rung.expect("a run has a state at least");
        let mut model = rung.model.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = &*model {
            return Ok(model.clone());
        }
        let trained = Trained::load_on(
            &self.path,
            self.domain.clone(),
            Some(rung.density),
            self.backend,
        )?;
        let loaded = Arc::new(Model {
            trained,
            channels: Mutex::default(),
        });
        Ok(model.insert(loaded).clone())
    }

    /// The densities, from dense to sparse, with what validation measured at each.
    pub(super) fn ladder(&self) -> impl Iterator<Item = (f64, Option<&Figures>)> {
        let rungs = self.rungs.iter();
        rungs.map(|rung| (rung.density, rung.validation.as_ref()))
    }

    /// The domain of its run.
    pub(super) fn domain(&self) -> &dyn Domain {
        &*self.domain
    }

    /// The name of its run's folder.
    pub(super) fn name(&self) -> String {
        let path = self.path.canonicalize().unwrap_or(self.path.clone());
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

impl Model {
    /// Runs it on few inputs at a time.
    pub(super) fn evaluator(&self) -> Evaluator<'_> {
        Evaluator {
            batch_size: BATCH,
            ..self.trained.evaluator()
        }
    }

    /// What its channels are, measured when this is first asked for.
    ///
    /// # Errors
    ///
    /// If the run's folder cannot be read any more, or a patch cannot be encoded.
    pub(super) fn channels(&self) -> anyhow::Result<Arc<Channels>> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channels) = &*channels {
            return Ok(channels.clone());
        }
        let measured = Arc::new(Channels::measure(self, &self.evaluator())?);
        Ok(channels.insert(measured).clone())
    }

    /// What was measured of its channels so far, without waiting for it.
    pub(super) fn channels_so_far(&self) -> Option<Arc<Channels>> {
        self.channels.try_lock().ok()?.clone()
    }
}

impl Deref for Model {
    type Target = Trained;

    fn deref(&self) -> &Trained {
        &self.trained
    }
}
