//! How training went, and what sparsity buys (paper, Figure 5).

use std::path::Path;

use anyhow::{Result, ensure};

use super::chart::{self, Axis, LEAST_ERROR, Panel, Series, error_at};
use crate::metrics::ERRORS;
use crate::run::event::{ValidationEvent, ladder};

/// Draws four panels as a PNG: accuracy, density and errors over training samples, and errors against
/// density with the sparse end on the right, those of the state that was kept at each density.
///
/// Errors have a logarithmic scale from 0.01 % to 100 %, and smaller ones are drawn at 0.01 %. Where
/// there was nothing to divide by, a point is left out of its curve.
///
/// # Errors
///
/// When there is no check, a density is not positive, or the file cannot be written.
pub fn draw(path: &Path, checks: &[ValidationEvent]) -> Result<()> {
    ensure!(
        !checks.is_empty(),
        "no validations to draw in {}",
        path.display()
    );
    for ValidationEvent {
        samples, figures, ..
    } in checks
    {
        let density = figures.density;
        ensure!(
            density > 0.0 && density.is_finite(),
            "density {density} at {samples} samples cannot be drawn in {}",
            path.display()
        );
    }
    chart::save(path, &panels(checks))
}

fn panels(checks: &[ValidationEvent]) -> [Panel; 4] {
    let samples = |check: &ValidationEvent| check.samples as f64;
    let sparsity = |check: &ValidationEvent| -check.figures.density.log10();
    let over = |value: fn(&ValidationEvent) -> Option<f64>| {
        let checks = checks.iter();
        checks.filter_map(move |check| Some((samples(check), value(check)?)))
    };
    let density = over(|check| Some(check.figures.density.log10()));
    let accuracies = vec![
        Series::line("exact match", 0, over(|check| check.figures.exact_match)),
        // There may be nothing to beat, as when the last phase begins.
        Series::line(
            "target",
            1,
            over(|check| Some(check.target).filter(|share| *share > 0.0)),
        ),
    ];
    let most = checks.iter().map(|check| check.samples).max();
    let over_samples = || Axis::samples(most.unwrap_or(0));
    let densities = || checks.iter().map(|check| check.figures.density);
    let error = || Axis::error(LEAST_ERROR);
    [
        Panel::of_curves(
            "Validation accuracy",
            over_samples(),
            Axis::share(),
            accuracies,
        ),
        Panel::of_curves(
            "Density",
            over_samples(),
            Axis::density(densities(), false),
            vec![Series::line("density", 0, density)],
        ),
        Panel::of_curves(
            "Errors during training",
            over_samples(),
            error(),
            errors(checks, samples),
        ),
        Panel::of_curves(
            "Errors against density",
            Axis::density(densities(), true),
            error(),
            errors(ladder(checks), sparsity),
        ),
    ]
}

fn errors<'a>(
    checks: impl IntoIterator<Item = &'a ValidationEvent> + Clone,
    x: impl Fn(&ValidationEvent) -> f64,
) -> Vec<Series> {
    let errors = ERRORS.iter().enumerate();
    errors
        .map(|(style, (name, share))| {
            let known = |check| Some((x(check), error_at(share(&check.figures)?)));
            Series::line(*name, style, checks.clone().into_iter().filter_map(known))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::tests::check;

    #[test]
    fn draws_few_and_many_points() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        for count in [1, 2, 300] {
            let checks: Vec<_> = (0..count)
                .map(|index| check(index * 20_000, 0.5 / (index + 1) as f64))
                .collect();
            draw(&path, &checks).unwrap();
            let drawn = image::open(&path).unwrap();
            assert_eq!((drawn.width(), drawn.height()), (1480, 1120));
        }
    }

    #[test]
    fn unknown_errors_leave_gaps_and_zeros_lie_on_the_floor() {
        let mut check = check(1, 0.5);
        (check.figures.fne, check.figures.ce, check.figures.e2ee) =
            (Some(0.0), Some(1.0), Some(0.2));
        let series = errors([&check], |_| 0.0);
        let counts: Vec<_> = series.iter().map(|series| series.points.len()).collect();
        assert_eq!(counts, [1, 0, 1, 1]);
        assert_eq!(series[0].points, [(0.0, -4.0)]);
    }

    #[test]
    fn nothing_and_nonsense_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.png");
        let error = draw(&path, &[]).unwrap_err().to_string();
        assert!(error.contains("curves.png"), "{error}");
        let error = draw(&path, &[check(7, 0.0)]).unwrap_err().to_string();
        assert!(error.starts_with("density 0 at 7 samples"), "{error}");
        assert!(!path.exists());
    }
}
