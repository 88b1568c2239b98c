//! The lines of `metrics.jsonl`.
//!
//! What depends on the clock is in fields ending in `_seconds` or `_per_s`; all else is the same
//! however often a run was interrupted.

use serde::{Deserialize, Serialize};

use crate::metrics::Figures;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Some steps of training.
    Train(TrainEvent),
    /// A check on validation examples.
    Validation(ValidationEvent),
}

/// Some steps of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainEvent {
    /// Training samples seen.
    pub samples: u64,
    /// The mean loss of the steps since the last such event, in nats per token.
    pub loss: f64,
    /// The density they were trained at.
    pub density: f64,
    /// The learning rate of the last of them.
    pub learning_rate: f64,
    /// Time spent training since the run began.
    pub elapsed_seconds: f64,
    /// Speed since the last such event.
    pub samples_per_s: f64,
}

/// A check on validation examples (paper, Algorithm 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationEvent {
    /// Training samples seen.
    pub samples: u64,
    /// What the accuracy had to exceed.
    pub target: f64,
    /// What was decided.
    pub decision: Outcome,
    /// The density training goes on with.
    pub next_density: f64,
    /// What was measured.
    #[serde(flatten)]
    pub figures: Figures,
    /// The channels that were parted, each with the spare one that became its other half.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<[usize; 2]>,
    /// Time the check took.
    pub check_seconds: f64,
    /// Time spent since the run began.
    pub elapsed_seconds: f64,
}

/// What a check decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Training goes on as before: the accuracy was not enough, or this is the last phase.
    Keep,
    /// The density was cut.
    Cut,
    /// The next cut would go below the minimum: the last phase begins.
    Settle,
    /// The run is done: the next cut would go below the minimum, or the last phase is over.
    Finish,
}

impl Event {
    /// Training samples seen.
    pub fn samples(&self) -> u64 {
        match self {
            Self::Train(event) => event.samples,
            Self::Validation(event) => event.samples,
        }
    }

    /// Whether training ended with it, at the lowest density.
    pub fn finishes(&self) -> bool {
        matches!(self, Self::Validation(event) if event.decision == Outcome::Finish)
    }
}
