//! The operator on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu;
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
        let prepared = LinearBackward
            .prepare::<C>([input.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        let kept = [input.primitive().clone(), weight.primitive().clone()];
        let output = Flex::fused_linear(
            input.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
            relu,
        );
        match prepared {
            OpsKind::Tracked(prepared) => {
                let rectified = relu.then(|| output.clone());
                prepared.finish((kept, rectified), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct LinearBackward;

impl Backward<Flex, 3> for LinearBackward {
    /// The input and the weight, and the output if it was rectified.
    type State = ([FlexFloat; 2], Option<FlexFloat>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let ([input, weight], rectified) = ops.state;
        let (input_shape, weight_shape) = (input.shape(), weight.shape());
        let grad = gradients.consume::<Flex>(&ops.node);
        let [input, weight, grad] = [input, weight, grad].map(Values::new);
        let rectified = rectified.map(Values::new);
        let gradient = cpu::backward(
            input.get(),
            weight.get(),
            weight_shape[1],
            rectified.as_ref().map(Values::get),
            grad.get(),
        );
        let [input_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = input_node {
            gradients.register::<Flex>(node.id, tensor(gradient.input, input_shape));
        }
        if let Some(node) = weight_node {
            gradients.register::<Flex>(node.id, tensor(gradient.weight, weight_shape));
        }
        if let Some(node) = bias_node {
            gradients.register::<Flex>(node.id, vector(gradient.bias));
        }
    }
}
