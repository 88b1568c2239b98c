//! The speech domain on the command line: trained, stopped, resumed, evaluated, and read with.

// What is saved is the same on every backend, but a GPU may add in another order each time.
#![cfg(feature = "flex")]

#[path = "support/domain.rs"]
mod domain;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use domain::Tiny;
use program::{printed, sparling};
use serde_json::Value;
use sparling_data::Sound;
use sparling_train::files::sound;
use tempfile::TempDir;

const TINY: Tiny = Tiny {
    domain: "audiomnist",
    config: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny-audio.toml"),
};

/// A run that went to its end.
static FINISHED: LazyLock<TempDir> = LazyLock::new(|| {
    let (out, shown) = TINY.finished();
    assert!(shown.contains("synthetic voices"), "{shown}");
    out
});

fn predict(files: &[&Path], out: &Path) -> Command {
    let mut command = sparling(&["predict", "--json"]);
    command
        .arg(TINY.run_of(FINISHED.path(), "finished"))
        .args(files);
    command.arg("--out").arg(out);
    command
}

fn write_wav(path: &Path, sample_rate: u32, samples: &[f32]) {
    let samples = samples.to_vec();
    let recording = Sound {
        samples,
        sample_rate,
    };
    sound::write(path, &recording).expect("the folder can be written");
}

#[test]
fn a_stopped_run_goes_on_as_if_it_had_not_been() {
    // In the middle of gathering batches for a threshold.
    let out = TINY.assert_resumes(FINISHED.path(), "335");
    let run = TINY.run_of(out.path(), "stopped");
    for picture in ["examples.png", "curves.png"] {
        assert!(run.join(picture).exists(), "{picture}");
    }
}

#[test]
fn both_splits_stand_side_by_side() {
    let run = TINY.run_of(FINISHED.path(), "finished");
    let evaluate = |more: &[&str]| {
        printed(
            sparling(&["evaluate", "--split", "both", "--examples", "20"])
                .args(more)
                .arg(&run),
        )
    };
    let shown = evaluate(&[]);
    assert!(shown.contains("synthetic voices"), "{shown}");
    let json: Value = serde_json::from_str(&evaluate(&["--json"])).unwrap();
    for split in ["test", "validation"] {
        assert_eq!(json[split]["examples"], 20, "{split}");
        assert!(json[split]["fne"].is_number(), "{split}");
    }
}

#[test]
fn samples_are_recordings_that_predict_reads() {
    let folder = tempfile::tempdir().unwrap();
    let mut sample = sparling(&[
        "sample",
        "audiomnist",
        "--config",
        TINY.config,
        "--count",
        "2",
    ]);
    printed(sample.arg("--out").arg(folder.path()));
    let labels = fs::read_to_string(folder.path().join("metadata.jsonl")).unwrap();
    let first: Value = serde_json::from_str(labels.lines().next().unwrap()).unwrap();
    assert_eq!(first["file_name"], "00000.wav");
    let objects = &first["objects"];
    let seconds = objects["seconds"].as_array().unwrap();
    let categories: Vec<&str> = objects["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(seconds.len(), categories.len());
    assert_eq!(first["text"], categories.concat());
    assert!(folder.path().join("00001.png").exists());

    let wav = folder.path().join("00000.wav");
    let json = printed(&mut predict(&[&wav], folder.path()));
    let predictions: Vec<Value> = serde_json::from_str(&json).unwrap();
    for motif in predictions[0]["motifs"].as_array().unwrap() {
        let seconds = motif["seconds"].as_f64().unwrap();
        assert!((0.0..=2.0).contains(&seconds), "{motif}");
    }
    assert!(folder.path().join("00000-motifs.png").exists());
}

#[test]
fn recordings_of_any_length_and_rate_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let tone = |rate: u32, seconds: f64| -> Vec<f32> {
        let count = (seconds * f64::from(rate)) as usize;
        let swing = |index: usize| (index as f64 * 440.0 * TAU / f64::from(rate)).sin();
        (0..count).map(|index| 0.3 * swing(index) as f32).collect()
    };
    for (name, rate, seconds) in [
        ("long", 8000, 11.3),
        ("short", 8000, 0.001),
        ("slow", 4000, 1.0),
        ("studio", 192_000, 3.0),
    ] {
        let wav = folder.path().join(format!("{name}.wav"));
        write_wav(&wav, rate, &tone(rate, seconds));
        let json = printed(&mut predict(&[&wav], folder.path()));
        let predictions: Vec<Value> = serde_json::from_str(&json).unwrap();
        for motif in predictions[0]["motifs"].as_array().unwrap() {
            assert!(
                motif["seconds"].as_f64().unwrap() <= seconds + 2.0,
                "{name}"
            );
        }
    }
}

#[test]
fn silence_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("silent.wav");
    write_wav(&wav, 8000, &[0.0; 40_000]);
    let json = printed(&mut predict(&[&wav], folder.path()));
    let predictions: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(predictions[0]["output"], "");
    assert_eq!(predictions[0]["motifs"], Value::Array(Vec::new()));
}

#[test]
fn what_is_no_recording_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.wav");
    fs::write(&text, "not a recording").unwrap();
    let empty = folder.path().join("empty.wav");
    write_wav(&empty, 8000, &[]);
    let missing = folder.path().join("none.wav");
    for file in [&text, &empty, &missing] {
        let output = predict(&[file], folder.path()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let name = file.file_name().unwrap().to_string_lossy();
        assert!(
            !output.status.success() && errors.contains(&*name),
            "{errors}"
        );
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn data_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for data in [&nowhere, &empty] {
        let mut command = TINY.train(folder.path(), "never", &["--data"]);
        let output = command.arg(data).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let name = data.file_name().unwrap().to_string_lossy();
        assert!(
            !output.status.success() && errors.contains(&*name),
            "{errors}"
        );
    }
    let mut formulas = sparling(&["sample", "latexocr", "--data", "x", "--out", "y"]);
    let output = formulas.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("this domain makes its examples itself"),
        "{errors}"
    );
}
