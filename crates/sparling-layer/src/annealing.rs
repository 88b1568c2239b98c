//! When to make motifs sparser: a pure state machine (paper, section 4.2 and Algorithm 1).
//!
//! The density starts high and the target accuracy at 1. Every so many samples the target falls a
//! little; when validation beats it, the density is cut and the target rises to what was reached.
//! Training ends when the next cut would take the density below the domain's minimum.

use serde::{Deserialize, Serialize};

/// What Algorithm 1 is run with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnealConfig {
    /// Density before the first cut, in (0, 1]; the paper's is 0.5.
    pub initial_density: f64,
    /// Target accuracy before the first check, in (0, 1]; the paper's is 1.
    pub initial_target: f64,
    /// What the target loses with each training sample (the paper's d_T), from 0 to 1.
    pub target_decay_per_sample: f64,
    /// What a cut multiplies the density by (the paper's delta_update), in (0, 1).
    pub density_update: f64,
    /// Training samples between checks (the paper's M), at least 1.
    pub check_every_samples: u64,
    /// Training ends instead of cutting below this density, in (0, `initial_density`].
    pub minimum_density: f64,
}

/// A value of [`AnnealConfig`] that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{key} must be {wanted}, but is {value}")]
pub struct AnnealError {
    /// The field.
    pub key: &'static str,
    /// What it may be.
    pub wanted: &'static str,
    /// What it is.
    pub value: f64,
}

/// What the annealer remembers between checks; a checkpoint stores it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnealState {
    /// The density being trained at.
    pub density: f64,
    /// The accuracy that the next check has to beat, before its own decay.
    pub target: f64,
    /// How often the density was cut; `None` in what was stored before this was counted.
    #[serde(default)]
    pub cuts: Option<i32>,
    /// Training samples at the last check.
    pub samples_at_last_check: u64,
    /// Whether the end was reached.
    pub finished: bool,
}

/// What a check decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Train on at the same density.
    Keep,
    /// The target was beaten: train on at a lower density.
    Cut {
        /// The density trained at until now, whose state belongs on the ladder of checkpoints.
        from: f64,
        /// The density to train at next.
        to: f64,
    },
    /// The target was beaten and the next density would be below the minimum: stop.
    Finish {
        /// The density trained at until now, which is the final one.
        from: f64,
    },
}

/// Decides when to cut the density.
#[derive(Clone, Debug, PartialEq)]
pub struct Annealer {
    config: AnnealConfig,
    state: AnnealState,
}

impl AnnealConfig {
    /// Checks every value.
    ///
    /// # Errors
    ///
    /// Names the first key whose value is out of range.
    pub fn validate(&self) -> Result<(), AnnealError> {
        let positive = |value: f64| value > 0.0 && value <= 1.0;
        let update = self.density_update;
        let decay = self.target_decay_per_sample;
        let minimum = self.minimum_density;
        let check = |holds: bool, key, wanted, value| {
            if holds {
                Ok(())
            } else {
                Err(AnnealError { key, wanted, value })
            }
        };
        let fraction = "above 0 and at most 1";
        check(
            positive(self.initial_density),
            "initial_density",
            fraction,
            self.initial_density,
        )?;
        check(
            positive(self.initial_target),
            "initial_target",
            fraction,
            self.initial_target,
        )?;
        check(
            (0.0..=1.0).contains(&decay),
            "target_decay_per_sample",
            "from 0 to 1",
            decay,
        )?;
        check(
            update > 0.0 && update < 1.0,
            "density_update",
            "above 0 and below 1",
            update,
        )?;
        check(
            self.check_every_samples > 0,
            "check_every_samples",
            "at least 1",
            0.0,
        )?;
        check(
            minimum > 0.0 && minimum <= self.initial_density,
            "minimum_density",
            "above 0 and at most initial_density",
            minimum,
        )
    }
}

impl AnnealState {
    fn validate(&self) -> Result<(), AnnealError> {
        let wrong = |key, wanted, value| Err(AnnealError { key, wanted, value });
        if !(self.density > 0.0 && self.density <= 1.0) {
            return wrong("density", "above 0 and at most 1", self.density);
        }
        if !(self.target <= 1.0 && self.target.is_finite()) {
            return wrong("target", "finite and at most 1", self.target);
        }
        match self.cuts {
            Some(cuts) if cuts < 0 => wrong("cuts", "0 or more", f64::from(cuts)),
            _ => Ok(()),
        }
    }
}

impl Annealer {
    /// Starts at the initial density.
    ///
    /// # Errors
    ///
    /// When the configuration is not [valid](AnnealConfig::validate).
    pub fn new(config: AnnealConfig) -> Result<Self, AnnealError> {
        let state = AnnealState {
            density: config.initial_density,
            target: config.initial_target,
            cuts: Some(0),
            samples_at_last_check: 0,
            finished: false,
        };
        Self::resume(config, state)
    }

    /// Goes on from a stored state: the decisions are those of a run that was never stopped.
    ///
    /// # Errors
    ///
    /// When the configuration is not [valid](AnnealConfig::validate), or the state is none that annealing
    /// comes to.
    pub fn resume(config: AnnealConfig, mut state: AnnealState) -> Result<Self, AnnealError> {
        config.validate()?;
        state.validate()?;
        state.cuts.get_or_insert_with(|| {
            let ratio = state.density / config.initial_density;
            (ratio.ln() / config.density_update.ln()).round() as i32
        });
        Ok(Self { config, state })
    }

    /// The density to train at; once finished, the last one that was trained at.
    pub fn density(&self) -> f64 {
        self.state.density
    }

    /// What to store in a checkpoint.
    pub fn state(&self) -> &AnnealState {
        &self.state
    }

    /// The configuration it follows.
    pub fn config(&self) -> &AnnealConfig {
        &self.config
    }

    /// How often the density was cut so far.
    pub fn cuts(&self) -> i32 {
        self.state.cuts.unwrap_or_default()
    }

    /// The accuracy that a check after `samples` training samples has to exceed.
    pub fn target_at(&self, samples: u64) -> f64 {
        let since = samples.saturating_sub(self.state.samples_at_last_check);
        self.state.target - self.config.target_decay_per_sample * since as f64
    }

    /// Whether enough samples have been trained on since the last check for another.
    pub fn is_due(&self, samples: u64) -> bool {
        let since = samples.saturating_sub(self.state.samples_at_last_check);
        !self.state.finished && since >= self.config.check_every_samples
    }

    /// Takes the validation accuracy (exact match, in [0, 1]) after so many training samples in
    /// all, and decides.
    ///
    /// A finished annealer says so again and changes no more.
    ///
    /// # Panics
    ///
    /// When there are fewer samples than at the last check.
    pub fn check(&mut self, samples: u64, accuracy: f64) -> Decision {
        let from = self.state.density;
        if self.state.finished {
            return Decision::Finish { from };
        }
        let last = self.state.samples_at_last_check;
        assert!(
            samples >= last,
            "check at {samples} samples after one at {last}"
        );
        // Paper: Algorithm 1 lowers the target with each batch; only checks look at it.
        self.state.target = self.target_at(samples);
        self.state.samples_at_last_check = samples;
        if accuracy <= self.state.target || accuracy.is_nan() {
            return Decision::Keep;
        }
        self.state.target = accuracy;
        let to = from * self.config.density_update;
        if to < self.config.minimum_density {
            self.state.finished = true;
            return Decision::Finish { from };
        }
        self.state.density = to;
        self.state.cuts = self.state.cuts.map(|cuts| cuts + 1);
        Decision::Cut { from, to }
    }
}

#[cfg(test)]
mod tests;
