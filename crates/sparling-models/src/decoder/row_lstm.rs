//! A bidirectional LSTM along the rows of a feature map.
//!
//! On Flex, Burn's CPU backend, its recurrence is one operator. Every other backend composes Burn's
//! operators, the twin that it is tested against.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;

use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData, assert_shape};
use serde::{Deserialize, Serialize};

#[cfg(feature = "flex")]
use crate::flex::on_flex;
#[cfg(feature = "flex")]
use crate::linear::by_weight;

/// Configuration of a [`RowLstm`].
#[derive(Debug, Clone, PartialEq)]
pub struct RowLstmConfig {
    /// Features of a cell of the map.
    pub input: usize,
    /// Hidden features of each of the two directions; the output has twice as many.
    pub hidden: usize,
    /// How its parameters begin.
    pub start: RowLstmStart,
}

/// How an LSTM's parameters begin, compared with PyTorch's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowLstmStart {
    /// The factor on the weights of the inputs.
    pub input_gain: f64,
    /// What is added to the forget gates' bias: above 0 the cells remember longer.
    pub forget_bias: f64,
}

impl Default for RowLstmStart {
    /// As in PyTorch.
    fn default() -> Self {
        Self {
            input_gain: 1.0,
            forget_bias: 0.0,
        }
    }
}

/// A bidirectional LSTM whose batch is the rows of a feature map and whose time runs along a row.
///
/// The two directions are batched: the leading axis of every parameter is (forward, backward).
/// Gates are packed as input, forget, cell, output, and there are two biases, as in PyTorch.
#[derive(Module, Debug)]
pub struct RowLstm {
    /// Weights of the inputs, `[2, input, 4 * hidden]`.
    pub input_weight: Param<Tensor<3>>,
    /// Weights of the recurrence, `[2, hidden, 4 * hidden]`.
    pub recurrent_weight: Param<Tensor<3>>,
    /// Bias of the inputs, `[2, 4 * hidden]`.
    pub input_bias: Param<Tensor<2>>,
    /// Bias of the recurrence, `[2, 4 * hidden]`.
    pub recurrent_bias: Param<Tensor<2>>,
}

impl RowLstmConfig {
    /// A layer with every parameter from U(-k, k), `k = 1 / sqrt(hidden)`, changed as the start says.
    pub fn init(&self, device: &Device) -> RowLstm {
        let bound = 1.0 / (self.hidden as f64).sqrt();
        let uniform = |gain: f64| Initializer::Uniform {
            min: -bound * gain,
            max: bound * gain,
        };
        let gates = 4 * self.hidden;
        let forget_gates = [0..2, self.hidden..2 * self.hidden];
        let forget_bias = Tensor::zeros([2, gates], device)
            .slice_fill(forget_gates, self.start.forget_bias as f32);
        let input_bias: Param<Tensor<2>> = uniform(1.0).init([2, gates], device);

        RowLstm {
            input_weight: uniform(self.start.input_gain).init([2, self.input, gates], device),
            recurrent_weight: uniform(1.0).init([2, self.hidden, gates], device),
            input_bias: input_bias.map(|bias| {
                let learnt = bias.is_require_grad();
                (bias + forget_bias).detach().set_require_grad(learnt)
            }),
            recurrent_bias: uniform(1.0).init([2, gates], device),
        }
    }
}

impl RowLstm {
    /// Runs both directions along every row; the output holds the forward features, then the
    /// backward ones.
    ///
    /// # Shapes
    ///
    /// - input: `[rows, steps, input]`
    /// - output: `[rows, steps, 2 * hidden]`
    ///
    /// # Panics
    ///
    /// Panics if the last axis of the input is not the configured one.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        #[cfg(feature = "flex")]
        if on_flex(&input) {
            return self.forward_fused(input);
        }
        self.forward_composed(input)
    }

    /// With the recurrence as one operator.
    #[cfg(feature = "flex")]
    fn forward_fused(&self, input: Tensor<3>) -> Tensor<3> {
        use burn::backend::Dispatch;
        use extension::Recurrence;

        let [_, features, gates] = self.input_weight.dims();
        assert_shape!(input, [_, _, features]);
        let [rows, steps, _] = input.dims();
        let weight = self.input_weight.val().swap_dims(0, 1);
        let weight = weight.reshape([features, 2 * gates]);
        let bias = (self.input_bias.val() + self.recurrent_bias.val()).reshape([2 * gates]);
        let projected = by_weight(input, weight, bias).reshape([rows, steps, 2, gates]);
        let hidden = Dispatch::recurrence(
            projected.into_dispatch(),
            self.recurrent_weight.val().into_dispatch(),
        );
        Tensor::<4>::from_dispatch(hidden).reshape([rows, steps, gates / 2])
    }

    /// By Burn's operators.
    fn forward_composed(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, hidden, _] = self.recurrent_weight.dims();
        let [rows, steps, _] = input.dims();

        let mut outputs = Vec::with_capacity(steps);
        let mut state: Option<State> = None;
        let doubling = candidate_doubling(hidden, &input.device());
        let weight = self.recurrent_weight.val() * doubling.clone();
        for projected in unstack(self.project(input, doubling), steps) {
            let gates = match &state {
                // The initial state is zero.
                None => projected,
                Some(state) => projected + state.hidden.clone().matmul(weight.clone()),
            };
            let next = State::step(state, gates, hidden);
            outputs.push(next.hidden.clone().unsqueeze_dim(1)); // [2, 1, rows, hidden]
            state = Some(next);
        }

        let output: Tensor<4> = Tensor::cat(outputs, 1); // [2, steps, rows, hidden]
        let forward = output.clone().slice_dim(0, 0..1);
        let backward = output.slice_dim(0, 1..2).flip([1]);
        Tensor::cat(vec![forward, backward], 3) // [1, steps, rows, 2 * hidden]
            .reshape([steps, rows, 2 * hidden])
            .swap_dims(0, 1)
    }

    /// The inputs' part of every gate of every step, times `doubling`; the backward direction's in
    /// reversed time.
    ///
    /// # Shapes
    ///
    /// - input: `[rows, steps, input]`
    /// - output: `[2, steps, rows, 4 * hidden]`
    fn project(&self, input: Tensor<3>, doubling: Tensor<3>) -> Tensor<4> {
        let weight = self.input_weight.val() * doubling.clone();
        let [_, features, gates] = weight.dims();
        assert_shape!(input, [_, _, features]);
        let [rows, steps, _] = input.dims();

        let forward = input.swap_dims(0, 1); // [steps, rows, input]
        let backward = forward.clone().flip([0]);
        let both =
            Tensor::stack::<4>(vec![forward, backward], 0).reshape([2, steps * rows, features]);
        let bias = self.input_bias.val() + self.recurrent_bias.val();
        let bias = bias.unsqueeze_dim::<3>(1) * doubling;

        (both.matmul(weight) + bias).reshape([2, steps, rows, gates])
    }
}

/// The state of both directions.
struct State {
    /// `[2, rows, hidden]`
    hidden: Tensor<3>,
    /// `[2, rows, hidden]`
    cell: Tensor<3>,
}

impl State {
    /// The state after a step whose gates, before their activations, are `[2, rows, 4 * hidden]`.
    ///
    /// All gates go through one sigmoid: `tanh(x) = 2 sigmoid(2 x) - 1`, and the candidates come
    /// already doubled.
    fn step(previous: Option<Self>, gates: Tensor<3>, hidden: usize) -> Self {
        let gates = sigmoid(gates);
        let gate = |index: usize| {
            gates
                .clone()
                .slice_dim(2, index * hidden..(index + 1) * hidden)
        };
        let candidate = gate(0) * (gate(2) * 2.0 - 1.0);
        let cell = match previous {
            None => candidate,
            Some(previous) => gate(1) * previous.cell + candidate,
        };
        let hidden = gate(3) * (sigmoid(cell.clone() * 2.0) * 2.0 - 1.0);

        Self { hidden, cell }
    }
}

/// Twos where the gates hold the candidates, ones elsewhere.
///
/// # Shapes
///
/// - output: `[1, 1, 4 * hidden]`
fn candidate_doubling(hidden: usize, device: &Device) -> Tensor<3> {
    let values: Vec<f32> = [1.0, 1.0, 2.0, 1.0]
        .into_iter()
        .flat_map(|factor| std::iter::repeat_n(factor, hidden))
        .collect();
    Tensor::from_data(TensorData::new(values, [1, 1, 4 * hidden]), device)
}

/// Splits `[2, steps, rows, features]` into its steps, each `[2, rows, features]`.
///
/// The gradient of a slice is as large as what was sliced. Halving repeatedly makes the gradient of
/// all steps cost `log2(steps)` times the whole, where slicing each step directly costs `steps` times.
fn unstack(tensor: Tensor<4>, steps: usize) -> Vec<Tensor<3>> {
    if steps == 1 {
        return vec![tensor.squeeze_dim(1)];
    }
    let half = steps / 2;
    let mut parts = unstack(tensor.clone().slice_dim(1, 0..half), half);
    parts.extend(unstack(tensor.slice_dim(1, half..steps), steps - half));
    parts
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    const INPUT: usize = 6;
    const HIDDEN: usize = 4;

    fn layer(device: &Device) -> RowLstm {
        RowLstmConfig {
            input: INPUT,
            hidden: HIDDEN,
            start: RowLstmStart::default(),
        }
        .init(device)
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn its_start_is_as_configured() {
        let device = Device::default();
        let bound = 0.5; // 1 / sqrt(HIDDEN)
        let start = RowLstmStart {
            input_gain: 3.0,
            forget_bias: 2.0,
        };
        let layer = RowLstmConfig {
            input: INPUT,
            hidden: HIDDEN,
            start,
        }
        .init(&device);
        let largest = |values: &[f32]| values.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        let weights = largest(&values(layer.input_weight.val()));
        assert!(weights > bound && weights <= 3.0 * bound, "{weights}");
        for gates in values(layer.input_bias.val()).chunks(4 * HIDDEN) {
            let (input, rest) = gates.split_at(HIDDEN);
            let (forget, rest) = rest.split_at(HIDDEN);
            assert!(forget.iter().all(|bias| (bias - 2.0).abs() <= bound));
            assert!(largest(input) <= bound && largest(rest) <= bound);
        }
    }

    /// One direction over one row, a scalar at a time.
    fn naive(layer: &RowLstm, row: &[Vec<f32>], direction: usize) -> Vec<Vec<f32>> {
        let gates = 4 * HIDDEN;
        let input_weight = values(layer.input_weight.val());
        let recurrent_weight = values(layer.recurrent_weight.val());
        let input_bias = values(layer.input_bias.val());
        let recurrent_bias = values(layer.recurrent_bias.val());
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());

        let mut hidden = vec![0.0_f32; HIDDEN];
        let mut cell = [0.0_f32; HIDDEN];
        let mut outputs = Vec::new();
        for x in row {
            let gate: Vec<f32> = (0..gates)
                .map(|g| {
                    let at = direction * gates + g;
                    let mut sum = input_bias[at] + recurrent_bias[at];
                    for (i, x) in x.iter().enumerate() {
                        sum += x * input_weight[(direction * INPUT + i) * gates + g];
                    }
                    for (i, h) in hidden.iter().enumerate() {
                        sum += h * recurrent_weight[(direction * HIDDEN + i) * gates + g];
                    }
                    sum
                })
                .collect();
            for i in 0..HIDDEN {
                cell[i] = sigmoid(gate[HIDDEN + i]) * cell[i]
                    + sigmoid(gate[i]) * gate[2 * HIDDEN + i].tanh();
                hidden[i] = sigmoid(gate[3 * HIDDEN + i]) * cell[i].tanh();
            }
            outputs.push(hidden.clone());
        }
        outputs
    }

    #[test]
    fn equals_a_naive_loop() {
        let device = Device::default();
        let layer = layer(&device);
        for steps in [1, 2, 5, 8] {
            let rows = 3;
            let input = Tensor::<3>::random(
                [rows, steps, INPUT],
                Distribution::Normal(0.0, 1.0),
                &device,
            );
            let flat = values(input.clone());
            let output = layer.forward(input);
            assert_eq!(output.dims(), [rows, steps, 2 * HIDDEN]);

            let mut expected = Vec::new();
            for row in flat.chunks(steps * INPUT) {
                let mut row: Vec<Vec<f32>> = row.chunks(INPUT).map(<[f32]>::to_vec).collect();
                let forward = naive(&layer, &row, 0);
                row.reverse();
                let mut backward = naive(&layer, &row, 1);
                backward.reverse();
                for (forward, backward) in forward.into_iter().zip(backward) {
                    expected.extend(forward);
                    expected.extend(backward);
                }
            }
            let expected = Tensor::<1>::from_floats(expected.as_slice(), &device).reshape([
                rows,
                steps,
                2 * HIDDEN,
            ]);
            output
                .into_data()
                .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-6));
        }
    }
    /// Rows and features that fill no block of the kernel, and some that do.
    #[test]
    fn both_ways_agree_with_their_gradients() {
        let device = Device::default().autodiff();
        for (rows, steps, hidden) in [(1, 2, 4), (3, 5, 4), (9, 2, 20), (8, 6, 48)] {
            let layer = RowLstmConfig {
                input: INPUT,
                hidden,
                start: RowLstmStart::default(),
            }
            .init(&device);
            let normal = Distribution::Normal(0.0, 2.0);
            let input = Tensor::<3>::random([rows, steps, INPUT], normal, &device).require_grad();
            let cotangent = Tensor::random([rows, steps, 2 * hidden], normal, &device);

            let [actual, expected] = [
                layer.forward(input.clone()),
                layer.forward_composed(input.clone()),
            ]
            .map(|output| {
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                [
                    values(output),
                    values(input.grad(&gradients).unwrap()),
                    values(layer.input_weight.val().grad(&gradients).unwrap()),
                    values(layer.recurrent_weight.val().grad(&gradients).unwrap()),
                    values(layer.input_bias.val().grad(&gradients).unwrap()),
                    values(layer.recurrent_bias.val().grad(&gradients).unwrap()),
                ]
            });
            for (actual, expected) in actual.iter().zip(&expected) {
                assert_eq!(actual.len(), expected.len());
                let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
                for (actual, expected) in actual.iter().zip(expected) {
                    assert!((actual - expected).abs() <= 1e-5 * largest.max(1.0));
                }
            }
        }
    }
}
