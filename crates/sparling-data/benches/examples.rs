//! Examples per second, on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sparling_data::{DigitCircleConfig, Domain, Split};

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

criterion_group!(benches, digitcircle);
criterion_main!(benches);
