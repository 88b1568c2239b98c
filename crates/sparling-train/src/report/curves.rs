//! How training went, and what sparsity buys (paper, Figure 5).

use std::path::Path;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::chart::{self, Axis, LEAST_ERROR, Panel, Series, error_at};

/// The metrics of one validation.
///
/// Errors are fractions, `None` where there was nothing to divide by; such a point is left out of
/// its curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationPoint {
    /// Training samples so far.
    pub samples: u64,
    /// The density that the validated model was trained at.
    pub density: f64,
    /// The accuracy it had to beat.
    pub target: f64,
    /// Fraction of exact matches.
    pub accuracy: f64,
    /// False negative error.
    pub fne: Option<f64>,
    /// False positive error.
    pub fpe: Option<f64>,
    /// Confusion error.
    pub ce: Option<f64>,
    /// End-to-end edit error.
    pub e2ee: Option<f64>,
}

/// Draws four panels as a PNG: accuracy, density and errors over training samples, and errors
/// against density with the sparse end on the right, each density's last validation for it.
///
/// Errors have a logarithmic scale from 0.01 % to 100 %, and smaller ones are drawn at 0.01 %.
///
/// # Errors
///
/// When there is no validation, a density is not positive, or the file cannot be written.
pub fn draw(path: &Path, points: &[ValidationPoint]) -> Result<()> {
    ensure!(
        !points.is_empty(),
        "no validations to draw in {}",
        path.display()
    );
    for point in points {
        let ValidationPoint {
            samples, density, ..
        } = point;
        ensure!(
            *density > 0.0 && density.is_finite(),
            "density {density} at {samples} samples cannot be drawn in {}",
            path.display()
        );
    }
    let last = last_of_each_density(points);
    let samples = |point: &ValidationPoint| point.samples as f64;
    let density = |point: &ValidationPoint| -point.density.log10();
    let over_samples = Axis::samples(points.iter().map(|point| point.samples).max().unwrap_or(0));
    let density_over_samples = points
        .iter()
        .map(|point| (samples(point), point.density.log10()));
    let densities = || points.iter().map(|point| point.density);
    let panels = [
        Panel::of_curves(
            "Validation accuracy",
            over_samples.clone(),
            Axis::share(),
            accuracies(points),
        ),
        Panel::of_curves(
            "Density",
            over_samples.clone(),
            Axis::density(densities(), false),
            vec![Series::line("density", 0, density_over_samples)],
        ),
        Panel::of_curves(
            "Errors during training",
            over_samples,
            Axis::error(LEAST_ERROR),
            errors(points, samples),
        ),
        Panel::of_curves(
            "Errors against density",
            Axis::density(densities(), true),
            Axis::error(LEAST_ERROR),
            errors(&last, density),
        ),
    ];
    chart::save(path, &panels)
}

fn accuracies(points: &[ValidationPoint]) -> Vec<Series> {
    let over = |value: fn(&ValidationPoint) -> f64| {
        points
            .iter()
            .map(move |point| (point.samples as f64, value(point)))
    };
    vec![
        Series::line("exact match", 0, over(|point| point.accuracy)),
        Series::line("target", 1, over(|point| point.target)),
    ]
}

/// One error of a validation.
type Getter = fn(&ValidationPoint) -> Option<f64>;

fn errors(points: &[ValidationPoint], x: impl Fn(&ValidationPoint) -> f64) -> Vec<Series> {
    let series: [(&str, Getter); 4] = [
        ("FNE", |point| point.fne),
        ("FPE", |point| point.fpe),
        ("CE", |point| point.ce),
        ("E2EE", |point| point.e2ee),
    ];
    series
        .into_iter()
        .enumerate()
        .map(|(style, (name, error))| {
            let known = points
                .iter()
                .filter_map(|point| error(point).map(|error| (x(point), error_at(error))));
            Series::line(name, style, known)
        })
        .collect()
}

/// The state each density was left in: the ladder of checkpoints.
fn last_of_each_density(points: &[ValidationPoint]) -> Vec<ValidationPoint> {
    let mut last: Vec<ValidationPoint> = Vec::new();
    for point in points {
        match last.iter_mut().find(|other| other.density == point.density) {
            Some(other) => *other = *point,
            None => last.push(*point),
        }
    }
    last.sort_by(|one, other| other.density.total_cmp(&one.density));
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(samples: u64, density: f64) -> ValidationPoint {
        ValidationPoint {
            samples,
            density,
            target: 0.9,
            accuracy: 0.5,
            fne: Some(0.0),
            fpe: None,
            ce: Some(1.0),
            e2ee: Some(0.2),
        }
    }

    #[test]
    fn draws_few_and_many_points() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        for count in [1, 2, 300] {
            let points: Vec<_> = (0..count)
                .map(|index| point(index * 20_000, 0.5 / (index + 1) as f64))
                .collect();
            draw(&path, &points).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
        }
    }

    #[test]
    fn each_density_counts_with_its_last_validation() {
        let points = [
            point(1, 0.5),
            point(2, 0.5),
            point(3, 0.3),
            point(4, 0.1),
            point(5, 0.1),
        ];
        let samples: Vec<_> = last_of_each_density(&points)
            .iter()
            .map(|point| point.samples)
            .collect();
        assert_eq!(samples, [2, 3, 5]);
    }

    #[test]
    fn unknown_errors_leave_gaps_and_zeros_lie_on_the_floor() {
        let series = errors(&[point(1, 0.5)], |_| 0.0);
        let counts: Vec<_> = series.iter().map(|series| series.points.len()).collect();
        assert_eq!(counts, [1, 0, 1, 1]);
        assert_eq!(series[0].points, [(0.0, -4.0)]);
    }

    #[test]
    fn nothing_and_nonsense_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        assert!(
            draw(&path, &[])
                .unwrap_err()
                .to_string()
                .contains("curves.png")
        );
        let error = draw(&path, &[point(7, 0.0)]).unwrap_err().to_string();
        assert!(error.starts_with("density 0 at 7 samples"), "{error}");
        assert!(!path.exists());
    }
}
