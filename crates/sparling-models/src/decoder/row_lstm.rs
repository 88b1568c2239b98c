//! A bidirectional LSTM along the rows of a feature map.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor, assert_shape};
use serde::{Deserialize, Serialize};
use sparling_kernels::recurrence::lstm;

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
        let [_, features, _] = self.input_weight.dims();
        assert_shape!(input, [_, _, features]);
        lstm(
            input,
            self.input_weight.val(),
            self.recurrent_weight.val(),
            self.input_bias.val() + self.recurrent_bias.val(),
        )
    }
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
}
