//! The decoder's entry: motifs are embedded position by position, then max pooled.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};
use sparling_kernels::embed_max::embed_max;

/// A 1x1 convolution from the motifs' channels, followed by max pooling.
#[derive(Module, Debug)]
pub struct Reembed {
    /// `[width, channels]`
    pub weight: Param<Tensor<2>>,
    /// `[width]`
    pub bias: Param<Tensor<1>>,
}

impl Reembed {
    /// From `channels` to `width` features, every parameter from U(-k, k), `k = 1 / sqrt(channels)`.
    pub fn new(channels: usize, width: usize, device: &Device) -> Self {
        let bound = 1.0 / (channels as f64).sqrt();
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        Self {
            weight: uniform.init([width, channels], device),
            bias: uniform.init([width], device),
        }
    }

    /// Embeds each position and keeps each feature's maximum over each window; positions that do not
    /// fill a window are left out.
    ///
    /// # Shapes
    ///
    /// - motifs: `[batch, channels, height, width]`
    /// - output: `[batch, rows, columns, features]`
    ///
    /// # Panics
    ///
    /// Panics if the motifs do not have the configured channels or are smaller than the window.
    pub fn forward(&self, motifs: Tensor<4>, window: [usize; 2]) -> Tensor<4> {
        embed_max(motifs, self.weight.val(), self.bias.val(), window)
    }
}
