//! Linear layers, optionally followed by ReLU.
//!
//! On Flex, Burn's CPU backend, layers whose weights fit into a core's cache have kernels of their
//! own, on all threads where Burn's product of matrices this small takes one. Everything else takes
//! Burn's, the twin that they are tested against.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;

use burn::nn::Linear;
use burn::tensor::{Tensor, activation};

#[cfg(feature = "flex")]
use crate::flex::on_flex;

/// The most weights that a kernel takes: beyond, a product blocked for caches is faster.
#[cfg(feature = "flex")]
const MOST_WEIGHTS: usize = 1 << 17;

/// # Shapes
///
/// - input: `[batch, time, inputs]`
/// - output: `[batch, time, outputs]`
pub(crate) fn linear(layer: &Linear, input: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(bias) = &layer.bias {
        return by_weight(input, layer.weight.val(), bias.val());
    }
    layer.forward(input)
}

/// [`linear`], rectified.
pub(crate) fn linear_relu(layer: &Linear, input: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(bias) = layer.bias.as_ref().filter(|_| on_flex(&input)) {
        let weight = layer.weight.val();
        if fits(&weight) {
            return fused(input, weight, bias.val(), true);
        }
    }
    activation::relu(layer.forward(input))
}

/// [`linear`] with weights `[inputs, outputs]` and a bias that are not a layer's.
#[cfg(feature = "flex")]
pub(crate) fn by_weight(input: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    if on_flex(&input) && fits(&weight) {
        return fused(input, weight, bias, false);
    }
    burn::tensor::module::linear(input, weight, Some(bias))
}

#[cfg(feature = "flex")]
fn fits(weight: &Tensor<2>) -> bool {
    weight.shape().num_elements() <= MOST_WEIGHTS
}

#[cfg(feature = "flex")]
fn fused(input: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>, relu: bool) -> Tensor<3> {
    use burn::backend::Dispatch;
    use extension::FusedLinear;
    Tensor::from_dispatch(Dispatch::fused_linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        relu,
    ))
}

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;
    use burn::tensor::{Device, Distribution};

    use super::*;

    /// Rows and features that fill no block of the kernel, and some that do.
    #[test]
    fn is_burns_with_its_gradients() {
        let device = Device::default().autodiff();
        for [batch, time, inputs, outputs] in [
            [1, 1, 3, 5],
            [2, 7, 11, 33],
            [10, 36, 64, 96],
            [3, 50, 70, 12],
        ] {
            let layer = LinearConfig::new(inputs, outputs).init(&device);
            let normal = Distribution::Normal(0.0, 1.0);
            let input = Tensor::<3>::random([batch, time, inputs], normal, &device);
            let input = input.require_grad();
            let cotangent = Tensor::random([batch, time, outputs], normal, &device);
            let results = |output: Tensor<3>| {
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                let bias = layer.bias.as_ref().unwrap().val();
                [
                    values(output),
                    values(input.grad(&gradients).unwrap()),
                    values(layer.weight.val().grad(&gradients).unwrap()),
                    values(bias.grad(&gradients).unwrap()),
                ]
            };
            let plain = layer.forward(input.clone());
            let rectified = activation::relu(layer.forward(input.clone()));
            assert_close(&results(linear(&layer, input.clone())), &results(plain));
            let fused = linear_relu(&layer, input.clone());
            assert_close(&results(fused), &results(rectified));
        }
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    fn assert_close(actual: &[Vec<f32>], expected: &[Vec<f32>]) {
        for (actual, expected) in actual.iter().zip(expected) {
            assert_eq!(actual.len(), expected.len());
            let largest = expected.iter().fold(1.0_f32, |a, b| a.max(b.abs()));
            for (actual, expected) in actual.iter().zip(expected) {
                assert!((actual - expected).abs() <= 1e-5 * largest);
            }
        }
    }
}
