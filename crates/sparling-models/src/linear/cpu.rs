//! Linear layers on slices, and their gradients.
//!
//! Tasks are of a fixed number of rows and sums over them are taken in order, so that results do not
//! depend on how tasks are scheduled.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::kernel::{Product, ROWS, add, transpose};

/// Rows of a task, a multiple of [`ROWS`].
const TASK: usize = 16 * ROWS;

/// The gradients of a loss.
pub(super) struct LinearGradients {
    pub(super) input: Vec<f32>,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// The rows of `input` by the weights, `[inputs, outputs]`, plus the bias; rectified if asked for.
pub(super) fn forward(input: &[f32], weight: &[f32], bias: &[f32], relu: bool) -> Vec<f32> {
    let outputs = bias.len();
    let inputs = weight.len() / outputs;
    let mut output = vec![0.0; input.len() / inputs * outputs];
    output
        .par_chunks_mut(TASK * outputs)
        .zip(input.par_chunks(TASK * inputs))
        .for_each(|(output, input)| {
            multiply(input, weight, Some(bias), output, outputs);
            if relu {
                output.iter_mut().for_each(|value| *value = value.max(0.0));
            }
        });
    output
}

/// The gradients, given the output's; `rectified` is the output, if there was a ReLU.
pub(super) fn backward(
    input: &[f32],
    weight: &[f32],
    outputs: usize,
    rectified: Option<&[f32]>,
    output_grad: &[f32],
) -> LinearGradients {
    let inputs = weight.len() / outputs;
    let transposed = transpose(weight, outputs);
    let mut input_grad = vec![0.0; input.len()];
    let partial: Vec<[Vec<f32>; 2]> = input_grad
        .par_chunks_mut(TASK * inputs)
        .zip(input.par_chunks(TASK * inputs))
        .zip(output_grad.par_chunks(TASK * outputs))
        .enumerate()
        .map(|(task, ((input_grad, input), grads))| {
            let grads = match rectified {
                Some(rectified) => mask(grads, &rectified[task * TASK * outputs..]),
                None => Cow::Borrowed(grads),
            };
            multiply(&grads, &transposed, None, input_grad, inputs);
            parameters(input, inputs, &grads, outputs)
        })
        .collect();
    let mut sums = LinearGradients {
        input: input_grad,
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; outputs],
    };
    for [weight, bias] in partial {
        add(&mut sums.weight, &weight);
        add(&mut sums.bias, &bias);
    }
    sums
}

/// Multiplies rows by a matrix with so many columns.
fn multiply(
    input: &[f32],
    right: &[f32],
    bias: Option<&[f32]>,
    output: &mut [f32],
    columns: usize,
) {
    let inputs = right.len() / columns;
    let mut left = vec![[0.0; ROWS]; inputs];
    let mut whole = vec![0.0; ROWS * columns];
    for (input, output) in input
        .chunks(ROWS * inputs)
        .zip(output.chunks_mut(ROWS * columns))
    {
        for (row, input) in input.chunks_exact(inputs).enumerate() {
            for (left, value) in left.iter_mut().zip(input) {
                left[row] = *value;
            }
        }
        let complete = output.len() == whole.len();
        Product {
            left: &left,
            right,
            bias,
            output: if complete { &mut *output } else { &mut whole },
        }
        .run();
        if !complete {
            output.copy_from_slice(&whole[..output.len()]);
        }
    }
}

/// The gradients of weight and bias from some rows.
fn parameters(input: &[f32], inputs: usize, grads: &[f32], outputs: usize) -> [Vec<f32>; 2] {
    let mut weight = vec![0.0; inputs.next_multiple_of(ROWS) * outputs];
    let mut left = vec![[0.0; ROWS]; input.len() / inputs];
    for (block, output) in weight.chunks_exact_mut(ROWS * outputs).enumerate() {
        let first = block * ROWS;
        let width = ROWS.min(inputs - first);
        for (left, input) in left.iter_mut().zip(input.chunks_exact(inputs)) {
            left[..width].copy_from_slice(&input[first..first + width]);
        }
        Product {
            left: &left,
            right: grads,
            bias: None,
            output,
        }
        .run();
    }
    let mut bias = vec![0.0; outputs];
    for grads in grads.chunks_exact(outputs) {
        add(&mut bias, grads);
    }
    [weight, bias]
}

/// The gradient where the output was not rectified to zero.
fn mask<'a>(grads: &[f32], rectified: &[f32]) -> Cow<'a, [f32]> {
    let pairs = grads.iter().zip(rectified);
    pairs
        .map(|(grad, output)| if *output > 0.0 { *grad } else { 0.0 })
        .collect()
}
