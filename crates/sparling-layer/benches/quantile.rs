//! The threshold's selection, with nothing known and after a similar batch.

use std::hint::black_box;

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sparling_layer::quantile::threshold_rank;
use sparling_layer::{ThresholdScope, Tracker, kth_smallest};

const SHAPES: [[usize; 4]; 3] = [[10, 10, 100, 100], [8, 32, 120, 360], [8, 10, 1, 642]];

fn selection(criterion: &mut Criterion) {
    let device = Device::default();
    let scope = ThresholdScope::PerChannel;
    for shape in SHAPES {
        let batches: [Tensor<4>; 2] =
            std::array::from_fn(|_| Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device));
        let mut group = criterion.benchmark_group(format!("{shape:?}"));
        group.throughput(Throughput::Bytes(
            (shape.iter().product::<usize>() * size_of::<f32>()) as u64,
        ));
        for density in [0.5, 0.05, 5e-4, 5e-5] {
            let k = threshold_rank(shape[0] * shape[2] * shape[3], density);
            group.bench_function(BenchmarkId::new("cold", density), |bencher| {
                bencher.iter(|| black_box(kth_smallest(batches[0].clone(), k, scope)));
            });
            let mut tracker = Tracker::default();
            let mut turn = batches.iter().cycle();
            group.bench_function(BenchmarkId::new("warm", density), |bencher| {
                bencher.iter(|| {
                    let batch = turn.next().expect("a cycle is endless").clone();
                    black_box(tracker.kth_smallest(batch, k, scope))
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, selection);
criterion_main!(benches);
