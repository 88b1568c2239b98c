//! A bidirectional LSTM from a zero state.
//!
//! On Flex its recurrence is one operator, beside the product with all steps' inputs.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod operator;

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

/// Both directions along every row. The leading axis of every parameter is (forward, backward), gates are
/// packed as input, forget, cell, output; the output holds the forward features, then the backward ones.
///
/// # Shapes
///
/// - input: `[rows, steps, input]`
/// - input_weight: `[2, input, 4 * hidden]`
/// - recurrent_weight: `[2, hidden, 4 * hidden]`
/// - bias: `[2, 4 * hidden]`
/// - output: `[rows, steps, 2 * hidden]`
pub fn lstm(
    input: Tensor<3>,
    input_weight: Tensor<3>,
    recurrent_weight: Tensor<3>,
    bias: Tensor<2>,
) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&input) {
        use burn::backend::Dispatch;
        use operator::Recurrence;

        let [_, features, gates] = input_weight.dims();
        let [rows, steps, _] = input.dims();
        let weight = input_weight.swap_dims(0, 1).reshape([features, 2 * gates]);
        let bias = bias.reshape([2 * gates]);
        let projected = crate::linear::linear(input, weight, Some(bias));
        let hidden = Dispatch::recurrence(
            projected.reshape([rows, steps, 2, gates]).into_dispatch(),
            recurrent_weight.into_dispatch(),
        );
        return Tensor::<4>::from_dispatch(hidden).reshape([rows, steps, gates / 2]);
    }
    twin(input, input_weight, recurrent_weight, bias)
}

fn twin(
    input: Tensor<3>,
    input_weight: Tensor<3>,
    recurrent_weight: Tensor<3>,
    bias: Tensor<2>,
) -> Tensor<3> {
    let [_, hidden, _] = recurrent_weight.dims();
    let [rows, steps, _] = input.dims();

    let mut outputs = Vec::with_capacity(steps);
    let mut state: Option<State> = None;
    let doubling = candidate_doubling(hidden, &input.device());
    let weight = recurrent_weight * doubling.clone();
    let bias = bias.unsqueeze_dim::<3>(1) * doubling.clone();
    for projected in unstack(project(input, input_weight * doubling, bias), steps) {
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

/// The inputs' part of every gate of every step; the backward direction's in reversed time.
///
/// # Shapes
///
/// - input: `[rows, steps, input]`
/// - weight: `[2, input, 4 * hidden]`
/// - bias: `[2, 1, 4 * hidden]`
/// - output: `[2, steps, rows, 4 * hidden]`
fn project(input: Tensor<3>, weight: Tensor<3>, bias: Tensor<3>) -> Tensor<4> {
    let [_, features, gates] = weight.dims();
    let [rows, steps, _] = input.dims();
    let forward = input.swap_dims(0, 1); // [steps, rows, input]
    let backward = forward.clone().flip([0]);
    let both = Tensor::stack::<4>(vec![forward, backward], 0).reshape([2, steps * rows, features]);
    (both.matmul(weight) + bias).reshape([2, steps, rows, gates])
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
    use burn::tensor::Distribution;

    use super::*;

    const INPUT: usize = 6;

    /// Rows and features that fill no block of the kernel, and some that do.
    #[test]
    fn both_ways_agree_with_their_gradients() {
        let device = Device::default().autodiff();
        for (rows, steps, hidden) in [(1, 2, 4), (3, 5, 4), (9, 2, 20), (8, 6, 48)] {
            let normal = Distribution::Normal(0.0, 2.0);
            let bound = 1.0 / (hidden as f64).sqrt();
            let uniform = Distribution::Uniform(-bound, bound);
            let input = Tensor::<3>::random([rows, steps, INPUT], normal, &device).require_grad();
            let cotangent = Tensor::random([rows, steps, 2 * hidden], normal, &device);
            let [input_weight, recurrent_weight] = [INPUT, hidden].map(|features| {
                Tensor::<3>::random([2, features, 4 * hidden], uniform, &device).require_grad()
            });
            let bias = Tensor::<2>::random([2, 4 * hidden], uniform, &device).require_grad();

            let ways: [fn(_, _, _, _) -> Tensor<3>; 2] = [lstm, twin];
            let [actual, expected] = ways.map(|way| {
                let output = way(
                    input.clone(),
                    input_weight.clone(),
                    recurrent_weight.clone(),
                    bias.clone(),
                );
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                [
                    values(output),
                    values(input.grad(&gradients).unwrap()),
                    values(input_weight.grad(&gradients).unwrap()),
                    values(recurrent_weight.grad(&gradients).unwrap()),
                    values(bias.grad(&gradients).unwrap()),
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

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }
}
