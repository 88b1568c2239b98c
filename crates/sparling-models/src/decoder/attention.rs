//! Multi-head attention with fused projections.
//!
//! On Flex, Burn's CPU backend, what is between the projections is one operator. Everything else composes
//! Burn's operators, the twin that it is tested against.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;
#[cfg(feature = "flex")]
mod softmax;

use burn::module::{Initializer, Module};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, activation};

#[cfg(feature = "flex")]
use crate::dropout::draw;
#[cfg(feature = "flex")]
use crate::flex::on_flex;
use crate::linear::linear;

/// What a masked score is lowered by: its weight is exactly zero in `f32`, and unlike an infinity it
/// is safe where a shader compiler assumes finite numbers.
const MASKED: f32 = -1e9;

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

    /// Attends to the whole sequence or, given [`causal_mask`], from each token to those up to it.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, width]`
    /// - output: `[batch, time, width]`
    pub(super) fn forward(&self, input: Tensor<3>, mask: Option<Tensor<2>>) -> Tensor<3> {
        let packed = linear(&self.projection, input);
        let context = self.attend(packed, mask);
        linear(&self.output, context)
    }

    /// # Shapes
    ///
    /// - packed: `[batch, time, 3 * width]`
    /// - output: `[batch, time, width]`
    fn attend(&self, packed: Tensor<3>, mask: Option<Tensor<2>>) -> Tensor<3> {
        #[cfg(feature = "flex")]
        if on_flex(&packed) {
            use burn::backend::Dispatch;
            use extension::Attention;
            let causal = mask.is_some();
            let drops = draw(&self.dropout, &packed);
            let packed = packed.into_dispatch();
            let context = Dispatch::self_attention(packed, self.heads, causal, drops);
            return Tensor::from_dispatch(context);
        }
        let [query, keys, values] = split_heads(packed, self.heads);
        attend(query, keys, values, mask, &self.dropout)
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
        #[cfg(feature = "flex")]
        if on_flex(&query) {
            use burn::backend::Dispatch;
            use extension::Attention;
            let drops = draw(dropout, &query);
            let (query, memory) = (query.into_dispatch(), self.packed.into_dispatch());
            let context = Dispatch::cross_attention(query, memory, heads, drops);
            return Tensor::from_dispatch(context);
        }
        let [query] = split_heads(query, heads);
        let [keys, values] = split_heads(self.packed, heads);
        attend(query, keys, values, None, dropout)
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
/// - keys, values: `[batch, heads, source, features]`
/// - output: `[batch, time, heads * features]`
fn attend(
    query: Tensor<4>,
    keys: Tensor<4>,
    values: Tensor<4>,
    mask: Option<Tensor<2>>,
    dropout: &Dropout,
) -> Tensor<3> {
    let [batch, heads, time, features] = query.dims();
    let scale = 1.0 / (features as f64).sqrt();

    let scores = query.matmul(keys.swap_dims(2, 3)); // [batch, heads, time, source]
    let scores = match mask {
        Some(mask) => scores + mask.unsqueeze(),
        None => scores,
    };
    let weights = dropout.forward(activation::softmax(scores * scale, 3));
    let context = weights.matmul(values);

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

    /// Heads narrower and wider than a vector, sequences that fill no block, and some that do.
    #[cfg(feature = "flex")]
    #[test]
    fn one_operator_is_burns_with_its_gradients() {
        let device = Device::default().autodiff();
        for (batch, heads, width, time, source) in
            [(1, 1, 3, 1, 2), (2, 4, 64, 36, 36), (3, 2, 70, 7, 50)]
        {
            let packed = random([batch, time, 3 * width], &device);
            let cotangent = random([batch, time, width], &device);
            let dropout = DropoutConfig::new(0.0).init();
            let attention = SelfAttention::new(width, heads, 0.0, &device);
            for mask in [None, Some(causal_mask(time, &device))] {
                let [query, keys, values] = split_heads(packed.clone(), heads);
                let composed = attend(query, keys, values, mask.clone(), &dropout);
                let fused = attention.attend(packed.clone(), mask);
                assert_same(fused, composed, &cotangent, &[&packed]);
            }

            let query = random([batch, time, width], &device);
            let memory = random([batch, source, 2 * width], &device);
            let [queries] = split_heads(query.clone(), heads);
            let [keys, values] = split_heads(memory.clone(), heads);
            let composed = attend(queries, keys, values, None, &dropout);
            let packed = memory.clone();
            let fused = KeysValues { packed }.attended_by(query.clone(), heads, &dropout);
            assert_same(fused, composed, &cotangent, &[&query, &memory]);
        }
    }

    #[cfg(feature = "flex")]
    #[test]
    fn dropped_weights_are_those_of_their_positions() {
        use burn::backend::Dispatch;
        use extension::Attention;

        use crate::dropout::Drops;

        let device = Device::default().autodiff();
        let (batch, heads, width, time) = (3, 2, 34, 9);
        let packed = random([batch, time, 3 * width], &device);
        let cotangent = random([batch, time, width], &device);
        let drops = Drops::new(0.3, [5, 6]);
        let given = packed.clone().into_dispatch();
        let fused = Dispatch::self_attention(given, heads, false, Some(drops));
        let fused = Tensor::from_dispatch(fused);

        let mut kept = vec![1.0; batch * heads * time * time];
        drops.apply(0, &mut kept);
        let kept = TensorData::new(kept, [batch, heads, time, time]);
        let [query, keys, values] = split_heads(packed.clone(), heads);
        let scale = 1.0 / ((width / heads) as f64).sqrt();
        let weights = activation::softmax(query.matmul(keys.swap_dims(2, 3)) * scale, 3);
        let context = (weights * Tensor::from_data(kept, &device)).matmul(values);
        let composed = context.swap_dims(1, 2).reshape([batch, time, width]);
        assert_same(fused, composed, &cotangent, &[&packed]);
    }

    #[cfg(feature = "flex")]
    fn random(shape: [usize; 3], device: &Device) -> Tensor<3> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.5), device).require_grad()
    }

    #[cfg(feature = "flex")]
    fn assert_same(
        actual: Tensor<3>,
        expected: Tensor<3>,
        cotangent: &Tensor<3>,
        inputs: &[&Tensor<3>],
    ) {
        let [actual, expected] = [actual, expected].map(|output| {
            let gradients = (output.clone() * cotangent.clone()).sum().backward();
            let mut all = vec![output];
            all.extend(inputs.iter().map(|input| input.grad(&gradients).unwrap()));
            all
        });
        for (actual, expected) in actual.into_iter().zip(expected) {
            actual
                .into_data()
                .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(2e-5));
        }
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
