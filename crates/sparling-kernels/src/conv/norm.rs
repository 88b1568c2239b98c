//! Batch normalisation on slices, per channel of `[batch, channels, pixels]`.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::shape::Activation;
use crate::vector::reduce;
use crate::vector::simd::arch;

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

    /// Sets one example's gradient of the activated output to zero where the activation was. Tells each
    /// plane's sum, and that of its product with the centred input.
    pub(super) fn mask(
        &self,
        affine: Activation<'_>,
        input: &[f32],
        grad: &mut [f32],
    ) -> Vec<[f64; 2]> {
        let planes = grad.chunks_exact_mut(self.pixels);
        let planes = planes.zip(input.chunks_exact(self.pixels)).enumerate();
        planes
            .map(|(channel, (grad, input))| {
                arch().dispatch(MaskAndSum {
                    scale: affine.scale[channel],
                    shift: affine.shift[channel],
                    mean: self.mean[channel],
                    input,
                    grad,
                })
            })
            .collect()
    }

    /// The gradients, given that of the activated output, [masked](Self::mask), with the sums of each
    /// example.
    pub(super) fn backward(
        &self,
        affine: Activation<'_>,
        mut output_grad: Vec<f32>,
        sums: &[Vec<[f64; 2]>],
    ) -> NormGradients {
        let channels = self.mean.len();
        let sum = |channel: usize, part: usize| -> f64 {
            sums.iter().map(|planes| planes[channel][part]).sum()
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
                arch().dispatch(Spread {
                    scale: affine.scale[channel],
                    mean: self.mean[channel],
                    offset: beta[channel] / count,
                    slope: gamma[channel] / count * self.inverse[channel],
                    input,
                    grad,
                });
            });
        NormGradients {
            input: output_grad,
            gamma,
            beta,
        }
    }
}

/// Sets one plane's gradient to zero where the activation was, and sums it, and its product with the
/// centred input.
struct MaskAndSum<'a> {
    scale: f32,
    shift: f32,
    mean: f32,
    input: &'a [f32],
    grad: &'a mut [f32],
}

impl WithSimd for MaskAndSum<'_> {
    type Output = [f64; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> [f64; 2] {
        for (grad, input) in self.grad.iter_mut().zip(self.input) {
            *grad = if self.scale * input + self.shift > 0.0 {
                *grad
            } else {
                0.0
            };
        }
        let product = reduce::centred_dot(self.grad, self.input, self.mean);
        [f64::from(reduce::sum(self.grad)), f64::from(product)]
    }
}

/// Takes one plane's gradient from the normalised values to the input.
struct Spread<'a> {
    scale: f32,
    mean: f32,
    /// What the mean's gradient takes from each position.
    offset: f32,
    /// What the variance's gradient takes, by the centred input.
    slope: f32,
    input: &'a [f32],
    grad: &'a mut [f32],
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (grad, input) in self.grad.iter_mut().zip(self.input) {
            let centred = input - self.mean;
            *grad = self.scale * (*grad - self.offset - centred * self.slope);
        }
    }
}
