//! `sparling predict`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use sparling_data::Batch;

use crate::backend::Backend;
use crate::evaluate::{Reading, plane};
use crate::metrics::Motif;
use crate::model::Trained;
use crate::picture;
use crate::report::examples::{self, ExamplePicture, channel_name};

/// What `predict` takes.
#[derive(Debug, Args)]
pub struct Predict {
    /// The run's folder.
    run: PathBuf,
    /// Pictures of the size the model reads, ink black on white.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Where to draw the motifs; by default `predictions` in the run's folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// What was read in one file.
#[derive(Serialize)]
struct Prediction {
    file: PathBuf,
    output: String,
    tokens: Vec<usize>,
    motifs: Vec<PredictedMotif>,
    picture: PathBuf,
}

/// One activation.
#[derive(Serialize)]
struct PredictedMotif {
    channel: usize,
    name: String,
    row: usize,
    column: usize,
    strength: f32,
}

impl Predict {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "predict")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| self.run.join("predictions"));
        // All files are read before anything is written.
        let size = plane(&trained.domain().input_shape());
        let inputs = self
            .files
            .iter()
            .map(|file| picture::read(file, size))
            .collect::<Result<Vec<_>, _>>()?;
        fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;

        let mut predictions = Vec::new();
        for (index, (file, input)) in self.files.iter().zip(inputs).enumerate() {
            let reading = read(&trained, input);
            let picture = out.join(picture_name(&self.files, index));
            predictions.push(draw(&trained, file, &reading, size, picture)?);
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&predictions)?);
        } else {
            predictions.iter().for_each(print);
        }
        Ok(())
    }
}

fn read(trained: &Trained, input: Vec<f32>) -> Reading {
    let batch = Batch {
        first_index: 0,
        inputs: input,
        tokens: vec![Vec::new()],
        footprints: vec![Vec::new()],
    };
    let mut readings = trained.evaluator().read(batch);
    readings.pop().expect("a batch of one gives one reading")
}

fn draw(
    trained: &Trained,
    file: &Path,
    reading: &Reading,
    [height, width]: [usize; 2],
    picture: PathBuf,
) -> Result<Prediction> {
    let output = trained.domain().vocabulary().decode(&reading.prediction);
    let example = ExamplePicture {
        input: &reading.input,
        height,
        width,
        map_height: height,
        footprints: None,
        motifs: &reading.motifs,
        truth: None,
        prediction: &output,
    };
    examples::draw(&picture, &[example])?;
    Ok(Prediction {
        file: file.to_owned(),
        tokens: reading.prediction.clone(),
        motifs: reading.motifs.iter().map(describe).collect(),
        output,
        picture,
    })
}

fn describe(motif: &Motif) -> PredictedMotif {
    PredictedMotif {
        channel: motif.channel,
        name: channel_name(motif.channel),
        row: motif.row,
        column: motif.column,
        strength: motif.strength,
    }
}

/// A name no other of the files gets.
fn picture_name(files: &[PathBuf], index: usize) -> String {
    let stem = |file: &PathBuf| {
        file.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let name = stem(&files[index]);
    match files[..index]
        .iter()
        .filter(|file| stem(file) == name)
        .count()
    {
        0 => format!("{name}-motifs.png"),
        before => format!("{name}-motifs-{}.png", before + 1),
    }
}

fn print(prediction: &Prediction) {
    println!("{}: {}", prediction.file.display(), prediction.output);
    for motif in &prediction.motifs {
        println!(
            "  motif {} at row {}, column {}, strength {:.3}",
            motif.name, motif.row, motif.column, motif.strength
        );
    }
    println!("  drawn in {}", prediction.picture.display());
}
