//! Convolutions on slices that keep the spatial size, optionally of `relu(scale * x + shift)`.
//!
//! Each example is one task; sums over the batch are taken in its order, so that results do not
//! depend on how tasks are scheduled.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::shape::{Activation, ConvShape, pack};
use super::winograd::{self, Winograd};
use crate::vector::correlate::{CHANNELS, Correlate};

/// A convolution of one example at a time.
pub(super) struct Convolution<'a> {
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
pub(super) enum Room {
    Winograd(winograd::Room),
    /// Padded planes, and rows of output or of its gradient.
    Direct(Vec<f32>, Vec<f32>),
}

impl Room {
    /// With rows of output of so many channels.
    pub(super) fn new(shape: &ConvShape, winograd: Option<&Winograd>, channels: usize) -> Self {
        match winograd {
            Some(winograd) => Self::Winograd(winograd.room(channels)),
            None => Self::Direct(shape.padded(), vec![0.0; channels * shape.stride()]),
        }
    }
}

impl<'a> Convolution<'a> {
    pub(super) fn new(shape: &ConvShape, weight: &[f32], bias: Option<&'a [f32]>) -> Self {
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

    pub(super) fn room(&self) -> Room {
        let winograd = match &self.way {
            Way::Winograd(winograd, _) => Some(winograd),
            Way::Direct(..) => None,
        };
        Room::new(&self.shape, winograd, CHANNELS)
    }

    /// Writes every value of `output`.
    pub(super) fn run(
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
