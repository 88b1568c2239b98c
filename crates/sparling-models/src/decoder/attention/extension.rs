//! The operators on Burn's Flex backend, and their gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu::{self, Attended, AttentionShape, Parts};
use crate::dropout::Drops;
use crate::flex::{FlexFloat, Values, tensor};

/// Scaled dot-product attention in one.
#[backend_extension(Flex, Autodiff)]
pub(super) trait Attention: Backend {
    /// Of a sequence to itself; `causal`: of each token to those up to it. Dropped are weights.
    ///
    /// # Shapes
    ///
    /// - packed: `[batch, time, 3 * width]`, queries, keys and values
    /// - output: `[batch, time, width]`
    fn self_attention(
        packed: FloatTensor<Self>,
        heads: usize,
        causal: bool,
        drops: Option<Drops>,
    ) -> FloatTensor<Self>;

    /// Of a sequence to a memory.
    ///
    /// # Shapes
    ///
    /// - queries: `[batch, time, width]`
    /// - memory: `[batch, source, 2 * width]`, keys and values
    /// - output: `[batch, time, width]`
    fn cross_attention(
        queries: FloatTensor<Self>,
        memory: FloatTensor<Self>,
        heads: usize,
        drops: Option<Drops>,
    ) -> FloatTensor<Self>;
}

impl Attention for Flex {
    fn self_attention(
        packed: FlexFloat,
        heads: usize,
        causal: bool,
        drops: Option<Drops>,
    ) -> FlexFloat {
        let shape = self_shape(&packed, heads, causal, drops);
        context(&shape, attend_to_self(&shape, packed).context)
    }

    fn cross_attention(
        queries: FlexFloat,
        memory: FlexFloat,
        heads: usize,
        drops: Option<Drops>,
    ) -> FlexFloat {
        let shape = cross_shape(&queries, &memory, heads, drops);
        context(&shape, attend_to_memory(&shape, queries, memory).context)
    }
}

impl<C: CheckpointStrategy> Attention for Autodiff<Flex, C> {
    fn self_attention(
        packed: FloatTensor<Self>,
        heads: usize,
        causal: bool,
        drops: Option<Drops>,
    ) -> FloatTensor<Self> {
        let prepared = SelfBackward
            .prepare::<C>([packed.node()])
            .compute_bound()
            .stateful();
        let packed = packed.into_primitive();
        let shape = self_shape(&packed, heads, causal, drops);
        let Attended {
            context: output,
            weights,
        } = attend_to_self(&shape, packed.clone());
        let output = context(&shape, output);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((shape, packed, weights), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn cross_attention(
        queries: FloatTensor<Self>,
        memory: FloatTensor<Self>,
        heads: usize,
        drops: Option<Drops>,
    ) -> FloatTensor<Self> {
        let prepared = CrossBackward
            .prepare::<C>([queries.node(), memory.node()])
            .compute_bound()
            .stateful();
        let (queries, memory) = (queries.into_primitive(), memory.into_primitive());
        let shape = cross_shape(&queries, &memory, heads, drops);
        let Attended {
            context: output,
            weights,
        } = attend_to_memory(&shape, queries.clone(), memory.clone());
        let output = context(&shape, output);
        match prepared {
            OpsKind::Tracked(prepared) => {
                prepared.finish((shape, queries, memory, weights), output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct SelfBackward;

impl Backward<Flex, 1> for SelfBackward {
    /// What was packed, and the weights.
    type State = (AttentionShape, FlexFloat, Vec<f32>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (shape, packed, weights) = ops.state;
        let packed_shape = packed.shape();
        let [packed, grad] = [packed, gradients.consume::<Flex>(&ops.node)].map(Values::new);
        let [node] = ops.parents;
        if let Some(node) = node {
            let gradient = cpu::self_backward(&shape, packed.get(), &weights, grad.get());
            gradients.register::<Flex>(node.id, tensor(gradient, packed_shape));
        }
    }
}

#[derive(Debug)]
struct CrossBackward;

impl Backward<Flex, 2> for CrossBackward {
    /// Queries, memory and weights.
    type State = (AttentionShape, FlexFloat, FlexFloat, Vec<f32>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (shape, queries, memory, weights) = ops.state;
        let shapes = [queries.shape(), memory.shape()];
        let grad = gradients.consume::<Flex>(&ops.node);
        let [queries, memory, grad] = [queries, memory, grad].map(Values::new);
        let gradient =
            cpu::cross_backward(&shape, queries.get(), memory.get(), &weights, grad.get());
        for ((node, gradient), shape) in ops.parents.into_iter().zip(gradient).zip(shapes) {
            if let Some(node) = node {
                gradients.register::<Flex>(node.id, tensor(gradient, shape));
            }
        }
    }
}

fn self_shape(
    packed: &FlexFloat,
    heads: usize,
    causal: bool,
    drops: Option<Drops>,
) -> AttentionShape {
    let [batch, time, packed] = packed.shape().dims();
    AttentionShape {
        batch,
        heads,
        width: packed / 3,
        queries: time,
        keys: time,
        causal,
        drops,
    }
}

fn cross_shape(
    queries: &FlexFloat,
    memory: &FlexFloat,
    heads: usize,
    drops: Option<Drops>,
) -> AttentionShape {
    let [batch, time, width] = queries.shape().dims();
    let [sources, source, packed] = memory.shape().dims();
    assert_eq!(
        [sources, packed],
        [batch, 2 * width],
        "the memory does not fit"
    );
    AttentionShape {
        batch,
        heads,
        width,
        queries: time,
        keys: source,
        causal: false,
        drops,
    }
}

fn attend_to_self(shape: &AttentionShape, packed: FlexFloat) -> Attended {
    let packed = Values::new(packed);
    cpu::forward(shape, Parts::together(packed.get(), shape.width))
}

fn attend_to_memory(shape: &AttentionShape, queries: FlexFloat, memory: FlexFloat) -> Attended {
    let [queries, memory] = [queries, memory].map(Values::new);
    cpu::forward(
        shape,
        Parts::apart(queries.get(), memory.get(), shape.width),
    )
}

fn context(shape: &AttentionShape, values: Vec<f32>) -> FlexFloat {
    tensor(values, [shape.batch, shape.queries, shape.width])
}
