//! Layer norm.
//!
//! On Flex it is one operator forward and one backward.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod operator;

use burn::tensor::Tensor;
use burn::tensor::module::layer_norm as twin;

/// Each row along the last axis normalised by its mean and variance, then scaled and moved.
///
/// # Shapes
///
/// - input: `[batch, time, width]`
/// - gamma, beta: `[width]`
/// - output: `[batch, time, width]`
pub fn layer_norm(
    input: Tensor<3>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if let Some(beta) = beta.as_ref().filter(|_| crate::flex::takes(&input)) {
        use burn::backend::Dispatch;
        use operator::FusedNorm;
        return Tensor::from_dispatch(Dispatch::fused_norm(
            input.into_dispatch(),
            gamma.into_dispatch(),
            beta.clone().into_dispatch(),
            epsilon,
        ));
    }
    twin(input, gamma, beta, epsilon)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    fn assert_close<const D: usize>(actual: Tensor<D>, expected: Tensor<D>) {
        actual
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(2e-5));
    }

    /// Rows shorter and longer than a vector, few and more than a task takes, and an epsilon that tells.
    #[test]
    fn layer_norm_is_burns_with_its_gradients() {
        let device = Device::default().autodiff();
        for (shape, epsilon) in [
            ([1, 2, 6], 1e-5),
            ([10, 36, 64], 1e-5),
            ([3, 500, 70], 1e-5),
            ([2, 3, 64], 0.5),
        ] {
            let normal = |mean| Distribution::Normal(mean, 1.0);
            let [gamma, beta] = [1.0, 0.0]
                .map(|mean| Tensor::<1>::random([shape[2]], normal(mean), &device).require_grad());
            let input = Tensor::<3>::random(shape, normal(2.0), &device).require_grad();
            let cotangent = input.random_like(normal(0.0)).detach();
            let [actual, expected] = [layer_norm, twin].map(|norm| {
                let output = norm(input.clone(), gamma.clone(), Some(beta.clone()), epsilon);
                let gradients = (output.clone() * cotangent.clone()).mean().backward();
                let gamma = gamma.grad(&gradients).unwrap();
                let beta = beta.grad(&gradients).unwrap();
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
