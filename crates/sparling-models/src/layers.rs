//! Burn's layers, run by `sparling-kernels`.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{Dropout, LayerNorm, Linear};
use burn::tensor::Tensor;
use sparling_kernels::conv::Filters;
use sparling_kernels::{conv, dropout, layer_norm, linear};

/// What layer norm adds to a variance, as in PyTorch.
pub(crate) const EPSILON: f64 = 1e-5;

/// # Shapes
///
/// - input: `[batch, time, inputs]`
/// - output: `[batch, time, outputs]`
pub(crate) fn linear(layer: &Linear, input: Tensor<3>) -> Tensor<3> {
    linear::linear(
        input,
        layer.weight.val(),
        layer.bias.as_ref().map(Param::val),
    )
}

/// [`linear`], rectified.
pub(crate) fn linear_relu(layer: &Linear, input: Tensor<3>) -> Tensor<3> {
    linear::linear_relu(
        input,
        layer.weight.val(),
        layer.bias.as_ref().map(Param::val),
    )
}

/// A layer whose epsilon is [`EPSILON`].
pub(crate) fn layer_norm(layer: &LayerNorm, input: Tensor<3>) -> Tensor<3> {
    let beta = layer.beta.as_ref().map(Param::val);
    layer_norm::layer_norm(input, layer.gamma.val(), beta, EPSILON)
}

/// In training, drops values.
pub(crate) fn dropout(layer: &Dropout, input: Tensor<3>) -> Tensor<3> {
    dropout::dropout(input, dropped_share(layer))
}

/// The share that the layer drops on an autodiff device.
pub(crate) fn dropped_share(layer: &Dropout) -> f64 {
    if layer.training.is_enabled() {
        layer.prob
    } else {
        0.0
    }
}

/// A convolution that keeps the spatial size.
///
/// # Shapes
///
/// - input: `[batch, inputs, height, width]`
/// - output: `[batch, outputs, height, width]`
pub(crate) fn conv(layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    conv::conv(input, filters(layer))
}

pub(crate) fn filters(layer: &Conv2d) -> Filters {
    Filters {
        weight: layer.weight.val(),
        bias: layer.bias.as_ref().map(Param::val),
    }
}
