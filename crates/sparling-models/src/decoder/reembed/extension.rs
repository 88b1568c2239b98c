//! The operator on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use super::cpu::{self, PoolShape};
use crate::flex::{FlexFloat, Values, tensor};

/// Embedding and max pooling in one.
#[backend_extension(Flex, Autodiff)]
pub(super) trait EmbedMax: Backend {
    /// # Shapes
    ///
    /// - motifs: `[batch, channels, height, width]`
    /// - weight: `[features, channels]`
    /// - output: `[batch, rows, columns, features]`, as many rows and columns as whole windows fit
    fn embed_max(
        motifs: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: [usize; 2],
    ) -> FloatTensor<Self>;
}

impl EmbedMax for Flex {
    fn embed_max(motifs: FlexFloat, weight: FlexFloat, window: [usize; 2]) -> FlexFloat {
        let shape = shape_of(&motifs, &weight, window);
        let [motifs, weight] = [motifs, weight].map(Values::new);
        let pooled = cpu::forward(&shape, motifs.get(), weight.get());
        let [rows, columns] = shape.cells();
        tensor(pooled, [shape.batch, rows, columns, shape.features])
    }
}

impl<C: CheckpointStrategy> EmbedMax for Autodiff<Flex, C> {
    fn embed_max(
        motifs: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: [usize; 2],
    ) -> FloatTensor<Self> {
        let prepared = EmbedMaxBackward
            .prepare::<C>([motifs.node(), weight.node()])
            .compute_bound()
            .stateful();
        let state = (
            motifs.primitive().clone(),
            weight.primitive().clone(),
            window,
        );
        let output = Flex::embed_max(motifs.into_primitive(), weight.into_primitive(), window);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct EmbedMaxBackward;

impl Backward<Flex, 2> for EmbedMaxBackward {
    type State = (FlexFloat, FlexFloat, [usize; 2]);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (motifs, weight, window) = ops.state;
        let shape = shape_of(&motifs, &weight, window);
        let grad = gradients.consume::<Flex>(&ops.node);
        let [motifs, weight, grad] = [motifs, weight, grad].map(Values::new);
        let gradient = cpu::backward(&shape, motifs.get(), weight.get(), grad.get());
        let [motif_node, weight_node] = ops.parents;
        if let Some(node) = motif_node {
            let PoolShape {
                batch,
                channels,
                height,
                width,
                ..
            } = shape;
            let motifs = tensor(gradient.motifs, [batch, channels, height, width]);
            gradients.register::<Flex>(node.id, motifs);
        }
        if let Some(node) = weight_node {
            let weight = tensor(gradient.weight, [shape.features, shape.channels]);
            gradients.register::<Flex>(node.id, weight);
        }
    }
}

fn shape_of(motifs: &FlexFloat, weight: &FlexFloat, window: [usize; 2]) -> PoolShape {
    let [batch, channels, height, width] = motifs.layout().shape().dims();
    let [features, _] = weight.layout().shape().dims();
    PoolShape {
        batch,
        channels,
        features,
        height,
        width,
        window,
    }
}
