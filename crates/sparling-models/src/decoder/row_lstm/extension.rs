//! The recurrence on Burn's Flex backend, and its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use super::cpu::{self, LstmShape, States};
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
        let prepared = RecurrenceBackward
            .prepare::<C>([projected.node(), weight.node()])
            .compute_bound()
            .stateful();
        let shape = shape_of(projected.primitive());
        let weight_values = weight.into_primitive();
        let [projected, values] =
            [projected.into_primitive(), weight_values.clone()].map(Values::new);
        let states = cpu::forward(&shape, projected.get(), values.get());
        match prepared {
            OpsKind::Tracked(prepared) => {
                let output = hidden_tensor(&shape, states.hidden.clone());
                let saved = Saved {
                    shape,
                    states,
                    weight: weight_values,
                };
                prepared.finish(saved, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(hidden_tensor(&shape, states.hidden)),
        }
    }
}

#[derive(Debug)]
struct RecurrenceBackward;

#[derive(Clone, Debug)]
struct Saved {
    shape: LstmShape,
    states: States,
    weight: FlexFloat,
}

impl Backward<Flex, 2> for RecurrenceBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let Saved {
            shape,
            states,
            weight,
        } = ops.state;
        let grad = Values::new(gradients.consume::<Flex>(&ops.node));
        let weight = Values::new(weight);
        let projected = cpu::backward(&shape, &states, weight.get(), grad.get());
        let states_count = shape.rows * shape.steps;
        let projected = tensor(projected, [states_count, 2, 4 * shape.hidden]);
        let [projected_node, weight_node] = ops.parents;
        if let Some(node) = weight_node {
            let previous = cpu::previous(&shape, &states.hidden);
            let previous = tensor(previous, [states_count, 2, shape.hidden]);
            // [2, hidden, states] by [2, states, 4 * hidden]
            let gradient = Flex::float_matmul(
                Flex::float_permute(previous, &[1, 2, 0]),
                Flex::float_permute(projected.clone(), &[1, 0, 2]),
            );
            gradients.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = projected_node {
            let LstmShape {
                rows,
                steps,
                hidden,
            } = shape;
            let shape = [rows, steps, 2, 4 * hidden].into();
            gradients.register::<Flex>(node.id, Flex::float_reshape(projected, shape));
        }
    }
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
