//! The operators on Burn's Flex backend, and their gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Flex, backend_extension};

use super::cpu;
use super::gradients::{ParameterGradients, all_gradients, input_gradient, parameter_gradients};
use super::norm::Norm;
use super::shape::{Activation, ConvShape};
use crate::autodiff::track;
use crate::flex::{FlexFloat, Values, tensor, vector};
use crate::vector::reduce::statistics;

/// Convolutions that keep the spatial size, of inputs `[batch, inputs, height, width]` by weights
/// `[outputs, inputs, rows, columns]` with odd rows and columns.
#[backend_extension(Flex, Autodiff)]
pub(super) trait SameConv: Backend {
    /// The convolution.
    fn same_conv(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// The convolution of `relu(scale * input + shift)`, per channel; without gradients.
    fn affine_relu_conv(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// The convolution of the input normalised by its own statistics and rectified. Returns them,
    /// mean and biased variance, too.
    fn norm_relu_conv(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl SameConv for Flex {
    fn same_conv(input: FlexFloat, weight: FlexFloat, bias: FlexFloat) -> FlexFloat {
        let shape = shape_of(&input, &weight);
        let [input, weight, bias] = [input, weight, bias].map(Values::new);
        let output = cpu::forward(&shape, input.get(), None, weight.get(), Some(bias.get()));
        output_tensor(&shape, output)
    }

    fn affine_relu_conv(
        input: FlexFloat,
        scale: FlexFloat,
        shift: FlexFloat,
        weight: FlexFloat,
        bias: FlexFloat,
    ) -> FlexFloat {
        let shape = shape_of(&input, &weight);
        let [input, scale, shift, weight, bias] =
            [input, scale, shift, weight, bias].map(Values::new);
        let activation = Activation {
            scale: scale.get(),
            shift: shift.get(),
        };
        let output = cpu::forward(
            &shape,
            input.get(),
            Some(activation),
            weight.get(),
            Some(bias.get()),
        );
        output_tensor(&shape, output)
    }

    fn norm_relu_conv(
        input: FlexFloat,
        gamma: FlexFloat,
        beta: FlexFloat,
        weight: FlexFloat,
        bias: FlexFloat,
        epsilon: f64,
    ) -> (FlexFloat, FlexFloat, FlexFloat) {
        let shape = shape_of(&input, &weight);
        let [input, gamma, beta, weight, bias] =
            [input, gamma, beta, weight, bias].map(Values::new);
        let pixels = shape.height * shape.width;
        let (mean, variance) = statistics(input.get(), shape.inputs, pixels);
        let norm = Norm {
            input: input.get(),
            mean: &mean,
            inverse: &inverse(&variance, epsilon),
            gamma: gamma.get(),
            beta: beta.get(),
            pixels,
        };
        let (scale, shift) = norm.affine();
        let activation = Activation {
            scale: &scale,
            shift: &shift,
        };
        let output = cpu::forward(
            &shape,
            input.get(),
            Some(activation),
            weight.get(),
            Some(bias.get()),
        );
        (
            output_tensor(&shape, output),
            vector(mean),
            vector(variance),
        )
    }
}

impl<C: CheckpointStrategy> SameConv for Autodiff<Flex, C> {
    fn same_conv(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let [input, weight, bias] = [input, weight, bias].map(|tensor| tensor.into_primitive());
        let output = Flex::same_conv(input.clone(), weight.clone(), bias);
        track::<C, Flex, _, _>(nodes, output, |_| [input, weight], conv_gradients)
    }

    fn affine_relu_conv(
        _input: FloatTensor<Self>,
        _scale: FloatTensor<Self>,
        _shift: FloatTensor<Self>,
        _weight: FloatTensor<Self>,
        _bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        unreachable!("evaluation runs without autodiff")
    }

    fn norm_relu_conv(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let inputs = [input, gamma, beta, weight, bias];
        let nodes = inputs.each_ref().map(|tensor| tensor.node());
        let [input, gamma, beta, weight, bias] = inputs.map(|tensor| tensor.into_primitive());
        let kept = [&input, &gamma, &beta, &weight].map(FlexFloat::clone);
        let (output, mean, variance) =
            Flex::norm_relu_conv(input, gamma, beta, weight, bias, epsilon);
        let [input, gamma, beta, weight] = kept;
        let keep = |_: &_| NormConv {
            input,
            gamma,
            beta,
            weight,
            mean: mean.clone(),
            variance: variance.clone(),
            epsilon,
        };
        let output = track::<C, Flex, _, _>(nodes, output, keep, norm_conv_gradients);
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}

/// Of input, weight and bias.
fn conv_gradients(
    [input, weight]: [FlexFloat; 2],
    grad: FlexFloat,
    [input_wanted, weight_wanted, bias_wanted]: [bool; 3],
) -> [Option<FlexFloat>; 3] {
    let shape = shape_of(&input, &weight);
    let [input, weight, grad] = [input, weight, grad].map(Values::new);
    let input_grad = input_wanted
        .then(|| input_tensor(&shape, input_gradient(&shape, weight.get(), grad.get())));
    if !(weight_wanted || bias_wanted) {
        return [input_grad, None, None];
    }
    let gradient = parameter_gradients(&shape, input.get(), None, grad.get());
    let [weight, bias] = parameter_tensors(&shape, gradient);
    [input_grad, Some(weight), Some(bias)]
}

#[derive(Clone, Debug)]
struct NormConv {
    input: FlexFloat,
    gamma: FlexFloat,
    beta: FlexFloat,
    weight: FlexFloat,
    mean: FlexFloat,
    variance: FlexFloat,
    epsilon: f64,
}

/// Of input, gamma, beta, weight and bias.
fn norm_conv_gradients(kept: NormConv, grad: FlexFloat, _: [bool; 5]) -> [Option<FlexFloat>; 5] {
    let shape = shape_of(&kept.input, &kept.weight);
    let [input, gamma, beta] = [kept.input, kept.gamma, kept.beta].map(Values::new);
    let [weight, mean, variance, grad] =
        [kept.weight, kept.mean, kept.variance, grad].map(Values::new);
    let norm = Norm {
        input: input.get(),
        mean: mean.get(),
        inverse: &inverse(variance.get(), kept.epsilon),
        gamma: gamma.get(),
        beta: beta.get(),
        pixels: shape.height * shape.width,
    };
    let (scale, shift) = norm.affine();
    let activation = Activation {
        scale: &scale,
        shift: &shift,
    };
    let all = all_gradients(
        &shape,
        norm.input,
        Some(activation),
        weight.get(),
        grad.get(),
        |input, grad| norm.mask(activation, input, grad),
    );
    let [weight, bias] = parameter_tensors(&shape, all.parameters);
    let gradient = norm.backward(activation, all.input, &all.found);
    [
        input_tensor(&shape, gradient.input),
        vector(gradient.gamma),
        vector(gradient.beta),
        weight,
        bias,
    ]
    .map(Some)
}

fn parameter_tensors(shape: &ConvShape, gradient: ParameterGradients) -> [FlexFloat; 2] {
    let [rows, columns] = shape.kernel;
    let kernel = [shape.outputs, shape.inputs, rows, columns];
    [tensor(gradient.weight, kernel), vector(gradient.bias)]
}

fn shape_of(input: &FlexFloat, weight: &FlexFloat) -> ConvShape {
    let [batch, inputs, height, width] = input.layout().shape().dims();
    let [outputs, weight_inputs, rows, columns] = weight.layout().shape().dims();
    assert_eq!(
        inputs, weight_inputs,
        "the weight is for {weight_inputs} inputs, not {inputs}"
    );
    assert!(
        rows % 2 == 1 && columns % 2 == 1,
        "the kernel must be odd, got {rows}x{columns}"
    );
    ConvShape {
        batch,
        inputs,
        outputs,
        height,
        width,
        kernel: [rows, columns],
    }
}

fn inverse(variance: &[f32], epsilon: f64) -> Vec<f32> {
    variance
        .iter()
        .map(|variance| 1.0 / (variance + epsilon as f32).sqrt())
        .collect()
}

fn output_tensor(shape: &ConvShape, values: Vec<f32>) -> FlexFloat {
    tensor(
        values,
        [shape.batch, shape.outputs, shape.height, shape.width],
    )
}

fn input_tensor(shape: &ConvShape, values: Vec<f32>) -> FlexFloat {
    tensor(
        values,
        [shape.batch, shape.inputs, shape.height, shape.width],
    )
}
