//! `sparling explain`.

mod whole;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use super::output::{say, say_part};
use crate::backend::Backend;
use crate::evaluate::Reading;
use crate::files::atomic;
use crate::reading::{FileNames, PredictedMotif, describe, read_one};
use crate::report::flow::{self, Sink, Source};
use crate::run::trained::Trained;
use crate::study::channels::{Crop, crop};
use crate::study::explain::Explanation;

/// More motifs than this have no graph that anyone could read.
const MOST_MOTIFS: usize = 100;

/// What `explain` takes.
#[derive(Debug, Args)]
pub struct Explain {
    /// The run's folder.
    run: PathBuf,
    /// Pictures or recordings, as `predict` reads them; recordings no longer than those trained on. Without
    /// any the whole run is explained: what each channel does to tokens, on test examples.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How many test examples the whole run is explained on.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        conflicts_with = "files"
    )]
    examples: usize,
    /// Print JSON, a line for each file.
    #[arg(long)]
    json: bool,
    /// Where to write the graphs, as SVG, PNG and DOT; by default `explanations` in the run's folder, or of
    /// the whole run that folder itself.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// What one file's output is made of.
#[derive(Serialize)]
struct Explained {
    file: PathBuf,
    output: Vec<String>,
    motifs: Vec<PredictedMotif>,
    #[serde(flatten)]
    explanation: Explanation,
}

impl Explain {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "explain")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        if self.files.is_empty() {
            let out = self.out.as_ref().unwrap_or(&self.run);
            return whole::explain(&trained, &self.run, self.examples, self.json, out);
        }
        // All files are read before anything is written.
        let explained = self.files.iter().map(|file| {
            let reading = read_one(&trained, file)?;
            Ok((Explained::of(&trained, file, &reading)?, reading))
        });
        let explained = explained.collect::<Result<Vec<_>>>()?;
        let out = self.out.clone();
        let out = out.unwrap_or_else(|| self.run.join("explanations"));
        fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
        let mut names = FileNames::default();
        for (explained, reading) in &explained {
            if self.json {
                say!("{}", serde_json::to_string(explained)?);
            } else {
                explained.print();
            }
            let path = out.join(names.next(&explained.file, "flow", "svg"));
            explained.draw(&trained, reading, &path)?;
            if !self.json {
                say!("  drawn in {}", path.display());
            }
        }
        Ok(())
    }
}

impl Explained {
    fn of(trained: &Trained, file: &Path, reading: &Reading) -> Result<Self> {
        let motifs = reading.motifs.len();
        ensure!(
            motifs <= MOST_MOTIFS,
            "{} has {motifs} motifs at this density, too many to be told apart: ask for a lower one with \
             --density (at most {MOST_MOTIFS} motifs)",
            file.display()
        );
        let explanation = Explanation::of(&trained.evaluator(), reading);
        let vocabulary = trained.domain().vocabulary();
        let token = |token: &usize| match *token == vocabulary.end() {
            true => "end".to_owned(),
            false => vocabulary.decode(&[*token]),
        };
        Ok(Self {
            file: file.to_owned(),
            output: explanation.tokens.iter().map(token).collect(),
            motifs: reading
                .motifs
                .iter()
                .map(|motif| describe(trained, motif))
                .collect(),
            explanation,
        })
    }

    fn print(&self) {
        say!("{}: {}", self.file.display(), self.output.join(" "));
        say_part!("{:32}", "log-probability without");
        self.output.iter().for_each(|token| say_part!("{token:>8}"));
        say!();
        for (motif, without) in self.motifs.iter().zip(&self.explanation.without) {
            say_part!("  {:30}", motif.named_place());
            without.iter().for_each(|change| say_part!("{change:>8.2}"));
            say!();
        }
    }

    /// Writes the graph as SVG, with PNG and DOT beside it.
    fn draw(&self, trained: &Trained, reading: &Reading, path: &Path) -> Result<()> {
        let shape = trained.domain().input_shape();
        let model = trained.config().model(trained.domain());
        let window = model.motif_model.window();
        let crops: Vec<Crop> = reading
            .motifs
            .iter()
            .map(|motif| crop(motif, &reading.input, shape, window))
            .collect();
        let parts = self
            .motifs
            .iter()
            .zip(&crops)
            .zip(&self.explanation.without);
        let sources: Vec<Source<'_>> = parts
            .map(|((motif, crop), without)| Source {
                channel: motif.channel,
                lines: motif.lines(),
                crop,
                without,
            })
            .collect();
        let likely = self.output.iter().zip(&self.explanation.log_probabilities);
        let sinks: Vec<Sink> = likely
            .map(|(token, log)| Sink {
                token: token.clone(),
                probability: log.exp(),
            })
            .collect();
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let written = self.output[..reading.prediction.len()].join(" ");
        let svg = flow::draw(&format!("{name}: {written}"), &sources, &sinks)?;
        atomic::write(path, svg.as_bytes())?;
        flow::save_png(&path.with_extension("png"), &svg)?;
        let dot = flow::dot(&sources, &sinks);
        Ok(atomic::write(&path.with_extension("dot"), dot.as_bytes())?)
    }
}
