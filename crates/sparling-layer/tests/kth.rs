//! The order statistic against sorting everything.

use burn::tensor::{Device, Tensor, TensorData};
use sparling_layer::quantile::threshold_rank;
use sparling_layer::{ThresholdScope, Tracker, kth_smallest};

/// A small generator (splitmix64), so that every backend sees the same numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// What the values are like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Distinct,
    /// Few distinct values.
    Ties,
    /// Every channel is constant.
    Constant,
    /// Infinities, NaN and both zeros among the rest.
    Special,
}

const KINDS: [Kind; 4] = [Kind::Distinct, Kind::Ties, Kind::Constant, Kind::Special];

fn value(kind: Kind, channel: usize, numbers: &mut Numbers) -> f32 {
    match kind {
        Kind::Distinct => numbers.unit() * 20.0 - 10.0,
        Kind::Ties => numbers.below(4) as f32 - 1.5,
        Kind::Constant => channel as f32 - 2.0,
        Kind::Special => match numbers.below(8) {
            0 => f32::INFINITY,
            1 => f32::NEG_INFINITY,
            2 => f32::NAN,
            3 => 0.0,
            4 => -0.0,
            _ => numbers.unit() - 0.5,
        },
    }
}

/// Equal, NaN to NaN and -0 to 0.
fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// NaN last, whatever its sign.
fn sorted(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(b).expect("neither is NaN"),
        (a, b) => a.cmp(&b),
    });
    values
}

fn host(tensor: Tensor<1>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}

/// `[batch, channels, height, width]`, and the values of each channel.
fn random(
    kind: Kind,
    shape: [usize; 4],
    numbers: &mut Numbers,
    device: &Device,
) -> (Tensor<4>, Vec<Vec<f32>>) {
    let plane = shape[2] * shape[3];
    let mut channels = vec![Vec::new(); shape[1]];
    let mut values = Vec::new();
    for index in 0..shape.iter().product() {
        let channel = index / plane % shape[1];
        let value = value(kind, channel, numbers);
        values.push(value);
        channels[channel].push(value);
    }
    let tensor = Tensor::from_data(TensorData::new(values, shape), device);
    (tensor, channels)
}

/// Every backend compiled in, and how many random cases it is worth.
fn devices() -> Vec<(Device, usize)> {
    vec![
        #[cfg(feature = "flex")]
        (Device::flex(), 1000),
        #[cfg(feature = "ndarray")]
        #[expect(deprecated, reason = "kept selectable, to check flex against")]
        (Device::ndarray(), 1000),
        #[cfg(feature = "wgpu")]
        (Device::wgpu(burn::tensor::DeviceKind::DefaultDevice), 60),
        #[cfg(feature = "vulkan")]
        (Device::vulkan(burn::tensor::DeviceKind::DefaultDevice), 60),
        #[cfg(feature = "cuda")]
        (Device::cuda(0_usize), 1000),
    ]
}

/// Now and then one so large that the values are sampled before they are selected from.
fn shape(round: usize, numbers: &mut Numbers) -> [usize; 4] {
    let mut side = |limit| 1 + numbers.below(limit);
    if round % 20 == 19 {
        [2 + side(3), side(3), 40 + side(60), 40 + side(60)]
    } else {
        [side(4), side(5), side(13), side(17)]
    }
}

fn assert_same(actual: &[f32], expected: &[f32], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (ours, expected) in actual.iter().zip(expected) {
        assert!(same(*ours, *expected), "{what}: {ours}, not {expected}");
    }
}

#[test]
fn agrees_with_a_full_sort() {
    for (device, rounds) in devices() {
        let mut numbers = Numbers(1);
        for round in 0..rounds {
            let kind = KINDS[round % KINDS.len()];
            let shape = shape(round, &mut numbers);
            let (input, channels) = random(kind, shape, &mut numbers, &device);
            let all = sorted(channels.concat());
            let channels: Vec<Vec<f32>> = channels.into_iter().map(sorted).collect();
            let count = channels[0].len();
            let what = |k| format!("{kind:?} {shape:?} k {k} on {device:?}");
            for k in [1, 1 + numbers.below(count), count] {
                let kth = host(kth_smallest(input.clone(), k, ThresholdScope::PerChannel));
                let expected: Vec<f32> = channels.iter().map(|channel| channel[k - 1]).collect();
                assert_same(&kth, &expected, &what(k));
            }
            for k in [1, 1 + numbers.below(all.len()), all.len()] {
                let kth = host(kth_smallest(input.clone(), k, ThresholdScope::Single));
                assert_same(&kth, &all[k - 1..k], &what(k));
            }
        }
    }
}

#[test]
fn a_tracker_is_exact_whatever_it_followed_before() {
    for (device, rounds) in devices() {
        let mut numbers = Numbers(2);
        for sequence in 0..rounds / 20 {
            let shape = shape(19 * (sequence % 2), &mut numbers);
            let count = shape[0] * shape[2] * shape[3];
            let mut trackers = [Tracker::default(), Tracker::default()];
            let mut density = 0.5;
            for step in 0..8 {
                // Most batches are alike; then the density falls, or they are something else.
                let kind = KINDS[if step < 5 { 0 } else { step % KINDS.len() }];
                density = if step % 3 == 2 {
                    density * 0.2
                } else {
                    density
                };
                let (input, channels) = random(kind, shape, &mut numbers, &device);
                let all = sorted(channels.concat());
                let what = format!("step {step}, {kind:?} {shape:?} at {density} on {device:?}");

                let k = threshold_rank(count, density);
                let scope = ThresholdScope::PerChannel;
                let kth = host(trackers[0].kth_smallest(input.clone(), k, scope));
                let expected: Vec<f32> = channels
                    .into_iter()
                    .map(|channel| sorted(channel)[k - 1])
                    .collect();
                assert_same(&kth, &expected, &what);

                let k = threshold_rank(all.len(), density);
                let kth = host(trackers[1].kth_smallest(input, k, ThresholdScope::Single));
                assert_same(&kth, &all[k - 1..k], &what);
            }
        }
    }
}

#[test]
fn a_tracker_seldom_misses_where_batches_are_alike() {
    for (device, _) in devices() {
        let mut numbers = Numbers(3);
        let mut tracker = Tracker::default();
        for _ in 0..20 {
            let (input, _) = random(Kind::Distinct, [4, 3, 50, 50], &mut numbers, &device);
            tracker.kth_smallest(input, 9_990, ThresholdScope::PerChannel);
        }
        assert_eq!(tracker.misses(), 0);
        let (input, _) = random(Kind::Distinct, [4, 3, 50, 50], &mut numbers, &device);
        tracker.kth_smallest(input - 100.0, 9_990, ThresholdScope::PerChannel);
        assert_eq!(tracker.misses(), 3, "on {device:?}");
    }
}

#[test]
fn one_element_is_every_order_statistic() {
    let device = Device::default();
    let input = Tensor::<2>::from_floats([[-3.5]], &device);
    for scope in [ThresholdScope::PerChannel, ThresholdScope::Single] {
        assert_eq!(host(kth_smallest(input.clone(), 1, scope)), [-3.5]);
    }
}

#[test]
fn there_may_be_more_examples_than_a_gpu_has_workgroups() {
    for (device, _) in devices() {
        let mut numbers = Numbers(4);
        let shape = [70_000, 2, 1, 1];
        let (input, channels) = random(Kind::Distinct, shape, &mut numbers, &device);
        let kth = host(kth_smallest(input, 69_000, ThresholdScope::PerChannel));
        let expected: Vec<f32> = channels
            .into_iter()
            .map(|channel| sorted(channel)[68_999])
            .collect();
        assert_same(&kth, &expected, &format!("{device:?}"));
    }
}

#[test]
fn views_are_read_in_their_own_order() {
    let device = Device::default();
    // [batch, channels] = [3, 2] after the transposition.
    let input = Tensor::<2>::from_floats([[1.0, 5.0, 3.0], [20.0, 60.0, 40.0]], &device);
    let kth = kth_smallest(input.transpose(), 2, ThresholdScope::PerChannel);
    assert_eq!(host(kth), [3.0, 40.0]);
}

#[test]
fn no_gradient_is_tracked() {
    let device = Device::default().autodiff();
    let input = Tensor::<2>::from_floats([[1.0], [2.0]], &device).require_grad();
    let kth = kth_smallest(input, 1, ThresholdScope::PerChannel);
    assert!(!kth.is_require_grad());
}

#[test]
#[should_panic(expected = "k must be in 1..=4, got 5")]
fn a_rank_beyond_the_channel_panics() {
    let input = Tensor::<3>::zeros([2, 3, 2], &Device::default());
    kth_smallest(input, 5, ThresholdScope::PerChannel);
}

#[test]
#[should_panic(expected = "k must be in 1..=4, got 0")]
fn ranks_count_from_one() {
    let input = Tensor::<3>::zeros([2, 3, 2], &Device::default());
    kth_smallest(input, 0, ThresholdScope::PerChannel);
}

#[test]
fn the_rank_is_at_least_one_and_leaves_the_densitys_share_above() {
    assert_eq!(threshold_rank(1000, 1.0), 1);
    assert_eq!(threshold_rank(1, 0.5), 1);
    assert_eq!(threshold_rank(1, 1e-9), 1);
    assert_eq!(threshold_rank(1000, 0.5), 500);
    assert_eq!(threshold_rank(4096, 1.0 - 0.999), 4091);
    // 5 in 100,000, in f64: f32 cannot tell this sparsity from its neighbours.
    assert_eq!(threshold_rank(100_000, 1.0 - 0.99995), 99_995);
}
