//! Multi-head attention with fused projections.

use burn::module::{Initializer, Module};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use sparling_kernels::attention::{cross_attention, self_attention};

use crate::layers::{dropped_share, linear};

/// The keys of a sequence, then its values, packed along the features.
#[derive(Debug, Clone)]
pub(super) struct KeysValues {
    /// `[batch, time, 2 * width]`
    packed: Tensor<3>,
}

/// Attention of a sequence to itself.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// Queries, keys and values, in this order.
    projection: Linear,
    output: Linear,
    dropout: Dropout,
    heads: usize,
}

/// Attention of a sequence to a memory.
#[derive(Module, Debug)]
pub struct CrossAttention {
    query: Linear,
    /// Keys, then values.
    key_value: Linear,
    output: Linear,
    dropout: Dropout,
    heads: usize,
}

impl SelfAttention {
    pub(super) fn new(width: usize, heads: usize, dropout: f64, device: &Device) -> Self {
        Self {
            projection: input_projection(width, 3, device),
            output: output_projection(width, device),
            dropout: DropoutConfig::new(dropout).init(),
            heads,
        }
    }

    /// Attends to the whole sequence or, if `causal`, from each token to those up to it.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    pub(super) fn forward(&self, input: Tensor<3>, causal: bool) -> Tensor<3> {
        let packed = linear(&self.projection, input);
        let dropout = dropped_share(&self.dropout);
        let context = self_attention(packed, self.heads, causal, dropout);
        linear(&self.output, context)
    }

    /// Attends from the next tokens to all up to them, whose keys and values `cache` collects.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, 1, width]`
    /// - output: `[batch, 1, width]`
    pub(super) fn step(&self, input: Tensor<3>, cache: &mut Option<KeysValues>) -> Tensor<3> {
        let [_, _, width] = input.dims();
        let packed = linear(&self.projection, input);
        let query = packed.clone().slice_dim(2, 0..width);
        let next = packed.slice_dim(2, width..3 * width);
        let packed = match cache.take() {
            Some(past) => Tensor::cat(vec![past.packed, next], 1),
            None => next,
        };
        let memory = KeysValues { packed };
        let context = memory.clone().attended_by(query, self.heads, &self.dropout);
        *cache = Some(memory);
        linear(&self.output, context)
    }
}

impl CrossAttention {
    pub(super) fn new(width: usize, heads: usize, dropout: f64, device: &Device) -> Self {
        Self {
            query: input_projection(width, 1, device),
            key_value: input_projection(width, 2, device),
            output: output_projection(width, device),
            dropout: DropoutConfig::new(dropout).init(),
            heads,
        }
    }

    /// The keys and values of a memory `[batch, source, width]`.
    pub(super) fn project(&self, memory: Tensor<3>) -> KeysValues {
        KeysValues {
            packed: linear(&self.key_value, memory),
        }
    }

    /// Attends to a projected memory.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    pub(super) fn forward(&self, input: Tensor<3>, memory: KeysValues) -> Tensor<3> {
        let query = linear(&self.query, input);
        let context = memory.attended_by(query, self.heads, &self.dropout);
        linear(&self.output, context)
    }
}

impl KeysValues {
    /// What queries `[batch, time, width]` attend to of it, of their shape.
    fn attended_by(self, query: Tensor<3>, heads: usize, dropout: &Dropout) -> Tensor<3> {
        cross_attention(query, self.packed, heads, dropped_share(dropout))
    }
}

/// `parts` projections side by side, initialised as PyTorch's packed `in_proj_weight`: Xavier uniform
/// over the three that it packs, whatever `parts` is, and no bias to begin with.
fn input_projection(width: usize, parts: usize, device: &Device) -> Linear {
    let bound = (6.0 / (4 * width) as f64).sqrt();
    let weight = Initializer::Uniform {
        min: -bound,
        max: bound,
    };
    Linear {
        weight: weight.init([width, parts * width], device),
        bias: Some(Initializer::Zeros.init([parts * width], device)),
    }
}

/// A linear layer without bias to begin with.
fn output_projection(width: usize, device: &Device) -> Linear {
    Linear {
        bias: Some(Initializer::Zeros.init([width], device)),
        ..LinearConfig::new(width, width).init(device)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    #[test]
    fn a_masked_key_has_no_weight() {
        let device = Device::default();
        let attention = SelfAttention::new(8, 2, 0.0, &device);
        let input = Tensor::<3>::random([2, 5, 8], Distribution::Normal(0.0, 3.0), &device);
        let whole = attention.forward(input.clone(), true);
        for time in 1..5 {
            let prefix = input.clone().slice_dim(1, 0..time);
            let prefix = attention.forward(prefix, true);
            prefix.into_data().assert_approx_eq::<f32>(
                &whole.clone().slice_dim(1, 0..time).into_data(),
                Tolerance::absolute(1e-6),
            );
        }
    }

    #[test]
    fn large_scores_stay_finite() {
        let device = Device::default();
        let attention = SelfAttention::new(8, 2, 0.0, &device);
        let input = Tensor::<3>::random([1, 4, 8], Distribution::Normal(0.0, 100.0), &device);
        let output = attention.forward(input, true);
        assert!(output.is_finite().all().into_scalar::<bool>());
    }

    #[test]
    fn steps_equal_the_masked_sequence() {
        let device = Device::default();
        let attention = SelfAttention::new(8, 4, 0.0, &device);
        let input = Tensor::<3>::random([3, 6, 8], Distribution::Normal(0.0, 1.0), &device);
        let expected = attention.forward(input.clone(), true);
        let mut cache = None;
        let steps = (0..6)
            .map(|time| attention.step(input.clone().slice_dim(1, time..time + 1), &mut cache))
            .collect();
        Tensor::cat(steps, 1)
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-6));
    }
}
