//! What a run measured.

use std::path::Path;

use serde_json::Value;

/// The whole lines of `metrics.jsonl` so far, without what depends on the clock.
pub fn events(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| without_clock(serde_json::from_str(line).expect("each line is JSON")))
        .collect()
}

/// Drops the fields that depend on the clock, at any depth.
pub fn without_clock(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, _)| !key.ends_with("_seconds") && !key.ends_with("_per_s"))
            .map(|(key, value)| (key, without_clock(value)))
            .collect(),
        other => other,
    }
}
