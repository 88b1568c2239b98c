//! What each command prints and leaves behind.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/copied.rs"]
mod copied;
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use circle::{TINY, train};
use program::{printed, sparling};
use serde_json::Value;
use sparling_data::{Footprint, Split};
use sparling_train::config::RunConfig;
use sparling_train::files::picture::{self, Fit};
use sparling_train::study::experiment::Experiment;

/// A run with two densities, 0.5 and 0.425, and a third in training.
struct Run {
    path: PathBuf,
    said: String,
}

/// One for all tests of this file; none of them changes it. It stays in Cargo's folder.
static RUN: LazyLock<Run> = LazyLock::new(|| {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands");
    if out.exists() {
        fs::remove_dir_all(&out).expect("the last test's run can be removed");
    }
    let said = printed(train(&out, "run").args(["--max-samples", "250"]));
    let path = out.join("digitcircle/run");
    Run { path, said }
});

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

fn evaluated(arguments: &[&str]) -> Value {
    let mut command = sparling(&["evaluate", "--json", "--examples", "20"]);
    json(&printed(command.arg(&RUN.path).args(arguments)))
}

/// The names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .expect("the folder can be listed")
        .map(|entry| entry.expect("the folder can be listed").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn samples_are_the_examples() {
    let out = tempfile::tempdir().unwrap();
    let mut command = sparling(&["sample", "digitcircle", "--config", TINY, "--count", "3"]);
    let said = printed(command.arg("--out").arg(out.path()));
    assert!(said.contains("3 examples and metadata.jsonl"), "{said}");

    let config = RunConfig::load("digitcircle", "", Some(Path::new(TINY)), &[]).unwrap();
    let domain = config.build_domain().unwrap();
    let lines = fs::read_to_string(out.path().join("metadata.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 3);
    for (index, line) in lines.lines().enumerate() {
        let line = json(line);
        let example = domain.example(Split::Test, index as u64);
        let file = out.path().join(line["file_name"].as_str().unwrap());
        let read = picture::read(&file, [40, 40], 1.0, Fit::Exact).unwrap();
        assert!(read.input == example.input);
        let output = domain.vocabulary().decode(&example.tokens);
        assert_eq!(line["text"], output.replace(' ', ""));
        let boxes: Vec<[usize; 4]> =
            serde_json::from_value(line["objects"]["bbox"].clone()).unwrap();
        let categories = line["objects"]["categories"].as_array().unwrap();
        let there = boxes.iter().zip(categories);
        let footprints: Vec<Footprint> = there
            .map(|([left, top, width, height], name)| Footprint {
                symbol: domain.vocabulary().id(name.as_str().unwrap()).unwrap(),
                top: *top,
                bottom: top + height,
                left: *left,
                right: left + width,
            })
            .collect();
        assert_eq!(footprints, example.footprints);
    }
}

#[test]
fn evaluations_have_these_figures() {
    let figures = evaluated(&[]);
    for key in [
        "density",
        "empirical_density",
        "fne",
        "fpe",
        "fpe_all",
        "ce",
        "e2ee",
        "exact_match",
        "examples",
    ] {
        assert!(figures[key].is_number(), "{key} in {figures}");
    }
    assert_eq!(figures["examples"], 20);
    for key in ["fne", "fpe", "fpe_all", "ce", "iou"] {
        let share = figures["centred"][key].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{key} in {figures}");
    }
    let table = printed(sparling(&["evaluate", "--examples", "20"]).arg(&RUN.path));
    assert!(
        table.starts_with("density-4.250e-1 (200 samples)"),
        "{table}"
    );
}

#[test]
fn the_nearest_density_is_evaluated() {
    for (wanted, density) in [
        (None, 0.425),
        (Some("0.001"), 0.425),
        // The geometric mean is 0.461.
        (Some("0.46"), 0.425),
        (Some("0.462"), 0.5),
        (Some("1"), 0.5),
    ] {
        let arguments: Vec<&str> = wanted
            .iter()
            .flat_map(|wanted| ["--density", wanted])
            .collect();
        assert_eq!(evaluated(&arguments)["density"], density, "{wanted:?}");
    }
}

#[test]
fn splits_differ() {
    let validation = evaluated(&["--split", "validation"]);
    assert_ne!(validation, evaluated(&["--split", "test"]));
    // The same examples and weights as in training.
    let events = fs::read_to_string(RUN.path.join("metrics.jsonl")).unwrap();
    let check = events
        .lines()
        .map(json)
        .rfind(|event| event["kind"] == "validation");
    let check = check.unwrap();
    for (key, value) in validation.as_object().unwrap() {
        if let Some(measured) = check.get(key) {
            assert_eq!(measured, value, "{key}");
        }
    }
}

#[test]
fn predictions_are_printed_and_drawn() {
    let out = tempfile::tempdir().unwrap();
    let mut sample = sparling(&["sample", "digitcircle", "--config", TINY, "--count", "2"]);
    printed(sample.arg("--out").arg(out.path()));
    let files = [out.path().join("00000.png"), out.path().join("00001.png")];
    let drawn = out.path().join("drawn");
    let predict = || {
        let mut command = sparling(&["predict"]);
        command.arg(&RUN.path).args(&files).arg("--out").arg(&drawn);
        command
    };

    let text = printed(&mut predict());
    assert!(
        text.contains(&format!("{}: ", files[0].display())),
        "{text}"
    );
    assert!(
        text.contains("motif") && text.contains("strength"),
        "{text}"
    );
    let expected = ["00000-motifs.png", "00001-motifs.png"].map(str::to_owned);
    assert_eq!(names(&drawn), BTreeSet::from(expected));

    let predictions = json(&printed(predict().arg("--json")));
    let predictions = predictions.as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    for (prediction, file) in predictions.iter().zip(&files) {
        assert_eq!(prediction["file"], file.to_str().unwrap());
        let tokens = prediction["tokens"].as_array().unwrap();
        let read: String = tokens.iter().map(Value::to_string).collect();
        let output = prediction["output"].as_str().unwrap();
        assert_eq!(output.split_whitespace().collect::<String>(), read);
        let motifs = prediction["motifs"].as_array().unwrap();
        // At this density nearly half of all activations.
        assert!(motifs.len() > 1000, "{} motifs", motifs.len());
        for motif in motifs {
            assert!(motif["row"].as_u64() < Some(40) && motif["column"].as_u64() < Some(40));
            assert!(motif["channel"].as_u64() < Some(10));
            assert!(motif["strength"].as_f64() > Some(0.0));
            let support = &motif["support"];
            assert!(support["top"].as_u64() < support["bottom"].as_u64());
            assert!(support["right"].as_u64() <= Some(40), "{support}");
        }
        let picture = Path::new(prediction["picture"].as_str().unwrap());
        assert!(image::open(picture).unwrap().width() >= 40);
    }
}

#[test]
fn configurations_are_listed_shown_checked_and_compared() {
    let config = |arguments: &[&str]| printed(sparling(&["config"]).args(arguments));
    assert!(config(&["list"]).contains("audiomnist/paper\n"));
    let shown = config(&["show", "digitcircle", "--set", "training.batch_size=3"]);
    assert!(shown.contains("batch_size = 3"), "{shown}");
    assert!(config(&["check", TINY]).contains("can be run"));
    let run = RUN.path.to_str().unwrap();
    let same = config(&["diff", run, run]);
    assert_eq!(same, "");
    let differing = config(&["diff", "digitcircle/small", "digitcircle/paper"]);
    assert!(
        differing.contains("motif_model.width: 16 -> 64\n"),
        "{differing}"
    );
}

#[test]
fn shells_and_systems_are_told_what_there_is() {
    let script = printed(&mut sparling(&["completions", "bash"]));
    assert!(script.contains("annotate") && script.contains("--no-pictures"));
    let manual = printed(&mut sparling(&["man"]));
    assert!(
        manual.starts_with(".ie") && manual.contains("annotate"),
        "{manual}"
    );
}

#[test]
fn devices_lists_every_backend() {
    let listed = printed(&mut sparling(&["devices"]));
    let names: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, ["flex", "ndarray", "wgpu", "vulkan", "cuda"]);
    if cfg!(not(feature = "cuda")) {
        let advice = "not compiled in";
        assert!(listed.contains(advice), "{listed}");
    }
}

#[test]
fn a_run_leaves_these_files() {
    let run = &RUN.path;
    let expected = [
        ".lock",
        "channels.png",
        "checkpoints",
        "config.toml",
        "curves.png",
        "environment.json",
        "examples.png",
        "metrics.jsonl",
        "names.json",
        "results.json",
        "supports.json",
    ];
    assert_eq!(names(run), BTreeSet::from(expected.map(str::to_owned)));
    let expected = [
        "best-200.safetensors",
        "best.json",
        "density-4.250e-1-200.safetensors",
        "density-4.250e-1.json",
        "density-5.000e-1-100.safetensors",
        "density-5.000e-1.json",
        "last-200.optimizer",
        "last-200.safetensors",
        "last-250.optimizer",
        "last-250.safetensors",
        "last.json",
        "previous.json",
    ];
    let checkpoints = names(&run.join("checkpoints"));
    assert_eq!(checkpoints, BTreeSet::from(expected.map(str::to_owned)));

    let given = RunConfig::load("digitcircle", "", Some(Path::new(TINY)), &[]).unwrap();
    let kept = RunConfig::from_run(&run.join("config.toml")).unwrap();
    assert_eq!(kept.to_toml().unwrap(), given.to_toml().unwrap());
    let environment = json(&fs::read_to_string(run.join("environment.json")).unwrap());
    assert_eq!(environment["backend"], "flex");
    for key in ["version", "burn", "device", "platform", "threads"] {
        assert!(!environment[key].is_null(), "{key} in {environment}");
    }
    for picture in ["examples.png", "curves.png"] {
        assert!(image::open(run.join(picture)).unwrap().width() > 100);
        assert!(RUN.said.contains(picture), "{}", RUN.said);
    }
}

/// What is saved at the end is what would be measured.
#[test]
fn supports_are_those_of_the_lowest_density() {
    let copy = tempfile::tempdir().unwrap();
    let run = copy.path().join("run");
    copied::copy(&RUN.path, &run);
    let evaluate = || printed(sparling(&["evaluate", "--json", "--examples", "20"]).arg(&run));
    let saved = json(&fs::read_to_string(run.join("supports.json")).unwrap());
    let supports = saved["supports"].as_array().unwrap();
    assert_eq!(supports.len(), 10);
    assert!(supports.iter().any(Value::is_object), "{saved}");
    let expected = evaluate();
    fs::remove_file(run.join("supports.json")).unwrap();
    assert_eq!(evaluate(), expected);
}

#[test]
fn a_name_is_found_where_none_is_given() {
    let out = tempfile::tempdir().unwrap();
    for name in ["tiny-seed4", "tiny-seed4-2"] {
        let mut command = sparling(&["train", "digitcircle", "--config", TINY, "--seed", "4"]);
        printed(
            command
                .args(["--max-samples", "0", "--out"])
                .arg(out.path()),
        );
        assert!(out.path().join("digitcircle").join(name).is_dir(), "{name}");
    }
}

#[test]
fn a_run_can_be_limited_in_time() {
    let out = tempfile::tempdir().unwrap();
    let said = printed(train(out.path(), "short").args(["--max-time", "0s"]));
    let mut lines = said.lines();
    let saved =
        |line: &str| line.starts_with("0 samples in 0.") && line.contains(" min, saved in ");
    assert!(lines.any(saved), "{said}");
    assert!(said.contains("sparling train --resume"), "{said}");
}

#[test]
fn every_experiment_can_be_run() {
    let folders = ["presets", "../../experiments"];
    let mut folders: Vec<PathBuf> = folders
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .into();
    let mut experiments = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
                if table.contains_key("variant") {
                    let experiment = Experiment::load(&path);
                    assert!(experiment.is_ok(), "{}: {experiment:?}", path.display());
                } else {
                    let domain = table["domain"]["name"].as_str().unwrap().to_owned();
                    let config = RunConfig::load(&domain, "", Some(&path), &[]);
                    assert!(config.is_ok(), "{}: {config:?}", path.display());
                }
                experiments += 1;
            }
        }
    }
    assert!(experiments >= 2, "{experiments} experiments");
}

#[test]
fn motifs_can_be_changed_by_hand() {
    let out = tempfile::tempdir().unwrap();
    let mut sample = sparling(&["sample", "digitcircle", "--config", TINY, "--count", "1"]);
    printed(sample.arg("--out").arg(out.path()));
    let file = fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "png"))
        .unwrap();
    let intervene = |edits: &[&str]| {
        let mut command = sparling(&["intervene"]);
        command.arg(&RUN.path).arg(&file).args(edits);
        command
    };
    let motifs = |said: &str| -> Vec<Vec<String>> {
        let parts = said.split("after").map(|part| {
            let lines = part.lines().map(str::trim);
            let motifs = lines.filter(|line| line.contains('@'));
            motifs.map(str::to_owned).collect()
        });
        parts.collect()
    };
    let all = motifs(&printed(&mut intervene(&[])));
    assert_eq!(all[0], all[1]);
    let (first, _) = all[0][0].split_once('=').unwrap();

    let picture = out.path().join("after.png");
    let mut remove = intervene(&["--remove", first, "--picture"]);
    let changed = motifs(&printed(remove.arg(&picture)));
    assert_eq!(changed[0], all[0]);
    assert_eq!(changed[1], all[0][1..]);
    assert!(picture.exists());

    let added = motifs(&printed(&mut intervene(&[
        "--add",
        &format!("{first}=2.5"),
    ])));
    assert!(added[1].contains(&format!("{first}=2.500")));
    let outside = intervene(&["--add", "A@99,99"]).output().unwrap();
    assert!(String::from_utf8_lossy(&outside.stderr).contains("A@99,99 is outside"));
}

#[test]
fn a_crowd_of_motifs_is_not_explained() {
    let out = tempfile::tempdir().unwrap();
    let mut sample = sparling(&["sample", "digitcircle", "--config", TINY, "--count", "1"]);
    printed(sample.arg("--out").arg(out.path()));
    let mut explain = sparling(&["explain"]);
    let explain = explain.arg(&RUN.path).arg(out.path().join("00000.png"));
    let explained = explain.output().unwrap();
    assert!(!explained.status.success());
    let said = String::from_utf8_lossy(&explained.stderr);
    assert!(
        said.contains("too many to be told apart") && said.contains("--density"),
        "{said}"
    );
}

#[test]
fn a_report_holds_every_figure_and_table() {
    let out = tempfile::tempdir().unwrap();
    let mut command = sparling(&["report"]);
    command.arg(RUN.path.parent().unwrap());
    let said = printed(command.arg("--out").arg(out.path()));
    assert!(said.contains("digitcircle: 1 runs in 1 groups"), "{said}");
    let page = fs::read_to_string(out.path().join("report.html")).unwrap();
    assert!(page.contains("paper, Figure 4") && page.contains("data:image/png;base64,"));
    for file in [
        "tables/digitcircle-errors.csv",
        "tables/digitcircle-paper.md",
        "figures/digitcircle-errors-1-4.svg",
        "figures/digitcircle-run-confusion.png",
    ] {
        assert!(out.path().join(file).exists(), "{file}");
    }
    let nothing = tempfile::tempdir().unwrap();
    let failed = sparling(&["report"]).arg(nothing.path()).output().unwrap();
    let error = String::from_utf8_lossy(&failed.stderr);
    assert!(error.contains("no run that has ended"), "{error}");
}
