//! How channels that stand for two symbols are parted.

use serde::{Deserialize, Serialize};

use super::RunConfigError;
use super::checks::{above_zero, at_least_one, not_negative, require, share};

/// When and how channels are parted, at each check that does not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splitting {
    /// A channel is spare if, without it, the loss rises by less than this share of the median of
    /// all channels. 0 if only channels are spare that are the strongest at hardly any place: a symbol
    /// that can be inferred is missed little, too, and would lose its channel otherwise.
    pub spare_below: f64,
    /// The training examples that channels are judged by.
    pub examples: usize,
    /// The lowest density at which channels are parted.
    pub until_density: f64,
    /// A channel is parted only if the features at the places where it is the strongest vary so many
    /// times as much as the median channel's, or more, in the direction in which they vary most; 0 to
    /// part any.
    pub crowded_above: f64,
    /// How far each half moves towards its kind of places and away from the other, in standard
    /// deviations of the channel's detector.
    pub step: f64,
}

impl Splitting {
    pub(super) fn validate(&self) -> Result<(), RunConfigError> {
        let spare = self.spare_below;
        let possible = (0.0..=1.0).contains(&spare);
        require(possible, "splitting.spare_below", "from 0 to 1", spare)?;
        share("splitting.until_density", self.until_density)?;
        at_least_one("splitting.examples", self.examples)?;
        not_negative("splitting.crowded_above", self.crowded_above)?;
        above_zero("splitting.step", self.step)
    }
}
