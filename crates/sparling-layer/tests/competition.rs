//! Competition: only the strongest of each neighbourhood, in training.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use sparling_layer::{Competition, Inhibition, SpatialSparsity, SpatialSparsityConfig};

const SHAPE: [usize; 4] = [40, 3, 7, 9];
const RADIUS: usize = 2;

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}

fn layer(share: f64) -> SpatialSparsity {
    inhibiting(share, None)
}

fn inhibiting(share: f64, inhibition: Option<Inhibition>) -> SpatialSparsity {
    let competition = Competition {
        share,
        radius: RADIUS,
        from_density: 0.1,
        inhibition,
    };
    SpatialSparsityConfig::new(SHAPE[1], 0.1)
        .with_momentum(0.0)
        .with_competition(Some(competition))
        .init(&Device::default().autodiff())
}

fn input() -> Tensor<4> {
    let normal = Distribution::Normal(0.0, 1.0);
    Tensor::random(SHAPE, normal, &Device::default().autodiff())
}

/// The activations of one example that no channel exceeds within the radius.
fn strongest(example: &[f32]) -> Vec<f32> {
    let [_, channels, height, width] = SHAPE;
    let beaten = |value: f32, y: usize, x: usize| {
        (0..channels).any(|channel| {
            (y.saturating_sub(RADIUS)..height.min(y + RADIUS + 1)).any(|y| {
                (x.saturating_sub(RADIUS)..width.min(x + RADIUS + 1))
                    .any(|x| example[(channel * height + y) * width + x] > value)
            })
        })
    };
    let kept = example.iter().enumerate().map(|(index, value)| {
        let (y, x) = (index / width % height, index % width);
        if beaten(*value, y, x) { 0.0 } else { *value }
    });
    kept.collect()
}

#[test]
fn only_the_strongest_of_each_neighbourhood_is_let_through() {
    let input = input();
    // Above from_density channels do not compete.
    let mut layer = layer(1.0);
    layer.set_density(0.2).unwrap();
    let free = host(layer.forward(input.clone()));
    assert!(free.iter().filter(|value| **value > 0.0).count() > free.len() / 6);

    layer.set_density(0.1).unwrap();
    let competing = host(layer.forward(input.clone()));
    let thresholds = layer.thresholds.value_sync().reshape([1, SHAPE[1], 1, 1]);
    let all = host((input.clone().inner() - thresholds.inner()).clamp_min(0.0));
    let size = all.len() / SHAPE[0];
    let expected: Vec<f32> = all.chunks(size).flat_map(strongest).collect();
    assert_eq!(competing, expected);

    // Nor do they in evaluation.
    let evaluated = host(layer.valid().forward(input.inner()));
    assert_eq!(evaluated, all);
}

#[test]
fn a_share_of_the_examples_competes() {
    let input = input();
    let layer = layer(0.5);
    let output = host(layer.forward(input.clone()));
    let thresholds = layer.thresholds.value_sync().reshape([1, SHAPE[1], 1, 1]);
    let all = host((input.inner() - thresholds.inner()).clamp_min(0.0));
    let size = all.len() / SHAPE[0];
    let competing = output
        .chunks(size)
        .zip(all.chunks(size))
        .filter(|(output, all)| output != all)
        .count();
    assert!((8..=32).contains(&competing), "{competing} of 40 at 0.5");
}

#[test]
fn the_losers_get_no_gradient() {
    let layer = layer(1.0);
    let input = input().require_grad();
    let output = layer.forward(input.clone());
    let gradients = output.clone().sum().backward();
    let slopes = host(input.grad(&gradients).unwrap());
    assert_eq!(slopes, host(output.greater_scalar(0.0).float()));
}

#[test]
fn inhibition_pushes_down_what_loses() {
    let inhibition = Inhibition {
        weight: 0.5,
        from_density: 0.05,
    };
    let mut layer = inhibiting(1.0, Some(inhibition));
    let input = input().require_grad();
    assert!(layer.forward_with_penalty(input.clone()).1.is_none());

    layer.set_density(0.05).unwrap();
    let (winners, penalty) = layer.forward_with_penalty(input.clone());
    let penalty = penalty.unwrap();
    let thresholds = layer.thresholds.value_sync().reshape([1, SHAPE[1], 1, 1]);
    let all = (input.clone().inner() - thresholds.inner()).clamp_min(0.0);
    let strength = all.clone().sum().into_scalar::<f32>();
    let lost = all - winners.inner();
    let wasted = lost.clone().sum().into_scalar::<f32>();
    assert!(wasted > 0.1 * strength);
    assert!((host(penalty.clone())[0] - 0.5 * wasted / strength).abs() < 1e-5);

    let slopes = host(input.grad(&penalty.backward()).unwrap());
    let slope = 0.5 / strength;
    for (slope_here, lost) in slopes.iter().zip(host(lost)) {
        let expected = if lost > 0.0 { slope } else { 0.0 };
        assert!((slope_here - expected).abs() < 1e-3 * slope);
    }
}
