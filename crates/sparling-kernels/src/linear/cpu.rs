//! Linear layers on slices, and their gradients.
//!
//! Tasks are of a fixed number of rows and sums over them are taken in order, so that results do not
//! depend on how tasks are scheduled.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::vector::product::{Matrix, MatrixMut, ROWS, multiply, multiply_transposed};
use crate::vector::reduce::add;

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
    let weight = Matrix::new(weight, outputs);
    let mut output = vec![0.0; input.len() / inputs * outputs];
    output
        .par_chunks_mut(TASK * outputs)
        .zip(input.par_chunks(TASK * inputs))
        .for_each(|(output, input)| {
            let output_rows = MatrixMut::new(output, outputs);
            multiply(Matrix::new(input, inputs), weight, Some(bias), output_rows);
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
    let transposed = Matrix::new(weight, outputs).transposed();
    let transposed = Matrix::new(&transposed, inputs);
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
            let grad_rows = Matrix::new(&grads, outputs);
            multiply(
                grad_rows,
                transposed,
                None,
                MatrixMut::new(input_grad, inputs),
            );
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

/// The gradients of weight and bias from some rows.
fn parameters(input: &[f32], inputs: usize, grads: &[f32], outputs: usize) -> [Vec<f32>; 2] {
    let mut weight = vec![0.0; inputs * outputs];
    let mut bias = vec![0.0; outputs];
    multiply_transposed(
        Matrix::new(input, inputs),
        Matrix::new(grads, outputs),
        MatrixMut::new(&mut weight, outputs),
    );
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
