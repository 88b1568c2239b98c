//! Convolutions that keep the spatial size, alone or after batch norm and ReLU.
//!
//! On Flex, normalisation, ReLU and convolution are one operator, several times faster than one after
//! the other.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod gradients;
#[cfg(feature = "flex")]
mod norm;
#[cfg(feature = "flex")]
mod operator;
#[cfg(feature = "flex")]
mod shape;
#[cfg(all(test, feature = "flex"))]
mod tests;
#[cfg(feature = "flex")]
mod winograd;

use burn::tensor::module::{BatchNormTrainOutput, batch_norm, batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, activation};

/// A convolution's parameters.
#[derive(Clone, Debug)]
pub struct Filters {
    /// `[outputs, inputs, rows, columns]`, rows and columns odd.
    pub weight: Tensor<4>,
    /// `[outputs]`
    pub bias: Option<Tensor<1>>,
}

/// A batch norm's parameters.
#[derive(Clone, Debug)]
pub struct Norm {
    /// The scale, `[channels]`.
    pub gamma: Tensor<1>,
    /// The offset, `[channels]`.
    pub beta: Tensor<1>,
    /// What is added to the variance.
    pub epsilon: f64,
}

/// A convolution.
///
/// # Shapes
///
/// - input: `[batch, inputs, height, width]`
/// - output: `[batch, outputs, height, width]`
pub fn conv(input: Tensor<4>, filters: Filters) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&input)
        && let Filters {
            weight,
            bias: Some(bias),
        } = filters
    {
        return fused::conv(input, weight, bias);
    }
    conv_twin(input, filters)
}

/// [`conv`] of `relu(norm(input))`, normalised by the input's own statistics, which are returned,
/// too: mean and biased variance of each channel, without gradients.
///
/// # Shapes
///
/// - input: `[batch, inputs, height, width]`
/// - outputs: `[batch, outputs, height, width]`, and `[inputs]` each
pub fn norm_relu_conv(
    input: Tensor<4>,
    norm: Norm,
    filters: Filters,
) -> (Tensor<4>, [Tensor<1>; 2]) {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&input)
        && let Some(bias) = filters.bias
    {
        return fused::norm_relu_conv(input, norm, filters.weight, bias);
    }
    norm_relu_conv_twin(input, norm, filters)
}

/// [`conv`] of `relu(norm(input))`, normalised by given statistics: mean and variance of each channel.
///
/// # Shapes
///
/// - input: `[batch, inputs, height, width]`
/// - statistics: `[inputs]` each
/// - output: `[batch, outputs, height, width]`
pub fn norm_relu_conv_by(
    input: Tensor<4>,
    norm: Norm,
    [mean, variance]: [Tensor<1>; 2],
    filters: Filters,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&input)
        && let Some(bias) = filters.bias
    {
        let scale = norm.gamma * variance.add_scalar(norm.epsilon).sqrt().recip();
        let shift = norm.beta - scale.clone() * mean;
        return fused::affine_relu_conv(input, scale, shift, filters.weight, bias);
    }
    let Norm {
        gamma,
        beta,
        epsilon,
    } = norm;
    let normalised = batch_norm(input, gamma, beta, mean, variance, epsilon);
    conv_twin(activation::relu(normalised), filters)
}

fn norm_relu_conv_twin(
    input: Tensor<4>,
    norm: Norm,
    filters: Filters,
) -> (Tensor<4>, [Tensor<1>; 2]) {
    let BatchNormTrainOutput {
        output,
        mean,
        variance,
    } = batch_norm_train(input, norm.gamma, norm.beta, norm.epsilon);
    let output = conv_twin(activation::relu(output), filters);
    (output, [mean, variance])
}

fn conv_twin(input: Tensor<4>, Filters { weight, bias }: Filters) -> Tensor<4> {
    let [_, _, rows, columns] = weight.dims();
    let padding = [rows / 2, columns / 2];
    conv2d(
        input,
        weight,
        bias,
        ConvOptions::new([1, 1], padding, [1, 1], 1),
    )
}

#[cfg(feature = "flex")]
mod fused {
    use burn::backend::Dispatch;
    use burn::tensor::{Tensor, activation};

    use super::Norm;
    use super::operator::SameConv;

    pub(super) fn conv(input: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        Tensor::from_dispatch(Dispatch::same_conv(
            input.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
        ))
    }

    pub(super) fn norm_relu_conv(
        input: Tensor<4>,
        norm: Norm,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> (Tensor<4>, [Tensor<1>; 2]) {
        let (output, mean, variance) = Dispatch::norm_relu_conv(
            input.into_dispatch(),
            norm.gamma.into_dispatch(),
            norm.beta.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            norm.epsilon,
        );
        let statistics = [mean, variance].map(Tensor::from_dispatch);
        (Tensor::from_dispatch(output), statistics)
    }

    pub(super) fn affine_relu_conv(
        input: Tensor<4>,
        scale: Tensor<1>,
        shift: Tensor<1>,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> Tensor<4> {
        if input.device().is_autodiff() {
            // A frozen layer inside a model that trains: rare, and composed.
            let per_channel = [1, input.dims()[1], 1, 1];
            let scaled = input * scale.reshape(per_channel) + shift.reshape(per_channel);
            return conv(activation::relu(scaled), weight, bias);
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
