//! Parting a channel changes its detector and the spare one's, and nothing else.

use burn::module::Module;
use burn::tensor::{Device, Distribution, Int, Tensor};
use sparling_layer::{SparseBottleneckConfig, SpatialSparsityConfig};
use sparling_models::{
    ChannelSplit, DecoderConfig, MotifModelConfig, Positions, Sparling, SparlingConfig,
};

const FEATURES: usize = 6;
const CHANNELS: usize = 4;

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}

fn model(device: &Device) -> Sparling {
    let sparsity = SpatialSparsityConfig::new(CHANNELS, 0.1);
    let decoder = DecoderConfig {
        channels: CHANNELS,
        vocabulary: 5,
        width: 8,
        heads: 2,
        encoder_layers: 1,
        decoder_layers: 1,
        feed_forward: 8,
        dropout: 0.0,
        pool: 4,
        positions: Positions::Rows,
        row_lstm: None,
    };
    SparlingConfig::new(
        MotifModelConfig::new(1, 2, FEATURES, 1, CHANNELS),
        SparseBottleneckConfig::new(sparsity),
        decoder,
    )
    .init(device)
}

fn input(device: &Device) -> Tensor<4> {
    Tensor::random([2, 1, 12, 9], Distribution::Normal(0.0, 1.0), device)
}

#[test]
fn the_halves_differ_along_the_direction() {
    let training = Device::default().autodiff();
    let mut model = model(&training);
    let tokens = || Tensor::<2, Int>::zeros([2, 3], &training);
    for _ in 0..3 {
        // So that statistics and thresholds are no longer those of the start.
        model.forward(input(&training), tokens());
    }
    let plain = Device::default();
    let input = input(&plain);
    let before = model.valid();
    let says = |model: &Sparling| {
        let maps = host(model.motif_model.forward(input.clone()));
        let plane = 12 * 9;
        move |example: usize, channel: usize, position: usize| {
            maps[(example * CHANNELS + channel) * plane + position]
        }
    };
    let whole = says(&before);
    let features = host(before.motif_model.features(input.clone()));

    let states = |model: &Sparling| {
        let norm = model
            .bottleneck
            .norm
            .as_ref()
            .expect("there is one by default");
        let gamma = norm.gamma(&plain);
        let beta = norm.beta(&plain);
        let [mean, var] = [&norm.running_mean, &norm.running_var].map(|state| state.value_sync());
        let thresholds = model.bottleneck.sparsity.thresholds.value_sync();
        [gamma, beta, mean, var, thresholds].map(host)
    };
    let states_before = states(&before);

    let direction = vec![0.5, -1.0, 0.25, 0.0, 2.0, -0.75];
    let (channel, spare, offset) = (2, 0, 0.3);
    model.split(&ChannelSplit {
        channel,
        spare,
        direction: direction.clone(),
        offset,
    });
    let after = model.valid();
    let halves = says(&after);
    for example in 0..2 {
        for position in 0..12 * 9 {
            let along: f32 = (0..FEATURES)
                .map(|f| direction[f] * features[(example * FEATURES + f) * 12 * 9 + position])
                .sum();
            let middle = whole(example, channel, position);
            let expected = [
                (channel, middle + along - offset),
                (spare, middle - along + offset),
            ];
            for (half, expected) in expected {
                let says = halves(example, half, position);
                assert!((says - expected).abs() < 1e-4, "{says}, not {expected}");
            }
            for other in [1, 3] {
                let unchanged = whole(example, other, position);
                assert_eq!(halves(example, other, position), unchanged);
            }
        }
    }

    for (before, after) in states_before.iter().zip(states(&after)) {
        let mut expected = before.clone();
        expected[spare] = before[channel];
        assert_eq!(after, expected);
    }
}

#[test]
fn the_decoder_takes_either_half_for_the_whole() {
    let device = Device::default();
    let mut model = model(&device);
    let motifs = Tensor::<4>::random(
        [1, CHANNELS, 12, 9],
        Distribution::Uniform(0.0, 1.0),
        &device,
    );
    let (channel, spare) = (1, 3);
    let alone = |channel: usize| {
        let mut ranges = motifs.dims().map(|size| 0..size);
        ranges[1] = channel..channel + 1;
        let kept = motifs.clone().slice(ranges.clone());
        (motifs.zeros_like(), ranges, kept)
    };
    model.split(&ChannelSplit {
        channel,
        spare,
        direction: vec![1.0; FEATURES],
        offset: 0.0,
    });
    let (zeros, ranges, kept) = alone(channel);
    let (_, spare_ranges, _) = alone(spare);
    let as_whole = model
        .decoder
        .encode(zeros.clone().slice_assign(ranges, kept.clone()));
    let as_spare = model.decoder.encode(zeros.slice_assign(spare_ranges, kept));
    assert_eq!(host(as_whole), host(as_spare));
}

#[test]
fn training_goes_on_after_a_split() {
    let device = Device::default().autodiff();
    let mut model = model(&device);
    let ids = burn::module::list_param_ids(&model);
    model.split(&ChannelSplit {
        channel: 1,
        spare: 3,
        direction: vec![1.0; FEATURES],
        offset: 0.5,
    });
    assert_eq!(
        burn::module::list_param_ids(&model),
        ids,
        "the optimiser knows them by these"
    );
    let logits = model.forward(input(&device), Tensor::<2, Int>::zeros([2, 3], &device));
    let gradients = logits.powf_scalar(2.0).sum().backward();
    let norm = model.bottleneck.norm.as_ref();
    let gamma = norm.and_then(|norm| norm.gamma.as_ref());
    for weight in [
        model.motif_model.conv_out.weight.grad(&gradients).map(host),
        gamma.and_then(|gamma| gamma.grad(&gradients)).map(host),
    ] {
        let weight = weight.expect("a gradient");
        assert!(weight.iter().any(|slope| *slope != 0.0));
    }
}
