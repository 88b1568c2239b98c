//! Softmax and layer norm on slices, and their gradients.
//!
//! Tasks are of a fixed size and sums over them are taken in order, so that results do not depend
//! on how tasks are scheduled.

use pulp::Arch;
use rayon::prelude::*;

use crate::elementary::exp;

/// Values summed side by side.
const LANES: usize = 16;

/// How many values a task takes, about: enough that waking a thread for it pays.
const TASK: usize = 1 << 15;

/// The parameters' gradients of a layer norm, and its input's.
pub(super) struct NormGradient {
    pub(super) input: Vec<f32>,
    pub(super) gamma: Vec<f32>,
    pub(super) beta: Vec<f32>,
}

/// The softmax of `scale * row` for rows of so many values.
pub(super) fn softmax(scores: &[f32], width: usize, scale: f32) -> Vec<f32> {
    let mut weights = vec![0.0; scores.len()];
    weights
        .par_chunks_mut(task(width))
        .zip(scores.par_chunks(task(width)))
        .for_each(|(weights, scores)| {
            Arch::new().dispatch(|| {
                for (weights, scores) in rows_mut(weights, width).zip(rows(scores, width)) {
                    softmax_row(scores, scale, weights);
                }
            });
        });
    weights
}

/// The gradient of the scores, given the weights and their gradient.
pub(super) fn softmax_backward(
    weights: &[f32],
    width: usize,
    scale: f32,
    output_grad: &[f32],
) -> Vec<f32> {
    let mut gradient = vec![0.0; weights.len()];
    gradient
        .par_chunks_mut(task(width))
        .zip(weights.par_chunks(task(width)))
        .zip(output_grad.par_chunks(task(width)))
        .for_each(|((gradient, weights), output_grad)| {
            Arch::new().dispatch(|| {
                let rows = rows(weights, width).zip(rows(output_grad, width));
                for (gradient, (weights, grads)) in rows_mut(gradient, width).zip(rows) {
                    let mean = sum(weights, grads, |weight, grad| weight * grad);
                    for (index, gradient) in gradient.iter_mut().enumerate() {
                        *gradient = scale * weights[index] * (grads[index] - mean);
                    }
                }
            });
        });
    gradient
}

/// Each row normalised by its mean and variance, then scaled and moved.
pub(super) fn layer_norm(input: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32) -> Vec<f32> {
    let width = gamma.len();
    let mut output = vec![0.0; input.len()];
    output
        .par_chunks_mut(task(width))
        .zip(input.par_chunks(task(width)))
        .for_each(|(output, input)| {
            Arch::new().dispatch(|| {
                for (output, input) in rows_mut(output, width).zip(rows(input, width)) {
                    let [mean, inverse] = moments(input, epsilon);
                    for (index, output) in output.iter_mut().enumerate() {
                        *output = (input[index] - mean) * inverse * gamma[index] + beta[index];
                    }
                }
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
            let mut parameters = [vec![0.0; width], vec![0.0; width]];
            let [gamma_grad, beta_grad] = &mut parameters;
            Arch::new().dispatch(|| {
                let rows = rows(input, width).zip(rows(output_grad, width));
                for (gradient, (input, grads)) in rows_mut(gradient, width).zip(rows) {
                    norm_row_backward(
                        input, gamma, epsilon, grads, gradient, gamma_grad, beta_grad,
                    );
                }
            });
            parameters
        })
        .collect();
    let mut sums = NormGradient {
        input: gradient,
        gamma: vec![0.0; width],
        beta: vec![0.0; width],
    };
    for [gamma, beta] in partial {
        sums.gamma
            .iter_mut()
            .zip(gamma)
            .for_each(|(sum, part)| *sum += part);
        sums.beta
            .iter_mut()
            .zip(beta)
            .for_each(|(sum, part)| *sum += part);
    }
    sums
}

/// The values of whole rows that one task takes.
fn task(width: usize) -> usize {
    width * (TASK / width).max(1)
}

#[inline(always)]
fn rows(values: &[f32], width: usize) -> impl Iterator<Item = &[f32]> {
    values.chunks_exact(width)
}

#[inline(always)]
fn rows_mut(values: &mut [f32], width: usize) -> impl Iterator<Item = &mut [f32]> {
    values.chunks_exact_mut(width)
}

#[inline(always)]
fn softmax_row(scores: &[f32], scale: f32, weights: &mut [f32]) {
    let largest = largest(scores);
    for (weight, score) in weights.iter_mut().zip(scores) {
        *weight = exp(scale * (score - largest));
    }
    let total = sum(weights, weights, |weight, _| weight);
    for weight in weights {
        *weight /= total;
    }
}

#[inline(always)]
fn norm_row_backward(
    input: &[f32],
    gamma: &[f32],
    epsilon: f32,
    grads: &[f32],
    gradient: &mut [f32],
    gamma_grad: &mut [f32],
    beta_grad: &mut [f32],
) {
    let width = input.len();
    let [mean, inverse] = moments(input, epsilon);
    for index in 0..width {
        gradient[index] = grads[index] * gamma[index];
        gamma_grad[index] += grads[index] * (input[index] - mean) * inverse;
        beta_grad[index] += grads[index];
    }
    let offset = sum(gradient, gradient, |grad, _| grad) / width as f32;
    let slope = sum(gradient, input, |grad, value| grad * (value - mean));
    let slope = slope * inverse * inverse / width as f32;
    for (gradient, input) in gradient.iter_mut().zip(input) {
        *gradient = inverse * (*gradient - offset - (input - mean) * slope);
    }
}

/// A row's mean, and the inverse of its deviation.
#[inline(always)]
fn moments(row: &[f32], epsilon: f32) -> [f32; 2] {
    let count = row.len() as f32;
    let mean = sum(row, row, |value, _| value) / count;
    let variance = sum(row, row, |value, _| (value - mean) * (value - mean)) / count;
    [mean, 1.0 / (variance + epsilon).sqrt()]
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = lane.max(*value);
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}

/// The sum of a term over two rows.
#[inline(always)]
fn sum(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (lefts, left) = left.as_chunks::<LANES>();
    let (rights, right) = right.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (left, right) in lefts.iter().zip(rights) {
        for lane in 0..LANES {
            lanes[lane] += term(left[lane], right[lane]);
        }
    }
    let rest: f32 = left
        .iter()
        .zip(right)
        .map(|(left, right)| term(*left, *right))
        .sum();
    lanes.iter().sum::<f32>() + rest
}
