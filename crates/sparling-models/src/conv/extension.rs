//! The operators on Burn's Flex backend, and their gradients.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Flex, backend_extension};
use sparling_layer::reduce;

use super::cpu::{self, Activation, ConvShape, ParameterGradients};
use super::norm::Norm;
use crate::flex::{FlexFloat, Values, tensor, vector};

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
        let (mean, variance) = reduce::statistics(input.get(), shape.inputs, pixels);
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
        let parents = [input.node(), weight.node(), bias.node()];
        match ConvBackward
            .prepare::<C>(parents)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prepared) => {
                let state = (input.primitive().clone(), weight.primitive().clone());
                let output = Flex::same_conv(
                    input.into_primitive(),
                    weight.into_primitive(),
                    bias.into_primitive(),
                );
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::same_conv(
                input.into_primitive(),
                weight.into_primitive(),
                bias.into_primitive(),
            )),
        }
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
        let parents = [
            input.node(),
            gamma.node(),
            beta.node(),
            weight.node(),
            bias.node(),
        ];
        let prepared = NormConvBackward
            .prepare::<C>(parents)
            .compute_bound()
            .stateful();
        let kept = [&input, &gamma, &beta, &weight].map(|tensor| tensor.primitive().clone());
        let (output, mean, variance) = Flex::norm_relu_conv(
            input.into_primitive(),
            gamma.into_primitive(),
            beta.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
            epsilon,
        );
        let output = match prepared {
            OpsKind::Tracked(prepared) => {
                let [input, gamma, beta, weight] = kept;
                let mean = mean.clone();
                let variance = variance.clone();
                let state = NormConvState {
                    input,
                    gamma,
                    beta,
                    weight,
                    mean,
                    variance,
                    epsilon,
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}

#[derive(Debug)]
struct ConvBackward;

impl Backward<Flex, 3> for ConvBackward {
    type State = (FlexFloat, FlexFloat);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (input, weight) = ops.state;
        let shape = shape_of(&input, &weight);
        let [input, weight, grad] =
            [input, weight, gradients.consume::<Flex>(&ops.node)].map(Values::new);
        let [input_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = input_node {
            let gradient = cpu::input_gradient(&shape, weight.get(), grad.get());
            gradients.register::<Flex>(node.id, input_tensor(&shape, gradient));
        }
        let parameters = [weight_node, bias_node].map(|node| node.map(|node| node.id));
        if parameters == [None, None] {
            return;
        }
        let gradient = cpu::parameter_gradients(&shape, input.get(), None, grad.get());
        register_parameters(&shape, gradients, parameters, gradient);
    }
}

#[derive(Debug)]
struct NormConvBackward;

#[derive(Clone, Debug)]
struct NormConvState {
    input: FlexFloat,
    gamma: FlexFloat,
    beta: FlexFloat,
    weight: FlexFloat,
    mean: FlexFloat,
    variance: FlexFloat,
    epsilon: f64,
}

impl Backward<Flex, 5> for NormConvBackward {
    type State = NormConvState;

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let NormConvState {
            input,
            gamma,
            beta,
            weight,
            mean,
            variance,
            epsilon,
        } = ops.state;
        let shape = shape_of(&input, &weight);
        let grad = gradients.consume::<Flex>(&ops.node);
        let [input, gamma, beta, weight, mean, variance, grad] =
            [input, gamma, beta, weight, mean, variance, grad].map(Values::new);
        let norm = Norm {
            input: input.get(),
            mean: mean.get(),
            inverse: &inverse(variance.get(), epsilon),
            gamma: gamma.get(),
            beta: beta.get(),
            pixels: shape.height * shape.width,
        };
        let (scale, shift) = norm.affine();
        let activation = Activation {
            scale: &scale,
            shift: &shift,
        };
        let all = cpu::all_gradients(
            &shape,
            norm.input,
            Some(activation),
            weight.get(),
            grad.get(),
            |input, grad| norm.mask(activation, input, grad),
        );
        let [input_node, gamma_node, beta_node, weight_node, bias_node] = ops.parents;
        let parameters = [weight_node, bias_node].map(|node| node.map(|node| node.id));
        register_parameters(&shape, gradients, parameters, all.parameters);
        let gradient = norm.backward(activation, all.input, &all.found);
        if let Some(node) = input_node {
            gradients.register::<Flex>(node.id, input_tensor(&shape, gradient.input));
        }
        if let Some(node) = gamma_node {
            gradients.register::<Flex>(node.id, vector(gradient.gamma));
        }
        if let Some(node) = beta_node {
            gradients.register::<Flex>(node.id, vector(gradient.beta));
        }
    }
}

fn register_parameters(
    shape: &ConvShape,
    gradients: &mut Gradients,
    [weight, bias]: [Option<NodeId>; 2],
    gradient: ParameterGradients,
) {
    if let Some(node) = weight {
        let kernel = [
            shape.outputs,
            shape.inputs,
            shape.kernel[0],
            shape.kernel[1],
        ];
        gradients.register::<Flex>(node, tensor(gradient.weight, kernel));
    }
    if let Some(node) = bias {
        gradients.register::<Flex>(node, vector(gradient.bias));
    }
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
