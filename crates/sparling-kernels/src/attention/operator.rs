//! The operators on Burn's Flex backend, and their gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, TensorMetadata, backend_extension};

use super::cpu::{self, Attended, AttentionShape, Parts};
use crate::autodiff::track;
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
        let nodes = [packed.node()];
        let packed = packed.into_primitive();
        let shape = self_shape(&packed, heads, causal, drops);
        let attended = attend_to_self(&shape, packed.clone());
        let output = context(&shape, attended.context);
        let keep = |_: &_| (shape, packed, attended.weights);
        track::<C, Flex, _, _>(nodes, output, keep, self_gradients)
    }

    fn cross_attention(
        queries: FloatTensor<Self>,
        memory: FloatTensor<Self>,
        heads: usize,
        drops: Option<Drops>,
    ) -> FloatTensor<Self> {
        let nodes = [queries.node(), memory.node()];
        let (queries, memory) = (queries.into_primitive(), memory.into_primitive());
        let shape = cross_shape(&queries, &memory, heads, drops);
        let attended = attend_to_memory(&shape, queries.clone(), memory.clone());
        let output = context(&shape, attended.context);
        let keep = |_: &_| (shape, [queries, memory], attended.weights);
        track::<C, Flex, _, _>(nodes, output, keep, cross_gradients)
    }
}

/// Of what was packed, from it and the weights.
fn self_gradients(
    (shape, packed, weights): (AttentionShape, FlexFloat, Vec<f32>),
    grad: FlexFloat,
    _: [bool; 1],
) -> [Option<FlexFloat>; 1] {
    let packed_shape = packed.shape();
    let [packed, grad] = [packed, grad].map(Values::new);
    let gradient = cpu::self_backward(&shape, packed.get(), &weights, grad.get());
    [Some(tensor(gradient, packed_shape))]
}

/// Of queries and memory, from them and the weights.
fn cross_gradients(
    (shape, inputs, weights): (AttentionShape, [FlexFloat; 2], Vec<f32>),
    grad: FlexFloat,
    _: [bool; 2],
) -> [Option<FlexFloat>; 2] {
    let [query_shape, memory_shape] = inputs.each_ref().map(|tensor| tensor.shape());
    let [queries, memory] = inputs.map(Values::new);
    let grad = Values::new(grad);
    let [queries, memory] =
        cpu::cross_backward(&shape, queries.get(), memory.get(), &weights, grad.get());
    [tensor(queries, query_shape), tensor(memory, memory_shape)].map(Some)
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
