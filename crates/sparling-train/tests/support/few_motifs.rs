//! A run with so few motifs in each input that each of them can be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use super::circle::train;
use super::program::printed;

/// Trains the tiny configuration at low densities, in a folder of Cargo's.
pub fn run(name: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if out.exists() {
        fs::remove_dir_all(&out).expect("the last test's run can be removed");
    }
    let densities = [
        "annealing.initial_density=2e-2",
        "annealing.density_update=0.2",
        "annealing.minimum_density=7e-4",
        "annealing.check_every_samples=300", // until thresholds have settled
        "bottleneck.accumulate=",            // so few samples would never fill it
        "splitting=",
    ];
    let mut command = train(&out, "run");
    densities.iter().for_each(|setting| {
        command.args(["--set", setting]);
    });
    printed(&mut command);
    out.join("digitcircle/run")
}
