//! `annealer.json`: validation accuracies in, targets and densities out.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Comparison;
use sparling_layer::annealing::{AnnealConfig, Annealer};

/// Targets are sums of a few dozen decays, rounded in either implementation's order.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Trace {
    initial_density: f64,
    initial_target: f64,
    target_decay_per_sample: f64,
    density_update: f64,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    samples: u64,
    accuracy: f64,
    target: f64,
    density: f64,
}

/// Runs every trace in `dir/annealer.json` and compares targets and densities after each check.
///
/// # Errors
///
/// When the file cannot be read or does not describe an annealer.
pub fn compare(dir: &Path) -> Result<Vec<Comparison>> {
    let path = dir.join("annealer.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let traces: Vec<Trace> =
        serde_json::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
    let mut comparisons = Vec::new();
    for (index, trace) in traces.iter().enumerate() {
        let compared = compare_trace(index, trace);
        comparisons
            .extend(compared.with_context(|| format!("trace {index} of {}", path.display()))?);
    }
    Ok(comparisons)
}

fn compare_trace(index: usize, trace: &Trace) -> Result<[Comparison; 2]> {
    let mut annealer = Annealer::new(AnnealConfig {
        initial_density: trace.initial_density,
        initial_target: trace.initial_target,
        target_decay_per_sample: trace.target_decay_per_sample,
        density_update: trace.density_update,
        check_every_samples: 1,
        // The traces know no end.
        minimum_density: f64::MIN_POSITIVE,
    })?;
    let (mut targets, mut densities) = (Vec::new(), Vec::new());
    for row in &trace.rows {
        annealer.check(row.samples, row.accuracy);
        targets.push(annealer.state().target);
        densities.push(annealer.density());
    }
    let expected: (Vec<f64>, Vec<f64>) = trace
        .rows
        .iter()
        .map(|row| (row.target, row.density))
        .unzip();
    Ok([
        Comparison::of(
            format!("annealer {index} target"),
            &targets,
            &expected.0,
            TOLERANCE,
        ),
        Comparison::of(
            format!("annealer {index} density"),
            &densities,
            &expected.1,
            TOLERANCE,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_recorded_traces() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let comparisons = compare(&data).unwrap();
        assert_eq!(comparisons.len(), 4);
        for comparison in comparisons {
            assert!(comparison.passes(), "{comparison:?}");
        }
    }

    #[test]
    fn a_wrong_density_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let rows = r#"[{"samples": 10, "accuracy": 0.99, "target": 0.99, "density": 0.5}]"#;
        let trace = r#""initial_target": 1, "initial_density": 0.5, "density_update": 0.75"#;
        let json = format!(r#"[{{{trace}, "target_decay_per_sample": 0.01, "rows": {rows}}}]"#);
        std::fs::write(dir.path().join("annealer.json"), json).unwrap();
        let passes: Vec<bool> = compare(dir.path())
            .unwrap()
            .iter()
            .map(Comparison::passes)
            .collect();
        assert_eq!(passes, [true, false]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = compare(dir.path()).unwrap_err().to_string();
        assert!(error.contains("annealer.json"), "{error}");
    }
}
