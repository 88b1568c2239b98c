//! Gathering batches for a threshold update, where one batch has too few activations to rank
//! (paper, footnote 3).

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::quantile::{ThresholdScope, Tracker, kth_smallest, largest, threshold_rank};

/// Batches gathered for the next threshold update: of each only the values that can still matter.
///
/// Part of the training state: a run that is to resume exactly saves it with the weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// How many values per threshold were gathered.
    pub values: usize,
    /// Up to which rank from the top the kept values are those of all batches together.
    pub exact_ranks: usize,
    /// The kept values, `[thresholds][values]`.
    pub largest: Vec<Vec<f32>>,
}

/// Gathered batches that belong to no such layer.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the batches gathered for the next thresholds are {0}")]
pub struct PendingError(&'static str);

impl Pending {
    /// Checks that a layer of so many thresholds can have gathered this.
    pub(crate) fn validate(&self, thresholds: usize) -> Result<(), PendingError> {
        let kept = self.largest.first().map_or(0, Vec::len);
        let empty = self.largest.is_empty();
        let wrong = if !empty && self.largest.len() != thresholds {
            "of another number of thresholds"
        } else if self.largest.iter().any(|row| row.len() != kept) || empty != (kept == 0) {
            "not the same number for each threshold"
        } else if kept > self.values || (empty && self.values > 0) {
            "not as many as they say"
        } else if self
            .largest
            .iter()
            .flatten()
            .any(|value| !value.is_finite())
        {
            "not finite"
        } else {
            return Ok(());
        };
        Err(PendingError(wrong))
    }
}

/// [`Pending`] on the device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    values: usize,
    exact_ranks: usize,
    /// `[thresholds, kept]`
    largest: Option<Tensor<2>>,
}

/// What an update asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Update {
    pub(crate) scope: ThresholdScope,
    /// The number of thresholds.
    pub(crate) groups: usize,
    pub(crate) density: f64,
    /// How many activations to expect above each threshold, at least.
    pub(crate) wanted: f64,
}

impl Gathered {
    pub(crate) fn new(pending: Pending, device: &Device) -> Self {
        let kept = pending.largest.first().map_or(0, Vec::len);
        let shape = [pending.largest.len(), kept];
        let largest = (!pending.largest.is_empty())
            .then(|| Tensor::from_data(TensorData::new(pending.largest.concat(), shape), device));
        Self {
            values: pending.values,
            exact_ranks: pending.exact_ranks,
            largest,
        }
    }

    /// Waits for the device.
    pub(crate) fn pending(self) -> Pending {
        let rows = |largest: Tensor<2>| {
            let kept = largest.dims()[1];
            let values = largest.into_data_as::<f32>().try_into_vec::<f32>();
            let values = values.expect("data converted to f32 reads as f32");
            values.chunks(kept).map(<[f32]>::to_vec).collect()
        };
        Pending {
            values: self.values,
            exact_ranks: self.exact_ranks,
            largest: self.largest.map(rows).unwrap_or_default(),
        }
    }

    /// The quantile to move towards, or `None` while batches are still being gathered.
    pub(crate) fn next_quantile<const D: usize>(
        &mut self,
        tracker: &mut Tracker,
        input: Tensor<D>,
        update: Update,
    ) -> Option<Tensor<1>> {
        let Update {
            scope,
            groups,
            density,
            wanted,
        } = update;
        let count = input.shape().num_elements() / groups;
        let total = self.values + count;
        let enough = total as f64 * density >= wanted;
        if enough && self.values == 0 {
            let rank = threshold_rank(count, density);
            return Some(tracker.kth_smallest(input, rank, scope));
        }

        // The threshold's rank from the top is at most one more than the share of all values, which
        // is `wanted` before the last batch, and that adds its own.
        let keep = (wanted + count as f64 * density) as usize + 2;
        let exact_ranks = if keep < count { keep } else { usize::MAX };
        let newest = largest(input, keep.min(count), scope);
        self.values = total;
        let gathered = self.joined_by(newest, exact_ranks);
        let kept = gathered.dims()[1];
        let as_batch = |largest: Tensor<2>| largest.reshape([1, groups, kept]);
        if !enough {
            self.largest = Some(if keep < kept {
                largest(as_batch(gathered), keep, ThresholdScope::PerChannel)
            } else {
                gathered
            });
            return None;
        }
        let from_top = total - threshold_rank(total, density) + 1;
        // Less was kept than matters if this batch is larger than those before it, or the density
        // was raised meanwhile: then gathering begins anew.
        let exact = from_top <= self.exact_ranks.min(kept);
        *self = Self::default();
        exact.then(|| {
            let rank = kept - from_top + 1;
            kth_smallest(as_batch(gathered), rank, ThresholdScope::PerChannel)
        })
    }

    /// What was kept together with the newest batch's largest, which are exact up to this rank.
    fn joined_by(&mut self, newest: Tensor<2>, exact_ranks: usize) -> Tensor<2> {
        match self.largest.take() {
            Some(before) => {
                self.exact_ranks = self.exact_ranks.min(exact_ranks);
                Tensor::cat(vec![before.to_device(&newest.device()), newest], 1)
            }
            None => {
                self.exact_ranks = exact_ranks;
                newest
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_layer_gathered_is_refused() {
        let pending = |values, largest: &[&[f32]]| Pending {
            values,
            exact_ranks: 2,
            largest: largest.iter().map(|row| row.to_vec()).collect(),
        };
        let whole = pending(9, &[&[2.0, 1.0], &[4.0, 3.0]]);
        assert_eq!(whole.validate(2), Ok(()));
        assert_eq!(Pending::default().validate(2), Ok(()));
        for wrong in [
            pending(9, &[&[2.0, 1.0]]),
            pending(9, &[&[2.0, 1.0], &[4.0]]),
            pending(9, &[&[], &[]]),
            pending(1, &[&[2.0, 1.0], &[4.0, 3.0]]),
            pending(9, &[]),
            pending(9, &[&[2.0, f32::NAN], &[4.0, 3.0]]),
        ] {
            assert!(wrong.validate(2).is_err(), "{wrong:?}");
        }
    }
}
