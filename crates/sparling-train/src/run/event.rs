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

    /// Checks that it is one that training could have written.
    ///
    /// # Errors
    ///
    /// Names the field.
    pub(super) fn validate(&self) -> Result<(), String> {
        let densities = match self {
            Self::Train(event) => vec![("density", event.density)],
            Self::Validation(event) => vec![
                ("density", event.figures.density),
                ("next_density", event.next_density),
            ],
        };
        for (key, density) in densities {
            if !(density > 0.0 && density <= 1.0) {
                return Err(format!(
                    "its `{key}` is {density}, not above 0 and at most 1"
                ));
            }
        }
        Ok(())
    }

    /// The check, if it is one.
    pub fn check(self) -> Option<ValidationEvent> {
        match self {
            Self::Train(_) => None,
            Self::Validation(check) => Some(check),
        }
    }

    /// Whether training ended with it, at the lowest density.
    pub fn finishes(&self) -> bool {
        matches!(self, Self::Validation(event) if event.decision == Outcome::Finish)
    }
}

/// The check of the state that was kept at each density, the densest first: the last, or the best of the
/// last phase.
pub fn ladder(checks: &[ValidationEvent]) -> Vec<&ValidationEvent> {
    let mut ladder: Vec<&ValidationEvent> = Vec::new();
    let mut settled = false;
    for check in checks {
        let replaces = !settled || check.figures.exact_match > Some(check.target);
        match ladder.last_mut() {
            Some(last) if last.figures.density == check.figures.density => {
                if replaces {
                    *last = check;
                }
            }
            _ => ladder.push(check),
        }
        settled |= check.decision == Outcome::Settle;
    }
    ladder
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::metrics::Evaluation;

    /// A check at which training goes on as before, with a target of 0.9 and an exact match of 0.95.
    pub(crate) fn check(samples: u64, density: f64) -> ValidationEvent {
        let mut figures = Evaluation::new(density, 1, 1).figures();
        figures.exact_match = Some(0.95);
        ValidationEvent {
            samples,
            target: 0.9,
            decision: Outcome::Keep,
            next_density: density,
            figures,
            splits: Vec::new(),
            check_seconds: 1.0,
            elapsed_seconds: 1.0,
        }
    }

    #[test]
    fn each_density_counts_with_its_last_check_and_the_last_phase_with_its_best() {
        let mut checks = [1, 2, 3, 4, 5, 6, 7].map(|samples| {
            let densities = [0.5, 0.5, 0.3, 0.1, 0.1, 0.1, 0.1];
            check(samples, densities[samples as usize - 1])
        });
        checks[3].decision = Outcome::Settle;
        checks[5].target = 0.96;
        checks[6].target = 0.95;
        let kept = ladder(&checks);
        let samples: Vec<u64> = kept.iter().map(|check| check.samples).collect();
        assert_eq!(samples, [2, 3, 5]);
    }
}
