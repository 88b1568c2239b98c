//! Softmax in place, and its gradient.

use pulp::{Simd, WithSimd};

use crate::vector::elementary::exp;
use crate::vector::reduce::fold;

/// Values compared side by side.
const LANES: usize = 16;

/// Rows of scores that become their softmax.
pub(super) struct Softmax<'a> {
    pub(super) rows: &'a mut [f32],
    pub(super) width: usize,
    pub(super) scale: f32,
    /// Whether each row sees one value more than the one before, the first one value; what it does
    /// not see becomes zero.
    pub(super) causal: bool,
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (index, row) in self.rows.chunks_exact_mut(self.width).enumerate() {
            let seen = if self.causal { index + 1 } else { self.width };
            let (row, hidden) = row.split_at_mut(seen);
            let largest = largest(row);
            for value in row.iter_mut() {
                *value = exp(self.scale * (*value - largest));
            }
            let inverse = 1.0 / fold(row, row, |weight, _| weight);
            for weight in row {
                *weight *= inverse;
            }
            hidden.fill(0.0);
        }
    }
}

/// The gradient of rows of weights, which becomes that of the scores.
pub(super) struct SoftmaxBackward<'a> {
    pub(super) weights: &'a [f32],
    pub(super) width: usize,
    pub(super) scale: f32,
    pub(super) gradient: &'a mut [f32],
}

impl WithSimd for SoftmaxBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let rows = self.weights.chunks_exact(self.width);
        for (gradient, weights) in self.gradient.chunks_exact_mut(self.width).zip(rows) {
            let mean = fold(weights, gradient, |weight, grad| weight * grad);
            for (gradient, weight) in gradient.iter_mut().zip(weights) {
                *gradient = self.scale * weight * (*gradient - mean);
            }
        }
    }
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = lane.max(*value);
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}
