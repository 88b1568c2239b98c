//! A report shows what runs it is given, each once and beside those that it is like, and names those that it
//! cannot.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/copied.rs"]
mod copied;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use circle::train;
use copied::copy;
use program::sparling;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A run that has ended, in a folder of that name.
static ENDED: LazyLock<TempDir> = LazyLock::new(|| {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    program::printed(train(out.path(), "run-seed3").args(["--max-samples", "105"]));
    out
});

/// A copy of it, in a folder of runs.
fn copied(runs: &Path, name: &str) -> PathBuf {
    let run = runs.join(name);
    copy(&ENDED.path().join("digitcircle/run-seed3"), &run);
    run
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// What a report of these folders says on both outputs.
fn report(folders: &[&Path], out: &Path) -> String {
    let output = sparling(&["report"])
        .args(folders)
        .arg("--out")
        .arg(out)
        .output();
    let output = output.expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).expect("it prints UTF-8")
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(path).expect("it is there")).expect("JSON");
    change(&mut json);
    fs::write(path, json.to_string()).expect("it can be written");
}

#[test]
fn a_run_is_counted_once() {
    let runs = folder();
    copied(runs.path(), "run-seed3");
    #[cfg(unix)]
    std::os::unix::fs::symlink(runs.path(), runs.path().join("around")).unwrap();
    let again = runs.path().join("run-seed3/..");
    let said = report(&[runs.path(), &again], &runs.path().join("report"));
    assert!(said.contains("digitcircle: 1 runs in 1 groups"), "{said}");
    // A copy is another folder with the same name, configuration and seed.
    let copies = folder();
    copied(copies.path(), "run-seed3");
    let said = report(&[runs.path(), copies.path()], &runs.path().join("report"));
    assert!(said.contains("digitcircle: 1 runs in 1 groups"), "{said}");
    assert!(said.contains("same name, configuration and seed"), "{said}");
}

#[test]
fn groups_have_one_configuration() {
    let runs = folder();
    for (part, width) in [("a", "width = 4"), ("b", "width = 5")] {
        let run = copied(&runs.path().join(part), "run-seed3");
        let config = run.join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replacen("width = 4", width, 1)).unwrap();
    }
    let out = runs.path().join("report");
    let said = report(&[runs.path()], &out);
    assert!(said.contains("digitcircle: 2 runs in 2 groups"), "{said}");
    let table = fs::read_to_string(out.join("tables/digitcircle-runs.csv")).unwrap();
    assert!(table.contains("\"run, configuration 2\""), "{table}");
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[test]
fn no_figure_is_written_over_another() {
    let runs = folder();
    for name in ["a_b-seed3", "a-b-seed3", "\u{6570}-seed3", "\u{5b57}-seed3"] {
        copied(runs.path(), name);
    }
    let out = runs.path().join("report");
    let said = report(&[runs.path()], &out);
    assert!(said.contains("4 runs in 4 groups"), "{said}");
    let names = fs::read_dir(out.join("figures")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let confusions = names.filter(|name| name.contains("confusion") && name.ends_with(".svg"));
    assert_eq!(confusions.count(), 4);
}

/// What is done to a run.
type Damage = Box<dyn Fn(&Path)>;

#[test]
fn a_damaged_run_is_left_out_by_name() {
    let results =
        |change: fn(&mut Value)| move |run: &Path| edit(&run.join("results.json"), change);
    let cases: Vec<(&str, Damage)> = vec![
        (
            "cut",
            Box::new(|run| fs::write(run.join("results.json"), "{").unwrap()),
        ),
        (
            "short",
            Box::new(results(|json| {
                json["test"]["confusion"]["rows"][0]["counts"] = json!([1])
            })),
        ),
        (
            "missed",
            Box::new(results(|json| {
                json["test"]["confusion"]["missed"] = json!([])
            })),
        ),
        (
            "symbol",
            Box::new(results(|json| {
                json["test"]["confusion"]["rows"][0]["symbol"] = json!(99)
            })),
        ),
        (
            "huge",
            Box::new(results(|json| {
                json["test"]["confusion"]["rows"][0]["counts"][0] = json!(u64::MAX)
            })),
        ),
        (
            "density",
            Box::new(results(|json| json["validation"]["density"] = json!(0))),
        ),
        (
            "subnormal",
            Box::new(results(|json| json["test"]["density"] = json!(1e-320))),
        ),
        (
            "share",
            Box::new(results(|json| json["test"]["fne"] = json!(-3))),
        ),
        (
            "config",
            Box::new(|run| fs::write(run.join("config.toml"), "seed = 1").unwrap()),
        ),
        (
            "metrics",
            Box::new(|run| fs::write(run.join("metrics.jsonl"), "epoch\n").unwrap()),
        ),
        (
            "binning",
            Box::new(|run| {
                let binning = json!([{"density": 0.5, "edit_accuracy": 1.0, "binned": [], "eta": null,
                "eta_interval": [null, null], "bound_bits": null, "examples": 1}]);
                fs::write(run.join("binning.json"), binning.to_string()).unwrap();
            }),
        ),
        (
            "direct",
            Box::new(|run| {
                let judged = json!({"shown": [1], "sparling_wrong": [], "direct_wrong": [1]});
                let direct = json!({"density": 0.5, "samples": 1, "symbols": ["0"],
                "validation": judged, "test": judged});
                fs::write(run.join("direct.json"), direct.to_string()).unwrap();
            }),
        ),
    ];
    let runs = folder();
    copied(runs.path(), "whole-seed3");
    for (name, damage) in &cases {
        damage(&copied(runs.path(), &format!("{name}-seed3")));
    }
    let said = report(&[runs.path()], &runs.path().join("report"));
    assert!(said.contains("digitcircle: 1 runs in 1 groups"), "{said}");
    for (name, _) in &cases {
        let left_out = format!(
            "left out: {}",
            runs.path().join(format!("{name}-seed3")).display()
        );
        assert!(said.contains(&left_out), "{name}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// Measurements with other numbers of bins, and commits in other letters.
#[test]
fn what_differs_between_seeds_is_no_damage() {
    let runs = folder();
    for (seed, binned) in [(3, json!([0.5, 0.6, 0.7])), (4, json!([0.5]))] {
        let run = copied(runs.path(), &format!("run-seed{seed}"));
        let config = run.join("config.toml");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(
            &config,
            text.replacen("seed = 3", &format!("seed = {seed}"), 1),
        )
        .unwrap();
        edit(&run.join("environment.json"), |json| {
            json["commit"] = "abcdef\u{e9}12".into()
        });
        let binning = json!([{"density": 0.5, "edit_accuracy": 1.0, "binned": binned, "eta": null,
            "eta_interval": [null, null], "bound_bits": null, "examples": 1}]);
        fs::write(run.join("binning.json"), binning.to_string()).unwrap();
    }
    let out = runs.path().join("report");
    let said = report(&[runs.path()], &out);
    assert!(said.contains("digitcircle: 2 runs in 1 groups"), "{said}");
    let table = fs::read_to_string(out.join("tables/digitcircle-runs.csv")).unwrap();
    assert!(table.contains("abcdef\u{e9}\""), "{table}");
}
