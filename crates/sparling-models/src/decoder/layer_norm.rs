//! Layer norm.
//!
//! On Flex, Burn's CPU backend, it is one operator forward and one backward. Every other backend takes
//! Burn's, the twin that it is tested against.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;

use burn::nn::LayerNorm;
use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use crate::flex::on_flex;

/// What layer norm adds to a variance, as in PyTorch.
pub(super) const EPSILON: f64 = 1e-5;

/// The forward pass of a layer whose epsilon is [`EPSILON`].
pub(super) fn layer_norm(layer: &LayerNorm, input: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(beta) = layer.beta.as_ref().filter(|_| on_flex(&input)) {
        use burn::backend::Dispatch;
        use extension::FusedNorm;
        return Tensor::from_dispatch(Dispatch::fused_norm(
            input.into_dispatch(),
            layer.gamma.val().into_dispatch(),
            beta.val().into_dispatch(),
            EPSILON,
        ));
    }
    layer.forward(input)
}

#[cfg(test)]
mod tests {
    use burn::nn::LayerNormConfig;
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    fn assert_close<const D: usize>(actual: Tensor<D>, expected: Tensor<D>) {
        actual
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(2e-5));
    }

    /// Rows shorter and longer than a vector, few and more than a task takes.
    #[test]
    fn layer_norm_is_burns_with_its_gradients() {
        let device = Device::default().autodiff();
        for shape in [[1, 2, 6], [10, 36, 64], [3, 500, 70]] {
            let normal = |mean| Distribution::Normal(mean, 1.0);
            let mut layer = LayerNormConfig::new(shape[2]).init(&device);
            layer.gamma = layer
                .gamma
                .map(|gamma| gamma.random_like(normal(1.0)).require_grad());
            layer.beta = layer
                .beta
                .map(|beta| beta.map(|beta| beta.random_like(normal(0.0)).require_grad()));
            let input = Tensor::<3>::random(shape, normal(2.0), &device).require_grad();
            let cotangent = input.random_like(normal(0.0)).detach();
            let [actual, expected] = [
                layer_norm(&layer, input.clone()),
                layer.forward(input.clone()),
            ]
            .map(|output| {
                let gradients = (output.clone() * cotangent.clone()).mean().backward();
                let gamma = layer.gamma.val().grad(&gradients).unwrap();
                let beta = layer.beta.as_ref().unwrap().val().grad(&gradients).unwrap();
                let input = input.grad(&gradients).unwrap();
                (output, input, gamma, beta)
            });
            assert_close(actual.0, expected.0);
            assert_close(actual.1, expected.1);
            assert_close(actual.2, expected.2);
            assert_close(actual.3, expected.3);
        }
    }
}
