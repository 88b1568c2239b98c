//! Batch normalisation on slices, per channel of `[batch, channels, pixels]`.

use rayon::prelude::*;
use sparling_layer::reduce;

/// What the backward pass through `relu(gamma * (x - mean) / deviation + beta)` needs.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    pub(super) input: &'a [f32],
    pub(super) mean: &'a [f32],
    /// `1 / sqrt(variance + epsilon)`.
    pub(super) inverse: &'a [f32],
    pub(super) gamma: &'a [f32],
    pub(super) beta: &'a [f32],
    pub(super) pixels: usize,
}

/// The gradients of batch norm.
pub(super) struct NormGradients {
    pub(super) input: Vec<f32>,
    pub(super) gamma: Vec<f32>,
    pub(super) beta: Vec<f32>,
}

impl Norm<'_> {
    /// The scale and shift that normalise, per channel.
    pub(super) fn affine(&self) -> (Vec<f32>, Vec<f32>) {
        let scale: Vec<f32> = self
            .gamma
            .iter()
            .zip(self.inverse)
            .map(|(gamma, inverse)| gamma * inverse)
            .collect();
        let shift = (0..scale.len())
            .map(|channel| self.beta[channel] - scale[channel] * self.mean[channel])
            .collect();
        (scale, shift)
    }

    /// The gradients, given that of the activated output, which is used up.
    pub(super) fn backward(&self, mut output_grad: Vec<f32>) -> NormGradients {
        let channels = self.mean.len();
        let (scale, shift) = self.affine();
        let planes: Vec<[f64; 2]> = output_grad
            .par_chunks_mut(self.pixels)
            .zip(self.input.par_chunks(self.pixels))
            .enumerate()
            .map(|(plane, (grad, input))| {
                let channel = plane % channels;
                mask(scale[channel], shift[channel], input, grad);
                let product = reduce::centred_dot(grad, input, self.mean[channel]);
                [f64::from(reduce::sum(grad)), f64::from(product)]
            })
            .collect();
        let sum = |channel: usize, part: usize| -> f64 {
            let planes = planes.iter().skip(channel).step_by(channels);
            planes.map(|plane| plane[part]).sum()
        };
        let beta: Vec<f32> = (0..channels)
            .map(|channel| sum(channel, 0) as f32)
            .collect();
        let gamma: Vec<f32> = (0..channels)
            .map(|channel| (sum(channel, 1) * f64::from(self.inverse[channel])) as f32)
            .collect();
        let count = (self.input.len() / channels) as f32;
        output_grad
            .par_chunks_mut(self.pixels)
            .zip(self.input.par_chunks(self.pixels))
            .enumerate()
            .for_each(|(plane, (grad, input))| {
                let channel = plane % channels;
                let (mean, inverse) = (self.mean[channel], self.inverse[channel]);
                let (offset, slope) = (beta[channel] / count, gamma[channel] / count * inverse);
                for (grad, input) in grad.iter_mut().zip(input) {
                    *grad = scale[channel] * (*grad - offset - (input - mean) * slope);
                }
            });
        NormGradients {
            input: output_grad,
            gamma,
            beta,
        }
    }
}

/// Sets the gradient to zero where the activation was.
fn mask(scale: f32, shift: f32, input: &[f32], output_grad: &mut [f32]) {
    for (grad, input) in output_grad.iter_mut().zip(input) {
        *grad = if scale * input + shift > 0.0 {
            *grad
        } else {
            0.0
        };
    }
}
