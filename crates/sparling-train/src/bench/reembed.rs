//! Re-embedding with max pooling that follows the motifs, beside the convolution and the pooling that
//! go over every pixel.

use anyhow::Result;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Distribution, Tensor};
use serde::{Deserialize, Serialize};
use sparling_models::decoder::Reembed;

use super::{Laps, median_laps, memory, run_peer};
use crate::backend::Backend;

const PEER: &str = include_str!("../../peer/reembed.py");

/// The paper's DigitCircle.
const SHAPE: [usize; 4] = [10, 10, 100, 100];
const FEATURES: usize = 512;
const WINDOW: usize = 8;

const DENSITIES: [f64; 5] = [5e-5, 5e-4, 5e-3, 5e-2, 0.5];

/// Seconds spent on each measurement, unless a few repeats take longer.
const BUDGET: f64 = 3.0;

/// One density.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The share of motifs that are active.
    pub density: f64,
    /// Milliseconds of the forward pass.
    pub forward_ms: f64,
    /// Milliseconds of the backward pass.
    pub backward_ms: f64,
    /// Milliseconds of both, by a convolution and a pooling.
    pub dense_ms: f64,
    /// Milliseconds of both in PyTorch.
    pub peer_ms: Option<f64>,
    /// The dense time by ours.
    pub dense_ratio: f64,
    /// PyTorch's time by ours.
    pub peer_ratio: Option<f64>,
}

/// Everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where.
    pub backend: Backend,
    /// Threads on the CPU.
    pub threads: usize,
    /// `[batch, channels, height, width]`
    pub shape: [usize; 4],
    /// Features embedded to.
    pub features: usize,
    /// The side of the pooling's window.
    pub window: usize,
    /// What forward and backward hold at most beyond their inputs, in bytes, at the first density;
    /// where the system tells.
    pub memory: Option<u64>,
    /// What of that any way holds, in bytes: the output, its gradient and the motifs'.
    pub results_memory: u64,
    /// What a convolution and a pooling hold, their results among it.
    pub dense_memory: Option<u64>,
    /// By density.
    pub rows: Vec<Row>,
}

#[derive(Serialize)]
struct PeerCase {
    shape: [usize; 4],
    features: usize,
    window: usize,
    density: f64,
    budget: f64,
}

#[derive(Deserialize)]
struct PeerReport {
    milliseconds: f64,
}

/// Measures every density; `peer` is a Python with PyTorch.
///
/// # Errors
///
/// If the peer cannot be run.
pub fn run(backend: Backend, peer: Option<&str>) -> Result<Report> {
    let device = backend.device().autodiff();
    let layer = Reembed::new(SHAPE[1], FEATURES, &device);
    let sparsest = motifs(DENSITIES[0], &device);
    // Once on one example, so that what is loaded only once, code above all, is not counted.
    let one = sparsest.clone().narrow(0, 0, 1).detach().require_grad();
    laps(&device, || sparse(&layer, &one));
    // The smaller first: memory that was held once is not given back.
    let sparse_memory = memory::peak_of(|| {
        laps(&device, || sparse(&layer, &sparsest));
    });
    let dense_memory = memory::peak_of(|| {
        laps(&device, || dense(&layer, &sparsest));
    });
    let mut rows = Vec::new();
    for density in DENSITIES {
        let motifs = motifs(density, &device);
        let [forward, backward] = median_laps(BUDGET, || laps(&device, || sparse(&layer, &motifs)));
        let dense = median_laps(BUDGET, || laps(&device, || dense(&layer, &motifs)));
        let ours = forward + backward;
        let dense: f64 = dense.iter().sum();
        rows.push(Row {
            density,
            forward_ms: forward * 1e3,
            backward_ms: backward * 1e3,
            dense_ms: dense * 1e3,
            peer_ms: None,
            dense_ratio: dense / ours,
            peer_ratio: None,
        });
    }
    if let Some(python) = peer {
        let case = |density| PeerCase {
            shape: SHAPE,
            features: FEATURES,
            window: WINDOW,
            density,
            budget: BUDGET,
        };
        let cases: Vec<PeerCase> = DENSITIES.into_iter().map(case).collect();
        let peers: Vec<PeerReport> = run_peer(python, PEER, backend, &cases)?;
        for (row, peer) in rows.iter_mut().zip(peers) {
            row.peer_ms = Some(peer.milliseconds);
            row.peer_ratio = Some(peer.milliseconds / (row.forward_ms + row.backward_ms));
        }
    }
    Ok(Report {
        backend,
        threads: rayon::current_num_threads(),
        shape: SHAPE,
        features: FEATURES,
        window: WINDOW,
        memory: sparse_memory,
        results_memory: results_memory(),
        dense_memory,
        rows,
    })
}

fn results_memory() -> u64 {
    let [batch, _, height, width] = SHAPE;
    let output = batch * (height / WINDOW) * (width / WINDOW) * FEATURES;
    let motifs: usize = SHAPE.iter().product();
    ((2 * output + motifs) * size_of::<f32>()) as u64
}

/// Motifs of which about so many are active.
fn motifs(density: f64, device: &Device) -> Tensor<4> {
    let uniform = Distribution::Uniform(density - 1.0, density);
    let motifs = Tensor::<4>::random(SHAPE, uniform, device).clamp_min(0.0);
    motifs.detach().require_grad()
}

fn sparse(layer: &Reembed, motifs: &Tensor<4>) -> Tensor<4> {
    layer.forward(motifs.clone(), [WINDOW; 2])
}

/// The 1x1 convolution as the product that it is, which Burn computes faster, and the pooling.
fn dense(layer: &Reembed, motifs: &Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = SHAPE;
    let embedded = layer
        .weight
        .val()
        .unsqueeze::<3>()
        .matmul(motifs.clone().reshape([batch, channels, height * width]))
        .reshape([batch, FEATURES, height, width])
        + layer.bias.val().reshape([1, FEATURES, 1, 1]);
    max_pool2d(embedded, MaxPoolOptions::new([WINDOW; 2]))
}

/// The seconds of forward and backward.
fn laps(device: &Device, forward: impl FnOnce() -> Tensor<4>) -> [f64; 2] {
    let mut laps = Laps::new(device);
    let output = forward();
    let forward = laps.lap();
    drop(output.sum().backward());
    [forward, laps.lap()]
}
