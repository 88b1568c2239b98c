//! Examples per second, and what they are made with, on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sparling_data::{DigitCircleConfig, Domain, LatexOcrConfig, SpectrogramConfig, Split};

fn digitcircle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("digitcircle");
    group.throughput(Throughput::Elements(1));
    let sizes = [
        (
            "paper",
            include_str!("../tests/data/digitcircle-paper.toml"),
        ),
        (
            "small",
            include_str!("../tests/data/digitcircle-small.toml"),
        ),
    ];
    for (name, text) in sizes {
        let config: DigitCircleConfig = toml::from_str(text).expect("every key is there");
        let domain = config.validate().expect("it is valid");
        let mut index = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                index += 1;
                black_box(domain.example(Split::Train { seed: 1 }, index))
            })
        });
    }
    group.finish();
}

fn latexocr(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("latexocr");
    group.throughput(Throughput::Elements(1));
    let text = include_str!("../tests/data/latexocr-paper.toml");
    let config: LatexOcrConfig = toml::from_str(text).expect("every key is there");
    let domain = config.validate().expect("it is valid");
    let mut index = 0;
    group.bench_function("paper", |bencher| {
        bencher.iter(|| {
            index += 1;
            black_box(domain.example(Split::Train { seed: 1 }, index))
        })
    });
    group.finish();
}

/// The seconds of sound in a clip that are heard per second.
fn spectrogram(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spectrogram");
    let seconds = 15;
    group.throughput(Throughput::Elements(seconds));
    let config = SpectrogramConfig {
        sample_rate: 8000,
        window: 375,
        hop: 187,
        mels: 64,
        smallest_power: 1e-10,
        dynamic_range: 80.0,
    };
    let spectrogram = config.build().expect("it is valid");
    let clip: Vec<f32> = (0..8000 * seconds)
        .map(|sample| (sample as f32 * 0.3).sin())
        .collect();
    group.bench_function("paper", |bencher| {
        bencher.iter(|| black_box(spectrogram.log_mel(black_box(&clip))));
    });
    group.finish();
}

criterion_group!(benches, digitcircle, latexocr, spectrogram);
criterion_main!(benches);
