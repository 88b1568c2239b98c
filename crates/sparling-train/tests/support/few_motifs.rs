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
        "annealing.initial_density=4e-3",
        "annealing.density_update=0.4",
        "annealing.minimum_density=6e-4",
        "splitting=",
    ];
    let mut command = train(&out, "run");
    densities.iter().for_each(|setting| {
        command.args(["--set", setting]);
    });
    printed(&mut command);
    out.join("digitcircle/run")
}
