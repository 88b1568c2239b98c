//! What is said of whole runs without the truth: what channels do, and how far they can be trusted.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/copied.rs"]
mod copied;
#[path = "support/few_motifs.rs"]
mod few_motifs;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use program::{printed, sparling};
use serde_json::Value;

static RUN: LazyLock<PathBuf> = LazyLock::new(|| few_motifs::run("trust"));

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the file is there");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn a_whole_run_is_explained() {
    let out = tempfile::tempdir().unwrap();
    let mut command = sparling(&["explain", "--examples", "10"]);
    let said = printed(command.arg(&*RUN).arg("--out").arg(out.path()));
    assert!(
        said.contains("blanked outside the motifs' windows"),
        "{said}"
    );
    let explained = json(&out.path().join("effects.json"));
    let tokens = explained["tokens"].as_array().unwrap().len();
    let mean = explained["effects"]["mean"].as_array().unwrap();
    assert_eq!(mean.len(), 10);
    assert!(
        mean.iter()
            .all(|row| row.as_array().unwrap().len() == tokens)
    );
    let blanking = &explained["blanking"];
    assert_eq!(blanking["examples"], 10);
    assert_eq!(blanking["outputs_kept"], 10);
    assert!(
        blanking["largest_change"].as_f64().unwrap() < 1e-5,
        "{blanking}"
    );
    assert!(out.path().join("effects.png").exists());
    let page = fs::read_to_string(out.path().join("channels.html")).unwrap();
    assert_eq!(page.matches(r#""strengths""#).count(), 10);
}

#[test]
fn a_run_agrees_with_its_copy_and_the_report_says_so() {
    let runs = tempfile::tempdir().unwrap();
    let copies = ["one", "other"].map(|name| runs.path().join(name));
    copies.iter().for_each(|copy| copied::copy(&RUN, copy));
    fs::write(copies[0].join("channels.html"), "its channels").unwrap();
    let mut command = sparling(&["trust", "--examples", "20"]);
    printed(command.args(&copies));
    let trust = json(&copies[0].join("trust.json"));
    assert_eq!(trust["consistency"], 1.0);
    assert_eq!(
        (&trust["examples"], &trust["channels"]),
        (&20.into(), &10.into())
    );
    for figure in ["under_noise", "under_shifts"] {
        let share = trust[figure].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{figure}: {share}");
    }
    let mut command = sparling(&["report"]);
    printed(command.arg(runs.path()).arg("--out").arg(runs.path()));
    let linked = runs.path().join("pages/digitcircle-one-seed3.html");
    assert_eq!(fs::read_to_string(linked).unwrap(), "its channels");
    let table = runs.path().join("tables/digitcircle-trust.csv");
    let table = fs::read_to_string(table).unwrap();
    assert!(
        table.contains("marked by other runs") && table.contains("100.00"),
        "{table}"
    );

    printed(sparling(&["trust", "--examples", "20"]).arg(&copies[0]));
    assert_eq!(
        json(&copies[0].join("trust.json"))["consistency"],
        Value::Null
    );
}
