//! Trains the tiny DigitCircle configuration.

use std::path::Path;
use std::process::Command;

use super::program::sparling;

/// The configuration that the tests train.
pub const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.toml");

/// Trains the tiny configuration as `out/digitcircle/name`.
pub fn train(out: &Path, name: &str) -> Command {
    let mut command = sparling(&["train", "digitcircle", "--config", TINY, "--name", name]);
    command.arg("--out").arg(out);
    command
}
