//! Batch normalisation on slices, per channel of `[batch, channels, pixels]`.

use rayon::prelude::*;
use sparling_layer::reduce::{self, planes};

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
        self.mask(&scale, &shift, &mut output_grad);
        let count = (self.input.len() / channels) as f32;
        let (beta, gamma): (Vec<f32>, Vec<f32>) = (0..channels)
            .into_par_iter()
            .map(|channel| {
                let grads = planes(&output_grad, channel, channels, self.pixels);
                let inputs = planes(self.input, channel, channels, self.pixels);
                let (mut sum, mut product) = (0.0_f64, 0.0_f64);
                for (grad, input) in grads.zip(inputs) {
                    sum += f64::from(reduce::sum(grad));
                    product += f64::from(reduce::centred_dot(grad, input, self.mean[channel]));
                }
                (
                    sum as f32,
                    (product * f64::from(self.inverse[channel])) as f32,
                )
            })
            .unzip();
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

    /// Sets the gradient to zero where the activation was.
    fn mask(&self, scale: &[f32], shift: &[f32], output_grad: &mut [f32]) {
        let channels = self.mean.len();
        output_grad
            .par_chunks_mut(self.pixels)
            .zip(self.input.par_chunks(self.pixels))
            .enumerate()
            .for_each(|(plane, (grad, input))| {
                let (scale, shift) = (scale[plane % channels], shift[plane % channels]);
                for (grad, input) in grad.iter_mut().zip(input) {
                    *grad = if scale * input + shift > 0.0 {
                        *grad
                    } else {
                        0.0
                    };
                }
            });
    }
}
