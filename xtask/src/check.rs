//! `cargo xtask check`: everything that must hold before a change goes in.

mod machine;
mod steps;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cargo::{cargo, workspace};
use machine::Machine;
use steps::{Step, steps};

/// Does one step after another; stops at the first that fails.
///
/// # Errors
///
/// If Cargo cannot be started or a variable names what is not there.
pub fn run(quick: bool) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut steps = steps(&Machine::probe()?);
    steps.retain(|step| step.quick || !quick);
    let mut report = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {step}", index + 1, steps.len(), step.name);
        if let Some(reason) = step.skipped {
            println!("skipped: {reason}");
            report.push(format!("{:<22} skipped: {reason}", step.name));
            continue;
        }
        let started = Instant::now();
        if !succeeds(step)? {
            eprintln!("\nerror: {} failed; repeat it with\n  {step}", step.name);
            return Ok(ExitCode::FAILURE);
        }
        report.push(format!("{:<22} {}", step.name, show(started.elapsed())));
    }
    println!("\n=== passed in {}", show(begun.elapsed()));
    for line in report {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}

fn succeeds(step: &Step) -> Result<bool> {
    let status = cargo()
        .current_dir(workspace())
        .args(&step.arguments)
        .envs(step.environment.iter().map(|(name, value)| (name, value)))
        .status()
        .context("cannot start cargo")?;
    Ok(status.success())
}

fn show(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}
