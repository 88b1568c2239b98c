//! The threshold's quantile and the layer around it, beside a sort, a selection and PyTorch.

use std::hint::black_box;

use anyhow::Result;
use burn::tensor::{Device, Distribution, Tensor, activation};
use rayon::prelude::*;
use serde::Serialize;
use sparling_layer::quantile::threshold_rank;
use sparling_layer::{
    SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig, ThresholdScope, Tracker,
    kth_smallest,
};

use super::{Laps, median_laps, median_seconds, run_peer, wait};
use crate::backend::Backend;
use crate::host::values;

const PEER: &str = include_str!("../../peer/quantile.py");

const DENSITIES: [f64; 4] = [0.5, 0.05, 5e-4, 5e-5];

const SHAPES: [[usize; 4]; 3] = [[10, 10, 100, 100], [8, 32, 120, 360], [8, 10, 1, 642]];

/// For GPUs alone: a batch as large as they want it.
const LARGE_SHAPE: [usize; 4] = [256, 10, 100, 100];

const REPEATS: usize = 15;

/// Seconds for the forward passes of one row.
const FORWARD_BUDGET: f64 = 1.0;

/// Batches that are taken in turn, so that the last one's bracket has to hold for another.
const BATCHES: usize = 4;

/// One shape at one density.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `[batch, channels, height, width]`
    pub shape: [usize; 4],
    /// The share of values above the threshold.
    pub density: f64,
    /// Milliseconds without anything known.
    pub cold_ms: f64,
    /// Milliseconds after a similar batch.
    pub warm_ms: f64,
    /// Input read per second, cold.
    pub cold_gb_per_s: f64,
    /// Input read per second, warm.
    pub warm_gb_per_s: f64,
    /// What copying the input reads and writes per second.
    pub copy_gb_per_s: f64,
    /// Warm speed by the copy's.
    pub warm_share_of_copy: f64,
    /// Milliseconds of a full sort through Burn.
    pub sort_ms: f64,
    /// Milliseconds of `select_nth_unstable` over each channel, on one core.
    pub select_nth_ms: f64,
    /// Milliseconds of PyTorch's `kthvalue`.
    pub peer_ms: Option<f64>,
    /// PyTorch's time by the cold time.
    pub cold_ratio: Option<f64>,
    /// PyTorch's time by the warm time.
    pub warm_ratio: Option<f64>,
}

/// The layer's whole forward in training, warm.
#[derive(Clone, Debug, Serialize)]
pub struct ForwardRow {
    /// `[batch, channels, height, width]`
    pub shape: [usize; 4],
    /// The share of values above the threshold.
    pub density: f64,
    /// Milliseconds of batch norm, threshold update and rectification.
    pub layer_ms: f64,
    /// Milliseconds of batch norm and `relu(x - t)` alone.
    pub without_update_ms: f64,
    /// The first by the second.
    pub ratio: f64,
}

/// Everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where.
    pub backend: Backend,
    /// Threads on the CPU.
    pub threads: usize,
    /// The operator.
    pub quantile: Vec<Row>,
    /// The layer.
    pub forward: Vec<ForwardRow>,
}

#[derive(Serialize)]
struct PeerCase {
    shape: [usize; 4],
    k: usize,
}

/// Measures every shape and density; `peer` is a Python with PyTorch.
///
/// # Errors
///
/// If the peer cannot be run.
pub fn run(backend: Backend, peer: Option<&str>) -> Result<Report> {
    let device = backend.device();
    let on_cpu = matches!(backend, Backend::Flex | Backend::Ndarray);
    let mut shapes = SHAPES.to_vec();
    if !on_cpu {
        shapes.push(LARGE_SHAPE);
    }
    let mut quantile = Vec::new();
    let mut forward = Vec::new();
    for shape in shapes {
        let batches: Vec<Tensor<4>> = (0..BATCHES)
            .map(|_| Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device))
            .collect();
        let copy = copy_seconds(&batches[0], on_cpu, &device);
        for density in DENSITIES {
            quantile.push(measure(&batches, density, copy, &device));
            forward.push(measure_forward(&batches, density, &device));
        }
    }
    if let Some(python) = peer {
        let cases: Vec<PeerCase> = quantile
            .iter()
            .map(|row| PeerCase {
                shape: row.shape,
                k: rank(row.shape, row.density),
            })
            .collect();
        let times: Vec<f64> = run_peer(python, PEER, backend, &cases)?;
        for (row, ms) in quantile.iter_mut().zip(times) {
            row.peer_ms = Some(ms);
            row.cold_ratio = Some(ms / row.cold_ms);
            row.warm_ratio = Some(ms / row.warm_ms);
        }
    }
    Ok(Report {
        backend,
        threads: rayon::current_num_threads(),
        quantile,
        forward,
    })
}

fn rank(shape: [usize; 4], density: f64) -> usize {
    let [batch, _, height, width] = shape;
    threshold_rank(batch * height * width, density)
}

fn measure(batches: &[Tensor<4>], density: f64, copy: f64, device: &Device) -> Row {
    let shape = batches[0].dims();
    let k = rank(shape, density);
    let scope = ThresholdScope::PerChannel;
    let mut turn = (0..BATCHES).cycle();
    let mut next = || batches[turn.next().expect("a cycle is endless")].clone();

    let cold = median_seconds(REPEATS, || {
        wait(kth_smallest(next(), k, scope), device);
    });
    let mut tracker = Tracker::default();
    for batch in batches {
        tracker.kth_smallest(batch.clone(), k, scope);
    }
    let warm = median_seconds(REPEATS, || {
        wait(tracker.kth_smallest(next(), k, scope), device);
    });
    let sort = median_seconds(3, || wait(by_sorting(next(), k), device));
    let host = host_channels(&batches[0]);
    let select_nth = median_seconds(3, || {
        for channel in &host {
            let mut channel = channel.clone();
            black_box(channel.select_nth_unstable_by(k - 1, f32::total_cmp));
        }
    });

    let bytes = (batches[0].shape().num_elements() * size_of::<f32>()) as f64;
    Row {
        shape,
        density,
        cold_ms: cold * 1e3,
        warm_ms: warm * 1e3,
        cold_gb_per_s: bytes / cold * 1e-9,
        warm_gb_per_s: bytes / warm * 1e-9,
        copy_gb_per_s: 2.0 * bytes / copy * 1e-9,
        warm_share_of_copy: copy / 2.0 / warm,
        sort_ms: sort * 1e3,
        select_nth_ms: select_nth * 1e3,
        peer_ms: None,
        cold_ratio: None,
        warm_ratio: None,
    }
}

fn measure_forward(batches: &[Tensor<4>], density: f64, device: &Device) -> ForwardRow {
    let shape = batches[0].dims();
    let device = device.clone().autodiff();
    let batches: Vec<Tensor<4>> = batches
        .iter()
        .map(|batch| batch.clone().to_device(&device))
        .collect();
    let sparsity = SpatialSparsityConfig::new(shape[1], density);
    let layer = SparseBottleneckConfig::new(sparsity).init(&device);
    let mut turn = (0..BATCHES).cycle();
    let mut next = || batches[turn.next().expect("a cycle is endless")].clone();
    for batch in &batches {
        layer.forward(batch.clone());
    }
    // Backward frees what forward keeps, as in training, and does not count.
    let mut seconds = |forward: &dyn Fn(Tensor<4>) -> Tensor<4>| {
        let [forward, _] = median_laps(FORWARD_BUDGET, || {
            let batch = next();
            let mut laps = Laps::new(&device);
            let output = forward(batch);
            let forward = laps.lap();
            output.sum().backward();
            [forward, laps.lap()]
        });
        forward
    };
    let whole = seconds(&|input| layer.forward(input));
    let alone = seconds(&|input| without_update(&layer, input));
    ForwardRow {
        shape,
        density,
        layer_ms: whole * 1e3,
        without_update_ms: alone * 1e3,
        ratio: whole / alone,
    }
}

/// Batch norm and `relu(x - t)`, operator by operator.
fn without_update(layer: &SparseBottleneck, input: Tensor<4>) -> Tensor<4> {
    let norm = layer.norm.as_ref().expect("there is one by default");
    let normalised = norm.forward(input);
    let thresholds = layer.sparsity.thresholds.value_sync();
    let channels = thresholds.dims()[0];
    let device = normalised.device();
    let thresholds = thresholds.to_device(&device).reshape([1, channels, 1, 1]);
    activation::relu(normalised - thresholds)
}

/// The k-th smallest of each channel by sorting all of them.
fn by_sorting(input: Tensor<4>, k: usize) -> Tensor<1> {
    let [batch, channels, height, width] = input.dims();
    let count = batch * height * width;
    input
        .swap_dims(0, 1)
        .reshape([channels, count])
        .sort(1)
        .slice([0..channels, k - 1..k])
        .reshape([channels])
}

fn host_channels(batch: &Tensor<4>) -> Vec<Vec<f32>> {
    let channels = batch.dims()[1];
    (0..channels)
        .map(|channel| values(batch.clone().narrow(1, channel, 1)))
        .collect()
}

/// Seconds that copying the batch takes, with all threads or on the device.
fn copy_seconds(batch: &Tensor<4>, on_cpu: bool, device: &Device) -> f64 {
    if on_cpu {
        let source = vec![1.0_f32; batch.shape().num_elements()];
        let mut target = vec![0.0_f32; source.len()];
        let piece = source.len().div_ceil(4 * rayon::current_num_threads());
        return median_seconds(REPEATS, || {
            let pieces = target.par_chunks_mut(piece).zip(source.par_chunks(piece));
            pieces.for_each(|(target, source)| target.copy_from_slice(source));
            black_box(&mut target);
        });
    }
    median_seconds(REPEATS, || wait(batch.clone().mul_scalar(1.5), device))
}
