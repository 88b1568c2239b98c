//! Linear layers, optionally followed by ReLU.
//!
//! On Flex, layers whose weights fit into a core's cache run on all threads, where Burn's product of
//! matrices this small takes one.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod operator;

use burn::tensor::module::linear as twin;
use burn::tensor::{Tensor, activation};

/// A linear layer.
///
/// # Shapes
///
/// - input: `[batch, time, inputs]`
/// - weight: `[inputs, outputs]`
/// - bias: `[outputs]`
/// - output: `[batch, time, outputs]`
pub fn linear(input: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(bias) = bias.as_ref().filter(|_| fused::takes(&input, &weight)) {
        return fused::linear(input, weight, bias.clone(), false);
    }
    twin(input, weight, bias)
}

/// [`linear`], rectified.
pub fn linear_relu(input: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(bias) = bias.as_ref().filter(|_| fused::takes(&input, &weight)) {
        return fused::linear(input, weight, bias.clone(), true);
    }
    activation::relu(twin(input, weight, bias))
}

#[cfg(feature = "flex")]
mod fused {
    use burn::backend::Dispatch;
    use burn::tensor::Tensor;

    use super::operator::FusedLinear;
    use crate::flex;

    /// The most weights that the kernel takes: beyond, a product blocked for caches is faster.
    const MOST_WEIGHTS: usize = 1 << 17;

    pub(super) fn takes(input: &Tensor<3>, weight: &Tensor<2>) -> bool {
        flex::takes(input) && weight.shape().num_elements() <= MOST_WEIGHTS
    }

    pub(super) fn linear(
        input: Tensor<3>,
        weight: Tensor<2>,
        bias: Tensor<1>,
        relu: bool,
    ) -> Tensor<3> {
        Tensor::from_dispatch(Dispatch::fused_linear(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            relu,
        ))
    }
}

#[cfg(test)]
mod tests {
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
            let normal = Distribution::Normal(0.0, 1.0);
            let weight = Tensor::random([inputs, outputs], normal, &device) / inputs as f32;
            let weight: Tensor<2> = weight.detach().require_grad();
            let bias = Tensor::<1>::random([outputs], normal, &device).require_grad();
            let input = Tensor::<3>::random([batch, time, inputs], normal, &device);
            let input = input.require_grad();
            let cotangent = Tensor::random([batch, time, outputs], normal, &device);
            let results = |output: Tensor<3>| {
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                [
                    values(output),
                    values(input.grad(&gradients).unwrap()),
                    values(weight.grad(&gradients).unwrap()),
                    values(bias.grad(&gradients).unwrap()),
                ]
            };
            let both = |of: fn(Tensor<3>, Tensor<2>, Option<Tensor<1>>) -> Tensor<3>| {
                results(of(input.clone(), weight.clone(), Some(bias.clone())))
            };
            assert_close(&both(linear), &both(twin));
            let rectified = |input, weight, bias| activation::relu(twin(input, weight, bias));
            assert_close(&both(linear_relu), &both(rectified));
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
