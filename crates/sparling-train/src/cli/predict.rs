//! `sparling predict`.

mod pictures;
mod recordings;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use sparling_data::Batch;

use super::output::say;
use crate::backend::Backend;
use crate::evaluate::Reading;
use crate::metrics::Motif;
use crate::metrics::channel::channel_name;
use crate::run::trained::Trained;

/// What `predict` takes.
#[derive(Debug, Args)]
pub struct Predict {
    /// The run's folder.
    run: PathBuf,
    /// Pictures, ink black on white, of the size the model reads (formulas: or any that their ink fits
    /// into; a folder of your own: like those in it, of any size); or recordings of any length.
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
    /// The output as people write it, where that is something else and the tokens are well formed.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// In a recording, when each token was said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    times: Vec<TokenTime>,
    motifs: Vec<PredictedMotif>,
    picture: PathBuf,
}

/// An output token in a recording.
#[derive(Serialize)]
struct TokenTime {
    token: String,
    /// When the motif that stands for it is, in seconds; that is within the word.
    seconds: Option<f64>,
}

/// One activation.
#[derive(Serialize)]
pub(super) struct PredictedMotif {
    pub(super) channel: usize,
    name: String,
    /// What the channel stands for: the symbol that outputs lose without its motifs.
    symbol: Option<String>,
    /// The share of the channel's motifs without which that symbol went, in validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    row: usize,
    column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    strength: f32,
    /// What its channel looks at around it, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    support: Option<PredictedBox>,
}

/// A part of the input, half-open; in a recording frames are columns.
#[derive(Serialize)]
struct PredictedBox {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl PredictedMotif {
    /// Its channel with what that stands for, its place, and its strength.
    pub(super) fn lines(&self) -> [String; 3] {
        let symbol = self.symbol.as_deref().unwrap_or("nothing");
        [
            format!("{} \u{201c}{symbol}\u{201d}", self.name),
            format!("row {}, column {}", self.row, self.column),
            format!("strength {:.2}", self.strength),
        ]
    }

    /// As one would write it for `intervene`, with what its channel stands for.
    pub(super) fn named_place(&self) -> String {
        let symbol = self.symbol.as_deref().unwrap_or("nothing");
        format!("{}@{},{} ({symbol})", self.name, self.row, self.column)
    }
}

impl Predict {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "predict")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| self.run.join("predictions"));
        let make_folder =
            || fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()));
        let picture = |index: usize| out.join(picture_name(&self.files, index, "motifs", "png"));
        // All files are read before anything is written.
        let predictions = match trained.domain().recordings() {
            Some(front_end) => {
                let recordings = recordings::read(front_end, &self.files)?;
                make_folder()?;
                recordings::predict(&trained, front_end, &self.files, recordings, picture)?
            }
            None => {
                let inputs = pictures::read(&trained, &self.files)?;
                make_folder()?;
                pictures::predict(&trained, &self.files, inputs, picture)?
            }
        };
        if self.json {
            say!("{}", serde_json::to_string_pretty(&predictions)?);
        } else {
            predictions.iter().for_each(print);
        }
        Ok(())
    }
}

/// What a model reads in one file: a picture, or a recording that is no longer than those it was
/// trained on.
pub(super) fn read_one(trained: &Trained, file: &Path) -> Result<Reading> {
    let files = [file.to_owned()];
    let readings = match trained.domain().recordings() {
        Some(front_end) => recordings::read_window(trained, front_end, &files)?,
        None => run(trained, pictures::read(trained, &files)?),
    };
    let reading = readings.into_iter().next();
    Ok(reading.expect("one reading for one file"))
}

/// Runs the model on inputs that nobody knows the truth of.
fn run(trained: &Trained, inputs: Vec<Vec<f32>>) -> Vec<Reading> {
    let evaluator = trained.evaluator();
    let batches = inputs.chunks(evaluator.batch_size);
    batches
        .flat_map(|inputs| {
            evaluator.read(Batch {
                first_index: 0,
                inputs: inputs.concat(),
                tokens: vec![Vec::new(); inputs.len()],
                footprints: vec![Vec::new(); inputs.len()],
            })
        })
        .collect()
}

pub(super) fn describe(trained: &Trained, motif: &Motif, seconds: Option<f64>) -> PredictedMotif {
    let symbol = trained.symbol_of(motif.channel);
    PredictedMotif {
        channel: motif.channel,
        name: channel_name(motif.channel),
        symbol: symbol.map(|symbol| trained.domain().symbols()[symbol].clone()),
        confidence: trained.name_of(motif.channel).map(|name| name.confidence),
        row: motif.row,
        column: motif.column,
        seconds,
        strength: motif.strength,
        support: support_of(trained, motif),
    }
}

fn support_of(trained: &Trained, motif: &Motif) -> Option<PredictedBox> {
    let support = trained.supports()?.of(motif)?;
    let [_, height, width] = trained.domain().input_shape();
    let [rows, columns] = support.around(motif, [height, width]);
    Some(PredictedBox {
        top: rows.start,
        bottom: rows.end,
        left: columns.start,
        right: columns.end,
    })
}

/// A name no other of the files gets, for what was made of one of them.
pub(super) fn picture_name(files: &[PathBuf], index: usize, what: &str, ending: &str) -> String {
    let stem = |file: &Path| {
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
        0 => format!("{name}-{what}.{ending}"),
        before => format!("{name}-{what}-{}.{ending}", before + 1),
    }
}

fn print(prediction: &Prediction) {
    let output = prediction.source.as_ref().unwrap_or(&prediction.output);
    say!("{}: {output}", prediction.file.display());
    for TokenTime { token, seconds } in &prediction.times {
        match seconds {
            Some(seconds) => say!("  {token} at {seconds:.2} s"),
            None => say!("  {token} without a motif"),
        }
    }
    for motif in &prediction.motifs {
        let place = match motif.seconds {
            Some(seconds) => format!("{seconds:.2} s"),
            None => format!("row {}, column {}", motif.row, motif.column),
        };
        let symbol = motif.symbol.as_deref().unwrap_or("nothing");
        say!(
            "  motif {} (stands for {symbol}) at {place}, strength {:.3}",
            motif.name,
            motif.strength
        );
    }
    say!("  drawn in {}", prediction.picture.display());
}
