//! The recurrence of a bidirectional LSTM on slices, and its gradient.
//!
//! Rows do not depend on each other: a few together are one task, and each of their steps is one
//! product with the recurrent weights and one pass over the gates.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::vector::elementary::{sigmoid, tanh};
use crate::vector::product::{Matrix, MatrixMut, ROWS, multiply};
use crate::vector::simd::arch;

/// The sizes. Everything but the weights is `[rows, steps, 2, features]`, of both directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct LstmShape {
    pub(super) rows: usize,
    pub(super) steps: usize,
    pub(super) hidden: usize,
}

/// What the recurrence computes and its gradient needs.
#[derive(Clone, Debug)]
pub(super) struct States {
    /// Input, forget, candidate and output gates after their activations, `4 * hidden` features.
    pub(super) gates: Vec<f32>,
    /// `hidden` features.
    pub(super) cells: Vec<f32>,
    /// `hidden` features.
    pub(super) hidden: Vec<f32>,
}

impl LstmShape {
    /// The steps in the order in which a direction takes them.
    fn order(
        &self,
        direction: usize,
    ) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator {
        let last = self.steps - 1;
        (0..self.steps).map(move |step| if direction == 0 { step } else { last - step })
    }

    /// Where a state lies among those of the same task, counted in states.
    fn place(&self, row: usize, step: usize, direction: usize) -> usize {
        (row * self.steps + step) * 2 + direction
    }

    /// All rows' states at a step of a direction, if a state has so many features.
    fn states<'a>(
        &self,
        values: &'a [f32],
        step: usize,
        direction: usize,
        features: usize,
    ) -> Matrix<'a> {
        let stride = self.steps * 2 * features;
        Matrix {
            values: &values[self.place(0, step, direction) * features..],
            rows: values.len() / stride,
            columns: features,
            stride,
        }
    }

    /// Features of one task's states, if a state has so many.
    fn task(&self, features: usize) -> usize {
        ROWS * self.steps * 2 * features
    }
}

/// Runs both directions from a zero state. `projected` is the inputs' part of the gates, biases
/// included; `weight` is `[2, hidden, 4 * hidden]`.
pub(super) fn forward(shape: &LstmShape, projected: &[f32], weight: &[f32]) -> States {
    let (hidden, gates) = (shape.hidden, 4 * shape.hidden);
    let weights = directions(weight, gates);
    let mut states = States {
        gates: projected.to_vec(),
        cells: vec![0.0; projected.len() / 4],
        hidden: vec![0.0; projected.len() / 4],
    };
    states
        .gates
        .par_chunks_mut(shape.task(gates))
        .zip(states.cells.par_chunks_mut(shape.task(hidden)))
        .zip(states.hidden.par_chunks_mut(shape.task(hidden)))
        .for_each(|((gates, cells), outputs)| {
            for (direction, weight) in weights.into_iter().enumerate() {
                run_forward(shape, direction, weight, gates, cells, outputs);
            }
        });
    states
}

/// The gradient of `projected`, given that of the hidden states. That of the weights is a product of
/// it with [`previous`] hidden states.
pub(super) fn backward(
    shape: &LstmShape,
    states: &States,
    weight: &[f32],
    output_grad: &[f32],
) -> Vec<f32> {
    let (hidden, gates) = (shape.hidden, 4 * shape.hidden);
    let transposed = directions(weight, gates).map(|weight| weight.transposed());
    let weights = transposed
        .each_ref()
        .map(|weight| Matrix::new(weight, hidden));
    let mut gradient = vec![0.0; states.gates.len()];
    gradient
        .par_chunks_mut(shape.task(gates))
        .zip(states.gates.par_chunks(shape.task(gates)))
        .zip(states.cells.par_chunks(shape.task(hidden)))
        .zip(output_grad.par_chunks(shape.task(hidden)))
        .for_each(|(((gradient, gates), cells), output_grad)| {
            let states = TaskStates { gates, cells };
            for (direction, weight) in weights.into_iter().enumerate() {
                run_backward(shape, direction, weight, states, output_grad, gradient);
            }
        });
    gradient
}

/// The hidden state that each step began with.
pub(super) fn previous(shape: &LstmShape, hidden: &[f32]) -> Vec<f32> {
    let features = shape.hidden;
    let mut previous = vec![0.0; hidden.len()];
    for row in 0..shape.rows {
        for direction in 0..2 {
            let steps = shape.order(direction).skip(1).zip(shape.order(direction));
            for (step, before) in steps {
                let to = shape.place(row, step, direction) * features;
                let from = shape.place(row, before, direction) * features;
                previous[to..to + features].copy_from_slice(&hidden[from..from + features]);
            }
        }
    }
    previous
}

fn directions(weight: &[f32], gates: usize) -> [Matrix<'_>; 2] {
    let (forward, backward) = weight.split_at(weight.len() / 2);
    [forward, backward].map(|weight| Matrix::new(weight, gates))
}

/// The forward pass's states of one task.
#[derive(Clone, Copy)]
struct TaskStates<'a> {
    gates: &'a [f32],
    cells: &'a [f32],
}

/// Runs a direction of a task's rows; `gates` begin as the inputs' part.
fn run_forward(
    shape: &LstmShape,
    direction: usize,
    weight: Matrix<'_>,
    gates: &mut [f32],
    cells: &mut [f32],
    outputs: &mut [f32],
) {
    let hidden = shape.hidden;
    let rows = outputs.len() / (shape.steps * 2 * hidden);
    let mut products = vec![0.0; rows * 4 * hidden];
    let befores = std::iter::once(None).chain(shape.order(direction).map(Some));
    for (step, before) in shape.order(direction).zip(befores) {
        if let Some(before) = before {
            let outputs = shape.states(outputs, before, direction, hidden);
            let products = MatrixMut::new(&mut products, 4 * hidden);
            multiply(outputs, weight, None, products);
        }
        for (row, products) in products.chunks_exact(4 * hidden).enumerate() {
            let place = shape.place(row, step, direction);
            let at = place * hidden..(place + 1) * hidden;
            if let Some(before) = before {
                let from = shape.place(row, before, direction) * hidden;
                cells.copy_within(from..from + hidden, at.start);
            }
            arch().dispatch(Forward {
                products,
                gates: &mut gates[place * 4 * hidden..][..4 * hidden],
                cell: &mut cells[at.clone()],
                output: &mut outputs[at],
            });
        }
    }
}

/// Runs a direction of a task's rows back from its last step.
fn run_backward(
    shape: &LstmShape,
    direction: usize,
    weight: Matrix<'_>,
    states: TaskStates<'_>,
    output_grad: &[f32],
    gradient: &mut [f32],
) {
    let hidden = shape.hidden;
    let rows = output_grad.len() / (shape.steps * 2 * hidden);
    let start = vec![0.0; hidden];
    let mut cell_grads = vec![0.0; rows * hidden];
    let mut products = vec![0.0; rows * hidden];
    let befores = shape.order(direction).rev().skip(1).map(Some);
    for (step, before) in shape.order(direction).rev().zip(befores.chain([None])) {
        for (row, cell_grad) in cell_grads.chunks_exact_mut(hidden).enumerate() {
            let place = shape.place(row, step, direction);
            let at = place * hidden..(place + 1) * hidden;
            let gates = place * 4 * hidden..(place + 1) * 4 * hidden;
            arch().dispatch(Backward {
                gates: &states.gates[gates.clone()],
                cell: &states.cells[at.clone()],
                cell_before: match before {
                    Some(before) => {
                        &states.cells[shape.place(row, before, direction) * hidden..][..hidden]
                    }
                    None => &start,
                },
                output_grad: &output_grad[at],
                products: &products[row * hidden..][..hidden],
                cell_grad,
                gradient: &mut gradient[gates],
            });
        }
        let gradient = shape.states(gradient, step, direction, 4 * hidden);
        multiply(
            gradient,
            weight,
            None,
            MatrixMut::new(&mut products, hidden),
        );
    }
}

/// A row's step.
struct Forward<'a> {
    /// The recurrent part of the gates.
    products: &'a [f32],
    /// The inputs' part of the gates, then the gates.
    gates: &'a mut [f32],
    /// The cell before, then after.
    cell: &'a mut [f32],
    output: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let hidden = self.output.len();
        let [inputs, forgets, candidates, outputs] = quarters_mut(self.gates);
        let products = quarters(self.products);
        let cells = &mut self.cell[..hidden];
        for index in 0..hidden {
            let input = sigmoid(inputs[index] + products[0][index]);
            let forget = sigmoid(forgets[index] + products[1][index]);
            let candidate = tanh(candidates[index] + products[2][index]);
            let output = sigmoid(outputs[index] + products[3][index]);
            let cell = forget * cells[index] + input * candidate;
            inputs[index] = input;
            forgets[index] = forget;
            candidates[index] = candidate;
            outputs[index] = output;
            cells[index] = cell;
            self.output[index] = output * tanh(cell);
        }
    }
}

/// A row's step back.
struct Backward<'a> {
    gates: &'a [f32],
    cell: &'a [f32],
    cell_before: &'a [f32],
    /// The gradient of the step's output.
    output_grad: &'a [f32],
    /// What flows back to that output from the next step.
    products: &'a [f32],
    /// The gradient of the cell after, then before.
    cell_grad: &'a mut [f32],
    /// The gradient of the gates before their activations.
    gradient: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let hidden = self.cell.len();
        let [inputs, forgets, candidates, outputs] = quarters(self.gates);
        let [input_grads, forget_grads, candidate_grads, output_grads] =
            quarters_mut(self.gradient);
        let before = &self.cell_before[..hidden];
        let (given, carried) = (&self.output_grad[..hidden], &self.products[..hidden]);
        let cell_grads = &mut self.cell_grad[..hidden];
        for index in 0..hidden {
            let (input, forget) = (inputs[index], forgets[index]);
            let (candidate, output) = (candidates[index], outputs[index]);
            let squashed = tanh(self.cell[index]);
            let grad = given[index] + carried[index];
            let cell_grad = cell_grads[index] + grad * output * (1.0 - squashed * squashed);
            input_grads[index] = cell_grad * candidate * input * (1.0 - input);
            forget_grads[index] = cell_grad * before[index] * forget * (1.0 - forget);
            candidate_grads[index] = cell_grad * input * (1.0 - candidate * candidate);
            output_grads[index] = grad * squashed * output * (1.0 - output);
            cell_grads[index] = cell_grad * forget;
        }
    }
}

/// The gates of a state, in their order.
#[inline(always)]
fn quarters(gates: &[f32]) -> [&[f32]; 4] {
    let (first, second) = gates.split_at(gates.len() / 2);
    let (input, forget) = first.split_at(first.len() / 2);
    let (candidate, output) = second.split_at(second.len() / 2);
    [input, forget, candidate, output]
}

#[inline(always)]
fn quarters_mut(gates: &mut [f32]) -> [&mut [f32]; 4] {
    let (first, second) = gates.split_at_mut(gates.len() / 2);
    let (input, forget) = first.split_at_mut(first.len() / 2);
    let (candidate, output) = second.split_at_mut(second.len() / 2);
    [input, forget, candidate, output]
}
