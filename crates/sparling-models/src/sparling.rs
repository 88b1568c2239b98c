//! The whole model: `f = h ∘ g`, joined by the sparse bottleneck (paper, section 4).

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use sparling_layer::{SparseBottleneck, SparseBottleneckConfig};

use crate::decoder::{Decoder, DecoderConfig};
use crate::motif_model::{MotifModel, MotifModelConfig};
use crate::offsets::Offsets;

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
    /// By how much the motifs of each channel are moved on their way to the decoder.
    #[module(skip)]
    pub offsets: Offsets,
}

impl SparlingConfig {
    /// Initialises all parts.
    pub fn init(&self, device: &Device) -> Sparling {
        Sparling {
            motif_model: self.motif_model.init(device),
            bottleneck: self.bottleneck.init(device),
            decoder: self.decoder.init(device),
            offsets: Offsets::default(),
        }
    }
}

impl Sparling {
    /// The sparse motifs of an input.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, height, width]`
    /// - output: `[batch, channels, height, width]`
    pub fn motifs(&self, input: Tensor<4>) -> Tensor<4> {
        let features = self.motif_model.forward(input);
        self.offsets.apply(self.bottleneck.forward(features))
    }

    /// The next-token logits given the input and the tokens so far (teacher forcing).
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, height, width]`
    /// - `tokens`: `[batch, time]`, beginning with the start token
    /// - output: `[batch, time, vocabulary]`
    pub fn forward(&self, input: Tensor<4>, tokens: Tensor<2, Int>) -> Tensor<3> {
        self.forward_with_penalty(input, tokens).0
    }

    /// The logits, and what the bottleneck adds to the loss where it is a
    /// [`Baseline`](sparling_layer::Baseline) that does, `[1]`.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with_penalty(
        &self,
        input: Tensor<4>,
        tokens: Tensor<2, Int>,
    ) -> (Tensor<3>, Option<Tensor<1>>) {
        let features = self.motif_model.forward(input);
        let (motifs, penalty) = self.bottleneck.forward_with_penalty(features);
        let motifs = self.offsets.apply(motifs);
        (self.decoder.forward(motifs, tokens), penalty)
    }
}
