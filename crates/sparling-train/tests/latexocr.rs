//! Formulas on the command line: trained, stopped, resumed, evaluated, and read.

// What is saved is the same on every backend, but a GPU may add in another order each time.
#![cfg(feature = "flex")]

#[path = "support/domain.rs"]
mod domain;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use domain::Tiny;
use image::{GrayImage, Luma};
use program::{printed, sparling};
use serde_json::Value;
use tempfile::TempDir;

const TINY: Tiny = Tiny {
    domain: "latexocr",
    config: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny-latex.toml"),
};

/// A run that went to its end.
static FINISHED: LazyLock<TempDir> = LazyLock::new(|| TINY.finished().0);

fn predict(file: &Path, out: &Path) -> Command {
    let mut command = sparling(&["predict", "--json"]);
    command
        .arg(TINY.run_of(FINISHED.path(), "finished"))
        .arg(file);
    command.arg("--out").arg(out);
    command
}

#[test]
fn a_stopped_run_goes_on_as_if_it_had_not_been() {
    // In the middle of gathering batches for a threshold.
    TINY.assert_resumes(FINISHED.path(), "335");
}

#[test]
fn evaluation_says_what_is_well_formed_and_how_each_symbol_fares() {
    let run = TINY.run_of(FINISHED.path(), "finished");
    let evaluate = |more: &[&str]| {
        let mut command = sparling(&["evaluate", "--examples", "40"]);
        printed(command.args(more).arg(&run))
    };
    let shown = evaluate(&[]);
    for word in ["well-formed", "bar", "FNE"] {
        assert!(shown.contains(word), "{word} is not in {shown}");
    }
    let json: Value = serde_json::from_str(&evaluate(&["--json"])).unwrap();
    assert!(json["well_formed"].is_number());
    let symbols = json["by_symbol"].as_array().unwrap();
    // Four characters, +, two parentheses and the bar.
    assert_eq!(symbols.len(), 8);
    let footprints = symbols.iter().map(|symbol| symbol["footprints"].as_u64());
    assert!(footprints.map(Option::unwrap).sum::<u64>() >= 40);
}

#[test]
fn samples_are_formulas_that_predict_reads() {
    let folder = tempfile::tempdir().unwrap();
    let mut sample = sparling(&[
        "sample",
        "latexocr",
        "--config",
        TINY.config,
        "--count",
        "2",
    ]);
    printed(sample.arg("--out").arg(folder.path()));
    let labels = fs::read_to_string(folder.path().join("metadata.jsonl")).unwrap();
    assert_eq!(labels.lines().count(), 2);
    let json = printed(&mut predict(
        &folder.path().join("00000.png"),
        folder.path(),
    ));
    let predictions: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(predictions[0]["tokens"].is_array());
    assert!(folder.path().join("00000-motifs.png").exists());
}

#[test]
fn pictures_that_ink_fits_into_are_read_and_others_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("formula.png");
    let white = |width, height| GrayImage::from_pixel(width, height, Luma([255]));
    for (width, height) in [(48, 32), (10, 90), (300, 8)] {
        white(width, height).save(&path).unwrap();
        printed(&mut predict(&path, folder.path()));
    }
    let mut inked = white(300, 8);
    inked.put_pixel(0, 0, Luma([0]));
    inked.save(&path).unwrap();
    let output = predict(&path, folder.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for part in ["formula.png", "300x8", "48x32"] {
        assert!(errors.contains(part), "{part} is not in {errors}");
    }
}

#[test]
fn what_cannot_be_typeset_or_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, parts) in [
        ("domain.characters=\"12?\"", ["characters", "`?`"]),
        ("domain.maximum_tokens=200", ["maximum_tokens", "200"]),
        ("domain.grammar.product=-1.0", ["grammar.product", "-1"]),
        ("domain.dpi=0.0", ["dpi", "choose from 10"]),
    ] {
        let mut command = TINY.train(folder.path(), "never", &["--set", setting]);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{setting}");
        for part in parts {
            assert!(
                errors.contains(part),
                "{setting}: {part} is not in {errors}"
            );
        }
    }
}
