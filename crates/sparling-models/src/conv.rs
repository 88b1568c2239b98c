//! The convolutions of the motif model, which are most of its cost.
//!
//! On Flex, Burn's CPU backend, they have kernels of their own: normalisation, ReLU and
//! convolution in one operator, several times faster than one after the other. Every other backend
//! composes Burn's operators, which are also what the kernels are tested against.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;
#[cfg(feature = "flex")]
mod norm;

use burn::nn::conv::Conv2d;
use burn::tensor::{Tensor, activation};
use sparling_layer::BatchNorm;

#[cfg(feature = "flex")]
use crate::flex::on_flex;

/// A convolution that keeps the spatial size.
///
/// # Shapes
///
/// - `input`: `[batch, inputs, height, width]`
/// - output: `[batch, outputs, height, width]`
pub(crate) fn conv(layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(bias) = layer.bias.as_ref().filter(|_| on_flex(&input)) {
        return fused::conv(input, layer.weight.val(), bias.val());
    }
    layer.forward(input)
}

/// Batch norm, ReLU and a convolution that keeps the spatial size.
///
/// # Shapes
///
/// - `input`: `[batch, inputs, height, width]`
/// - output: `[batch, outputs, height, width]`
pub(crate) fn norm_relu_conv(norm: &BatchNorm, layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(bias) = layer.bias.as_ref().filter(|_| on_flex(&input)) {
        return fused::norm_relu_conv(norm, input, layer.weight.val(), bias.val());
    }
    layer.forward(activation::relu(norm.forward(input)))
}

#[cfg(feature = "flex")]
mod fused {
    use burn::backend::Dispatch;
    use burn::tensor::Tensor;
    use sparling_layer::BatchNorm;

    use super::extension::SameConv;

    pub(super) fn conv(input: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        Tensor::from_dispatch(Dispatch::same_conv(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
        ))
    }

    pub(super) fn norm_relu_conv(
        norm: &BatchNorm,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> Tensor<4> {
        let device = input.device();
        let dims = input.dims();
        let (gamma, beta) = (norm.gamma(&device), norm.beta(&device));
        if norm.is_training(&device) {
            let (output, mean, variance) = Dispatch::norm_relu_conv(
                input.into_dispatch(),
                gamma.into_dispatch(),
                beta.into_dispatch(),
                weight.into_dispatch(),
                bias.into_dispatch(),
                norm.epsilon(),
            );
            let count = dims[0] * dims[2] * dims[3];
            norm.observe(
                Tensor::from_dispatch(mean),
                Tensor::from_dispatch(variance),
                count,
            );
            return Tensor::from_dispatch(output);
        }
        let scale = gamma
            * norm
                .running_var
                .value_sync()
                .add_scalar(norm.epsilon())
                .sqrt()
                .recip();
        let shift = beta - scale.clone() * norm.running_mean.value_sync();
        if device.is_autodiff() {
            // A frozen layer inside a model that trains: rare, and composed.
            let per_channel = [1, dims[1], 1, 1];
            let scaled = input * scale.reshape(per_channel) + shift.reshape(per_channel);
            return conv(burn::tensor::activation::relu(scaled), weight, bias);
        }
        Tensor::from_dispatch(Dispatch::affine_relu_conv(
            input.into_dispatch(),
            scale.into_dispatch(),
            shift.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
        ))
    }
}
