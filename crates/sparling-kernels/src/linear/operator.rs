//! The operator on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu;
use crate::autodiff::track;
use crate::flex::{FlexFloat, Values, tensor, vector};

/// A linear layer in one.
#[backend_extension(Flex, Autodiff)]
pub(super) trait FusedLinear: Backend {
    /// # Shapes
    ///
    /// - input: `[batch, time, inputs]`
    /// - weight: `[inputs, outputs]`
    /// - bias: `[outputs]`
    /// - output: `[batch, time, outputs]`
    fn fused_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
}

impl FusedLinear for Flex {
    fn fused_linear(input: FlexFloat, weight: FlexFloat, bias: FlexFloat, relu: bool) -> FlexFloat {
        let [batch, time, inputs] = input.shape().dims();
        let [weight_inputs, outputs] = weight.shape().dims();
        assert_eq!(
            inputs, weight_inputs,
            "the weight is for {weight_inputs} features, not {inputs}"
        );
        let [input, weight, bias] = [input, weight, bias].map(Values::new);
        let output = cpu::forward(input.get(), weight.get(), bias.get(), relu);
        tensor(output, [batch, time, outputs])
    }
}

impl<C: CheckpointStrategy> FusedLinear for Autodiff<Flex, C> {
    fn fused_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let [input, weight, bias] = [input, weight, bias].map(|tensor| tensor.into_primitive());
        let output = Flex::fused_linear(input.clone(), weight.clone(), bias, relu);
        let keep = |output: &FlexFloat| ([input, weight], relu.then(|| output.clone()));
        track::<C, Flex, _, _>(nodes, output, keep, gradients)
    }
}

/// Of input, weight and bias, from the first two, and the output if it was rectified.
fn gradients(
    ([input, weight], rectified): ([FlexFloat; 2], Option<FlexFloat>),
    grad: FlexFloat,
    _: [bool; 3],
) -> [Option<FlexFloat>; 3] {
    let (input_shape, weight_shape) = (input.shape(), weight.shape());
    let [input, weight, grad] = [input, weight, grad].map(Values::new);
    let rectified = rectified.map(Values::new);
    let gradient = cpu::backward(
        input.get(),
        weight.get(),
        weight_shape[1],
        rectified.as_ref().map(Values::get),
        grad.get(),
    );
    [
        tensor(gradient.input, input_shape),
        tensor(gradient.weight, weight_shape),
        vector(gradient.bias),
    ]
    .map(Some)
}
