//! Starts the program on the tiny configuration.

use std::path::Path;
use std::process::Command;

/// The configuration that the tests train.
pub const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.toml");

/// The program with these arguments.
pub fn sparling(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sparling"));
    command.args(arguments);
    command
}

/// Trains the tiny configuration as `out/digitcircle/name`.
pub fn train(out: &Path, name: &str) -> Command {
    let mut command = sparling(&["train", "digitcircle", "--config", TINY, "--name", name]);
    command.arg("--out").arg(out);
    command
}

/// Runs it to its success, and gives what it printed.
pub fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("the program prints UTF-8")
}
