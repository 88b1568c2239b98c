//! Each backend trains as flex does.
//!
//! Both go on from the same untrained weights, saved by flex, since each backend draws its own
//! random numbers; for the same reason there is no dropout.

#![cfg(all(
    feature = "flex",
    any(
        feature = "ndarray",
        feature = "wgpu",
        feature = "vulkan",
        feature = "cuda"
    )
))]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/copied.rs"]
mod copied;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::path::Path;

use circle::train;
use copied::copy;
use measured::events;
use program::{printed, sparling};
use serde_json::Value;

/// How far apart losses may be, relative to their size: sums are rounded in another order, and
/// training grows the difference with each step. Two CPU backends stay within 1e-6.
const LOSS: f64 = 1e-3;

/// How far apart shares may be. An activation near its threshold may pass on one backend alone and
/// tip a symbol, of which there are about fifty, or an example, of which there are twenty: up to
/// five or two may. On two CPU backends one symbol does.
const SHARE: f64 = 0.1;

/// The whole training on this backend.
fn trained(start: &Path, backend: &str) -> Vec<Value> {
    let run = start.with_file_name(backend);
    copy(start, &run);
    let mut command = sparling(&["train", "--backend", backend, "--resume"]);
    let said = printed(command.arg(&run));
    assert!(said.contains("finished: evaluate it with"), "{said}");
    events(&run)
}

fn number(event: &Value, key: &str) -> f64 {
    let value = event[key].as_f64();
    value.unwrap_or_else(|| panic!("no number {key} in {event}"))
}

fn assert_agrees_with_flex(backend: &str) {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    printed(train(out.path(), "start").args([
        "--backend=flex",
        "--max-samples=0",
        "--set=decoder.dropout=0.0",
        "--set=bottleneck.competition.from_density=1e-9", // backends draw different numbers
        "--set=annealing.density_update=0.6",
        "--set=annealing.minimum_density=0.2",
    ]));
    let start = out.path().join("digitcircle/start");
    let flex = trained(&start, "flex");
    let other = trained(&start, backend);
    assert_eq!(flex.len(), 6, "two checks with two training events each");
    assert_eq!(flex.len(), other.len());
    for (flex, other) in flex.iter().zip(&other) {
        println!("flex {flex}\n{backend} {other}");
        for key in ["kind", "samples", "density", "decision", "next_density"] {
            assert_eq!(flex[key], other[key], "{key}");
        }
        if flex["kind"] == "train" {
            let (expected, loss) = (number(flex, "loss"), number(other, "loss"));
            assert!((loss - expected).abs() <= LOSS * expected, "{loss}");
        } else {
            for key in [
                "empirical_density",
                "fne",
                "fpe",
                "fpe_all",
                "ce",
                "e2ee",
                "exact_match",
            ] {
                let (expected, share) = (number(flex, key), number(other, key));
                assert!((share - expected).abs() <= SHARE, "{key} {share}");
            }
        }
    }
}

#[test]
#[cfg(feature = "ndarray")]
fn ndarray_agrees_with_flex() {
    assert_agrees_with_flex("ndarray");
}

#[test]
#[cfg(feature = "wgpu")]
fn wgpu_agrees_with_flex() {
    assert_agrees_with_flex("wgpu");
}

#[test]
#[cfg(feature = "vulkan")]
fn vulkan_agrees_with_flex() {
    assert_agrees_with_flex("vulkan");
}

#[test]
#[cfg(feature = "cuda")]
fn cuda_agrees_with_flex() {
    assert_agrees_with_flex("cuda");
}
