//! `metrics.json`: activations and boxes in, confusion counts and errors out.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sparling_data::Footprint;

use super::Comparison;
use crate::metrics::MotifCounts;

/// Ratios of the same integers, rounded differently where one is written `1 - x`.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    channels: usize,
    symbols: usize,
    height: usize,
    width: usize,
    examples: Vec<GoldenExample>,
    confusion: Vec<Vec<u64>>,
    matched: u64,
    false_negatives: u64,
    false_positives: u64,
    predicted: u64,
    fne: Option<f64>,
    fpe_maximal: Option<f64>,
    fpe_all_predictions: Option<f64>,
    ce_one_to_one: Option<f64>,
    ce_many_to_one: Option<f64>,
}

#[derive(Deserialize)]
struct GoldenExample {
    boxes: Vec<GoldenBox>,
    activations: Vec<Activation>,
}

#[derive(Deserialize)]
struct GoldenBox {
    symbol: usize,
    y: [usize; 2],
    x: [usize; 2],
}

#[derive(Deserialize)]
struct Activation {
    channel: usize,
    y: usize,
    x: usize,
    value: f32,
}

/// Counts every case in `dir/metrics.json` and compares its counts, exactly, and its errors.
///
/// # Errors
///
/// When the file cannot be read or a case contradicts its own shape.
pub fn compare(dir: &Path) -> Result<Vec<Comparison>> {
    let path = dir.join("metrics.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let file: File =
        serde_json::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
    let mut comparisons = Vec::new();
    for (index, case) in file.cases.iter().enumerate() {
        let counts = count(case).with_context(|| format!("case {index} of {}", path.display()))?;
        comparisons.extend(compare_case(index, case, &counts));
    }
    Ok(comparisons)
}

fn count(case: &Case) -> Result<MotifCounts> {
    let mut counts = MotifCounts::new(case.channels, case.symbols);
    for example in &case.examples {
        let mut activations = vec![0.0; case.channels * case.height * case.width];
        for at in &example.activations {
            ensure!(
                at.channel < case.channels && at.y < case.height && at.x < case.width,
                "activation at channel {}, y {}, x {} is outside the map",
                at.channel,
                at.y,
                at.x
            );
            activations[(at.channel * case.height + at.y) * case.width + at.x] = at.value;
        }
        let mut footprints = Vec::new();
        for GoldenBox { symbol, y, x } in &example.boxes {
            ensure!(
                *symbol < case.symbols,
                "symbol {symbol} is not one of {}",
                case.symbols
            );
            let (symbol, [top, bottom], [left, right]) = (*symbol, *y, *x);
            footprints.push(Footprint {
                symbol,
                top,
                bottom,
                left,
                right,
            });
        }
        counts.add_example(&activations, case.height, case.width, &footprints);
    }
    Ok(counts)
}

fn compare_case(index: usize, case: &Case, counts: &MotifCounts) -> [Comparison; 3] {
    let expected = case.confusion.concat();
    let totals = [
        counts.maximal_total(),
        counts.missed_total(),
        counts.false_positives_total(),
        counts.activations_total(),
    ];
    let expected_totals = [
        case.matched,
        case.false_negatives,
        case.false_positives,
        case.predicted,
    ];
    let errors = [
        counts.fne(),
        counts.fpe(),
        counts.fpe_all(),
        counts.ce_one_to_one(),
        counts.ce_many_to_one(),
    ];
    let expected_errors = [
        case.fne,
        case.fpe_maximal,
        case.fpe_all_predictions,
        case.ce_one_to_one,
        case.ce_many_to_one,
    ];
    let exact = |name: &str, actual: &[u64], expected: &[u64]| {
        let floats = |counts: &[u64]| counts.iter().map(|&count| count as f64).collect::<Vec<_>>();
        Comparison::of(
            format!("metrics {index} {name}"),
            &floats(actual),
            &floats(expected),
            0.0,
        )
    };
    // No error is negative, so -1 stands for the absence of one.
    let errors = errors.map(|error| error.unwrap_or(-1.0));
    let expected_errors = expected_errors.map(|error| error.unwrap_or(-1.0));
    [
        exact("confusion", &counts.confusion, &expected),
        exact("totals", &totals, &expected_totals),
        Comparison::of(
            format!("metrics {index} errors"),
            &errors,
            &expected_errors,
            TOLERANCE,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
    }

    #[test]
    fn agrees_with_worked_cases() {
        let comparisons = compare(&data()).unwrap();
        assert_eq!(comparisons.len(), 6);
        for comparison in comparisons {
            assert!(comparison.passes(), "{comparison:?}");
        }
    }

    #[test]
    fn one_count_off_is_found() {
        let json = std::fs::read_to_string(data().join("metrics.json")).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value["cases"][0]["predicted"] = 1.into();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("metrics.json"), value.to_string()).unwrap();
        let failed: Vec<String> = compare(dir.path())
            .unwrap()
            .into_iter()
            .filter(|comparison| !comparison.passes())
            .map(|comparison| comparison.case)
            .collect();
        assert_eq!(failed, ["metrics 0 totals"]);
    }

    #[test]
    fn an_activation_outside_the_map_is_an_error() {
        let json = std::fs::read_to_string(data().join("metrics.json")).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        value["cases"][1]["examples"][0]["activations"][0]["y"] = 99.into();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("metrics.json"), value.to_string()).unwrap();
        let error = compare(dir.path()).unwrap_err();
        let chain = format!("{error:#}");
        assert!(
            chain.contains("case 1 of") && chain.contains("y 99"),
            "{chain}"
        );
    }
}
