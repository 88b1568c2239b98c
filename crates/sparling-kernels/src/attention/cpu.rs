//! Attention on slices, and its gradients.
//!
//! Each example is one task. Queries, keys and values are read where the linear layers left them, packed,
//! and their gradients are written likewise: nothing is transposed in memory but a head's keys or values.

use std::borrow::Cow;

use rayon::prelude::*;

use super::softmax::{Softmax, SoftmaxBackward};
use crate::dropout::Drops;
use crate::vector::product::{Matrix, MatrixMut, multiply, multiply_transposed};
use crate::vector::simd::arch;

/// The sizes of an attention.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttentionShape {
    pub(super) batch: usize,
    pub(super) heads: usize,
    /// Features of all heads.
    pub(super) width: usize,
    /// Tokens that attend.
    pub(super) queries: usize,
    /// Tokens attended to.
    pub(super) keys: usize,
    /// Whether each token attends to those up to it alone.
    pub(super) causal: bool,
    /// The weights that are dropped.
    pub(super) drops: Option<Drops>,
}

/// A sequence's features within those of a packed tensor `[batch, time, packed]`.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    values: &'a [f32],
    /// Features packed together.
    packed: usize,
    /// Where these begin among them.
    first: usize,
}

/// What is attended with and to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    queries: Part<'a>,
    keys: Part<'a>,
    values: Part<'a>,
}

/// What attention computes and its gradient needs.
pub(super) struct Attended {
    /// `[batch, queries, width]`
    pub(super) context: Vec<f32>,
    /// `[batch, heads, queries, keys]`
    pub(super) weights: Vec<f32>,
}

impl AttentionShape {
    fn features(&self) -> usize {
        self.width / self.heads
    }

    fn scale(&self) -> f32 {
        1.0 / (self.features() as f32).sqrt()
    }

    /// One head's weights without those that are dropped.
    fn dropped<'a>(&self, example: usize, head: usize, weights: &'a [f32]) -> Cow<'a, [f32]> {
        let mut weights = Cow::Borrowed(weights);
        if self.drops.is_some() {
            self.drop_from(example, head, weights.to_mut());
        }
        weights
    }

    /// Drops what is to be dropped of one head's weights, or of their gradient.
    fn drop_from(&self, example: usize, head: usize, weights: &mut [f32]) {
        if let Some(drops) = self.drops {
            drops.apply((example * self.heads + head) * weights.len(), weights);
        }
    }

    /// Weights of one example.
    fn weights(&self) -> usize {
        self.heads * self.queries * self.keys
    }
}

impl<'a> Part<'a> {
    /// Of one example, which is `time` tokens.
    fn example(&self, example: usize, time: usize) -> Self {
        let length = time * self.packed;
        Self {
            values: &self.values[example * length..][..length],
            ..*self
        }
    }

    /// One head's `[time, features]` of an example.
    fn head(&self, head: usize, features: usize) -> Matrix<'a> {
        Matrix {
            values: &self.values[self.first + head * features..],
            rows: self.values.len() / self.packed,
            columns: features,
            stride: self.packed,
        }
    }

    /// Where its gradient is to be written, in values that lie as its own.
    fn head_mut<'b>(&self, values: &'b mut [f32], head: usize, features: usize) -> MatrixMut<'b> {
        MatrixMut {
            values: &mut values[self.first + head * features..],
            stride: self.packed,
        }
    }
}

impl<'a> Parts<'a> {
    /// Queries, keys and values, in this order.
    pub(super) fn together(packed: &'a [f32], width: usize) -> Self {
        let part = |first| Part {
            values: packed,
            packed: 3 * width,
            first,
        };
        Self {
            queries: part(0),
            keys: part(width),
            values: part(2 * width),
        }
    }

    /// Queries, and a memory of keys and values, in this order.
    pub(super) fn apart(queries: &'a [f32], memory: &'a [f32], width: usize) -> Self {
        let part = |first| Part {
            values: memory,
            packed: 2 * width,
            first,
        };
        Self {
            queries: Part {
                values: queries,
                packed: width,
                first: 0,
            },
            keys: part(0),
            values: part(width),
        }
    }

    fn example(&self, shape: &AttentionShape, example: usize) -> Self {
        Self {
            queries: self.queries.example(example, shape.queries),
            keys: self.keys.example(example, shape.keys),
            values: self.values.example(example, shape.keys),
        }
    }
}

/// Scaled dot-product attention of every head.
pub(super) fn forward(shape: &AttentionShape, parts: Parts<'_>) -> Attended {
    let features = shape.features();
    let mut context = vec![0.0; shape.batch * shape.queries * shape.width];
    let mut weights = vec![0.0; shape.batch * shape.weights()];
    context
        .par_chunks_mut(shape.queries * shape.width)
        .zip(weights.par_chunks_mut(shape.weights()))
        .enumerate()
        .for_each(|(example, (context, weights))| {
            let parts = parts.example(shape, example);
            let heads = weights.chunks_exact_mut(shape.queries * shape.keys);
            for (head, weights) in heads.enumerate() {
                let keys = parts.keys.head(head, features).transposed();
                multiply(
                    parts.queries.head(head, features),
                    Matrix::new(&keys, shape.keys),
                    None,
                    MatrixMut::new(weights, shape.keys),
                );
                arch().dispatch(Softmax {
                    rows: weights,
                    width: shape.keys,
                    scale: shape.scale(),
                    causal: shape.causal,
                });
                let output = MatrixMut {
                    values: &mut context[head * features..],
                    stride: shape.width,
                };
                let values = parts.values.head(head, features);
                let weights = shape.dropped(example, head, weights);
                multiply(Matrix::new(&weights, shape.keys), values, None, output);
            }
        });
    Attended { context, weights }
}

/// The gradient of queries, keys and values that are packed together.
pub(super) fn self_backward(
    shape: &AttentionShape,
    packed: &[f32],
    weights: &[f32],
    context_grad: &[f32],
) -> Vec<f32> {
    let parts = Parts::together(packed, shape.width);
    let mut gradient = vec![0.0; packed.len()];
    gradient
        .par_chunks_mut(shape.queries * parts.queries.packed)
        .zip(weights.par_chunks(shape.weights()))
        .zip(context_grad.par_chunks(shape.queries * shape.width))
        .enumerate()
        .for_each(|(example, ((gradient, weights), context_grad))| {
            let parts = parts.example(shape, example);
            let given = Given {
                example,
                parts,
                weights,
                context_grad,
            };
            backward_example(shape, given, gradient, None);
        });
    gradient
}

/// The gradients of queries, and of keys and values that are packed without them.
pub(super) fn cross_backward(
    shape: &AttentionShape,
    queries: &[f32],
    memory: &[f32],
    weights: &[f32],
    context_grad: &[f32],
) -> [Vec<f32>; 2] {
    let parts = Parts::apart(queries, memory, shape.width);
    let mut gradients = [vec![0.0; queries.len()], vec![0.0; memory.len()]];
    let [query_grad, memory_grad] = &mut gradients;
    query_grad
        .par_chunks_mut(shape.queries * parts.queries.packed)
        .zip(memory_grad.par_chunks_mut(shape.keys * parts.keys.packed))
        .zip(weights.par_chunks(shape.weights()))
        .zip(context_grad.par_chunks(shape.queries * shape.width))
        .enumerate()
        .for_each(|(example, (((queries, memory), weights), context_grad))| {
            let parts = parts.example(shape, example);
            let given = Given {
                example,
                parts,
                weights,
                context_grad,
            };
            backward_example(shape, given, queries, Some(memory));
        });
    gradients
}

/// What one example's gradients are computed from.
struct Given<'a> {
    example: usize,
    parts: Parts<'a>,
    weights: &'a [f32],
    context_grad: &'a [f32],
}

/// The gradients of one example; without `memory`, those of keys and values are among the queries'.
fn backward_example(
    shape: &AttentionShape,
    given: Given<'_>,
    query_grad: &mut [f32],
    mut memory_grad: Option<&mut [f32]>,
) {
    let Given { example, parts, .. } = given;
    let features = shape.features();
    let context_grad = Part {
        values: given.context_grad,
        packed: shape.width,
        first: 0,
    };
    let mut score_grads = vec![0.0; shape.queries * shape.keys];
    let heads = given.weights.chunks_exact(shape.queries * shape.keys);
    for (head, weights) in heads.enumerate() {
        let context_grad = context_grad.head(head, features);
        let values = parts.values.head(head, features).transposed();
        let values = Matrix::new(&values, shape.keys);
        multiply(
            context_grad,
            values,
            None,
            MatrixMut::new(&mut score_grads, shape.keys),
        );
        shape.drop_from(example, head, &mut score_grads);
        arch().dispatch(SoftmaxBackward {
            weights,
            width: shape.keys,
            scale: shape.scale(),
            gradient: &mut score_grads,
        });

        let keys = parts.keys.head(head, features);
        let scores = Matrix::new(&score_grads, shape.keys);
        let to = parts.queries.head_mut(query_grad, head, features);
        multiply(scores, keys, None, to);

        let memory = match &mut memory_grad {
            Some(memory) => memory,
            None => &mut *query_grad,
        };
        let to = parts.keys.head_mut(memory, head, features);
        multiply_transposed(scores, parts.queries.head(head, features), to);
        let to = parts.values.head_mut(memory, head, features);
        let weights = shape.dropped(example, head, weights);
        multiply_transposed(Matrix::new(&weights, shape.keys), context_grad, to);
    }
}
