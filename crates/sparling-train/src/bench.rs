//! Benchmarks: parts of the project beside what they replace, in one run on one machine.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::Backend;

pub mod quantile;

/// The median of the seconds that `run` takes, after one run that does not count.
fn median_seconds(repeats: usize, mut run: impl FnMut()) -> f64 {
    run();
    let mut seconds: Vec<f64> = (0..repeats)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
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
