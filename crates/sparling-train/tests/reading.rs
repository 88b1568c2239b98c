//! Files of one's own, read and annotated by a trained run.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use image::{GrayImage, Luma};
use program::{printed, sparling};
use serde_json::Value;
use tempfile::TempDir;

/// 420 strips of handwritten digits, in three splits, with boxes.
const STRIPS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../datasets/handwriting-sample"
);

/// A run that reads strips, small and hardly trained.
static RUN: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let settings = [
        "motif_model.width=4",
        "motif_model.units=1",
        "decoder.width=16",
        "decoder.heads=2",
        "decoder.feed_forward=32",
        "training.batch_size=2",
        "annealing.initial_density=0.02",
        "annealing.check_every_samples=200",
        "validation.examples=30",
    ];
    let mut train = sparling(&["train", "folder", "--name", "run", "--data", STRIPS]);
    train.args(settings.iter().flat_map(|setting| ["--set", setting]));
    train
        .args(["--max-samples", "200", "--out"])
        .arg(out.path());
    printed(&mut train);
    let run = out.path().join("folder/run");
    (out, run)
});

fn command(name: &str, paths: &[&Path]) -> Command {
    let mut command = sparling(&[name]);
    command.arg(&RUN.1).args(paths);
    command
}

fn test_strips() -> PathBuf {
    Path::new(STRIPS).join("test")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

#[test]
fn a_folder_is_read_with_its_labels() {
    let said = printed(command("predict", &[&test_strips()]).arg("--no-pictures"));
    assert!(said.contains("\n60 labelled files: exact match "), "{said}");
    assert!(!RUN.1.join("predictions").exists());

    let pattern = test_strips().join("0000[0-4].png");
    let printed_as = |format: &str| {
        let mut predict = command("predict", &[&pattern]);
        printed(predict.args(["--no-pictures", "--format", format]))
    };
    let read = lines(&printed_as("jsonl"));
    assert_eq!(read.len(), 5);
    for line in &read {
        assert!(line["label"].is_string() && line["confidence"].as_f64() <= Some(1.0));
        assert!(line.get("picture").is_none(), "{line}");
    }
    let said = printed_as("csv");
    assert!(
        said.starts_with("file,output,label,confidence,notes\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 6);
}

#[test]
fn pictures_without_writing_get_no_reading() {
    let folder = tempfile::tempdir().unwrap();
    let strip = image::open(test_strips().join("00003.png"))
        .unwrap()
        .to_luma8();
    let save = |name: &str, picture: &GrayImage| {
        let path = folder.path().join(name);
        picture.save(&path).unwrap();
        path
    };
    let inverted = GrayImage::from_fn(strip.width(), strip.height(), |x, y| {
        Luma([255 - strip.get_pixel(x, y).0[0]])
    });
    let all_ink = GrayImage::from_pixel(88, 24, Luma([255]));
    let cases = [
        (save("blank.png", &GrayImage::new(88, 24)), "blank"),
        (save("inverted.png", &inverted), "look swapped"),
        (save("all-ink.png", &all_ink), "look swapped"),
    ];
    let read = |file: &Path, option: &[&str]| {
        let mut predict = command("predict", &[file]);
        let predict = predict.args(["--no-pictures", "--format", "jsonl"]);
        lines(&printed(predict.args(option))).remove(0)
    };
    for (file, note) in &cases {
        let line = read(file, &[]);
        assert_eq!(line["output"], "", "{line}");
        assert!(line["notes"][0].as_str().unwrap().contains(note), "{line}");
        assert!(line["motifs"].as_array().unwrap().is_empty());
    }
    let found = |line: Value| !line["motifs"].as_array().unwrap().is_empty();
    assert!(found(read(&test_strips().join("00003.png"), &[])));
    let turned = read(&cases[1].0, &["--invert"]);
    assert!(turned.get("notes").is_none(), "{turned}");
    assert!(found(turned));
    assert!(found(read(&cases[1].0, &["--unchecked"])));
}

#[test]
fn places_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.png");
    let strip = image::open(test_strips().join("00003.png")).unwrap();
    let filter = image::imageops::FilterType::Triangle;
    strip.resize_exact(352, 96, filter).save(&large).unwrap();
    let mut predict = command("predict", &[&large]);
    let said = printed(predict.args(["--no-pictures", "--format", "jsonl"]));
    let line = lines(&said).remove(0);
    assert!(
        line["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("scaled from 352x96 to 88x24")
    );
    for motif in line["motifs"].as_array().unwrap() {
        let support = &motif["support"];
        let number = |value: &Value| value.as_f64().expect("a number");
        let [left, top] = [0, 1].map(|side| number(&motif["bbox"][side]));
        assert_eq!(left, 4.0 * number(&support["left"]));
        assert_eq!(top, 4.0 * number(&support["top"]));
    }
}

#[test]
fn annotations_go_on_where_they_were_stopped() {
    let out = tempfile::tempdir().unwrap();
    let files = out.path().join("files");
    fs::create_dir(&files).unwrap();
    for index in 0..12 {
        let name = format!("{index:05}.png");
        fs::copy(test_strips().join(&name), files.join(&name)).unwrap();
    }
    fs::write(files.join("99999.png"), "no picture").unwrap();
    let annotate = || {
        let mut annotate = command("annotate", &[&files]);
        annotate.args(["--format", "coco,yolo,jsonl,csv", "--out"]);
        annotate.arg(out.path().join("found"));
        annotate
    };
    let first = annotate().output().unwrap();
    assert!(first.status.success(), "one bad file stops nothing");
    let complaint = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(complaint.contains("1 files could not be read") && complaint.contains("99999.png"));
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(said.contains("12 files read"), "{said}");

    let read = |name: &str| fs::read_to_string(out.path().join("found").join(name)).unwrap();
    let made = [
        "coco.json",
        "data.yaml",
        "metadata.jsonl",
        "annotations.csv",
    ];
    let before = made.map(read);
    let coco: Value = serde_json::from_str(&before[0]).unwrap();
    assert_eq!(coco["images"].as_array().unwrap().len(), 12);
    assert_eq!(coco["categories"].as_array().unwrap().len(), 10);
    let found = coco["annotations"].as_array().unwrap().len();
    assert_eq!(
        before[3].lines().count(),
        1 + found + without_symbols(&before[2])
    );
    for line in lines(&before[2]) {
        assert_eq!(line["width"], 88);
        let objects = &line["objects"];
        assert_eq!(
            objects["bbox"].as_array().map_or(0, Vec::len),
            objects["categories"].as_array().unwrap().len()
        );
    }

    // As if it had been stopped in the middle of a line.
    let journal = out.path().join("found/.annotations.jsonl");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, &text[..text.len() / 2]).unwrap();
    let said = printed(&mut annotate());
    assert!(said.contains("of 13 files were read before"), "{said}");
    assert_eq!(made.map(read), before);

    let mut other = annotate();
    let other = other.arg("--unchecked").output().unwrap();
    assert!(!other.status.success());
    assert!(String::from_utf8_lossy(&other.stderr).contains("choose another folder with --out"));
}

fn without_symbols(metadata: &str) -> usize {
    let lines = lines(metadata).into_iter();
    lines
        .filter(|line| line["objects"]["categories"] == Value::Array(Vec::new()))
        .count()
}
