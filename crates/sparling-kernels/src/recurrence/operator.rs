//! The recurrence on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use super::cpu::{self, LstmShape, States};
use crate::autodiff::track;
use crate::flex::{FlexFloat, Values, tensor};

/// The recurrence of a bidirectional LSTM from a zero state.
#[backend_extension(Flex, Autodiff)]
pub(super) trait Recurrence: Backend {
    /// # Shapes
    ///
    /// - projected: `[rows, steps, 2, 4 * hidden]`, the inputs' part of the gates
    /// - weight: `[2, hidden, 4 * hidden]`
    /// - output: `[rows, steps, 2, hidden]`
    fn recurrence(projected: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Recurrence for Flex {
    fn recurrence(projected: FlexFloat, weight: FlexFloat) -> FlexFloat {
        let shape = shape_of(&projected);
        let [projected, weight] = [projected, weight].map(Values::new);
        let states = cpu::forward(&shape, projected.get(), weight.get());
        hidden_tensor(&shape, states.hidden)
    }
}

impl<C: CheckpointStrategy> Recurrence for Autodiff<Flex, C> {
    fn recurrence(projected: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [projected.node(), weight.node()];
        let (projected, weight) = (projected.into_primitive(), weight.into_primitive());
        let shape = shape_of(&projected);
        let [projected, values] = [projected, weight.clone()].map(Values::new);
        let states = cpu::forward(&shape, projected.get(), values.get());
        let output = hidden_tensor(&shape, states.hidden.clone());
        track::<C, Flex, _, _>(nodes, output, |_| (shape, states, weight), gradients)
    }
}

/// Of what was projected and of the weights.
fn gradients(
    (shape, states, weight): (LstmShape, States, FlexFloat),
    grad: FlexFloat,
    [_, weight_wanted]: [bool; 2],
) -> [Option<FlexFloat>; 2] {
    let LstmShape {
        rows,
        steps,
        hidden,
    } = shape;
    let [grad, weight] = [grad, weight].map(Values::new);
    let projected = cpu::backward(&shape, &states, weight.get(), grad.get());
    let projected = tensor(projected, [rows * steps, 2, 4 * hidden]);
    let weight = weight_wanted.then(|| {
        let previous = cpu::previous(&shape, &states.hidden);
        let previous = tensor(previous, [rows * steps, 2, hidden]);
        // [2, hidden, states] by [2, states, 4 * hidden]
        Flex::float_matmul(
            Flex::float_permute(previous, &[1, 2, 0]),
            Flex::float_permute(projected.clone(), &[1, 0, 2]),
        )
    });
    let projected = Flex::float_reshape(projected, [rows, steps, 2, 4 * hidden].into());
    [Some(projected), weight]
}

fn shape_of(projected: &FlexFloat) -> LstmShape {
    let [rows, steps, _, gates] = projected.layout().shape().dims();
    LstmShape {
        rows,
        steps,
        hidden: gates / 4,
    }
}

fn hidden_tensor(shape: &LstmShape, values: Vec<f32>) -> FlexFloat {
    tensor(values, [shape.rows, shape.steps, 2, shape.hidden])
}
