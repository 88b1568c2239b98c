//! Convolutions on slices that keep the spatial size, optionally of `relu(scale * x + shift)`.
//!
//! Each example is one task; sums over the batch are taken in its order, so that results do not
//! depend on how tasks are scheduled.

#[path = "gradients.rs"]
mod gradients;
#[path = "winograd.rs"]
mod winograd;

use std::mem::MaybeUninit;

use rayon::prelude::*;

pub(super) use self::gradients::{
    ParameterGradients, all_gradients, input_gradient, parameter_gradients,
};
use self::winograd::Winograd;
use crate::kernel::{CHANNELS, Correlate, OVERRUN};

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

/// A convolution of one example at a time.
struct Convolution<'a> {
    shape: ConvShape,
    bias: Option<&'a [f32]>,
    way: Way,
}

enum Way {
    /// With the weights of each slice.
    Winograd(Winograd, Vec<Vec<[f32; CHANNELS]>>),
    /// Where each tap starts, and the weights.
    Direct(Vec<usize>, Vec<[f32; CHANNELS]>),
}

/// Memory for one example.
enum Room {
    Winograd(winograd::Room),
    /// Padded planes, and rows of output or of its gradient.
    Direct(Vec<f32>, Vec<f32>),
}

impl Room {
    /// With rows of output of so many channels.
    fn new(shape: &ConvShape, winograd: Option<&Winograd>, channels: usize) -> Self {
        match winograd {
            Some(winograd) => Self::Winograd(winograd.room(channels)),
            None => Self::Direct(shape.padded(), vec![0.0; channels * shape.stride()]),
        }
    }
}

impl<'a> Convolution<'a> {
    fn new(shape: &ConvShape, weight: &[f32], bias: Option<&'a [f32]>) -> Self {
        let way = match Winograd::new(shape) {
            Some(winograd) => {
                let weights = winograd.weights(weight);
                Way::Winograd(winograd, weights)
            }
            None => {
                let packed = pack(weight, shape.outputs, shape.inputs * shape.taps());
                Way::Direct(shape.offsets(shape.inputs), packed)
            }
        };
        let shape = *shape;
        Self { shape, bias, way }
    }

    fn room(&self) -> Room {
        let winograd = match &self.way {
            Way::Winograd(winograd, _) => Some(winograd),
            Way::Direct(..) => None,
        };
        Room::new(&self.shape, winograd, CHANNELS)
    }

    /// Writes every value of `output`.
    fn run(
        &self,
        room: &mut Room,
        example: &[f32],
        activation: Option<Activation<'_>>,
        output: &mut [MaybeUninit<f32>],
    ) {
        match (&self.way, room) {
            (Way::Winograd(winograd, weights), Room::Winograd(room)) => {
                winograd.forward(example, activation, weights, self.bias, room, output);
            }
            (Way::Direct(offsets, packed), Room::Direct(planes, rows)) => {
                self.shape.pad(example, activation, planes);
                correlate(
                    &self.shape,
                    planes,
                    offsets,
                    packed,
                    self.bias,
                    rows,
                    output,
                );
            }
            _ => unreachable!("the room is this convolution's"),
        }
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
    let convolution = Convolution::new(shape, weight, bias);
    let length = shape.batch * shape.outputs * shape.pixels();
    // Zeroing it first would be one more pass over memory, and on one thread.
    let mut output = Vec::with_capacity(length);
    output.spare_capacity_mut()[..length]
        .par_chunks_exact_mut(shape.outputs * shape.pixels())
        .zip_eq(input.par_chunks_exact(shape.inputs * shape.pixels()))
        .with_min_len(shape.examples_per_task())
        .for_each_init(
            || convolution.room(),
            |room, (output, example)| convolution.run(room, example, activation, output),
        );
    // SAFETY: there is one chunk per example, and every value of it was written.
    unsafe { output.set_len(length) };
    output
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
