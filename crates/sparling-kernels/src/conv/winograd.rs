//! Convolutions with three kernel rows by Winograd's F(4, 3) down the columns: six products of
//! transformed rows give four rows of output, where twelve would be needed (Lavin and Gray, 2016,
//! "Fast Algorithms for Convolutional Neural Networks").
//!
//! Rows of input are combined by fours, overlapping, into six *slices* of a quarter of the height. A
//! slice is convolved with a kernel of one row, combined from the three; four combinations of the six
//! results are the output. All combinations are linear, so the gradients are the same steps in
//! reverse. The four rows share roundings: what lies outside a kernel's reach cancels up to those.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

use super::shape::{Activation, ConvShape, pack};
use crate::vector::correlate::{CHANNELS, Correlate, TAPS, WeightGradient};
use crate::vector::simd::arch;

/// Output rows computed together.
const OUTPUTS: usize = 4;
/// Input rows that they depend on, and products that they take.
const SLICES: usize = 6;
/// Positions combined together.
const LANES: usize = 16;
/// Kernel rows.
const KERNEL: usize = 3;

/// The slices' own convolution, and room for one example's.
pub(super) struct Winograd {
    /// The whole convolution.
    shape: ConvShape,
    /// One slice's.
    slice: ConvShape,
    /// Where each tap of each input channel starts in a slice.
    offsets: Vec<usize>,
}

/// Room for one example.
pub(super) struct Room {
    /// One channel's padded rows.
    plane: Vec<f32>,
    /// The slices of the input, padded.
    slices: Vec<f32>,
    /// The slices of the output, or of its gradient.
    rows: Vec<f32>,
    /// A few rows of output.
    lines: Vec<f32>,
}

impl Winograd {
    /// If the convolution is one that this is for.
    pub(super) fn new(shape: &ConvShape) -> Option<Self> {
        let [rows, columns] = shape.kernel;
        if rows != KERNEL || shape.height < OUTPUTS {
            return None;
        }
        let slice = ConvShape {
            height: shape.height.div_ceil(OUTPUTS),
            kernel: [1, columns],
            ..*shape
        };
        Some(Self {
            shape: *shape,
            offsets: slice.offsets(shape.inputs),
            slice,
        })
    }

    /// Room for one example, with output slices of so many channels.
    pub(super) fn room(&self, channels: usize) -> Room {
        let padded_rows = self.slice.height * OUTPUTS + KERNEL - 1;
        Room {
            plane: vec![0.0; padded_rows * self.shape.width],
            slices: vec![0.0; SLICES * self.slice.padded().len()],
            rows: vec![0.0; SLICES * channels * self.slice.stride()],
            lines: vec![0.0; OUTPUTS * self.shape.width],
        }
    }

    /// The weights of each slice, packed for the kernel.
    pub(super) fn weights(&self, weight: &[f32]) -> Vec<Vec<[f32; CHANNELS]>> {
        let [_, columns] = self.shape.kernel;
        let taps = self.shape.inputs * columns;
        let mut slices = [(); SLICES].map(|()| Vec::with_capacity(weight.len() / KERNEL));
        for kernel in weight.chunks_exact(KERNEL * columns) {
            for column in 0..columns {
                let rows = std::array::from_fn(|row| kernel[row * columns + column]);
                for (slice, value) in slices.iter_mut().zip(weights(rows)) {
                    slice.push(value);
                }
            }
        }
        slices
            .map(|slice| pack(&slice, self.shape.outputs, taps))
            .into()
    }

    /// The gradient of the weights, given that of each slice's, `[outputs, inputs * columns]`.
    pub(super) fn weight_gradient(&self, slices: &[Vec<f32>]) -> Vec<f32> {
        let [_, columns] = self.shape.kernel;
        let mut gradient = vec![0.0; slices[0].len() * KERNEL];
        for (index, kernel) in gradient.chunks_exact_mut(KERNEL * columns).enumerate() {
            for column in 0..columns {
                let at = index * columns + column;
                let rows = weights_transposed(std::array::from_fn(|slice| slices[slice][at]));
                for (row, value) in rows.into_iter().enumerate() {
                    kernel[row * columns + column] = value;
                }
            }
        }
        gradient
    }

    /// Computes all output channels of one example: every value of `output`.
    pub(super) fn forward(
        &self,
        example: &[f32],
        activation: Option<Activation<'_>>,
        weights: &[Vec<[f32; CHANNELS]>],
        bias: Option<&[f32]>,
        room: &mut Room,
        output: &mut [MaybeUninit<f32>],
    ) {
        self.slice_input(example, activation, room);
        let Room {
            slices,
            rows,
            lines,
            ..
        } = room;
        let stride = self.slice.stride();
        let taps = self.offsets.len();
        for (block, output) in output
            .chunks_mut(CHANNELS * self.shape.pixels())
            .enumerate()
        {
            let inputs = slices.chunks_exact(slices.len() / SLICES);
            let products = rows.chunks_exact_mut(CHANNELS * stride);
            for ((input, output), weights) in inputs.zip(products).zip(weights) {
                Correlate {
                    input,
                    offsets: &self.offsets,
                    weights: &weights[block * taps..(block + 1) * taps],
                    bias: [0.0; CHANNELS],
                    output,
                    stride,
                    positions: self.slice.positions(),
                }
                .run();
            }
            for (channel, output) in output.chunks_exact_mut(self.shape.pixels()).enumerate() {
                let bias = bias.map_or(0.0, |bias| bias[block * CHANNELS + channel]);
                arch().dispatch(JoinOutput {
                    winograd: self,
                    rows,
                    lines,
                    channel,
                    bias,
                    output,
                });
            }
        }
    }

    fn slice_input(&self, example: &[f32], activation: Option<Activation<'_>>, room: &mut Room) {
        arch().dispatch(SliceInput {
            winograd: self,
            example,
            activation,
            room,
        });
    }

    /// The gradient of each slice's weights from one example, a row of taps per output channel.
    pub(super) fn slice_gradients(
        &self,
        example: &[f32],
        activation: Option<Activation<'_>>,
        output_grad: &[f32],
        room: &mut Room,
    ) -> [Vec<f32>; SLICES] {
        self.slice_input(example, activation, room);
        arch().dispatch(SliceGradient {
            winograd: self,
            output_grad,
            room,
        });
        let taps = self.offsets.len();
        let mut offsets = self.offsets.clone();
        offsets.resize(taps.next_multiple_of(TAPS), 0);
        let (slices, rows) = (room.slices.len() / SLICES, room.rows.len() / SLICES);
        std::array::from_fn(|slice| {
            let mut gradients = vec![0.0; rows / self.slice.stride() * offsets.len()];
            WeightGradient {
                input: &room.slices[slice * slices..(slice + 1) * slices],
                offsets: &offsets,
                output_grad: &room.rows[slice * rows..(slice + 1) * rows],
                stride: self.slice.stride(),
                gradients: &mut gradients,
            }
            .run();
            let mut wanted = Vec::with_capacity(self.shape.outputs * taps);
            let rows = gradients.chunks_exact(offsets.len());
            for row in rows.take(self.shape.outputs) {
                wanted.extend_from_slice(&row[..taps]);
            }
            wanted
        })
    }
}

/// Combines the (activated) rows of an example.
struct SliceInput<'a> {
    winograd: &'a Winograd,
    example: &'a [f32],
    activation: Option<Activation<'a>>,
    room: &'a mut Room,
}

impl WithSimd for SliceInput<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Winograd { shape, slice, .. } = self.winograd;
        let Room { plane, slices, .. } = self.room;
        let width = shape.width;
        let layout = slice.planes();
        let whole = slices.len() / SLICES;
        for (channel, pixels) in self.example.chunks_exact(shape.pixels()).enumerate() {
            // Above the first row there is one of zeros.
            let inside = &mut plane[width..width + pixels.len()];
            match self.activation {
                None => inside.copy_from_slice(pixels),
                Some(Activation { scale, shift }) => {
                    let (scale, shift) = (scale[channel], shift[channel]);
                    for (inside, pixel) in inside.iter_mut().zip(pixels) {
                        *inside = (scale * pixel + shift).max(0.0);
                    }
                }
            }
            let first = channel * layout.channel + layout.first;
            for row in 0..slice.height {
                let from = row * OUTPUTS * width;
                let inputs = std::array::from_fn(|part| &plane[from + part * width..][..width]);
                let outputs = spaced_mut(&mut slices[first + row * layout.row..], whole, width);
                combine(inputs, outputs, input);
            }
        }
    }
}

/// Combines the rows of an output's gradient.
struct SliceGradient<'a> {
    winograd: &'a Winograd,
    output_grad: &'a [f32],
    room: &'a mut Room,
}

impl WithSimd for SliceGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Winograd { shape, slice, .. } = self.winograd;
        let Room { plane, rows, .. } = self.room;
        let width = shape.width;
        let layout = slice.planes();
        let whole = rows.len() / SLICES;
        for (channel, pixels) in self.output_grad.chunks_exact(shape.pixels()).enumerate() {
            // Below the last row there are zeros.
            let plane = &mut plane[width..];
            plane[..pixels.len()].copy_from_slice(pixels);
            for row in 0..slice.height {
                let from = row * OUTPUTS * width;
                let inputs = std::array::from_fn(|part| &plane[from + part * width..][..width]);
                let first = channel * slice.stride() + row * layout.row;
                let outputs = spaced_mut(&mut rows[first..], whole, width);
                combine(inputs, outputs, output_transposed);
            }
        }
    }
}

/// Combines the slices of one channel of a block into its output.
struct JoinOutput<'a> {
    winograd: &'a Winograd,
    rows: &'a [f32],
    /// Room for [`OUTPUTS`] rows.
    lines: &'a mut [f32],
    channel: usize,
    bias: f32,
    output: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for JoinOutput<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Winograd { shape, slice, .. } = self.winograd;
        let width = shape.width;
        let layout = slice.planes();
        let whole = CHANNELS * slice.stride();
        for (row, output) in self.output.chunks_mut(OUTPUTS * width).enumerate() {
            let first = self.channel * slice.stride() + row * layout.row;
            let inputs = std::array::from_fn(|part| &self.rows[part * whole + first..][..width]);
            let outputs: [&mut [f32]; OUTPUTS] = spaced_mut(self.lines, width, width);
            combine(inputs, outputs, |slices| self::output(slices, self.bias));
            output.write_copy_of_slice(&self.lines[..output.len()]);
        }
    }
}

/// `M` rows of one slice, a distance apart.
#[inline(always)]
fn spaced_mut<const M: usize>(
    mut values: &mut [f32],
    distance: usize,
    length: usize,
) -> [&mut [f32]; M] {
    std::array::from_fn(|_| {
        let step = distance.min(values.len());
        let (head, tail) = std::mem::take(&mut values).split_at_mut(step);
        values = tail;
        &mut head[..length]
    })
}

/// Applies a combination at every position of rows of the same length.
#[inline(always)]
fn combine<const N: usize, const M: usize>(
    inputs: [&[f32]; N],
    mut outputs: [&mut [f32]; M],
    combination: impl Fn([f32; N]) -> [f32; M],
) {
    let blocks = inputs[0].len() / LANES;
    for block in 0..blocks {
        let at = block * LANES;
        let mut lanes = [[0.0; LANES]; N];
        for (lanes, input) in lanes.iter_mut().zip(&inputs) {
            lanes.copy_from_slice(&input[at..at + LANES]);
        }
        let mut results = [[0.0; LANES]; M];
        for lane in 0..LANES {
            let mut values = [0.0; N];
            for (value, lanes) in values.iter_mut().zip(&lanes) {
                *value = lanes[lane];
            }
            for (results, value) in results.iter_mut().zip(combination(values)) {
                results[lane] = value;
            }
        }
        for (output, results) in outputs.iter_mut().zip(&results) {
            output[at..at + LANES].copy_from_slice(results);
        }
    }
    for index in blocks * LANES..inputs[0].len() {
        let mut values = [0.0; N];
        for (value, input) in values.iter_mut().zip(&inputs) {
            *value = input[index];
        }
        for (output, value) in outputs.iter_mut().zip(combination(values)) {
            output[index] = value;
        }
    }
}

/// Six rows of input to six slices.
#[inline(always)]
fn input(rows: [f32; SLICES]) -> [f32; SLICES] {
    let [a, b, c, d, e, f] = rows;
    [
        4.0 * a - 5.0 * c + e,
        e + d - 4.0 * (c + b),
        e - d - 4.0 * (c - b),
        e - c + 2.0 * (d - b),
        e - c - 2.0 * (d - b),
        4.0 * b - 5.0 * d + f,
    ]
}

/// Six slices to four rows of output.
#[inline(always)]
fn output(slices: [f32; SLICES], bias: f32) -> [f32; OUTPUTS] {
    let [a, b, c, d, e, f] = slices;
    let (near, far) = (b + c, d + e);
    let (near_odd, far_odd) = (b - c, d - e);
    [
        bias + a + near + far,
        bias + near_odd + 2.0 * far_odd,
        bias + near + 4.0 * far,
        bias + near_odd + 8.0 * far_odd + f,
    ]
}

/// What `output` does to gradients.
#[inline(always)]
fn output_transposed(rows: [f32; OUTPUTS]) -> [f32; SLICES] {
    let [a, b, c, d] = rows;
    let (even, odd) = (a + c, b + d);
    let (far_even, far_odd) = (a + 4.0 * c, 2.0 * b + 8.0 * d);
    [
        a,
        even + odd,
        even - odd,
        far_even + far_odd,
        far_even - far_odd,
        d,
    ]
}

/// Three kernel rows to six slices.
fn weights(rows: [f32; KERNEL]) -> [f32; SLICES] {
    let [a, b, c] = rows;
    [
        a / 4.0,
        -(a + b + c) / 6.0,
        -(a - b + c) / 6.0,
        (a + 2.0 * b + 4.0 * c) / 24.0,
        (a - 2.0 * b + 4.0 * c) / 24.0,
        c,
    ]
}

/// What `weights` does to gradients.
fn weights_transposed(slices: [f32; SLICES]) -> [f32; KERNEL] {
    let [a, b, c, d, e, f] = slices;
    [
        a / 4.0 - (b + c) / 6.0 + (d + e) / 24.0,
        (c - b) / 6.0 + (d - e) / 12.0,
        (d + e - b - c) / 6.0 + f,
    ]
}
