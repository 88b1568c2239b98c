//! The training loop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Tensor;
use sparling_data::{Batch, Domain, Loader, Split};
use sparling_layer::annealing::{AnnealError, Annealer, Decision};
use sparling_models::{ChannelSplit, Offsets, Sparling};

use crate::backend::Backend;
use crate::config::{LastPhase, Retrain, RunConfig, RunConfigError};
use crate::evaluate::Evaluator;
use crate::host::values;
use crate::metrics::{Figures, Support};
use crate::run::changes::Change;
use crate::run::checkpoint::{
    Best, Checkpoint, CheckpointError, Checkpoints, LAST, PREVIOUS, State, TrainingState,
};
use crate::run::event::{Event, Outcome, TrainEvent, ValidationEvent};
use crate::run::folder::{RunError, RunFolder};
use crate::study::supports::Looker;
use crate::training::learner::{Learner, number_parameters};
use crate::training::splitting::Judge;

/// When to stop although the annealing is not finished.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Training samples, from the run's beginning.
    pub samples: Option<u64>,
    /// Time, from this process's beginning.
    pub time: Option<Duration>,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The density reached its minimum, and the last phase, if there is one, is over.
    Finished,
    /// A limit was reached.
    Limit,
    /// The user asked for it.
    Interrupted,
}

/// What is told while training goes on.
pub trait Monitor {
    /// After every step.
    fn step(&mut self, samples: u64);
    /// After every event.
    fn event(&mut self, event: &Event);
}

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The loss is NaN or infinite.
    #[error(
        "the loss is {loss} at step {step} ({samples} samples){}; the last good state is \
         {checkpoint}: lower training.learning_rate or set training.gradient_clip_norm in a new run",
        thresholds_skipped(*skipped)
    )]
    NonFinite {
        /// The loss.
        loss: f32,
        /// The step, from 1.
        step: u64,
        /// Training samples seen.
        samples: u64,
        /// Thresholds that were not updated because their quantile was NaN.
        skipped: u64,
        /// The last good checkpoint.
        checkpoint: String,
    },
    /// The configuration is not the one that was trained with.
    #[error(
        "{path} is not what the run was trained with: {changes}; put it back, or go on with it by --changed, \
         which is written down in changes.jsonl"
    )]
    ConfigurationChanged {
        /// The file.
        path: PathBuf,
        /// The keys with their values.
        changes: String,
    },
    /// There is no checkpoint to go on from, though there once was.
    #[error("{0} has lost its checkpoint `last`; start it anew under another --name")]
    NothingToResume(PathBuf),
    /// The run's folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] RunConfigError),
    /// What examples are made from.
    #[error(transparent)]
    Data(#[from] sparling_data::ConfigError),
    /// The annealing's configuration.
    #[error(transparent)]
    Anneal(#[from] AnnealError),
}

fn thresholds_skipped(count: u64) -> String {
    match count {
        0 => String::new(),
        _ => format!(", and {count} updates of a threshold were left out, its quantile being NaN"),
    }
}

/// A run in progress.
pub struct Trainer {
    folder: RunFolder,
    config: RunConfig,
    domain: Arc<dyn Domain>,
    learner: Learner,
    annealer: Annealer,
    samples: u64,
    best: Option<Best>,
    /// The losses since the last training event, some of them still on the device.
    losses: Vec<f32>,
    losses_on_device: Vec<Tensor<1>>,
    elapsed_before: Duration,
    started: Instant,
    logged: (u64, Instant),
    saved: Instant,
    /// The samples of the state that was saved last.
    saved_at: Option<u64>,
    /// What of the configuration decides what is learnt.
    decisive: serde_json::Value,
    warnings: Vec<String>,
}

impl Trainer {
    /// Begins a run on the configuration's domain, which must be prepared.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used.
    pub fn new(
        folder: RunFolder,
        config: RunConfig,
        domain: Box<dyn Domain>,
        backend: Backend,
    ) -> Result<Self, TrainError> {
        let mut trainer = Self::untrained(folder, config, domain, backend)?;
        if let Some(retrain) = trainer.config.retrain.clone() {
            trainer.take_from(&retrain)?;
        }
        Ok(trainer)
    }

    /// Takes the motif model, which stays as it is, and the decoder of another run; its bottleneck, the
    /// normalisation with the thresholds, is left behind.
    fn take_from(&mut self, Retrain { run, checkpoint }: &Retrain) -> Result<(), TrainError> {
        let folder = RunFolder::open(run)?;
        let checkpoints = folder.checkpoints();
        let theirs = folder
            .config()?
            .model(&*self.domain)
            .init(self.learner.device());
        let theirs = checkpoints.load_weights(&checkpoints.read(checkpoint)?, theirs)?;
        let bottleneck = self.learner.model.bottleneck.clone();
        self.learner.model = number_parameters(Sparling {
            bottleneck,
            ..theirs
        });
        self.learner.freeze_motifs();
        Ok(())
    }

    fn untrained(
        folder: RunFolder,
        config: RunConfig,
        domain: Box<dyn Domain>,
        backend: Backend,
    ) -> Result<Self, TrainError> {
        let device = backend.device().autodiff();
        let domain: Arc<dyn Domain> = Arc::from(domain);
        let learner = Learner::new(&config, &*domain, device);
        let annealer = Annealer::new(config.annealing.clone())?;
        // As it is in the folder: where the data lie may be another place now.
        let decisive = RunConfig::as_written(&folder.config_path())?.decisive();
        Ok(Self {
            folder,
            config,
            domain,
            learner,
            annealer,
            samples: 0,
            best: None,
            losses: Vec::new(),
            losses_on_device: Vec::new(),
            elapsed_before: Duration::ZERO,
            started: Instant::now(),
            logged: (0, Instant::now()),
            saved: Instant::now(),
            saved_at: None,
            decisive,
            warnings: Vec::new(),
        })
    }

    /// Goes on exactly where a run of this configuration was saved last or, if that is damaged, where it was
    /// saved before. Events measured after that are dropped, since they will be measured again. A run that
    /// ended before anything was saved begins.
    ///
    /// Files of the run that are not what they were when it was saved are refused, unless they may be
    /// `changed`.
    ///
    /// # Errors
    ///
    /// If what was saved is missing or damaged.
    pub fn resume(
        folder: RunFolder,
        config: RunConfig,
        backend: Backend,
        changed: bool,
    ) -> Result<Self, TrainError> {
        let checkpoints = folder.checkpoints();
        let domain = config.build_domain()?;
        domain.prepare()?;
        let [last, previous] = [LAST, PREVIOUS].map(|name| checkpoints.path(name).exists());
        if !last && !previous {
            if folder.events()?.is_empty() {
                return Self::new(folder, config, domain, backend);
            }
            return Err(TrainError::NothingToResume(folder.path().to_owned()));
        }
        let mut trainer = Self::untrained(folder, config, domain, backend)?;
        let error = match trainer.take_up(LAST, changed) {
            Err(TrainError::Checkpoint(error)) if error.is_damage() && previous => error,
            taken => return taken.map(|()| trainer),
        };
        if trainer.take_up(PREVIOUS, changed).is_err() {
            // What is wrong with the newest is what matters.
            return Err(error.into());
        }
        checkpoints.restore_previous()?;
        let samples = trainer.samples;
        let warning = format!("{error}: going on from the one before it, of {samples} samples");
        trainer.warnings.push(warning);
        Ok(trainer)
    }

    /// Goes on from a checkpoint. Nothing on disk changes unless all of it can be used.
    fn take_up(&mut self, name: &str, changed: bool) -> Result<(), TrainError> {
        let checkpoints = self.folder.checkpoints();
        let checkpoint = checkpoints.read(name)?;
        let Some(state) = &checkpoint.training else {
            return Err(TrainError::NothingToResume(self.folder.path().to_owned()));
        };
        let changes = self.changes(&checkpoint, state, changed)?;
        self.load_weights(&checkpoints, &checkpoint)?;
        let Learner {
            model, optimizer, ..
        } = &mut self.learner;
        *optimizer = checkpoints.load_optimizer(&state.optimizer, optimizer.clone(), model)?;
        self.annealer = Annealer::resume(self.config.annealing.clone(), state.annealer.clone())?;
        self.samples = checkpoint.samples;
        self.best = state.best;
        self.losses.clone_from(&state.losses);
        self.elapsed_before = Duration::from_secs_f64(state.elapsed_seconds);
        self.logged = (self.samples, Instant::now());
        self.saved_at = Some(self.samples);
        self.rewind(state, changed)?;
        for change in &changes {
            self.folder.record_change(change)?;
            self.warnings.push(change.to_string());
        }
        Ok(())
    }

    /// How the configuration differs from what the checkpoint was trained with, if it may.
    fn changes(
        &self,
        checkpoint: &Checkpoint,
        state: &TrainingState,
        changed: bool,
    ) -> Result<Vec<Change>, TrainError> {
        let Some(was) = &state.configuration else {
            return Ok(Vec::new());
        };
        let changes = Change::all(checkpoint.samples, was, &self.decisive);
        if changes.is_empty() || changed {
            return Ok(changes);
        }
        let changes: Vec<String> = changes.iter().map(Change::to_string).collect();
        Err(TrainError::ConfigurationChanged {
            path: self.folder.config_path(),
            changes: changes.join(", "),
        })
    }

    /// Drops the events after the checkpoint.
    fn rewind(&mut self, state: &TrainingState, changed: bool) -> Result<(), TrainError> {
        let log = self.folder.log();
        let Some(extent) = state.events else {
            // Saved before it was known how far the events were: they have to be whole.
            log.events()?;
            log.salvage(self.samples)?;
            return Ok(());
        };
        match log.rewind(extent) {
            Err(error @ RunError::LogChanged { .. }) if changed => {
                let dropped = log.salvage(self.samples)?;
                let warning =
                    format!("{error}: {dropped} of its lines are no events and are dropped");
                self.warnings.push(warning);
                Ok(())
            }
            rewound => Ok(rewound?),
        }
    }

    fn load_weights(
        &mut self,
        checkpoints: &Checkpoints,
        checkpoint: &Checkpoint,
    ) -> Result<(), TrainError> {
        let model = &mut self.learner.model;
        *model = number_parameters(checkpoints.load_weights(checkpoint, model.clone())?);
        if self.config.retrain.is_some() {
            self.learner.freeze_motifs();
        }
        Ok(())
    }

    /// Trains until the density has reached its minimum and the last phase is over, a limit is reached,
    /// or `interrupted` is set. However it ends, `last` is saved.
    ///
    /// # Errors
    ///
    /// If the loss is not finite or something cannot be saved.
    pub fn train(
        &mut self,
        limits: Limits,
        interrupted: &AtomicBool,
        monitor: &mut dyn Monitor,
    ) -> Result<Ended, TrainError> {
        if self.saved_at.is_none() {
            self.save_last(None)?;
        }
        let batch_size = self.config.training.batch_size;
        let split = Split::Train {
            seed: self.config.seed,
        };
        let loader = Loader::new(self.domain.clone(), split, self.samples, batch_size, 1);
        for batch in loader {
            if let Some(ended) = self.ended(limits, interrupted) {
                self.collect_losses()?;
                self.save_unless_saved()?;
                return Ok(ended);
            }
            self.step(batch);
            monitor.step(self.samples);
            if self.crossed(self.config.training.log_every_samples) {
                monitor.event(&self.log()?);
            }
            if self.check_is_due() {
                monitor.event(&self.check()?);
            }
            if self.save_is_due() {
                self.collect_losses()?;
                self.save_unless_saved()?;
            }
        }
        unreachable!("the loader is endless")
    }

    /// Training samples seen.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// What the user must know of how the run was gone on with.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The run's configuration.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Where examples come from.
    pub fn domain(&self) -> &Arc<dyn Domain> {
        &self.domain
    }

    /// The annealing's state.
    pub fn annealer(&self) -> &Annealer {
        &self.annealer
    }

    /// How often selection missed a threshold near the last batch's and was repeated: that costs time,
    /// never exactness. Of this process alone.
    pub fn selection_misses(&self) -> u64 {
        self.learner.model.bottleneck.sparsity.selection_misses()
    }

    /// Time spent training since the run began.
    pub fn elapsed(&self) -> Duration {
        self.elapsed_before + self.started.elapsed()
    }

    fn ended(&self, limits: Limits, interrupted: &AtomicBool) -> Option<Ended> {
        let done = match self.last_phase() {
            Some((phase, since)) => phase.is_over(since),
            None => self.annealer.state().finished,
        };
        if done {
            return Some(Ended::Finished);
        }
        if interrupted.load(Ordering::Relaxed) {
            return Some(Ended::Interrupted);
        }
        let samples = limits.samples.is_some_and(|limit| self.samples >= limit);
        let time = limits
            .time
            .is_some_and(|limit| self.started.elapsed() >= limit);
        (samples || time).then_some(Ended::Limit)
    }

    /// The last phase and the training samples since it began, if it has.
    fn last_phase(&self) -> Option<(LastPhase, u64)> {
        let state = self.annealer.state();
        let phase = self.config.last_phase.filter(|_| state.finished)?;
        Some((phase, self.samples - state.samples_at_last_check))
    }

    fn check_is_due(&self) -> bool {
        match self.last_phase() {
            Some((phase, since)) => {
                let every = self.annealer.config().check_every_samples;
                phase.is_due(since, self.config.training.batch_size as u64, every)
            }
            None => self.annealer.is_due(self.samples),
        }
    }

    fn save_is_due(&self) -> bool {
        self.saved.elapsed().as_secs_f64() >= 60.0 * self.config.training.save_every_minutes
    }

    /// Whether the last step went past a multiple of `every`.
    fn crossed(&self, every: u64) -> bool {
        let before = self.samples - self.config.training.batch_size as u64;
        self.samples / every != before / every
    }

    fn step(&mut self, batch: Batch) {
        // Dropout and competition must not depend on how often the run was interrupted.
        self.learner
            .device()
            .seed(self.config.seed ^ self.samples.rotate_left(32));
        let size = batch.tokens.len() as u64;
        let loss = self.learner.loss(batch, &*self.domain);
        let gradients = self.learner.gradients(&loss);
        self.learner.update(gradients, self.learning_rate());
        self.losses_on_device.push(loss.inner());
        self.samples += size;
    }

    fn learning_rate(&self) -> f64 {
        if let Some((phase, since)) = self.last_phase() {
            return phase.learning_rate_at(since);
        }
        let training = &self.config.training;
        let warmed = (self.samples + 1) as f64 / training.warmup_samples.max(1) as f64;
        let decayed = training.learning_rate_per_cut.powi(self.annealer.cuts());
        training.learning_rate * warmed.min(1.0) * decayed
    }

    /// Reads the losses still on the device.
    fn collect_losses(&mut self) -> Result<(), TrainError> {
        if self.losses_on_device.is_empty() {
            return Ok(());
        }
        let count = self.losses_on_device.len() as u64;
        let losses = Tensor::cat(std::mem::take(&mut self.losses_on_device), 0);
        let losses = values(losses);
        if let Some(index) = losses.iter().position(|loss| !loss.is_finite()) {
            let batch_size = self.config.training.batch_size as u64;
            let step = self.samples / batch_size - count + index as u64 + 1;
            return Err(TrainError::NonFinite {
                loss: losses[index],
                step,
                samples: step * batch_size,
                skipped: self.learner.model.bottleneck.sparsity.skipped_updates(),
                checkpoint: self.folder.checkpoints().path("last").display().to_string(),
            });
        }
        self.losses.extend(losses);
        Ok(())
    }

    /// Writes down the mean loss since the last such event.
    fn log(&mut self) -> Result<Event, TrainError> {
        self.collect_losses()?;
        let losses = std::mem::take(&mut self.losses);
        let loss = losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len() as f64;
        let (samples_before, time_before) = self.logged;
        self.logged = (self.samples, Instant::now());
        let seconds = time_before.elapsed().as_secs_f64();
        let event = Event::Train(TrainEvent {
            samples: self.samples,
            loss,
            density: self.annealer.density(),
            learning_rate: self.learning_rate(),
            elapsed_seconds: self.elapsed().as_secs_f64(),
            // A clock that stands still must not make it infinite.
            samples_per_s: (self.samples - samples_before) as f64 / seconds.max(1e-9),
        });
        self.folder.log().append(&event)?;
        Ok(event)
    }

    /// Validates, and cuts the density if the accuracy allows it (paper, Algorithm 1).
    fn check(&mut self) -> Result<Event, TrainError> {
        self.collect_losses()?;
        let begun = Instant::now();
        let valid = self.learner.model.valid();
        self.folder
            .checkpoints()
            .require_finite(&valid, self.samples)?;
        let domain = self.domain.clone();
        let validation = self.config.validation.clone();
        let evaluator = Evaluator {
            model: &valid,
            domain: &*domain,
            device: &self.learner.device().clone().inner(),
            batch_size: validation.batch_size,
            supports: None,
        };
        let figures = evaluator
            .evaluate(Split::Validation, validation.examples)
            .figures();
        let accuracy = figures.exact_match.unwrap_or(0.0);
        let (target, outcome) = self.decide(accuracy);
        let splits = match self.annealer.state().finished {
            true => Vec::new(),
            false => self.splits(&evaluator),
        };
        let event = Event::Validation(ValidationEvent {
            samples: self.samples,
            target,
            decision: outcome,
            next_density: self.annealer.density(),
            figures: figures.clone(),
            splits: splits
                .iter()
                .map(|split| [split.channel, split.spare])
                .collect(),
            check_seconds: begun.elapsed().as_secs_f64(),
            elapsed_seconds: self.elapsed().as_secs_f64(),
        });
        // The event first: whoever finds the checkpoint finds what led to it.
        self.folder.log().append(&event)?;
        self.keep(&valid, &figures, outcome)?;
        for split in &splits {
            self.learner.model.split(split);
        }
        if outcome == Outcome::Settle && self.config.last_phase.is_some_and(|phase| phase.centre) {
            self.learner.model.offsets = self.centres(&evaluator);
            // What is kept of the last phase has its motifs at the centres.
            self.best = None;
        }
        let density = self.annealer.density();
        self.learner
            .model
            .bottleneck
            .sparsity
            .set_density(density)
            .expect("annealed within (0, 1]");
        self.save_last(Some(figures))?;
        self.logged.1 += begun.elapsed();
        Ok(event)
    }

    /// What an accuracy had to exceed, and what follows from it.
    fn decide(&mut self, accuracy: f64) -> (f64, Outcome) {
        if let Some((phase, since)) = self.last_phase() {
            let target = self.best.map_or(0.0, |best| best.accuracy);
            let outcome = match phase.is_over(since) {
                true => Outcome::Finish,
                false => Outcome::Keep,
            };
            return (target, outcome);
        }
        let target = self.annealer.target_at(self.samples);
        let outcome = match self.annealer.check(self.samples, accuracy) {
            Decision::Keep => Outcome::Keep,
            Decision::Cut { .. } => Outcome::Cut,
            Decision::Finish { .. } if self.config.last_phase.is_some() => Outcome::Settle,
            Decision::Finish { .. } => Outcome::Finish,
        };
        (target, outcome)
    }

    /// The channels to part, if the configuration asks for it.
    fn splits(&self, evaluator: &Evaluator) -> Vec<ChannelSplit> {
        let bottleneck = &self.config.bottleneck;
        let (Some(splitting), Some(competition)) = (self.config.splitting, bottleneck.competition)
        else {
            return Vec::new();
        };
        let density = evaluator.model.bottleneck.sparsity.density();
        if !(splitting.until_density..=competition.from_density).contains(&density) {
            return Vec::new();
        }
        splitting.find(&Judge {
            evaluator,
            radius: competition.radius,
            split: Split::Train {
                seed: self.config.seed,
            },
            examples: self.samples..self.samples + splitting.examples as u64,
        })
    }

    /// The offsets that move each channel's motifs to the middle of what it looks at.
    fn centres(&self, evaluator: &Evaluator) -> Offsets {
        let looker = Looker {
            evaluator,
            motif_model: self.learner.model.motif_model.clone().freeze(),
            window: self.config.model(&*self.domain).motif_model.window(),
            split: Split::Train {
                seed: self.config.seed,
            },
            first: self.samples,
        };
        let centre = |support: Option<Support>| {
            let centre = support.map_or([0.0; 2], |support| support.centre);
            centre.map(|middle| middle.round() as isize)
        };
        Offsets::new(looker.supports().0.into_iter().map(centre).collect())
    }

    /// Saves what users choose from: the best state, and the ladder, which has the state just before
    /// each cut and, at the lowest density, the best of the last phase.
    fn keep(
        &mut self,
        valid: &Sparling,
        figures: &Figures,
        outcome: Outcome,
    ) -> Result<(), TrainError> {
        let checkpoints = self.folder.checkpoints();
        let candidate = Best {
            density: figures.density,
            accuracy: figures.exact_match.unwrap_or(0.0),
        };
        // The last phase begins anew, so that its best is also the lowest density's.
        let best = self.best.filter(|_| outcome != Outcome::Settle);
        let better =
            best.is_none_or(|best| best.is_beaten_by(candidate.density, candidate.accuracy));
        let is_rung = match self.last_phase() {
            Some(_) => better,
            None => outcome != Outcome::Keep,
        };
        if is_rung {
            let update = self.config.annealing.density_update;
            let name = Checkpoints::ladder_name(figures.density, update);
            self.save_weights(&checkpoints, &name, valid, figures)?;
        }
        if better {
            self.save_weights(&checkpoints, "best", valid, figures)?;
            self.best = Some(candidate);
        }
        Ok(())
    }

    fn save_weights(
        &self,
        checkpoints: &Checkpoints,
        name: &str,
        valid: &Sparling,
        figures: &Figures,
    ) -> Result<(), TrainError> {
        let state = State {
            samples: self.samples,
            density: figures.density,
            validation: Some(figures.clone()),
        };
        Ok(checkpoints.save(name, valid, state, None)?)
    }

    /// What was saved at a check just now is not written over: it is the same, and a process that died
    /// meanwhile would leave half of each.
    fn save_unless_saved(&mut self) -> Result<(), TrainError> {
        match self.saved_at == Some(self.samples) {
            true => Ok(()),
            false => self.save_last(None),
        }
    }

    fn save_last(&mut self, validation: Option<Figures>) -> Result<(), TrainError> {
        let valid = self.learner.model.valid();
        let state = State {
            samples: self.samples,
            density: self.annealer.density(),
            validation,
        };
        let checkpoints = self.folder.checkpoints();
        checkpoints.require_finite(&valid, self.samples)?;
        let optimizer = &self.learner.optimizer;
        let training = Some(TrainingState {
            optimizer: checkpoints.save_optimizer(LAST, self.samples, optimizer)?,
            annealer: self.annealer.state().clone(),
            best: self.best,
            losses: self.losses.clone(),
            pending: self.learner.model.bottleneck.sparsity.pending(),
            elapsed_seconds: self.elapsed().as_secs_f64(),
            configuration: Some(self.decisive.clone()),
            events: Some(self.folder.log().extent()?),
        });
        checkpoints.save(LAST, &valid, state, training)?;
        self.saved = Instant::now();
        self.saved_at = Some(self.samples);
        Ok(())
    }
}
