//! What the model's parts cost as the image, the channels, the density or the batch grow.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use sparling_data::{Split, batch};

use super::step::model_parts;
use crate::backend::Backend;
use crate::config::RunConfig;
use crate::report::scaling::{Sweep, draw};
use crate::training::learner::Learner;

/// Seconds spent on each part at each point.
const BUDGET: f64 = 1.0;

/// The key in the configuration, what it is called, and its values. Each is varied alone, from the
/// small preset of DigitCircle at [`DENSITY`].
const SWEEPS: [(&str, &str, &[f64]); 4] = [
    (
        "domain.size",
        "pixels along the image's side",
        &[48.0, 68.0, 96.0, 136.0, 192.0],
    ),
    (
        "motif_model.channels",
        "motif channels",
        &[10.0, 20.0, 40.0, 80.0, 160.0],
    ),
    (
        "annealing.initial_density",
        "density",
        &[0.5, 0.05, 5e-3, 5e-4, 5e-5],
    ),
    (
        "training.batch_size",
        "examples per batch",
        &[1.0, 3.0, 10.0, 30.0, 100.0],
    ),
];

/// The lowest density of the small preset.
const DENSITY: f64 = 1.587e-4;

/// One point of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What is varied.
    pub key: &'static str,
    /// Its value.
    pub value: f64,
    /// Milliseconds per example of each part, forward and backward.
    pub ms_per_example: Vec<f64>,
}

/// Everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where.
    pub backend: Backend,
    /// Threads on the CPU.
    pub threads: usize,
    /// The parts' names.
    pub parts: Vec<&'static str>,
    /// The points, sweep by sweep.
    pub rows: Vec<Row>,
}

/// Measures every sweep.
///
/// # Errors
///
/// If a configuration of the sweeps is none.
pub fn run(backend: Backend) -> Result<Report> {
    let mut report = Report {
        backend,
        threads: rayon::current_num_threads(),
        parts: Vec::new(),
        rows: Vec::new(),
    };
    for (key, _, values) in SWEEPS {
        for value in values {
            let settings = [
                "annealing.minimum_density=1e-6".to_owned(),
                format!("annealing.initial_density={DENSITY}"),
                format!("{key}={value}"),
            ];
            let config = RunConfig::load("digitcircle", "small", None, &settings)?;
            let domain = config.build_domain()?;
            let learner = Learner::new(&config, &*domain, backend.device().autodiff());
            let size = config.training.batch_size;
            let examples = batch(&*domain, Split::Train { seed: config.seed }, 0, size);
            let parts = model_parts(&learner, &*domain, examples, BUDGET);
            report.parts = parts.iter().map(|part| part.name).collect();
            report.rows.push(Row {
                key,
                value: *value,
                ms_per_example: parts
                    .iter()
                    .map(|part| (part.forward_ms + part.backward_ms.unwrap_or(0.0)) / size as f64)
                    .collect(),
            });
        }
    }
    Ok(report)
}

impl Report {
    /// Draws each sweep as a chart.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn draw(&self, path: &Path) -> Result<()> {
        let sweeps = SWEEPS.map(|(key, title, _)| {
            let rows = self.rows.iter().filter(|row| row.key == key);
            let points = rows.map(|row| (row.value, row.ms_per_example.clone()));
            Sweep {
                title,
                points: points.collect(),
            }
        });
        draw(path, &self.parts, &sweeps)
    }
}
