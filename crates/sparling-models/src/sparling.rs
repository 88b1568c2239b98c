//! The whole model: `f = h ∘ g`, joined by the sparse bottleneck (paper, section 4).

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use sparling_layer::{SparseBottleneck, SparseBottleneckConfig};

use crate::decoder::{Decoder, DecoderConfig};
use crate::motif::{MotifModel, MotifModelConfig};

/// Configures a [`Sparling`] model.
#[derive(Config, Debug, PartialEq)]
pub struct SparlingConfig {
    /// The motif model, `g`.
    pub motif_model: MotifModelConfig,
    /// What the motif model's output is squeezed through.
    pub bottleneck: SparseBottleneckConfig,
    /// The decoder, `h`.
    pub decoder: DecoderConfig,
}

/// Finds motifs in an input and writes the output tokens from the motifs alone.
#[derive(Module, Debug)]
pub struct Sparling {
    /// The motif model, `g`.
    pub motif_model: MotifModel,
    /// What the motif model's output is squeezed through.
    pub bottleneck: SparseBottleneck,
    /// The decoder, `h`.
    pub decoder: Decoder,
}

impl SparlingConfig {
    /// Initialises all parts.
    pub fn init(&self, device: &Device) -> Sparling {
        Sparling {
            motif_model: self.motif_model.init(device),
            bottleneck: self.bottleneck.init(device),
            decoder: self.decoder.init(device),
        }
    }
}

impl Sparling {
    /// The sparse motifs of an input.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, spatial...]`
    /// - output: `[batch, channels, spatial...]`
    pub fn motifs<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.bottleneck.forward(self.motif_model.forward(input))
    }

    /// The next-token logits given the input and the tokens so far (teacher forcing).
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, spatial...]`
    /// - `tokens`: `[batch, time]`, beginning with the start token
    /// - output: `[batch, time, vocabulary]`
    pub fn forward<const D: usize>(&self, input: Tensor<D>, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.forward_with_penalty(input, tokens).0
    }

    /// The logits, and what the bottleneck adds to the loss where it is a
    /// [`Baseline`](sparling_layer::Baseline) that does, `[1]`.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with_penalty<const D: usize>(
        &self,
        input: Tensor<D>,
        tokens: Tensor<2, Int>,
    ) -> (Tensor<3>, Option<Tensor<1>>) {
        let features = self.motif_model.forward(input);
        let (motifs, penalty) = self.bottleneck.forward_with_penalty(features);
        (self.decoder.forward(motifs, tokens), penalty)
    }
}
