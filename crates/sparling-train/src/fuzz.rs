//! Whatever stands in a file or an option, it is read or refused: never a panic. Cases are drawn anew in each run;
//! `PROPTEST_CASES` sets how many.

use std::fs;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::config::RunConfig;
use crate::run::checkpoint::Checkpoints;
use crate::run::event::Event;
use crate::run::event::tests::check;
use crate::run::folder::RunFolder;
use crate::study::intervene::{Addition, Move, Place};

const TINY: &str = include_str!("../tests/data/tiny.toml");

/// The keys of the tiny configuration, with their sections.
static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in TINY.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.split(']').next())
        {
            section = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.push(format!("{section}{key}"));
        }
    }
    keys
});

/// Values that numbers, words and tables may have, likely or not.
fn value() -> impl Strategy<Value = String> {
    let extreme = [
        "0",
        "1",
        "-1",
        "2",
        "1e300",
        "-1e300",
        "5e-324",
        "1e-320",
        "nan",
        "inf",
        "-inf",
        "true",
        "",
        "\"\"",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "65536",
        "1000000000",
        "4294967296",
        "0.9999999999999999",
        ".001",
        "1.",
        "{}",
        "[]",
        "[1, 2]",
        "{ kind = 'l1', weight = 1.0 }",
        "\"digitcircle\"",
        "\"per_channel\"",
        "{ groups = 3 }",
        "{ groups = 0 }",
    ];
    prop_oneof![
        prop::sample::select(extreme.to_vec()).prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        "[ -~]{0,12}",
    ]
}

/// A change of some characters: where, what instead, and how many of the old ones go.
fn changed(text: &[u8], changes: &[(prop::sample::Index, Vec<u8>, usize)]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for (at, with, dropped) in changes {
        let at = at.index(bytes.len() + 1);
        let end = (at + dropped).min(bytes.len());
        bytes.splice(at..end, with.iter().copied());
    }
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, Vec<u8>, usize)>> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..4),
        "[0-9e.,:{}-]{0,4}".prop_map(String::into_bytes)
    ];
    vec((any::<prop::sample::Index>(), bytes, 0..4_usize), 0..5)
}

/// A log of three checks.
static EVENTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let checks = [(100, 0.5), (200, 0.5), (300, 0.4)];
    let lines = checks.map(|(samples, density)| {
        let event = Event::Validation(check(samples, density));
        serde_json::to_string(&event).expect("plain structs serialise") + "\n"
    });
    lines.concat().into_bytes()
});

/// A checkpoint without files, as JSON.
fn checkpoint() -> Value {
    serde_json::json!({
        "format": 1, "samples": 105, "density": 0.425, "validation": null,
        "weights": { "file": "last-105.safetensors", "bytes": 7, "crc32": 7 },
        "offsets": [[0, 1], [-2, 0]],
        "training": {
            "optimizer": { "file": "last-105.optimizer", "bytes": 7, "crc32": 7 },
            "annealer": { "density": 0.425, "target": 0.1, "cuts": 1, "samples_at_last_check": 100, "finished": false },
            "best": { "density": 0.5, "accuracy": 0.25 },
            "losses": [1.5],
            "pending": { "values": 0, "exact_ranks": 0, "largest": [] },
            "elapsed_seconds": 1.25
        }
    })
}

/// All places in a JSON.
fn pointers(json: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                pointers(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-0.5..1.5_f64).prop_map(Value::from),
        "[ -~]{0,6}".prop_map(Value::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    /// What is accepted is kept as it is.
    #[test]
    fn configurations(settings in vec((any::<prop::sample::Index>(), value()), 1..4)) {
        let settings: Vec<String> = settings
            .iter()
            .map(|(key, value)| format!("{}={value}", key.get::<String>(KEYS.as_slice())))
            .collect();
        if let Ok(config) = RunConfig::parse("digitcircle", "a test", TINY, &settings) {
            let text = config.to_toml().expect("its paths are UTF-8");
            let again = RunConfig::parse("digitcircle", "a test", &text, &[]).expect("it was just written");
            prop_assert_eq!(again.decisive(), config.decisive());
            let domain = config.build_domain().expect("it is valid");
            prop_assert!(config.least_memory(&*domain) <= 1 << 42);
        }
    }

    #[test]
    fn configurations_as_files(changes in changes()) {
        let text = String::from_utf8_lossy(&changed(TINY.as_bytes(), &changes)).into_owned();
        let _ = RunConfig::parse("digitcircle", "a test", &text, &[]);
    }

    #[test]
    fn checkpoints(place in any::<prop::sample::Index>(), value in json_value(), changes in changes(), whole in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut json = checkpoint();
        let mut places = Vec::new();
        pointers(&json, "", &mut places);
        let chosen: &String = place.get(places.as_slice());
        *json.pointer_mut(chosen).expect("it is a place") = value;
        let text = json.to_string().into_bytes();
        let text = if whole { text } else { changed(&text, &changes) };
        fs::write(folder.path().join("last.json"), text).expect("it can be written");
        if let Ok(read) = Checkpoints::new(folder.path()).read("last") {
            prop_assert!(read.density > 0.0 && read.density <= 1.0);
            prop_assert!(!read.weights.file.contains('/'));
            if let Some(training) = read.training {
                prop_assert!(std::time::Duration::try_from_secs_f64(training.elapsed_seconds).is_ok());
            }
        }
    }

    #[test]
    fn interventions(text in "[A-C@0-9,:=.e-]{0,14}") {
        if let Ok(place) = text.parse::<Place>() {
            prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place));
        }
        let _ = text.parse::<Move>();
        if let Ok(Addition { strength: Some(strength), .. }) = text.parse() {
            prop_assert!(strength > 0.0 && strength.is_finite());
        }
    }
}

proptest! {
    // Each case waits for the disk.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn metrics(changes in changes()) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("metrics.jsonl");
        fs::write(folder.path().join("config.toml"), TINY).expect("it can be written");
        let log = RunFolder::open(folder.path()).expect("it has a configuration").log();
        fs::write(&path, &*EVENTS).expect("it can be written");
        let extent = log.extent().expect("it can be read");
        let bytes = changed(&fs::read(&path).expect("it is there"), &changes);
        fs::write(&path, bytes).expect("it can be written");
        if let Ok(events) = log.events() {
            prop_assert!(events.is_sorted_by_key(Event::samples));
        }
        // As it was when it was saved, or not at all.
        if log.rewind(extent).is_ok() {
            prop_assert_eq!(log.extent().expect("it can be read"), extent);
        }
        log.salvage(200).expect("it can be written");
        let left = log.events().expect("what is left are events");
        prop_assert!(left.iter().all(|event| event.samples() <= 200));
    }
}
