//! The layer as a user has it: shapes, thresholds, densities and modes.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use sparling_layer::{
    Pending, SparseBottleneckConfig, SpatialSparsity, SpatialSparsityConfig, ThresholdScope,
    kth_smallest, quantile::threshold_rank,
};

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}

fn thresholds(layer: &SpatialSparsity) -> Vec<f32> {
    host(layer.thresholds.value_sync())
}

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn assert_close(ours: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), expected.len());
    for (ours, expected) in ours.iter().zip(expected) {
        let bound = tolerance * (1.0 + expected.abs());
        assert!((ours - expected).abs() <= bound, "{ours}, not {expected}");
    }
}

/// The share of activations above zero.
fn density<const D: usize>(output: &Tensor<D>) -> f64 {
    let share: f32 = output
        .clone()
        .greater_scalar(0.0)
        .float()
        .mean()
        .into_scalar();
    f64::from(share)
}

fn forward_reshaped<const D: usize>(
    config: &SpatialSparsityConfig,
    input: &Tensor<3>,
    shape: [usize; D],
) -> (Vec<f32>, Vec<f32>) {
    let layer = config.init(&input.device());
    let output = layer.forward(input.clone().reshape(shape));
    assert_eq!(output.dims(), shape);
    (host(output), thresholds(&layer))
}

#[test]
fn every_rank_sees_the_same_channels() {
    let device = Device::default().autodiff();
    for scope in [ThresholdScope::PerChannel, ThresholdScope::Single] {
        let config = SpatialSparsityConfig::new(3, 0.1).with_scope(scope);
        let input = normal([4, 3, 60], &device);
        let expected = forward_reshaped(&config, &input, [4, 3, 60]);
        assert_eq!(forward_reshaped(&config, &input, [4, 3, 6, 10]), expected);
        assert_eq!(forward_reshaped(&config, &input, [4, 3, 5, 4, 3]), expected);

        // Rank 2 has no space: the same values, all of them in the batch.
        let flat = input.swap_dims(1, 2).reshape([240, 3]);
        let layer = config.init(&device);
        let output = layer.forward(flat);
        assert_eq!(output.dims(), [240, 3]);
        let output = output.reshape([4, 60, 3]).swap_dims(1, 2);
        assert_eq!((host(output), thresholds(&layer)), expected);
    }
}

#[test]
#[should_panic(expected = "expected rank 2 to 5, got 1")]
fn rank_1_panics() {
    let layer = SpatialSparsityConfig::new(1, 0.5).init(&Device::default());
    layer.forward(Tensor::<1>::zeros([1], &Device::default()));
}

#[test]
fn one_threshold_per_channel_or_one_for_all() {
    let device = Device::default().autodiff();
    // The second channel is ten times as large as the first.
    let scale = Tensor::<3>::from_floats([[[1.0], [10.0]]], &device);
    let input = normal([8, 2, 200], &device) * scale;
    let active = |scope| {
        let config = SpatialSparsityConfig::new(2, 0.1).with_momentum(0.0);
        let output = config
            .with_scope(scope)
            .init(&device)
            .forward(input.clone());
        [0, 1].map(|channel| density(&output.clone().narrow(1, channel, 1)))
    };
    // MT: a tenth of each. ST: a tenth of all, nearly all of it in the larger channel.
    for share in active(ThresholdScope::PerChannel) {
        assert!((share - 0.1).abs() < 1e-3, "{share}");
    }
    let [small, large] = active(ThresholdScope::Single);
    assert!(
        small < 1e-3 && (large - 0.2).abs() < 2e-3,
        "{small} {large}"
    );
}

#[test]
fn thresholds_are_the_moving_average_of_the_quantiles() {
    let device = Device::default().autodiff();
    for (momentum, density) in [(0.9, 0.02), (0.5, 0.3), (0.0, 0.001), (0.99, 1.0)] {
        let config = SpatialSparsityConfig::new(4, density).with_momentum(momentum);
        let layer = config.init(&device);
        let mut expected = [0.0_f64; 4];
        for step in 0..20 {
            let input = normal([3, 4, 7, 11], &device) + f64::from(step);
            let output = layer.forward(input.clone());

            let values = host(input);
            for (channel, threshold) in expected.iter_mut().enumerate() {
                let plane = |example: usize| {
                    let start = (example * 4 + channel) * 77;
                    values[start..start + 77].to_vec()
                };
                let mut channel: Vec<f32> = (0..3).flat_map(plane).collect();
                channel.sort_by(f32::total_cmp);
                let rank = ((231.0 * (1.0 - density)).floor() as usize).max(1);
                let quantile = f64::from(channel[rank - 1]);
                *threshold = momentum * *threshold + (1.0 - momentum) * quantile;
            }
            assert_close(&thresholds(&layer), &expected.map(|t| t as f32), 1e-6);

            // What is let through is what exceeds them, by how much it does.
            let ours = thresholds(&layer);
            let passed = values.iter().enumerate();
            let passed = passed.map(|(index, value)| (value - ours[index / 77 % 4]).max(0.0));
            assert_close(&host(output), &passed.collect::<Vec<_>>(), 1e-6);
        }
    }
}

#[test]
fn accumulation_takes_the_quantile_of_all_batches_gathered() {
    let device = Device::default().autodiff();
    // 60 values per batch and channel: 0.05 of 240 are the 10 wanted, rounded up to 4 batches.
    let config = SpatialSparsityConfig::new(2, 0.05)
        .with_accumulate(Some(10.0))
        .with_momentum(0.25);
    let layer = config.init(&device);
    let mut expected = vec![0.0; 2];
    let mut gathered = Vec::new();
    for step in 1..=8 {
        let input = normal([5, 2, 12], &device);
        gathered.push(input.clone());
        layer.forward(input);
        if step % 4 == 0 {
            let all = Tensor::cat(std::mem::take(&mut gathered), 0);
            let rank = threshold_rank(240, 0.05);
            let quantile = host(kth_smallest(all, rank, ThresholdScope::PerChannel));
            for (threshold, quantile) in expected.iter_mut().zip(quantile) {
                *threshold = 0.25 * *threshold + 0.75 * quantile;
            }
        }
        assert_close(&thresholds(&layer), &expected, 1e-6);
        let pending = layer.pending();
        assert_eq!(pending == Pending::default(), step % 4 == 0);
        // Of 240 values at density 0.05 the twelve or so largest can matter.
        assert!(pending.largest.iter().all(|kept| kept.len() < 20));
    }
}

#[test]
fn the_density_converges_to_the_one_asked_for() {
    let device = Device::default().autodiff();
    for scope in [ThresholdScope::PerChannel, ThresholdScope::Single] {
        for wanted in [0.5, 0.05, 0.005] {
            let config = SpatialSparsityConfig::new(4, wanted).with_scope(scope);
            assert_density(&config.init(&device), wanted, &device);
        }
    }
}

/// Sixty batches to settle, forty to measure: 1.3 million values, of which even 0.005 are 6,500.
/// Batches are large enough that the rank's rounding is below 1 %.
fn assert_density(layer: &SpatialSparsity, wanted: f64, device: &Device) {
    let batch = || normal([32, 4, 16, 16], device) * 3.0 - 1.0;
    for _ in 0..60 {
        layer.forward(batch());
    }
    let measured: f64 = (0..40).map(|_| density(&layer.forward(batch()))).sum();
    let share = measured / 40.0 / wanted;
    assert!((share - 1.0).abs() < 0.15, "{share} of {wanted}");
}

#[test]
fn the_density_can_be_changed_while_training() {
    let device = Device::default().autodiff();
    let mut layer = SpatialSparsityConfig::new(4, 0.5).init(&device);
    assert_density(&layer, 0.5, &device);
    for wanted in [0.01, 0.1] {
        let before = thresholds(&layer);
        layer.set_density(wanted).unwrap();
        assert_eq!(thresholds(&layer), before, "only batches move thresholds");
        assert_density(&layer, wanted, &device);
    }
}

#[test]
fn the_bottleneck_holds_the_density_whatever_the_scale() {
    let device = Device::default().autodiff();
    let sparsity = SpatialSparsityConfig::new(2, 0.05);
    let bottleneck = SparseBottleneckConfig::new(sparsity).init(&device);
    let scale = Tensor::<3>::from_floats([[[0.1], [10.0]]], &device);
    let batch = || (normal([16, 2, 128], &device) + 5.0) * scale.clone();
    for _ in 0..80 {
        bottleneck.forward(batch());
    }
    let evaluated = bottleneck.valid();
    let output = evaluated.forward(batch().inner());
    for channel in 0..2 {
        let share = density(&output.clone().narrow(1, channel, 1));
        assert!((share - 0.05).abs() < 0.025, "channel {channel}: {share}");
    }
}

#[test]
fn thresholds_move_in_training_alone() {
    let device = Device::default().autodiff();
    let layer = SpatialSparsityConfig::new(2, 0.1).init(&device);
    layer.forward(normal([4, 2, 30], &device));
    let trained = thresholds(&layer);
    let large = normal([4, 2, 30], &device) + 9.0;

    // Evaluated: the thresholds stay, but are subtracted.
    let evaluated = layer.valid();
    let output = evaluated.forward(large.clone().inner());
    assert_eq!(thresholds(&evaluated), trained);
    let shift = Tensor::<1>::from_floats(trained.as_slice(), &device).reshape([1, 2, 1]);
    let expected = host((large.clone() - shift).clamp_min(0.0));
    assert_close(&host(output), &expected, 1e-6);

    // An input off the autodiff device is evaluation, too.
    layer.forward(large.clone().inner());
    assert_eq!(thresholds(&layer), trained);

    // Frozen: likewise, but gradients still reach the input.
    let frozen = layer.clone().freeze();
    let input = large.require_grad();
    let gradients = frozen.forward(input.clone()).sum().backward();
    assert_eq!(thresholds(&frozen), trained);
    let gradient = host(input.grad(&gradients).unwrap());
    assert!(gradient.iter().all(|slope| *slope == 1.0));

    // And training again goes on.
    let training = frozen.unfreeze();
    training.forward(normal([4, 2, 30], &device) + 9.0);
    assert!(
        thresholds(&training)
            .iter()
            .zip(&trained)
            .all(|(new, old)| new > old)
    );
}

#[test]
fn gradients_pass_where_activations_do() {
    let device = Device::default().autodiff();
    let layer = SpatialSparsityConfig::new(3, 0.2)
        .with_momentum(0.0)
        .init(&device);
    let input = normal([2, 3, 5, 5], &device).require_grad();
    let output = layer.forward(input.clone());
    let gradients = output.clone().sum().backward();
    let slopes = host(input.grad(&gradients).unwrap());
    let passed = host(output.greater_scalar(0.0).float());
    assert_eq!(slopes, passed);
}
