//! The order statistic behind the thresholds: the k-th smallest value per channel, or over all.
//!
//! As `torch.kthvalue`: no interpolation, NaN is the largest value, and -0 equals +0 (the result is
//! then +0). The result is exact, bit for bit what sorting everything gives, whichever way it was
//! found, and it is the same on every backend.
//!
//! # How it is found
//!
//! Training asks for nearly the same value batch after batch. A [`Tracker`] remembers for each group
//! of values that are ranked together a *bracket* `[low, high]` of values around the last answer.
//! One pass over the next batch counts the values above the bracket and collects those inside.
//! With `m = N - k + 1` the rank from the top, `a` values above and `c` inside, the answer is inside
//! if and only if `a < m <= a + c`: then it is the `(m - a)`-th largest of the `c` collected, and
//! nothing else need be looked at. Otherwise the bracket *missed* and the value is selected anew:
//! on a CPU with a bracket that holds everything and whose lower end rises as soon as enough larger
//! values are collected, or, where many are wanted, with one guessed from 2,048 sampled values; on a
//! GPU by a radix selection, eight bits at a time.
//!
//! The next bracket reaches from the value `r` ranks above the answer to the one `r` ranks below,
//! `r = 32 + 16 sqrt(m (1 - m/N))`: many times what chance moves the answer between
//! batches, yet few values. Of 100,000 values at density 5e-5 that is 70 values to collect, at
//! density 0.5 some 5,000.
//!
//! # What it costs
//!
//! A pass reads every value once and writes almost nothing, so that it is bound by memory where
//! the input is large. Where only few values are wanted, 64 values at a time are
//! compared with the bracket's lower end and almost all of them are left at that. A miss costs a
//! second pass.
//!
//! On a CPU, inputs of more than 262,144 values are shared out over rayon's pool. A caller that is
//! itself on a thread of the pool (`rayon::scope(|_| train())`) saves the time of waking one.

mod cpu;
#[cfg(feature = "cube")]
mod cube;
mod host;
#[cfg(any(feature = "flex", feature = "cube"))]
mod operator;
mod state;

use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

use state::unknown;

/// Over what a threshold is taken (paper, sections 4.1 and D).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdScope {
    /// One threshold per channel, over batch and space: the paper's MT, its default.
    PerChannel,
    /// One threshold over everything: the paper's ST.
    Single,
    /// One threshold for each of so many groups of consecutive channels, equally large: several
    /// bottlenecks in parallel.
    Groups(usize),
}

impl ThresholdScope {
    /// How many thresholds there are for a number of channels.
    pub fn groups(self, channels: usize) -> usize {
        match self {
            Self::PerChannel => channels,
            Self::Single => 1,
            Self::Groups(groups) => groups,
        }
    }
}

/// The rank of the threshold among `count` values: `max(1, floor(count * (1 - density)))`.
///
/// Computed in f64 from the sparsity `1 - density`, as the authors' code does.
pub fn threshold_rank(count: usize, density: f64) -> usize {
    let sparsity = 1.0 - density;
    ((count as f64 * sparsity).floor() as usize).max(1)
}

/// The `k`-th smallest value (counting from 1) of each channel, of each group of channels, or of
/// everything.
///
/// Outside any gradient: the result never tracks one. Whoever asks again for a similar batch is
/// served faster by a [`Tracker`].
///
/// # Shapes
///
/// - `input`: `[batch, channels, spatial...]`
/// - output: `[channels]` per channel, `[groups]` per group, `[1]` over everything
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
    Tracker::default().kth_smallest(input, k, scope)
}

/// Selects from batch after batch, and looks first where the last answer was.
///
/// What it remembers stays on the device. It decides how fast the answer is found, never what it is.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    /// `[groups, COLUMNS]`
    state: Option<Tensor<2>>,
}

impl Tracker {
    /// As [`kth_smallest`].
    ///
    /// # Panics
    ///
    /// As [`kth_smallest`].
    pub fn kth_smallest<const D: usize>(
        &mut self,
        input: Tensor<D>,
        k: usize,
        scope: ThresholdScope,
    ) -> Tensor<1> {
        let values = to_groups(input, scope);
        let device = values.device();
        let groups = values.dims()[1];
        let size = values.shape().num_elements() / groups.max(1);
        assert!((1..=size).contains(&k), "k must be in 1..={size}, got {k}");
        let state = self
            .state
            .take()
            .filter(|state| state.dims()[0] == groups && state.device() == device)
            .unwrap_or_else(|| unknown(groups, &device));
        let state = select(values, state, k);
        self.state = Some(state.clone());
        state.slice([0..groups, 0..1]).reshape([groups])
    }

    /// How often a group's value was not where it was expected, so that it took longer to find.
    ///
    /// Waits for the device.
    pub fn misses(&self) -> u64 {
        let Some(state) = self.state.clone() else {
            return 0;
        };
        let groups = state.dims()[0];
        let misses = state.slice([0..groups, 3..4]).sum();
        f64::from(misses.into_scalar::<f32>()) as u64
    }
}

/// The `count` largest values of each channel, or of everything, in no particular order.
///
/// # Shapes
///
/// - `input`: `[batch, channels, spatial...]`
/// - output: `[channels, count]` per channel, `[1, count]` over everything
///
/// # Panics
///
/// Panics if `count` is 0 or larger than the number of values ranked together.
pub(crate) fn largest<const D: usize>(
    input: Tensor<D>,
    count: usize,
    scope: ThresholdScope,
) -> Tensor<2> {
    let values = to_groups(input, scope);
    #[cfg(any(feature = "flex", feature = "cube"))]
    if operator::takes(&values) {
        use burn::backend::Dispatch;
        use operator::Selection;
        return Tensor::from_dispatch(Dispatch::largest(values.into_dispatch(), count));
    }
    host::largest_read(values, count)
}

/// `[batch, groups, plane]` in f32, without gradients: what is ranked together shares its second index.
fn to_groups<const D: usize>(input: Tensor<D>, scope: ThresholdScope) -> Tensor<3> {
    assert!(
        D >= 2,
        "expected [batch, channels, spatial...], got rank {D}"
    );
    let dims = input.dims();
    let groups = scope.groups(dims[1]);
    let batch = match scope {
        ThresholdScope::Single => 1,
        ThresholdScope::PerChannel | ThresholdScope::Groups(_) => dims[0],
    };
    let plane = dims.iter().product::<usize>() / (batch * groups).max(1);
    input
        .without_autodiff()
        .cast(FloatDType::F32)
        .reshape([batch, groups, plane])
}

/// As the operator, where there is one.
fn select(values: Tensor<3>, state: Tensor<2>, k: usize) -> Tensor<2> {
    #[cfg(any(feature = "flex", feature = "cube"))]
    if operator::takes(&values) {
        use burn::backend::Dispatch;
        use operator::Selection;
        let state = Dispatch::select(values.into_dispatch(), state.into_dispatch(), k);
        return Tensor::from_dispatch(state);
    }
    host::select_read(values, state, k)
}
