//! Comparison with golden values computed by other implementations.
//!
//! Each module reads its part of a folder of golden values and works on any folder of that layout,
//! whatever the values in it.

use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

pub mod annealer;
pub mod decoders;
pub mod metrics;
pub mod motif_models;
pub mod quantile;
pub mod sparse_layers;
pub mod spectrogram;
pub mod tensors;

/// The largest error relative to the largest magnitude that f32 arithmetic may have.
pub const TOLERANCE: f64 = 1e-4;

/// Compares with everything in the folder `dir`.
///
/// # Errors
///
/// If a file is missing or not of the expected layout.
pub fn compare(dir: &Path, device: &Device) -> Result<Vec<Comparison>> {
    let device = device.clone().autodiff();
    let mut comparisons = quantile::compare(dir, &device)?;
    comparisons.extend(sparse_layers::compare(dir, &device)?);
    comparisons.extend(motif_models::compare(dir, &device)?);
    comparisons.extend(decoders::compare(dir, &device)?);
    comparisons.extend(spectrogram::compare(dir)?);
    comparisons.extend(metrics::compare(dir)?);
    comparisons.extend(annealer::compare(dir)?);
    Ok(comparisons)
}

/// How far one golden case is from what this project computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was compared.
    pub case: String,
    /// The largest absolute difference.
    pub max_absolute: f64,
    /// The largest absolute difference, relative to the largest magnitude expected.
    pub max_relative: f64,
    /// The largest `max_relative` that passes; 0 means exact.
    pub tolerance: f64,
}

impl Comparison {
    /// Compares actual with expected numbers.
    ///
    /// Different lengths, NaN and any difference from an infinity are infinitely wrong.
    pub fn of(case: impl Into<String>, actual: &[f64], expected: &[f64], tolerance: f64) -> Self {
        let case = case.into();
        let mut max_absolute = 0.0_f64;
        let mut magnitude = 0.0_f64;
        for (&actual, &expected) in actual.iter().zip(expected) {
            let difference = if actual == expected {
                0.0
            } else {
                (actual - expected).abs()
            };
            let difference = if difference.is_nan() {
                f64::INFINITY
            } else {
                difference
            };
            max_absolute = max_absolute.max(difference);
            if expected.is_finite() {
                magnitude = magnitude.max(expected.abs());
            }
        }
        if actual.len() != expected.len() {
            max_absolute = f64::INFINITY;
        }
        let max_relative = match max_absolute {
            0.0 => 0.0,
            _ if magnitude == 0.0 => f64::INFINITY,
            absolute => absolute / magnitude,
        };
        Self {
            case,
            max_absolute,
            max_relative,
            tolerance,
        }
    }

    /// Whether the difference is within the tolerance.
    pub fn passes(&self) -> bool {
        self.max_relative <= self.tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_relative_to_the_largest_magnitude() {
        let comparison = Comparison::of("x", &[4.0, 0.1], &[4.0, 0.0], 0.05);
        assert_eq!(
            (comparison.max_absolute, comparison.max_relative),
            (0.1, 0.025)
        );
        assert!(comparison.passes());
    }

    #[test]
    fn equal_is_exact() {
        assert!(Comparison::of("x", &[1.0, -2.0], &[1.0, -2.0], 0.0).passes());
        assert!(Comparison::of("x", &[0.0], &[0.0], 0.0).passes());
        assert!(Comparison::of("x", &[], &[], 0.0).passes());
        assert!(Comparison::of("x", &[f64::INFINITY], &[f64::INFINITY], 0.0).passes());
    }

    #[test]
    fn nonsense_is_infinitely_wrong() {
        for (actual, expected) in [
            (vec![1.0], vec![1.0, 2.0]),
            (vec![], vec![1.0]),
            (vec![f64::NAN], vec![1.0]),
            (vec![1.0], vec![f64::NAN]),
            (vec![f64::NAN], vec![f64::NAN]),
            (vec![f64::INFINITY, 1.0], vec![1.0, 1.0]),
            (vec![1.0], vec![0.0]),
        ] {
            let comparison = Comparison::of("x", &actual, &expected, 1.0);
            assert_eq!(
                comparison.max_relative,
                f64::INFINITY,
                "{actual:?} {expected:?}"
            );
            assert!(!comparison.passes());
        }
    }
}
