//! The operator on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu;
use crate::autodiff::track;
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
        let nodes = [input.node(), gamma.node(), beta.node()];
        let [input, gamma, beta] = [input, gamma, beta].map(|tensor| tensor.into_primitive());
        let output = Flex::fused_norm(input.clone(), gamma.clone(), beta, epsilon);
        track::<C, Flex, _, _>(nodes, output, |_| (input, gamma, epsilon), gradients)
    }
}

/// Of input, gamma and beta.
fn gradients(
    (input, gamma, epsilon): (FlexFloat, FlexFloat, f64),
    grad: FlexFloat,
    _: [bool; 3],
) -> [Option<FlexFloat>; 3] {
    let shape = input.shape();
    let [input, gamma, grad] = [input, gamma, grad].map(Values::new);
    let gradient = cpu::layer_norm_backward(input.get(), gamma.get(), epsilon as f32, grad.get());
    [
        tensor(gradient.input, shape),
        vector(gradient.gamma),
        vector(gradient.beta),
    ]
    .map(Some)
}
