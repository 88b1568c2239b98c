//! Layer norm on slices, and its gradient.
//!
//! Tasks are of a fixed size and sums over them are taken in order, so that results do not depend
//! on how tasks are scheduled.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::vector::reduce::{add, fold};
use crate::vector::simd::arch;

/// How many values a task takes, about. Sums of gradients are rounded task by task.
const TASK: usize = 1 << 15;

/// The parameters' gradients of a layer norm, and its input's.
pub(super) struct NormGradient {
    pub(super) input: Vec<f32>,
    pub(super) gamma: Vec<f32>,
    pub(super) beta: Vec<f32>,
}

/// Each row normalised by its mean and variance, then scaled and moved.
pub(super) fn layer_norm(input: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32) -> Vec<f32> {
    let width = gamma.len();
    let mut output = vec![0.0; input.len()];
    output
        .par_chunks_mut(task(width))
        .zip(input.par_chunks(task(width)))
        .for_each(|(output, input)| {
            arch().dispatch(Norm {
                input,
                gamma,
                beta,
                epsilon,
                output,
            });
        });
    output
}

/// The gradients of input and parameters.
pub(super) fn layer_norm_backward(
    input: &[f32],
    gamma: &[f32],
    epsilon: f32,
    output_grad: &[f32],
) -> NormGradient {
    let width = gamma.len();
    let mut gradient = vec![0.0; input.len()];
    let partial: Vec<[Vec<f32>; 2]> = gradient
        .par_chunks_mut(task(width))
        .zip(input.par_chunks(task(width)))
        .zip(output_grad.par_chunks(task(width)))
        .map(|((gradient, input), output_grad)| {
            let (mut gamma_grad, mut beta_grad) = (vec![0.0; width], vec![0.0; width]);
            arch().dispatch(NormBackward {
                input,
                gamma,
                epsilon,
                output_grad,
                gradient,
                gamma_grad: &mut gamma_grad,
                beta_grad: &mut beta_grad,
            });
            [gamma_grad, beta_grad]
        })
        .collect();
    let mut sums = NormGradient {
        input: gradient,
        gamma: vec![0.0; width],
        beta: vec![0.0; width],
    };
    for [gamma, beta] in partial {
        add(&mut sums.gamma, &gamma);
        add(&mut sums.beta, &beta);
    }
    sums
}

struct Norm<'a> {
    input: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
    output: &'a mut [f32],
}

impl WithSimd for Norm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let width = self.gamma.len();
        let beta = &self.beta[..width];
        let rows = self.input.chunks_exact(width);
        for (output, input) in self.output.chunks_exact_mut(width).zip(rows) {
            let [mean, inverse] = moments(input, self.epsilon);
            for index in 0..width {
                output[index] = (input[index] - mean) * inverse * self.gamma[index] + beta[index];
            }
        }
    }
}

struct NormBackward<'a> {
    input: &'a [f32],
    gamma: &'a [f32],
    epsilon: f32,
    output_grad: &'a [f32],
    gradient: &'a mut [f32],
    gamma_grad: &'a mut [f32],
    beta_grad: &'a mut [f32],
}

impl WithSimd for NormBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let width = self.gamma.len();
        let (gamma_grad, beta_grad) = (&mut self.gamma_grad[..width], &mut self.beta_grad[..width]);
        let rows = self.input.chunks_exact(width);
        let rows = rows.zip(self.output_grad.chunks_exact(width));
        for (gradient, (input, grads)) in self.gradient.chunks_exact_mut(width).zip(rows) {
            let [mean, inverse] = moments(input, self.epsilon);
            for index in 0..width {
                gradient[index] = grads[index] * self.gamma[index];
                gamma_grad[index] += grads[index] * (input[index] - mean) * inverse;
                beta_grad[index] += grads[index];
            }
            let offset = fold(gradient, gradient, |grad, _| grad) / width as f32;
            let slope = fold(gradient, input, |grad, value| grad * (value - mean));
            let slope = slope * inverse * inverse / width as f32;
            for (gradient, input) in gradient.iter_mut().zip(input) {
                *gradient = inverse * (*gradient - offset - (input - mean) * slope);
            }
        }
    }
}

/// The values of whole rows that one task takes.
fn task(width: usize) -> usize {
    width * (TASK / width).max(1)
}

/// A row's mean, and the inverse of its deviation.
#[inline(always)]
fn moments(row: &[f32], epsilon: f32) -> [f32; 2] {
    let count = row.len() as f32;
    let mean = fold(row, row, |value, _| value) / count;
    let variance = fold(row, row, |value, _| (value - mean) * (value - mean)) / count;
    [mean, 1.0 / (variance + epsilon).sqrt()]
}
