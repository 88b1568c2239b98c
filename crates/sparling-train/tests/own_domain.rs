//! The example of a domain of one's own: trained, resumed, evaluated, read with and reported on.

// It is the same on every backend.
#![cfg(feature = "flex")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The example's program: the one that `cargo test` has built beside this test, or else one built now.
fn own_domain() -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_sparling")).parent();
    let built = programs
        .expect("it is in a folder")
        .join("examples/own_domain");
    if built
        .with_extension(std::env::consts::EXE_EXTENSION)
        .exists()
    {
        return Command::new(built);
    }
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "run",
        "--quiet",
        "-p",
        "sparling-train",
        "--example",
        "own_domain",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.arg("--");
    command
}

/// Runs it to its success, and gives what it printed.
fn printed(command: &mut Command) -> String {
    let output = command.output().expect("cargo starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("the program prints UTF-8")
}

#[test]
fn a_domain_in_one_file_is_a_domain() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_domain.toml");
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("shapes/own");
    let mut train = own_domain();
    train.args([
        "train", "shapes", "--config", config, "--name", "own", "--out",
    ]);
    train.arg(out.path()).args(["--max-samples", "400"]);
    train.args(["--set", "annealing.check_every_samples=200"]);
    printed(&mut train);
    let mut resume = own_domain();
    resume
        .args(["train", "--max-samples", "800", "--resume"])
        .arg(&run);
    printed(&mut resume);

    let mut evaluate = own_domain();
    evaluate
        .args(["evaluate", "--json", "--examples", "50"])
        .arg(&run);
    let figures: Value = serde_json::from_str(&printed(&mut evaluate)).unwrap();
    assert_eq!(figures["examples"], 50);
    assert_eq!(figures["by_symbol"].as_array().map(Vec::len), Some(3));

    let samples = out.path().join("samples");
    let mut sample = own_domain();
    sample.args([
        "sample", "shapes", "--count", "1", "--config", config, "--out",
    ]);
    printed(sample.arg(&samples));
    let mut predict = own_domain();
    predict.args(["predict", "--json"]).arg(&run);
    let predictions = printed(predict.arg(samples.join("00000.png")));
    let predictions: Value = serde_json::from_str(&predictions).unwrap();
    assert!(predictions[0]["motifs"].is_array(), "{predictions}");

    let mut report = own_domain();
    report
        .arg("report")
        .arg(out.path())
        .arg("--out")
        .arg(out.path().join("report"));
    printed(&mut report);
    let page = fs::read_to_string(out.path().join("report/report.html")).unwrap();
    assert!(page.contains("shapes"));
}

/// The promise of the documentation.
#[test]
fn it_takes_at_most_a_hundred_lines() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own_domain.rs");
    let lines = fs::read_to_string(example).unwrap().lines().count();
    assert!(lines <= 100, "{lines} lines");
}
