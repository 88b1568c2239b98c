//! `cargo xtask COMMAND ...` is `sparling COMMAND ...`, built with the backend it asks for.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::cargo::{cargo, workspace};

/// The backends that are not the default, by the name of their Cargo feature.
const FEATURES: [&str; 4] = ["ndarray", "wgpu", "vulkan", "cuda"];

/// The environment variable that tells the program which commit it is.
const COMMIT: &str = "SPARLING_COMMIT";

/// The environment variable that tells the program how the user starts it.
const PROGRAM: &str = "SPARLING_PROGRAM";

/// Builds and runs the program, and ends as it ends.
pub fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = cargo();
    command.args(cargo_arguments(arguments));
    command.env(PROGRAM, "cargo xtask");
    // At run time: in the build it would compile everything anew with each commit.
    if let Some(commit) = commit() {
        command.env(COMMIT, commit);
    }
    become_command(command)
}

fn cargo_arguments(arguments: &[OsString]) -> Vec<OsString> {
    let run = "run --release --package sparling-train --bin sparling";
    let mut all: Vec<OsString> = run.split(' ').map(OsString::from).collect();
    if let Some(feature) = backend(arguments).filter(|name| FEATURES.contains(name)) {
        all.extend(["--no-default-features", "--features", feature].map(OsString::from));
    }
    all.push("--".into());
    all.extend_from_slice(arguments);
    all
}

/// The value of `--backend`, the last if there are several.
fn backend(arguments: &[OsString]) -> Option<&str> {
    let mut found = None;
    let mut arguments = arguments.iter().map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        match argument {
            Some("--backend") => found = arguments.next().flatten(),
            Some(argument) => found = argument.strip_prefix("--backend=").or(found),
            None => {}
        }
    }
    found
}

/// The commit checked out, marked if files differ from it; none outside a git repository.
fn commit() -> Option<String> {
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mut commit = git(&["rev-parse", "HEAD"])?;
    if !changed.is_empty() {
        commit.push_str("-dirty");
    }
    Some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(workspace())
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Hands this very process over, so that signals and the exit code are the program's own: Ctrl-C
/// reaches it once, and nobody ends before it has saved.
#[cfg(unix)]
fn become_command(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::new(command.exec()).context("cannot start cargo"))
}

/// Waits for the program, which gets the console's Ctrl-C itself, and ends as it ends.
#[cfg(not(unix))]
fn become_command(mut command: Command) -> Result<ExitCode> {
    use anyhow::Context;
    ctrlc::set_handler(|| {}).context("cannot listen for Ctrl-C")?;
    let status = command.status().context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(arguments: &str) -> Vec<OsString> {
        arguments.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_backend_decides_the_features() {
        let plain = "run --release --package sparling-train --bin sparling --";
        let wgpu = "run --release --package sparling-train --bin sparling \
                    --no-default-features --features wgpu --";
        for (arguments, expected) in [
            ("train digitcircle", plain),
            ("train digitcircle --backend flex", plain),
            // The program itself says which there are.
            ("train digitcircle --backend tpu", plain),
            ("train digitcircle --backend", plain),
            ("train --backend wgpu digitcircle", wgpu),
            ("train digitcircle --backend=wgpu --seed 2", wgpu),
            ("train --backend cuda --backend wgpu", wgpu),
        ] {
            assert_eq!(
                cargo_arguments(&os(arguments)),
                os(&format!("{expected} {arguments}"))
            );
        }
    }
}
