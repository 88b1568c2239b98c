//! The gradients of a convolution on slices.

use rayon::prelude::*;

use super::cpu::{Convolution, Room, forward};
use super::shape::{Activation, ConvShape};
use super::winograd::Winograd;
use crate::vector::correlate::{CHANNELS, TAPS, WeightGradient};
use crate::vector::reduce::{self, add};

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
    let parameters = Parameters::new(shape);
    let partial: Vec<Partial> = input
        .par_chunks_exact(shape.inputs * shape.pixels())
        .zip_eq(output_grad.par_chunks_exact(shape.outputs * shape.pixels()))
        .with_min_len(shape.examples_per_task())
        .map_init(
            || parameters.room(),
            |room, (example, output_grad)| parameters.run(room, example, activation, output_grad),
        )
        .collect();
    parameters.sum(partial)
}

/// All gradients.
pub(super) struct ConvGradients<T> {
    /// Of the (activated) input.
    pub(super) input: Vec<f32>,
    pub(super) parameters: ParameterGradients,
    /// What was found out about each example.
    pub(super) found: Vec<T>,
}

/// [`input_gradient`] and [`parameter_gradients`] at once, so that each example is fetched once. While
/// they are at hand, `then` may change an example's input gradient and find something out about it.
pub(super) fn all_gradients<T: Send>(
    shape: &ConvShape,
    input: &[f32],
    activation: Option<Activation<'_>>,
    weight: &[f32],
    output_grad: &[f32],
    then: impl Fn(&[f32], &mut [f32]) -> T + Sync,
) -> ConvGradients<T> {
    let back = shape.transposed();
    let back = Convolution::new(&back, &transpose(shape, weight), None);
    let parameters = Parameters::new(shape);
    let mut input_grad = Vec::with_capacity(input.len());
    let (partial, found): (Vec<Partial>, Vec<T>) = input_grad.spare_capacity_mut()[..input.len()]
        .par_chunks_exact_mut(shape.inputs * shape.pixels())
        .zip_eq(input.par_chunks_exact(shape.inputs * shape.pixels()))
        .zip_eq(output_grad.par_chunks_exact(shape.outputs * shape.pixels()))
        .with_min_len(shape.examples_per_task())
        .map_init(
            || (back.room(), parameters.room()),
            |(back_room, room), ((input_grad, example), output_grad)| {
                back.run(back_room, output_grad, None, input_grad);
                // SAFETY: every value was written.
                let found = then(example, unsafe { input_grad.assume_init_mut() });
                let partial = parameters.run(room, example, activation, output_grad);
                (partial, found)
            },
        )
        .unzip();
    // SAFETY: there is one chunk per example, and every value of it was written.
    unsafe { input_grad.set_len(input.len()) };
    ConvGradients {
        input: input_grad,
        parameters: parameters.sum(partial),
        found,
    }
}

/// The gradients of a convolution's parameters from one example at a time.
struct Parameters {
    shape: ConvShape,
    winograd: Option<Winograd>,
    /// Where each tap starts, with some to fill a block.
    offsets: Vec<usize>,
}

/// What one example adds to the parameters' gradients.
struct Partial {
    /// A row of taps per output channel, of each slice if by [`Winograd`].
    weight: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl Parameters {
    fn new(shape: &ConvShape) -> Self {
        let mut offsets = shape.offsets(shape.inputs);
        offsets.resize(offsets.len().next_multiple_of(TAPS), 0);
        Self {
            shape: *shape,
            winograd: Winograd::new(shape),
            offsets,
        }
    }

    fn room(&self) -> Room {
        let channels = self.shape.outputs.next_multiple_of(CHANNELS);
        Room::new(&self.shape, self.winograd.as_ref(), channels)
    }

    fn run(
        &self,
        room: &mut Room,
        example: &[f32],
        activation: Option<Activation<'_>>,
        output_grad: &[f32],
    ) -> Partial {
        let weight = match (&self.winograd, room) {
            (Some(winograd), Room::Winograd(room)) => winograd
                .slice_gradients(example, activation, output_grad, room)
                .into(),
            (None, Room::Direct(planes, rows)) => {
                self.shape.pad(example, activation, planes);
                spread(&self.shape, output_grad, rows);
                let stride = self.shape.stride();
                let mut gradients = vec![0.0; rows.len() / stride * self.offsets.len()];
                WeightGradient {
                    input: planes,
                    offsets: &self.offsets,
                    output_grad: rows,
                    stride,
                    gradients: &mut gradients,
                }
                .run();
                vec![gradients]
            }
            _ => unreachable!("the room is these parameters'"),
        };
        let planes = output_grad.chunks_exact(self.shape.pixels());
        let bias = planes.map(reduce::sum).collect();
        Partial { weight, bias }
    }

    /// Sums over the batch, in its order.
    fn sum(&self, partial: Vec<Partial>) -> ParameterGradients {
        let mut partial = partial.into_iter();
        let Partial {
            mut weight,
            mut bias,
        } = partial.next().expect("a batch holds an example");
        for part in partial {
            for (sums, parts) in weight.iter_mut().zip(&part.weight) {
                add(sums, parts);
            }
            add(&mut bias, &part.bias);
        }
        let weight = match &self.winograd {
            Some(winograd) => winograd.weight_gradient(&weight),
            None => {
                let taps = self.shape.inputs * self.shape.taps();
                let rows = weight[0].chunks_exact(self.offsets.len());
                let rows = rows.take(self.shape.outputs);
                rows.flat_map(|row| row[..taps].iter().copied()).collect()
            }
        };
        ParameterGradients { weight, bias }
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
