//! What follows the annealing: training goes on at the lowest density, ever more slowly.
//!
//! Paper: this is ours. Algorithm 1 ends with the check that beats its target at the lowest density,
//! where the model has just lost accuracy to the last cuts and the learning rate is still the full one.

use serde::{Deserialize, Serialize};

use super::RunConfigError;
use super::checks::{above_zero, require};

/// The last phase's section of an experiment file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastPhase {
    /// How long it is, in training samples.
    pub samples: u64,
    /// The learning rate it begins with, from which it falls to zero at the end.
    pub learning_rate: f64,
    /// Whether each channel's motifs are first moved to the middle of what the channel looks at.
    pub centre: bool,
}

impl LastPhase {
    pub(super) fn validate(&self) -> Result<(), RunConfigError> {
        let samples = self.samples;
        require(samples > 0, "last_phase.samples", "at least 1", samples)?;
        above_zero("last_phase.learning_rate", self.learning_rate)
    }

    /// The learning rate after `since` of its training samples: a straight line down to zero.
    pub fn learning_rate_at(&self, since: u64) -> f64 {
        let left = self.samples.saturating_sub(since);
        self.learning_rate * left as f64 / self.samples as f64
    }

    /// Whether a step of `step` samples that ended `since` samples after the phase began calls for a
    /// check: one does at every multiple of `every`, and at the end.
    pub fn is_due(&self, since: u64, step: u64, every: u64) -> bool {
        since > 0 && (self.is_over(since) || since / every != since.saturating_sub(step) / every)
    }

    /// Whether all of its samples have been trained on.
    pub fn is_over(&self, since: u64) -> bool {
        since >= self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASE: LastPhase = LastPhase {
        samples: 1000,
        learning_rate: 0.5,
        centre: false,
    };

    #[test]
    fn the_learning_rate_falls_to_zero() {
        let rates = [0, 250, 1000, 1010].map(|since| PHASE.learning_rate_at(since));
        assert_eq!(rates, [0.5, 0.375, 0.0, 0.0]);
    }

    #[test]
    fn it_is_checked_at_intervals_and_at_its_end() {
        let due = |every: u64| {
            let steps = (0..=1000).step_by(10);
            let due = steps.filter(|since| PHASE.is_due(*since, 10, every));
            due.collect::<Vec<u64>>()
        };
        assert_eq!(due(400), [400, 800, 1000]);
        assert_eq!(due(500), [500, 1000]);
        assert_eq!(due(395), [400, 790, 1000]);
        assert_eq!(due(5000), [1000]);
    }
}
