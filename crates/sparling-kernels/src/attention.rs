//! Multi-head scaled dot-product attention, between the projections.
//!
//! On Flex it is one operator, that reads queries, keys and values where the projections left them.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod operator;
#[cfg(feature = "flex")]
mod softmax;

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::dropout::twin as dropout_twin;

/// What a masked score is lowered by: its weight is exactly zero in `f32`, and unlike an infinity it
/// is safe where a shader compiler assumes finite numbers.
const MASKED: f32 = -1e9;

/// Attention of a sequence to itself or, if `causal`, of each token to those up to it. A share of
/// the weights is dropped, as by [`dropout`](crate::dropout::dropout).
///
/// # Shapes
///
/// - packed: `[batch, time, 3 * width]`, queries, keys and values
/// - output: `[batch, time, width]`
pub fn self_attention(packed: Tensor<3>, heads: usize, causal: bool, dropout: f64) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&packed) {
        use burn::backend::Dispatch;
        use operator::Attention;
        let drops = crate::dropout::draw(dropout, &packed);
        let packed = packed.into_dispatch();
        let context = Dispatch::self_attention(packed, heads, causal, drops);
        return Tensor::from_dispatch(context);
    }
    self_twin(packed, heads, causal, dropout)
}

/// Attention of a sequence to a memory; otherwise as [`self_attention`].
///
/// # Shapes
///
/// - queries: `[batch, time, width]`
/// - memory: `[batch, source, 2 * width]`, keys and values
/// - output: `[batch, time, width]`
pub fn cross_attention(
    queries: Tensor<3>,
    memory: Tensor<3>,
    heads: usize,
    dropout: f64,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&queries) {
        use burn::backend::Dispatch;
        use operator::Attention;
        let drops = crate::dropout::draw(dropout, &queries);
        let (queries, memory) = (queries.into_dispatch(), memory.into_dispatch());
        let context = Dispatch::cross_attention(queries, memory, heads, drops);
        return Tensor::from_dispatch(context);
    }
    cross_twin(queries, memory, heads, dropout)
}

fn self_twin(packed: Tensor<3>, heads: usize, causal: bool, dropout: f64) -> Tensor<3> {
    let [query, keys, values] = split_heads(packed, heads);
    attend(query, keys, values, causal, dropout)
}

fn cross_twin(queries: Tensor<3>, memory: Tensor<3>, heads: usize, dropout: f64) -> Tensor<3> {
    let [queries] = split_heads(queries, heads);
    let [keys, values] = split_heads(memory, heads);
    attend(queries, keys, values, false, dropout)
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
    causal: bool,
    dropout: f64,
) -> Tensor<3> {
    let [batch, heads, time, features] = query.dims();
    let scale = 1.0 / (features as f64).sqrt();

    let device = query.device();
    let scores = query.matmul(keys.swap_dims(2, 3)); // [batch, heads, time, source]
    let scores = match causal {
        true => scores + causal_mask(time, &device).unsqueeze(),
        false => scores,
    };
    let weights = dropout_twin(activation::softmax(scores * scale, 3), dropout);
    let context = weights.matmul(values);

    context
        .swap_dims(1, 2)
        .reshape([batch, time, heads * features])
}

/// The mask, added to the scores, that hides from each token those that come after it.
///
/// # Shapes
///
/// - output: `[time, time]`
fn causal_mask(time: usize, device: &Device) -> Tensor<2> {
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    /// Heads narrower and wider than a vector, sequences that fill no block, and some that do.
    #[test]
    fn one_operator_is_burns_with_its_gradients() {
        let device = Device::default().autodiff();
        for (batch, heads, width, time, source) in
            [(1, 1, 3, 1, 2), (2, 4, 64, 36, 36), (3, 2, 70, 7, 50)]
        {
            let packed = random([batch, time, 3 * width], &device);
            let cotangent = random([batch, time, width], &device);
            for causal in [false, true] {
                let composed = self_twin(packed.clone(), heads, causal, 0.0);
                let fused = self_attention(packed.clone(), heads, causal, 0.0);
                assert_same(fused, composed, &cotangent, &[&packed]);
            }

            let query = random([batch, time, width], &device);
            let memory = random([batch, source, 2 * width], &device);
            let composed = cross_twin(query.clone(), memory.clone(), heads, 0.0);
            let fused = cross_attention(query.clone(), memory.clone(), heads, 0.0);
            assert_same(fused, composed, &cotangent, &[&query, &memory]);
        }
    }

    #[test]
    fn dropped_weights_are_those_of_their_positions() {
        use burn::backend::Dispatch;
        use operator::Attention;

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

    fn random(shape: [usize; 3], device: &Device) -> Tensor<3> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.5), device).require_grad()
    }

    fn assert_same(
        actual: Tensor<3>,
        expected: Tensor<3>,
        cotangent: &Tensor<3>,
        inputs: &[&Tensor<3>],
    ) {
        let [actual, expected] = [actual, expected].map(|output| {
            let gradients = (output.clone() * cotangent.clone()).sum().backward();
            let mut all = vec![output];
            let tracked = |input: &&Tensor<3>| input.grad(&gradients).expect("it is tracked");
            all.extend(inputs.iter().map(tracked));
            all
        });
        for (actual, expected) in actual.into_iter().zip(expected) {
            actual
                .into_data()
                .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(2e-5));
        }
    }
}
