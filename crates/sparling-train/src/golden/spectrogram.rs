//! `spectrogram.safetensors`: waves in, the filter bank and log-mel spectrograms out.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sparling_data::SpectrogramConfig;

use super::Comparison;
use super::tensors::Tensors;

/// The largest difference, in decibels, of what is less than [`RESOLVED`] below the loudest value.
const TOLERANCE: f64 = 1e-3;

/// How far below the loudest value f32 still resolves the tolerance, in decibels. Below, the golden
/// values themselves are off by more: what is left of the loud bands' rounding drowns them.
const RESOLVED: f64 = 70.0;

/// The largest difference further below.
const UNRESOLVED_TOLERANCE: f64 = 5e-3;

#[derive(Deserialize)]
struct Meta {
    spectrogram: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    sample_rate: u32,
    n_mels: usize,
    n_fft: usize,
    hop: usize,
    top_db: f64,
    amin: f64,
}

/// Computes the spectrogram of every wave in `dir/spectrogram.safetensors`.
///
/// # Errors
///
/// If a file is missing or not of the expected layout.
pub fn compare(dir: &Path) -> Result<Vec<Comparison>> {
    let path = dir.join("meta.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let meta: Meta = serde_json::from_slice(&text)
        .with_context(|| format!("cannot parse {}", path.display()))?;
    let parameters = meta.spectrogram;
    let spectrogram = SpectrogramConfig {
        sample_rate: parameters.sample_rate,
        window: parameters.n_fft,
        hop: parameters.hop,
        mels: parameters.n_mels,
        smallest_power: parameters.amin,
        dynamic_range: parameters.top_db,
    }
    .build()?;
    Tensors::read(dir, "spectrogram.safetensors")?.open(|tensors| {
        let values = |name: &str| {
            let found = tensors.find(name).map(|(_, values)| values);
            found.with_context(|| format!("there is no {name}"))
        };
        let expected = values("filterbank")?;
        let bank = spectrogram.filterbank();
        let mut comparisons = vec![compare_values(
            "filterbank",
            &bank,
            &expected,
            super::TOLERANCE,
        )];
        let waves = tensors.group("wave").names();
        ensure!(!waves.is_empty(), "there is no wave");
        for wave in waves {
            let expected = values(&format!("logmel{wave}"))?;
            let actual = spectrogram.log_mel(&values(&format!("wave{wave}"))?);
            let [ours, golden] = [actual.len(), expected.len()];
            ensure!(
                ours == golden,
                "wave{wave} gives {ours} values, not {golden}"
            );
            comparisons.extend(compare_decibels(&wave, &actual, &expected));
        }
        Ok(comparisons)
    })
}

/// Compares the values that f32 resolves, and the others.
fn compare_decibels(wave: &str, actual: &[f32], expected: &[f32]) -> [Comparison; 2] {
    let loudest = expected.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let largest = expected
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    let is_resolved = |value: f32| f64::from(loudest - value) < RESOLVED;
    let compare = |resolved: bool, case: String, tolerance: f64| {
        let pick = |values: &[f32]| -> Vec<f32> {
            let pairs = values.iter().zip(expected);
            let chosen = pairs.filter(|(_, expected)| is_resolved(**expected) == resolved);
            chosen.map(|(value, _)| *value).collect()
        };
        let tolerance = tolerance / f64::from(largest);
        compare_values(&case, &pick(actual), &pick(expected), tolerance)
    };
    [
        compare(true, format!("logmel{wave}"), TOLERANCE),
        compare(
            false,
            format!("logmel{wave}, {RESOLVED} dB below"),
            UNRESOLVED_TOLERANCE,
        ),
    ]
}

fn compare_values(case: &str, actual: &[f32], expected: &[f32], tolerance: f64) -> Comparison {
    let [actual, expected] =
        [actual, expected].map(|values| values.iter().copied().map(f64::from).collect::<Vec<_>>());
    Comparison::of(format!("spectrogram.{case}"), &actual, &expected, tolerance)
}
