//! Multi-head attention with fused projections.

use burn::module::{Initializer, Module};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

use super::rows::softmax;
use crate::linear::linear;

/// What a masked score is lowered by: its weight is exactly zero in `f32`, and unlike an infinity it
/// is safe where a shader compiler assumes finite numbers.
const MASKED: f32 = -1e9;

/// The keys and values of a sequence, one set of heads each.
#[derive(Debug, Clone)]
pub(super) struct KeysValues {
    /// `[batch, heads, time, features]`
    keys: Tensor<4>,
    /// `[batch, heads, time, features]`
    values: Tensor<4>,
}

/// Attention of a sequence to itself.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// Queries, keys and values, in this order.
    pub(super) projection: Linear,
    pub(super) output: Linear,
    dropout: Dropout,
    heads: usize,
}

/// Attention of a sequence to a memory.
#[derive(Module, Debug)]
pub struct CrossAttention {
    pub(super) query: Linear,
    /// Keys, then values.
    pub(super) key_value: Linear,
    pub(super) output: Linear,
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

    /// Attends to the whole sequence, or to what `mask` (`[time, time]`, added to the scores) leaves.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    pub(super) fn forward(&self, input: Tensor<3>, mask: Option<Tensor<2>>) -> Tensor<3> {
        let (query, memory) = self.project(input);
        let context = attend(query, memory, mask, &self.dropout);
        linear(&self.output, context)
    }

    /// Attends from the next tokens to all up to them, whose keys and values `cache` collects.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, 1, width]`
    /// - output: `[batch, 1, width]`
    pub(super) fn step(&self, input: Tensor<3>, cache: &mut Option<KeysValues>) -> Tensor<3> {
        let (query, next) = self.project(input);
        let memory = match cache.take() {
            Some(past) => past.append(next),
            None => next,
        };
        let context = attend(query, memory.clone(), None, &self.dropout);
        *cache = Some(memory);
        linear(&self.output, context)
    }

    fn project(&self, input: Tensor<3>) -> (Tensor<4>, KeysValues) {
        let projected = linear(&self.projection, input);
        let [query, keys, values] = split_heads(projected, self.heads);
        (query, KeysValues { keys, values })
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
        let [keys, values] = split_heads(linear(&self.key_value, memory), self.heads);
        KeysValues { keys, values }
    }

    /// Attends to a projected memory.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    pub(super) fn forward(&self, input: Tensor<3>, memory: KeysValues) -> Tensor<3> {
        let [query] = split_heads(linear(&self.query, input), self.heads);
        let context = attend(query, memory, None, &self.dropout);
        linear(&self.output, context)
    }
}

impl KeysValues {
    fn append(self, next: Self) -> Self {
        Self {
            keys: Tensor::cat(vec![self.keys, next.keys], 2),
            values: Tensor::cat(vec![self.values, next.values], 2),
        }
    }
}

/// The mask, added to the scores, that hides from each token those that come after it.
///
/// # Shapes
///
/// - output: `[time, time]`
pub(super) fn causal_mask(time: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..time)
        .flat_map(|query| (0..time).map(move |key| if key > query { MASKED } else { 0.0 }))
        .collect();
    Tensor::from_data(TensorData::new(values, [time, time]), device)
}

/// One of `N` sequences packed along the features, each split into its heads.
///
/// # Shapes
///
/// - input: `[batch, time, N * width]`
/// - outputs: `[batch, heads, time, width / heads]`
fn split_heads<const N: usize>(packed: Tensor<3>, heads: usize) -> [Tensor<4>; N] {
    let [batch, time, features] = packed.dims();
    let packed = packed
        .reshape([batch, time, N * heads, features / (N * heads)])
        .swap_dims(1, 2); // [batch, N * heads, time, width / heads]
    if N == 1 {
        return std::array::from_fn(|_| packed.clone());
    }
    std::array::from_fn(|part| {
        packed
            .clone()
            .slice_dim(1, part * heads..(part + 1) * heads)
    })
}

/// Scaled dot-product attention, its heads merged.
///
/// # Shapes
///
/// - query: `[batch, heads, time, features]`
/// - output: `[batch, time, heads * features]`
fn attend(
    query: Tensor<4>,
    memory: KeysValues,
    mask: Option<Tensor<2>>,
    dropout: &Dropout,
) -> Tensor<3> {
    let [batch, heads, time, features] = query.dims();
    let scale = 1.0 / (features as f64).sqrt();

    let scores = query.matmul(memory.keys.swap_dims(2, 3)); // [batch, heads, time, source]
    let scores = match mask {
        Some(mask) => scores + mask.unsqueeze(),
        None => scores,
    };
    let context = dropout
        .forward(softmax(scores, scale))
        .matmul(memory.values);

    context
        .swap_dims(1, 2)
        .reshape([batch, time, heads * features])
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
        let whole = attention.forward(input.clone(), Some(causal_mask(5, &device)));
        for time in 1..5 {
            let prefix = input.clone().slice_dim(1, 0..time);
            let prefix = attention.forward(prefix, Some(causal_mask(time, &device)));
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
        let output = attention.forward(input, Some(causal_mask(4, &device)));
        assert!(output.is_finite().all().into_scalar::<bool>());
    }

    #[test]
    fn steps_equal_the_masked_sequence() {
        let device = Device::default();
        let attention = SelfAttention::new(8, 4, 0.0, &device);
        let input = Tensor::<3>::random([3, 6, 8], Distribution::Normal(0.0, 1.0), &device);
        let expected = attention.forward(input.clone(), Some(causal_mask(6, &device)));
        let mut cache = None;
        let steps = (0..6)
            .map(|time| attention.step(input.clone().slice_dim(1, time..time + 1), &mut cache))
            .collect();
        Tensor::cat(steps, 1)
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-6));
    }
}
