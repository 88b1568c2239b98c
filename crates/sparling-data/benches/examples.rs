//! Examples per second, and what they are made with, on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sparling_data::{DigitCircleConfig, Domain, LatexOcrConfig, SpectrogramConfig, Split};

fn digitcircle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("digitcircle");
    group.throughput(Throughput::Elements(1));
    let presets = [
        ("paper", DigitCircleConfig::paper()),
        ("small", DigitCircleConfig::small()),
    ];
    for (name, config) in presets {
        let domain = config.validate().expect("presets are valid");
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
    let domain = LatexOcrConfig::paper().validate().expect("it is valid");
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
    let spectrogram = SpectrogramConfig::paper().build().expect("it is valid");
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
