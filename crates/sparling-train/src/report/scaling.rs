//! What a step's parts cost as one size grows.

use std::path::Path;

use anyhow::{Result, ensure};

use super::chart::{self, Axis, Panel, Series};

/// How the parts' cost depends on one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// What is varied.
    pub title: &'static str,
    /// Its values, and each part's milliseconds per example at them.
    pub points: Vec<(f64, Vec<f64>)>,
}

/// Draws up to four sweeps as a PNG, both axes logarithmic.
///
/// # Errors
///
/// When a sweep has no points or one that is not positive, or the file cannot be written.
pub fn draw(path: &Path, parts: &[&'static str], sweeps: &[Sweep]) -> Result<()> {
    let mut panels = Vec::new();
    for sweep in sweeps {
        let costs = || {
            sweep
                .points
                .iter()
                .flat_map(|(_, costs)| costs.iter().copied())
        };
        let values = || sweep.points.iter().map(|(value, _)| *value);
        ensure!(
            !sweep.points.is_empty() && values().chain(costs()).all(|value| value > 0.0),
            "{} cannot be drawn in {}",
            sweep.title,
            path.display()
        );
        let series = parts.iter().enumerate().map(|(part, name)| {
            let points = sweep.points.iter();
            let points = points.map(|(value, costs)| (value.log10(), costs[part].log10()));
            Series::line(*name, part, points)
        });
        panels.push(Panel::of_curves(
            "Milliseconds per example, forward and backward",
            Axis::logarithmic(sweep.title, values(), |value| value.to_string()),
            Axis::logarithmic("", costs(), |value| value.to_string()),
            series.collect(),
        ));
    }
    chart::save(path, &panels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_become_a_picture_and_nonsense_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scaling.png");
        let sweep = |cost: f64| Sweep {
            title: "examples per batch",
            points: vec![(1.0, vec![cost, 2.0]), (10.0, vec![0.5, 1.5])],
        };
        assert!(draw(&path, &["g", "h"], &[sweep(0.0)]).is_err());
        draw(&path, &["g", "h"], &[sweep(1.0), sweep(3.0)]).unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
    }
}
