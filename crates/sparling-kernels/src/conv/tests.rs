use burn::tensor::{Device, Distribution, Tensor, Tolerance};

use super::cpu::forward;
use super::gradients::{input_gradient, parameter_gradients};
use super::shape::{Activation, ConvShape};
use super::{Filters, Norm, norm_relu_conv, norm_relu_conv_twin};

/// A convolution as its definition reads.
fn naive(shape: &ConvShape, input: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let [rows, columns] = shape.kernel;
    let mut output = Vec::new();
    for example in 0..shape.batch {
        for (channel, bias) in bias.iter().enumerate() {
            for y in 0..shape.height {
                for x in 0..shape.width {
                    let mut sum = *bias;
                    for from in 0..shape.inputs {
                        for row in 0..rows {
                            for column in 0..columns {
                                let y = (y + row).wrapping_sub(rows / 2);
                                let x = (x + column).wrapping_sub(columns / 2);
                                if y < shape.height && x < shape.width {
                                    let pixel = ((example * shape.inputs + from) * shape.height
                                        + y)
                                        * shape.width
                                        + x;
                                    let tap = ((channel * shape.inputs + from) * rows + row)
                                        * columns
                                        + column;
                                    sum += input[pixel] * weight[tap];
                                }
                            }
                        }
                    }
                    output.push(sum);
                }
            }
        }
    }
    output
}

/// Numbers that look random and are the same every time.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn close(actual: &[f32], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f32, |largest, value| largest.max(value.abs()));
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert!(
            (actual - expected).abs() <= 1e-5 * largest,
            "{index}: {actual} {expected}"
        );
    }
}

fn shapes() -> Vec<ConvShape> {
    let shape = |batch, inputs, outputs, height, width, kernel| ConvShape {
        batch,
        inputs,
        outputs,
        height,
        width,
        kernel,
    };
    vec![
        shape(2, 3, 5, 7, 6, [3, 3]),
        shape(1, 1, 4, 1, 1, [3, 3]),
        shape(3, 4, 10, 9, 40, [1, 1]),
        shape(2, 2, 3, 1, 67, [1, 3]),
        shape(1, 5, 7, 48, 48, [3, 3]),
        shape(2, 2, 2, 5, 8, [5, 7]),
    ]
}

#[test]
fn forward_is_a_convolution() {
    for shape in shapes() {
        let input = numbers(shape.batch * shape.inputs * shape.pixels(), 1);
        let weight = numbers(shape.outputs * shape.inputs * shape.taps(), 2);
        let bias = numbers(shape.outputs, 3);
        let actual = forward(&shape, &input, None, &weight, Some(&bias));
        close(&actual, &naive(&shape, &input, &weight, &bias));
    }
}

#[test]
fn activation_comes_first() {
    for shape in shapes() {
        let input = numbers(shape.batch * shape.inputs * shape.pixels(), 1);
        let weight = numbers(shape.outputs * shape.inputs * shape.taps(), 2);
        let (scale, shift) = (numbers(shape.inputs, 3), numbers(shape.inputs, 4));
        let activation = Activation {
            scale: &scale,
            shift: &shift,
        };
        let actual = forward(&shape, &input, Some(activation), &weight, None);
        let activated: Vec<f32> = input
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let channel = index / shape.pixels() % shape.inputs;
                (scale[channel] * value + shift[channel]).max(0.0)
            })
            .collect();
        close(
            &actual,
            &naive(&shape, &activated, &weight, &vec![0.0; shape.outputs]),
        );
    }
}

/// `forward` is linear in input and weight, so its gradients satisfy
/// `<forward(x, w), g> = <x, input_gradient> = <w, weight's gradient>`, for any direction.
#[test]
fn gradients_are_adjoint_to_forward() {
    for shape in shapes() {
        let (inputs, weights) = (
            shape.batch * shape.inputs * shape.pixels(),
            shape.outputs * shape.inputs * shape.taps(),
        );
        let (input, weight) = (numbers(inputs, 1), numbers(weights, 2));
        let grad = numbers(shape.batch * shape.outputs * shape.pixels(), 3);
        let input_grad = input_gradient(&shape, &weight, &grad);
        let weight_grad = parameter_gradients(&shape, &input, None, &grad).weight;
        for seed in 4..8 {
            let (direction, turn) = (numbers(inputs, seed), numbers(weights, seed + 10));
            let along = forward(&shape, &direction, None, &weight, None);
            close(&[dot64(&direction, &input_grad)], &[dot64(&along, &grad)]);
            let along = forward(&shape, &input, None, &turn, None);
            close(&[dot64(&turn, &weight_grad)], &[dot64(&along, &grad)]);
        }
    }
}

#[test]
fn bias_gradient_sums_batch_and_space() {
    let shape = shapes()[0];
    let grad = vec![1.0; shape.batch * shape.outputs * shape.pixels()];
    let expected = vec![(shape.batch * shape.pixels()) as f32; shape.outputs];
    let input = numbers(shape.batch * shape.inputs * shape.pixels(), 1);
    let gradient = parameter_gradients(&shape, &input, None, &grad);
    assert_eq!(gradient.bias, expected);
}

fn dot64(left: &[f32], right: &[f32]) -> f32 {
    let products = left
        .iter()
        .zip(right)
        .map(|(left, right)| f64::from(*left) * f64::from(*right));
    products.sum::<f64>() as f32
}

#[test]
fn norm_relu_conv_is_its_twin_with_its_gradients() {
    let device = Device::default().autodiff();
    let normal = |mean| Distribution::Normal(mean, 1.0);
    for [batch, inputs, outputs, height, width, side] in [
        [2, 3, 5, 7, 6, 3],
        [3, 4, 10, 9, 40, 1],
        [1, 5, 7, 24, 24, 3],
    ] {
        let input = Tensor::<4>::random([batch, inputs, height, width], normal(2.0), &device);
        let weight = Tensor::<4>::random([outputs, inputs, side, side], normal(0.0), &device);
        let [input, weight] = [input, weight].map(Tensor::require_grad);
        let [gamma, beta, bias] = [(1.0, inputs), (0.5, inputs), (0.0, outputs)]
            .map(|(mean, size)| Tensor::<1>::random([size], normal(mean), &device).require_grad());
        let cotangent = Tensor::<4>::random([batch, outputs, height, width], normal(0.0), &device);
        let [actual, expected] = [norm_relu_conv, norm_relu_conv_twin].map(|way| {
            let norm = Norm {
                gamma: gamma.clone(),
                beta: beta.clone(),
                epsilon: 1e-5,
            };
            let filters = Filters {
                weight: weight.clone(),
                bias: Some(bias.clone()),
            };
            let (output, [mean, variance]) = way(input.clone(), norm, filters);
            let gradients = (output.clone() * cotangent.clone()).mean().backward();
            let vectors = [&gamma, &beta, &bias].map(|vector| vector.grad(&gradients).unwrap());
            let [gamma, beta, bias] = vectors;
            let maps = [&input, &weight].map(|map| map.grad(&gradients).unwrap());
            let [input, weight] = maps.map(Tensor::into_data);
            let vectors = [mean, variance, gamma, beta, bias].map(Tensor::into_data);
            let mut all = vec![output.into_data(), input, weight];
            all.extend(vectors);
            all
        });
        for (actual, expected) in actual.iter().zip(&expected) {
            actual.assert_approx_eq::<f32>(expected, Tolerance::absolute(1e-4));
        }
    }
}
