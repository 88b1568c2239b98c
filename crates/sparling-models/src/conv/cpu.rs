//! Convolutions on slices that keep the spatial size, optionally of `relu(scale * x + shift)`.
//!
//! Each example is one task; sums over the batch are taken in its order, so that results do not
//! depend on how tasks are scheduled.

#[path = "winograd.rs"]
mod winograd;

use std::mem::MaybeUninit;

use rayon::prelude::*;
use sparling_layer::reduce;

use self::winograd::Winograd;
use crate::kernel::{CHANNELS, Correlate, OVERRUN, TAPS, WeightGradient, add};

/// The sizes of a convolution: `[batch, inputs, height, width]` to
/// `[batch, outputs, height, width]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvShape {
    pub(super) batch: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Odd.
    pub(super) kernel: [usize; 2],
}

/// `relu(scale * x + shift)` per channel, taken before the convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation<'a> {
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
}

/// How padded planes lie in memory.
#[derive(Clone, Copy)]
struct Planes {
    /// From one row to the next; the gap holds the zeros at both ends.
    row: usize,
    /// From one channel to the next.
    channel: usize,
    /// Where the first pixel of a channel is.
    first: usize,
}

impl ConvShape {
    fn pixels(&self) -> usize {
        self.height * self.width
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    fn planes(&self) -> Planes {
        let [above, left] = self.kernel.map(|side| side / 2);
        let row = self.width + left;
        let first = above * row + left;
        Planes {
            row,
            channel: first + (self.height + above) * row + left + OVERRUN,
            first,
        }
    }

    /// Output positions, the gaps between rows included.
    fn positions(&self) -> usize {
        self.height * self.planes().row
    }

    /// The length of a row of positions that whole blocks fit into.
    fn stride(&self) -> usize {
        self.positions().next_multiple_of(OVERRUN)
    }

    /// How many examples a task should take at least, so that few make room for one.
    fn examples_per_task(&self) -> usize {
        self.batch.div_ceil(2 * rayon::current_num_threads())
    }

    /// Where each tap of each channel starts in padded planes.
    fn offsets(&self, channels: usize) -> Vec<usize> {
        let planes = self.planes();
        let [rows, columns] = self.kernel;
        let mut offsets = Vec::with_capacity(channels * self.taps());
        for channel in 0..channels {
            for row in 0..rows {
                for column in 0..columns {
                    offsets.push(channel * planes.channel + row * planes.row + column);
                }
            }
        }
        offsets
    }

    /// The same convolution seen from its output: what takes a gradient back to the input.
    fn transposed(&self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            ..*self
        }
    }

    /// Copies an example into padded planes, which are zero between its rows.
    fn pad(&self, example: &[f32], activation: Option<Activation<'_>>, planes: &mut [f32]) {
        let layout = self.planes();
        for (channel, pixels) in example.chunks_exact(self.pixels()).enumerate() {
            let plane = &mut planes[channel * layout.channel + layout.first..];
            for (row, pixels) in pixels.chunks_exact(self.width).enumerate() {
                let padded = &mut plane[row * layout.row..][..self.width];
                match activation {
                    None => padded.copy_from_slice(pixels),
                    Some(Activation { scale, shift }) => {
                        let (scale, shift) = (scale[channel], shift[channel]);
                        for (padded, pixel) in padded.iter_mut().zip(pixels) {
                            *padded = (scale * pixel + shift).max(0.0);
                        }
                    }
                }
            }
        }
    }

    fn padded(&self) -> Vec<f32> {
        vec![0.0; self.inputs * self.planes().channel]
    }
}

/// The convolution. `weight` is `[outputs, inputs, rows, columns]`.
pub(super) fn forward(
    shape: &ConvShape,
    input: &[f32],
    activation: Option<Activation<'_>>,
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let length = shape.batch * shape.outputs * shape.pixels();
    // Zeroing it first would be one more pass over memory, and on one thread.
    let mut output = Vec::with_capacity(length);
    let examples = output.spare_capacity_mut()[..length]
        .par_chunks_exact_mut(shape.outputs * shape.pixels())
        .zip_eq(input.par_chunks_exact(shape.inputs * shape.pixels()))
        .with_min_len(shape.examples_per_task());
    if let Some(winograd) = Winograd::new(shape) {
        let weights = winograd.weights(weight);
        examples.for_each_init(
            || winograd.room(CHANNELS),
            |room, (output, example)| {
                winograd.forward(example, activation, &weights, bias, room, output);
            },
        );
    } else {
        let packed = pack(weight, shape.outputs, shape.inputs * shape.taps());
        let offsets = shape.offsets(shape.inputs);
        examples.for_each_init(
            || (shape.padded(), vec![0.0; CHANNELS * shape.stride()]),
            |(planes, rows), (output, example)| {
                shape.pad(example, activation, planes);
                correlate(shape, planes, &offsets, &packed, bias, rows, output);
            },
        );
    }
    // SAFETY: there is one chunk per example, and both ways write every value of theirs.
    unsafe { output.set_len(length) };
    output
}

/// The gradient of the convolution's (activated) input, given that of its output.
pub(super) fn input_gradient(shape: &ConvShape, weight: &[f32], output_grad: &[f32]) -> Vec<f32> {
    let back = shape.transposed();
    forward(&back, output_grad, None, &transpose(shape, weight), None)
}

/// The gradients of a convolution's parameters.
pub(super) struct ParameterGradients {
    /// `[outputs, inputs, rows, columns]`
    pub(super) weight: Vec<f32>,
    /// The sum over batch and space.
    pub(super) bias: Vec<f32>,
}

/// The gradients of weight and bias.
pub(super) fn parameter_gradients(
    shape: &ConvShape,
    input: &[f32],
    activation: Option<Activation<'_>>,
    output_grad: &[f32],
) -> ParameterGradients {
    if let Some(winograd) = Winograd::new(shape) {
        return winograd_gradients(&winograd, shape, input, activation, output_grad);
    }
    let taps = shape.inputs * shape.taps();
    let mut offsets = shape.offsets(shape.inputs);
    offsets.resize(taps.next_multiple_of(TAPS), 0);
    let (outputs, stride) = (shape.outputs.next_multiple_of(CHANNELS), shape.stride());
    let partial: Vec<[Vec<f32>; 2]> = input
        .par_chunks_exact(shape.inputs * shape.pixels())
        .zip(output_grad.par_chunks_exact(shape.outputs * shape.pixels()))
        .with_min_len(shape.examples_per_task())
        .map_init(
            || (shape.padded(), vec![0.0; outputs * stride]),
            |(planes, rows), (example, output_grad)| {
                shape.pad(example, activation, planes);
                spread(shape, output_grad, rows);
                let mut gradients = vec![0.0; outputs * offsets.len()];
                WeightGradient {
                    input: planes,
                    offsets: &offsets,
                    output_grad: rows,
                    stride,
                    gradients: &mut gradients,
                }
                .run();
                let planes = output_grad.chunks_exact(shape.pixels());
                [gradients, planes.map(reduce::sum).collect()]
            },
        )
        .collect();
    let mut sums = ParameterGradients {
        weight: vec![0.0; shape.outputs * taps],
        bias: vec![0.0; shape.outputs],
    };
    for [weight, bias] in partial {
        let parts = weight.chunks_exact(offsets.len());
        for (sum, part) in sums.weight.chunks_exact_mut(taps).zip(parts) {
            add(sum, &part[..taps]);
        }
        add(&mut sums.bias, &bias);
    }
    sums
}

/// [`parameter_gradients`] for the convolutions that [`Winograd`] is for.
fn winograd_gradients(
    winograd: &Winograd,
    shape: &ConvShape,
    input: &[f32],
    activation: Option<Activation<'_>>,
    output_grad: &[f32],
) -> ParameterGradients {
    let channels = shape.outputs.next_multiple_of(CHANNELS);
    let partial: Vec<_> = input
        .par_chunks_exact(shape.inputs * shape.pixels())
        .zip(output_grad.par_chunks_exact(shape.outputs * shape.pixels()))
        .with_min_len(shape.examples_per_task())
        .map_init(
            || winograd.room(channels),
            |room, (example, output_grad)| {
                let slices = winograd.slice_gradients(example, activation, output_grad, room);
                let planes = output_grad.chunks_exact(shape.pixels());
                (slices, planes.map(reduce::sum).collect::<Vec<f32>>())
            },
        )
        .collect();
    let mut partial = partial.into_iter();
    let (mut slices, mut bias) = partial.next().expect("a batch holds an example");
    for (part_slices, part_bias) in partial {
        for (sums, parts) in slices.iter_mut().zip(part_slices) {
            add(sums, &parts);
        }
        add(&mut bias, &part_bias);
    }
    ParameterGradients {
        weight: winograd.weight_gradient(&slices),
        bias,
    }
}

/// Computes all output channels of one example from its padded planes: every value of `output`.
fn correlate(
    shape: &ConvShape,
    planes: &[f32],
    offsets: &[usize],
    packed: &[[f32; CHANNELS]],
    bias: Option<&[f32]>,
    rows: &mut [f32],
    output: &mut [MaybeUninit<f32>],
) {
    let stride = shape.stride();
    let blocks = output
        .chunks_mut(CHANNELS * shape.pixels())
        .zip(packed.chunks_exact(offsets.len()));
    for (block, (output, weights)) in blocks.enumerate() {
        let bias = std::array::from_fn(|channel| {
            bias.and_then(|bias| bias.get(block * CHANNELS + channel))
                .copied()
                .unwrap_or(0.0)
        });
        Correlate {
            input: planes,
            offsets,
            weights,
            bias,
            output: rows,
            stride,
            positions: shape.positions(),
        }
        .run();
        for (plane, row) in output
            .chunks_exact_mut(shape.pixels())
            .zip(rows.chunks_exact(stride))
        {
            let padded = row.chunks(shape.planes().row);
            for (pixels, padded) in plane.chunks_exact_mut(shape.width).zip(padded) {
                pixels.write_copy_of_slice(&padded[..shape.width]);
            }
        }
    }
}

/// Copies an example's output gradient into rows of positions, zero in the gaps.
fn spread(shape: &ConvShape, output_grad: &[f32], rows: &mut [f32]) {
    let stride = shape.stride();
    for (plane, row) in output_grad
        .chunks_exact(shape.pixels())
        .zip(rows.chunks_exact_mut(stride))
    {
        let padded = row.chunks_mut(shape.planes().row);
        for (pixels, padded) in plane.chunks_exact(shape.width).zip(padded) {
            padded[..shape.width].copy_from_slice(pixels);
        }
    }
}

/// Groups a row-major `[outputs, taps]` by [`CHANNELS`] output channels, those missing zero.
fn pack(weight: &[f32], outputs: usize, taps: usize) -> Vec<[f32; CHANNELS]> {
    let mut packed = Vec::with_capacity(outputs.div_ceil(CHANNELS) * taps);
    for first in (0..outputs).step_by(CHANNELS) {
        for tap in 0..taps {
            packed.push(std::array::from_fn(|channel| {
                weight
                    .get((first + channel) * taps + tap)
                    .copied()
                    .unwrap_or(0.0)
            }));
        }
    }
    packed
}

/// Swaps inputs and outputs and turns the kernel by half a turn.
fn transpose(shape: &ConvShape, weight: &[f32]) -> Vec<f32> {
    let taps = shape.taps();
    let mut transposed = Vec::with_capacity(weight.len());
    for input in 0..shape.inputs {
        for output in 0..shape.outputs {
            let kernel = &weight[(output * shape.inputs + input) * taps..][..taps];
            transposed.extend(kernel.iter().rev());
        }
    }
    transposed
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
