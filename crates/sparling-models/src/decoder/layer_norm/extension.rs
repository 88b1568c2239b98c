//! The operator on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu;
use crate::flex::{FlexFloat, Values, tensor, vector};

/// Layer norm along the last axis in one.
#[backend_extension(Flex, Autodiff)]
pub(super) trait FusedNorm: Backend {
    /// `gamma` and `beta` are `[width]`.
    fn fused_norm(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl FusedNorm for Flex {
    fn fused_norm(input: FlexFloat, gamma: FlexFloat, beta: FlexFloat, epsilon: f64) -> FlexFloat {
        let shape = input.shape();
        let [input, gamma, beta] = [input, gamma, beta].map(Values::new);
        let output = cpu::layer_norm(input.get(), gamma.get(), beta.get(), epsilon as f32);
        tensor(output, shape)
    }
}

impl<C: CheckpointStrategy> FusedNorm for Autodiff<Flex, C> {
    fn fused_norm(
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
        let output = Flex::fused_norm(
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
