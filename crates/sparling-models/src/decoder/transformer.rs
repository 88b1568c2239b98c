//! Post-norm transformer layers with ReLU, as PyTorch's.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::attention::{CrossAttention, KeysValues, SelfAttention};
use crate::layers::{EPSILON, dropout, layer_norm, linear, linear_relu};

/// Configuration of one layer, of the encoder or of the decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformerLayerConfig {
    /// Features of a token.
    pub width: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Hidden features of the feed-forward part.
    pub feed_forward: usize,
    /// Probability of dropping an attention weight, a hidden feature or a part's output in training.
    pub dropout: f64,
}

/// Self-attention and a feed-forward part, each followed by a layer norm of its sum with its input.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
    dropout: Dropout,
}

/// An [`EncoderLayer`] with attention to a memory in its middle, whose self-attention looks back only.
#[derive(Module, Debug)]
pub struct DecoderLayer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    pub(super) cross: CrossAttention,
    cross_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
    dropout: Dropout,
}

/// Two linear layers with a ReLU between them.
#[derive(Module, Debug)]
pub struct FeedForward {
    inner: Linear,
    outer: Linear,
    dropout: Dropout,
}

impl TransformerLayerConfig {
    /// An encoder's layer.
    pub fn init_encoder(&self, device: &Device) -> EncoderLayer {
        EncoderLayer {
            attention: SelfAttention::new(self.width, self.heads, self.dropout, device),
            attention_norm: self.norm(device),
            feed_forward: self.init_feed_forward(device),
            feed_forward_norm: self.norm(device),
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    /// A decoder's layer.
    pub fn init_decoder(&self, device: &Device) -> DecoderLayer {
        DecoderLayer {
            attention: SelfAttention::new(self.width, self.heads, self.dropout, device),
            attention_norm: self.norm(device),
            cross: CrossAttention::new(self.width, self.heads, self.dropout, device),
            cross_norm: self.norm(device),
            feed_forward: self.init_feed_forward(device),
            feed_forward_norm: self.norm(device),
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    fn init_feed_forward(&self, device: &Device) -> FeedForward {
        FeedForward {
            inner: LinearConfig::new(self.width, self.feed_forward).init(device),
            outer: LinearConfig::new(self.feed_forward, self.width).init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    fn norm(&self, device: &Device) -> LayerNorm {
        LayerNormConfig::new(self.width)
            .with_epsilon(EPSILON)
            .init(device)
    }
}

impl EncoderLayer {
    /// # Shapes
    ///
    /// - input: `[batch, source, width]`
    /// - output: `[batch, source, width]`
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let part = self.attention.forward(input.clone(), false);
        let x = layer_norm(&self.attention_norm, input + dropout(&self.dropout, part));
        let part = self.feed_forward.forward(x.clone());
        layer_norm(&self.feed_forward_norm, x + dropout(&self.dropout, part))
    }
}

impl DecoderLayer {
    /// Runs a whole sequence.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    pub(super) fn forward(&self, input: Tensor<3>, memory: KeysValues) -> Tensor<3> {
        let part = self.attention.forward(input.clone(), true);
        self.after_attention(input, part, memory)
    }

    /// Runs the next tokens of sequences whose past is in `cache`.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, 1, width]`
    /// - output: `[batch, 1, width]`
    pub(super) fn step(
        &self,
        input: Tensor<3>,
        cache: &mut Option<KeysValues>,
        memory: KeysValues,
    ) -> Tensor<3> {
        let part = self.attention.step(input.clone(), cache);
        self.after_attention(input, part, memory)
    }

    fn after_attention(&self, input: Tensor<3>, part: Tensor<3>, memory: KeysValues) -> Tensor<3> {
        let x = layer_norm(&self.attention_norm, input + dropout(&self.dropout, part));
        let part = self.cross.forward(x.clone(), memory);
        let x = layer_norm(&self.cross_norm, x + dropout(&self.dropout, part));
        let part = self.feed_forward.forward(x.clone());
        layer_norm(&self.feed_forward_norm, x + dropout(&self.dropout, part))
    }
}

impl FeedForward {
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let hidden = linear_relu(&self.inner, input);
        linear(&self.outer, dropout(&self.dropout, hidden))
    }
}
