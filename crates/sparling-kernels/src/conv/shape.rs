//! The sizes of a convolution, and how its operands lie in memory.

use crate::vector::correlate::{CHANNELS, OVERRUN};

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
pub(super) struct Planes {
    /// From one row to the next; the gap holds the zeros at both ends.
    pub(super) row: usize,
    /// From one channel to the next.
    pub(super) channel: usize,
    /// Where the first pixel of a channel is.
    pub(super) first: usize,
}

impl ConvShape {
    pub(super) fn pixels(&self) -> usize {
        self.height * self.width
    }

    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    pub(super) fn planes(&self) -> Planes {
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
    pub(super) fn positions(&self) -> usize {
        self.height * self.planes().row
    }

    /// The length of a row of positions that whole blocks fit into.
    pub(super) fn stride(&self) -> usize {
        self.positions().next_multiple_of(OVERRUN)
    }

    /// How many examples a task should take at least, so that few make room for one.
    pub(super) fn examples_per_task(&self) -> usize {
        self.batch.div_ceil(2 * rayon::current_num_threads())
    }

    /// Where each tap of each channel starts in padded planes.
    pub(super) fn offsets(&self, channels: usize) -> Vec<usize> {
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
    pub(super) fn transposed(&self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            ..*self
        }
    }

    /// Copies an example into padded planes, which are zero between its rows.
    pub(super) fn pad(
        &self,
        example: &[f32],
        activation: Option<Activation<'_>>,
        planes: &mut [f32],
    ) {
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

    pub(super) fn padded(&self) -> Vec<f32> {
        vec![0.0; self.inputs * self.planes().channel]
    }
}

/// Groups a row-major `[outputs, taps]` by [`CHANNELS`] output channels, those missing zero.
pub(super) fn pack(weight: &[f32], outputs: usize, taps: usize) -> Vec<[f32; CHANNELS]> {
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
