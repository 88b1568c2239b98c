//! The order statistic behind the thresholds: the k-th smallest value per channel, or over all.
//!
//! As `torch.kthvalue`: no interpolation, NaN is the largest value, and -0 equals +0.

mod cpu;

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// Over what a threshold is taken (paper, sections 4.1 and D).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdScope {
    /// One threshold per channel, over batch and space: the paper's MT, its default.
    PerChannel,
    /// One threshold over everything: the paper's ST.
    Single,
}

/// The rank of the threshold among `count` values: `max(1, floor(count * (1 - density)))`.
///
/// Computed in f64 from the sparsity `1 - density`, as the authors' code does.
pub fn threshold_rank(count: usize, density: f64) -> usize {
    let sparsity = 1.0 - density;
    ((count as f64 * sparsity).floor() as usize).max(1)
}

/// The `k`-th smallest value (counting from 1) of each channel, or of everything.
///
/// Exact, and outside any gradient: the result never tracks one.
///
/// # Shapes
///
/// - `input`: `[batch, channels, spatial...]`
/// - output: `[channels]` per channel, `[1]` over everything
///
/// # Panics
///
/// Panics if `k` is 0 or larger than the number of values ranked together, or the rank of `input`
/// is below 2.
pub fn kth_smallest<const D: usize>(
    input: Tensor<D>,
    k: usize,
    scope: ThresholdScope,
) -> Tensor<1> {
    assert!(
        D >= 2,
        "expected [batch, channels, spatial...], got rank {D}"
    );
    let device = input.device();
    let kth = groups(input, scope)
        .into_iter()
        .map(|group| cpu::kth(group, k))
        .collect();
    to_tensor(kth, &device)
}

/// Appends the values of a batch to those gathered before, one group per threshold.
pub(crate) fn gather<const D: usize>(
    gathered: &mut Vec<Vec<f32>>,
    input: Tensor<D>,
    scope: ThresholdScope,
) {
    let groups = groups(input, scope);
    gathered.resize_with(groups.len(), Vec::new);
    for (all, new) in gathered.iter_mut().zip(groups) {
        all.extend(new);
    }
}

/// The `k`-th smallest value of each group.
pub(crate) fn kth_of_groups(groups: Vec<Vec<f32>>, k: usize, device: &Device) -> Tensor<1> {
    to_tensor(
        groups.into_iter().map(|group| cpu::kth(group, k)).collect(),
        device,
    )
}

/// The values ranked together: one group per channel, or one of everything.
fn groups<const D: usize>(input: Tensor<D>, scope: ThresholdScope) -> Vec<Vec<f32>> {
    let dims = input.dims();
    let data = input.without_autodiff().into_data_as::<f32>();
    let values = data
        .as_slice::<f32>()
        .expect("data converted to f32 reads as f32");
    match scope {
        ThresholdScope::PerChannel => cpu::channels(values, dims[0], dims[1]),
        ThresholdScope::Single => vec![values.to_vec()],
    }
}

fn to_tensor(kth: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = kth.len();
    Tensor::from_data(TensorData::new(kth, [length]), device)
}
