//! A training step of the decoder alone at the small configuration, by part.

use criterion::{Criterion, criterion_group, criterion_main};

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Distribution, Int, Tensor};
use sparling_models::{Decoder, DecoderConfig, Positions, RowLstmStart};

const BATCH: usize = 10;
const TIME: usize = 5;

fn small() -> DecoderConfig {
    DecoderConfig {
        channels: 10,
        vocabulary: 12,
        width: 64,
        heads: 4,
        encoder_layers: 2,
        decoder_layers: 2,
        feed_forward: 256,
        dropout: 0.0,
        pool: 8,
        positions: Positions::Rows,
        row_lstm: Some(RowLstmStart::default()),
    }
}

/// Motifs of which about 30 % are not zero.
fn motifs(device: &Device) -> Tensor<4> {
    let noise = Distribution::Normal(-0.5, 1.0);
    Tensor::random([BATCH, 10, 48, 48], noise, device).clamp_min(0.0)
}

fn tokens(device: &Device) -> Tensor<2, Int> {
    Tensor::<1, Int>::arange(0..(BATCH * TIME) as i64, device)
        .remainder_scalar(12)
        .reshape([BATCH, TIME])
}

fn loss(decoder: &Decoder, motifs: Tensor<4>, tokens: Tensor<2, Int>) -> Tensor<1> {
    let logits = decoder.forward(motifs, tokens.clone());
    let targets = tokens.unsqueeze_dim(2);
    log_softmax(logits, 2).gather(2, targets).mean().neg()
}

fn benchmark(criterion: &mut Criterion) {
    let device = Device::flex().autodiff();
    let without_lstm = DecoderConfig {
        row_lstm: None,
        ..small()
    };
    let without_encoder = DecoderConfig {
        encoder_layers: 0,
        ..without_lstm.clone()
    };
    let mut group = criterion.benchmark_group("decoder");
    for (name, config) in [
        ("step", small()),
        ("step without row lstm", without_lstm),
        ("step without row lstm and encoder", without_encoder.clone()),
        (
            "step of embedding and pooling",
            DecoderConfig {
                decoder_layers: 0,
                ..without_encoder
            },
        ),
    ] {
        let decoder = config.init(&device);
        let (motifs, tokens) = (motifs(&device).require_grad(), tokens(&device));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                if config.decoder_layers == 0 {
                    decoder.encode(motifs.clone()).mean().backward()
                } else {
                    loss(&decoder, motifs.clone(), tokens.clone()).backward()
                }
            });
        });
    }

    let device = Device::flex();
    let decoder = small().init(&device);
    let (motifs, tokens) = (motifs(&device), tokens(&device));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| decoder.forward(motifs.clone(), tokens.clone()));
    });
    group.bench_function("greedy, 5 steps", |bencher| {
        bencher.iter(|| decoder.greedy(motifs.clone(), 0, usize::MAX, TIME));
    });
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
