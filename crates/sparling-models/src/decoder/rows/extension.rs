//! The operators on Burn's Flex backend, and their gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu;
use crate::flex::{FlexFloat, Values, tensor, vector};

/// Operators along the last axis.
#[backend_extension(Flex, Autodiff)]
pub(super) trait RowWise: Backend {
    /// The softmax of `scale * scores`.
    fn row_softmax(scores: FloatTensor<Self>, scale: f64) -> FloatTensor<Self>;

    /// Layer norm: `gamma` and `beta` are `[width]`.
    fn row_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl RowWise for Flex {
    fn row_softmax(scores: FlexFloat, scale: f64) -> FlexFloat {
        let shape = scores.shape();
        let scores = Values::new(scores);
        let weights = cpu::softmax(scores.get(), shape[shape.num_dims() - 1], scale as f32);
        tensor(weights, shape)
    }

    fn row_norm(input: FlexFloat, gamma: FlexFloat, beta: FlexFloat, epsilon: f64) -> FlexFloat {
        let shape = input.shape();
        let [input, gamma, beta] = [input, gamma, beta].map(Values::new);
        let output = cpu::layer_norm(input.get(), gamma.get(), beta.get(), epsilon as f32);
        tensor(output, shape)
    }
}

impl<C: CheckpointStrategy> RowWise for Autodiff<Flex, C> {
    fn row_softmax(scores: FloatTensor<Self>, scale: f64) -> FloatTensor<Self> {
        let prepared = SoftmaxBackward
            .prepare::<C>([scores.node()])
            .compute_bound()
            .stateful();
        let output = Flex::row_softmax(scores.into_primitive(), scale);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((output.clone(), scale), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn row_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let prepared = NormBackward
            .prepare::<C>([input.node(), gamma.node(), beta.node()])
            .compute_bound()
            .stateful();
        let state = (
            input.primitive().clone(),
            gamma.primitive().clone(),
            epsilon,
        );
        let output = Flex::row_norm(
            input.into_primitive(),
            gamma.into_primitive(),
            beta.into_primitive(),
            epsilon,
        );
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct SoftmaxBackward;

impl Backward<Flex, 1> for SoftmaxBackward {
    /// The weights and the scale.
    type State = (FlexFloat, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (weights, scale) = ops.state;
        let shape = weights.shape();
        let width = shape[shape.num_dims() - 1];
        let [weights, grad] = [weights, gradients.consume::<Flex>(&ops.node)].map(Values::new);
        let [node] = ops.parents;
        if let Some(node) = node {
            let gradient = cpu::softmax_backward(weights.get(), width, scale as f32, grad.get());
            gradients.register::<Flex>(node.id, tensor(gradient, shape));
        }
    }
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    /// The input, gamma and epsilon.
    type State = (FlexFloat, FlexFloat, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (input, gamma, epsilon) = ops.state;
        let shape = input.shape();
        let grad = gradients.consume::<Flex>(&ops.node);
        let [input, gamma, grad] = [input, gamma, grad].map(Values::new);
        let gradient =
            cpu::layer_norm_backward(input.get(), gamma.get(), epsilon as f32, grad.get());
        let [input_node, gamma_node, beta_node] = ops.parents;
        if let Some(node) = input_node {
            gradients.register::<Flex>(node.id, tensor(gradient.input, shape));
        }
        if let Some(node) = gamma_node {
            gradients.register::<Flex>(node.id, vector(gradient.gamma));
        }
        if let Some(node) = beta_node {
            gradients.register::<Flex>(node.id, vector(gradient.beta));
        }
    }
}
