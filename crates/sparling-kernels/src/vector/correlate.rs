//! The inner loops of convolutions with few channels, for whatever vectors the processor has.
//!
//! A padded plane holds the rows of a channel one after the other, a stride apart, with zeros
//! between them. Shifting the whole plane by one offset therefore reads the input of one kernel
//! tap at every output position, and a convolution is a product of a small matrix with rows that
//! are such shifted planes: no copy of the input per tap is needed.

use pulp::{Simd, WithSimd};

use super::simd::arch;

/// Output channels computed together: with [`VECTORS`], as many sums as registers can hold.
pub(crate) const CHANNELS: usize = 4;
/// Vectors of positions computed together.
const VECTORS: usize = 3;
/// The most positions computed together on any processor: readers of planes overrun by less.
pub(crate) const OVERRUN: usize = VECTORS * 16;

/// `output[c][p] = bias[c] + sum over k of weights[k][c] * input[offsets[k] + p]`.
pub(crate) struct Correlate<'a> {
    /// Padded planes, at least [`OVERRUN`] longer than any position read.
    pub(crate) input: &'a [f32],
    /// Where each tap of each input channel starts.
    pub(crate) offsets: &'a [usize],
    /// The weights of [`CHANNELS`] output channels, per tap.
    pub(crate) weights: &'a [[f32; CHANNELS]],
    /// The bias of each output channel.
    pub(crate) bias: [f32; CHANNELS],
    /// [`CHANNELS`] rows of `stride`.
    pub(crate) output: &'a mut [f32],
    /// The length of an output row, at least `positions` and [`OVERRUN`].
    pub(crate) stride: usize,
    /// How many positions are wanted; more may be written.
    pub(crate) positions: usize,
}

impl Correlate<'_> {
    pub(crate) fn run(self) {
        arch().dispatch(self);
    }
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let block = VECTORS * S::F32_LANES;
        for start in (0..self.positions).step_by(block) {
            let mut sums = self.bias.map(|bias| [simd.splat_f32s(bias); VECTORS]);
            for (offset, weights) in self.offsets.iter().zip(self.weights) {
                let from = offset + start;
                let (input, _) = S::as_simd_f32s(&self.input[from..from + block]);
                let input: [S::f32s; VECTORS] = [input[0], input[1], input[2]];
                for (sums, weight) in sums.iter_mut().zip(weights) {
                    let weight = simd.splat_f32s(*weight);
                    for (sum, input) in sums.iter_mut().zip(input) {
                        *sum = simd.mul_add_f32s(weight, input, *sum);
                    }
                }
            }
            for (channel, sums) in sums.into_iter().enumerate() {
                let to = channel * self.stride + start;
                let (output, _) = S::as_mut_simd_f32s(&mut self.output[to..to + block]);
                output.copy_from_slice(&sums);
            }
        }
    }
}

/// Taps whose weight gradients are computed together.
pub(crate) const TAPS: usize = 3;
/// Positions summed before moving on, so that what is read again is still in the first cache.
const CHUNK: usize = 1024;

/// `gradients[c][k] += sum over p of output_grad[c][p] * input[offsets[k] + p]`.
pub(crate) struct WeightGradient<'a> {
    /// Padded planes, at least [`OVERRUN`] longer than any position read.
    pub(crate) input: &'a [f32],
    /// Where each tap of each input channel starts; a multiple of [`TAPS`].
    pub(crate) offsets: &'a [usize],
    /// A multiple of [`CHANNELS`] rows of `stride`, zero where a position is padding.
    pub(crate) output_grad: &'a [f32],
    /// The length of a row of `output_grad`, a multiple of 16.
    pub(crate) stride: usize,
    /// A row of `offsets.len()` per output channel.
    pub(crate) gradients: &'a mut [f32],
}

impl WeightGradient<'_> {
    pub(crate) fn run(self) {
        arch().dispatch(self);
    }
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let taps = self.offsets.len();
        let outputs = self.output_grad.len() / self.stride;
        for chunk in (0..self.stride).step_by(CHUNK) {
            let length = CHUNK.min(self.stride - chunk);
            for first in (0..outputs).step_by(CHANNELS) {
                let rows: [&[S::f32s]; CHANNELS] = std::array::from_fn(|channel| {
                    let from = (first + channel) * self.stride + chunk;
                    S::as_simd_f32s(&self.output_grad[from..from + length]).0
                });
                for (block, offsets) in self.offsets.chunks_exact(TAPS).enumerate() {
                    let inputs: [&[S::f32s]; TAPS] = std::array::from_fn(|tap| {
                        let from = offsets[tap] + chunk;
                        S::as_simd_f32s(&self.input[from..from + length]).0
                    });
                    let sums = products(simd, rows, inputs);
                    for (channel, sums) in sums.into_iter().enumerate() {
                        let to = (first + channel) * taps + block * TAPS;
                        for (gradient, sum) in self.gradients[to..to + TAPS].iter_mut().zip(sums) {
                            *gradient += simd.reduce_sum_f32s(sum);
                        }
                    }
                }
            }
        }
    }
}

/// The sum of products of each row with each input.
#[inline(always)]
fn products<S: Simd>(
    simd: S,
    rows: [&[S::f32s]; CHANNELS],
    inputs: [&[S::f32s]; TAPS],
) -> [[S::f32s; TAPS]; CHANNELS] {
    let mut sums = [[simd.splat_f32s(0.0); TAPS]; CHANNELS];
    let length = rows[0].len();
    let rows = rows.map(|row| &row[..length]);
    let inputs = inputs.map(|input| &input[..length]);
    for index in 0..length {
        let inputs = inputs.map(|input| input[index]);
        for (sums, row) in sums.iter_mut().zip(rows) {
            for (sum, input) in sums.iter_mut().zip(inputs) {
                *sum = simd.mul_add_f32s(row[index], input, *sum);
            }
        }
    }
    sums
}
