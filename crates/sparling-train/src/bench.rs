//! Benchmarks: parts of the project beside what they replace, in one run on one machine.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::tensor::{Device, Tensor};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::Backend;
use crate::metrics::statistics::median;

mod memory;
pub mod quantile;
pub mod reembed;
pub mod scaling;
pub mod step;

/// The median of the seconds that `run` takes, after one run that does not count.
fn median_seconds(repeats: usize, mut run: impl FnMut()) -> f64 {
    run();
    let seconds = (0..repeats).map(|_| {
        let begun = Instant::now();
        run();
        begun.elapsed().as_secs_f64()
    });
    median(seconds.collect())
}

/// The medians of the seconds that `run` says its `N` laps took, after one run that does not count:
/// as many runs as fit into `budget` seconds, but at least 3 and at most 101.
fn median_laps<const N: usize>(budget: f64, mut run: impl FnMut() -> [f64; N]) -> [f64; N] {
    let begun = Instant::now();
    run();
    let fitting = budget / begun.elapsed().as_secs_f64();
    let runs: Vec<[f64; N]> = (0..(fitting as usize).clamp(3, 101))
        .map(|_| run())
        .collect();
    std::array::from_fn(|lap| median(runs.iter().map(|laps| laps[lap]).collect()))
}

/// Tells how long each lap takes, once what the device was given is done.
struct Laps<'a> {
    device: &'a Device,
    begun: Instant,
}

impl<'a> Laps<'a> {
    fn new(device: &'a Device) -> Self {
        let begun = Instant::now();
        Self { device, begun }
    }

    /// The seconds since the last lap.
    fn lap(&mut self) -> f64 {
        self.device.sync().expect("the device goes on");
        let seconds = self.begun.elapsed().as_secs_f64();
        self.begun = Instant::now();
        seconds
    }
}

/// Waits until a result has been computed.
fn wait<const D: usize>(result: Tensor<D>, device: &Device) {
    black_box(result);
    device.sync().expect("the device goes on");
}

/// Runs a Python script that takes a device, a number of threads and cases, and prints JSON.
fn run_peer<T: DeserializeOwned>(
    python: &str,
    script: &str,
    backend: Backend,
    cases: &impl Serialize,
) -> Result<T> {
    let device = match backend {
        Backend::Flex | Backend::Ndarray => "cpu",
        Backend::Wgpu | Backend::Vulkan | Backend::Cuda => "cuda",
    };
    let output = Command::new(python)
        .arg("-c")
        .arg(script)
        .arg(device)
        .arg(rayon::current_num_threads().to_string())
        .arg(serde_json::to_string(cases)?)
        .output()
        .with_context(|| format!("cannot run {python}"))?;
    ensure!(
        output.status.success(),
        "{python} failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("cannot read what {python} printed"))
}
