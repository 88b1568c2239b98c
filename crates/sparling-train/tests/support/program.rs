//! Starts the program.

use std::process::Command;

/// The program with these arguments.
pub fn sparling(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sparling"));
    command.args(arguments);
    command
}

/// Runs it to its success, and gives what it printed.
pub fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("the program prints UTF-8")
}
