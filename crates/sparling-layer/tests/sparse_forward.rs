//! The bottleneck's own passes against its two layers one after the other.

#![cfg(feature = "flex")]

use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor};
use sparling_layer::{BatchNorm, SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig};

/// Largest difference allowed, relative to the largest magnitude compared.
const TOLERANCE: f32 = 2e-5;

fn assert_close<const D: usize>(actual: Tensor<D>, expected: Tensor<D>, what: &str) {
    let magnitude = expected.clone().abs().max().into_scalar::<f32>();
    let difference = (actual - expected).abs().max().into_scalar::<f32>();
    assert!(
        difference <= TOLERANCE * magnitude.max(1e-6),
        "{what}: {difference} of {magnitude}"
    );
}

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.3, 2.0), device)
}

fn sparsity(channels: usize) -> SpatialSparsityConfig {
    SpatialSparsityConfig::new(channels, 0.1).with_momentum(0.5)
}

fn layer(
    sparsity: SpatialSparsityConfig,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
    affine: bool,
) -> SparseBottleneck {
    let mut layer = SparseBottleneckConfig::new(sparsity)
        .with_affine(affine)
        .init(&gamma.device());
    if affine {
        let norm = layer.norm.as_mut().expect("there is one by default");
        norm.gamma = Some(Param::from_tensor(gamma.clone()));
        norm.beta = Some(Param::from_tensor(beta.clone()));
    }
    layer
}

fn norm(layer: &SparseBottleneck) -> &BatchNorm {
    layer.norm.as_ref().expect("there is one by default")
}

fn assert_agrees<const D: usize>(shape: [usize; D], gamma: Tensor<1>, affine: bool) {
    assert_agrees_with(sparsity(shape[1]), shape, gamma, affine);
}

fn assert_agrees_with<const D: usize>(
    sparsity: SpatialSparsityConfig,
    shape: [usize; D],
    gamma: Tensor<1>,
    affine: bool,
) {
    let device = Device::flex().autodiff();
    let beta = normal([shape[1]], &device);
    let [fused, twin] = [(); 2].map(|()| layer(sparsity.clone(), &gamma, &beta, affine));
    for step in 0..4 {
        let what = |name: &str| format!("{name}, step {step}, {shape:?}, affine {affine}");
        let input = normal(shape, &device);
        let cotangent = normal(shape, &device);
        let run = |layer: &SparseBottleneck, in_one: bool| {
            let norm = norm(layer);
            let input = input.clone().detach().require_grad();
            let output = if in_one {
                layer.forward(input.clone())
            } else {
                layer.sparsity.forward(norm.forward(input.clone()))
            };
            let gradients = (output.clone() * cotangent.clone()).sum().backward();
            let channel = |parameter: &Option<Param<Tensor<1>>>| {
                parameter.as_ref().map(|parameter| {
                    let gradient = parameter.val().grad(&gradients);
                    gradient.expect("the parameter was used")
                })
            };
            let parameters = [channel(&norm.gamma), channel(&norm.beta)];
            let input = input.grad(&gradients).expect("the input was used");
            (output.inner(), input, parameters)
        };
        let (output, input, parameters) = run(&fused, true);
        let (expected_output, expected_input, expected_parameters) = run(&twin, false);
        assert_close(output, expected_output, &what("output"));
        assert_close(input, expected_input, &what("input's gradient"));
        for (actual, expected) in parameters.into_iter().zip(expected_parameters) {
            assert_eq!(actual.is_some(), affine);
            if let (Some(actual), Some(expected)) = (actual, expected) {
                assert_close(actual, expected, &what("parameters' gradients"));
            }
        }
        let state = |layer: &SparseBottleneck| {
            [
                layer.sparsity.thresholds.value_sync(),
                norm(layer).running_mean.value_sync(),
                norm(layer).running_var.value_sync(),
            ]
        };
        for (actual, expected) in state(&fused).into_iter().zip(state(&twin)) {
            assert_close(actual, expected, &what("state"));
        }
    }
}

#[test]
fn agrees_with_its_two_layers() {
    let device = Device::flex().autodiff();
    let positive = Tensor::<1>::from_floats([0.5, 2.0, 1.0], &device);
    for affine in [true, false] {
        assert_agrees([200, 3], positive.clone(), affine);
        assert_agrees([4, 3, 130], positive.clone(), affine);
        assert_agrees([4, 3, 9, 13], positive.clone(), affine);
        assert_agrees([2, 3, 5, 6, 7], positive.clone(), affine);
    }
}

#[test]
fn negative_and_zero_scales_agree_too() {
    let device = Device::flex().autodiff();
    for scales in [[-0.5, 2.0, 1.0], [0.0, 2.0, 1.0]] {
        assert_agrees([4, 3, 9, 13], Tensor::from_floats(scales, &device), true);
    }
}
