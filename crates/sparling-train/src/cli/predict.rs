//! `sparling predict`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use sparling_data::folder::Media;

use super::output::{complain, say};
use crate::backend::Backend;
use crate::reading::{
    Agreement, FileNames, FileReading, Found, Handling, Prediction, Reader, find,
};
use crate::run::trained::Trained;

/// What `predict` takes.
#[derive(Debug, Args)]
pub struct Predict {
    /// The run's folder.
    run: PathBuf,
    /// Files, folders of them, or patterns such as 'scans/*.png'. Pictures: ink black on white, of the size
    /// the model reads (formulas: or any that their ink fits into; a folder of your own: like those in it, of
    /// any size); or recordings of any length.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    handling: Handling,
    /// How to print what was found.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The same as --format json.
    #[arg(long)]
    json: bool,
    /// Draw nothing.
    #[arg(long)]
    no_pictures: bool,
    /// Where to draw the motifs; by default `predictions` in the run's folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// How to print predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// A list with all of them.
    Json,
    /// A line of JSON for each file.
    Jsonl,
    /// A line for each file: its name, what was read, the label, and how sure it is.
    Csv,
}

impl Predict {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "predict")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let (files, odd) = find(&self.paths, media(&trained), trained.domain().label())?;
        odd.iter().for_each(|odd| complain(format_args!("{odd}")));
        let format = if self.json { Format::Json } else { self.format };
        let mut printer = Printer::begin(format)?;
        let mut drawer = Drawer::new(&self);
        let mut agreement = Agreement::default();
        let mut unread = 0;
        Reader::new(&trained, self.handling).read(&files, |file, reading| {
            match reading {
                Ok(mut reading) => {
                    drawer.draw(&trained, file, &mut reading)?;
                    agreement.add(trained.domain(), &reading.prediction);
                    printer.print(reading.prediction)?;
                }
                Err(error) => {
                    unread += 1;
                    complain(format_args!("{error:#}"));
                }
            }
            Ok(())
        })?;
        printer.end(&agreement)?;
        ensure!(
            unread == 0,
            "{unread} of {} files could not be read",
            files.len()
        );
        Ok(())
    }
}

/// What kind of files a model reads.
pub(super) fn media(trained: &Trained) -> Media {
    match trained.domain().recordings() {
        Some(_) => Media::Recordings,
        None => Media::Pictures,
    }
}

/// Draws what was found in each file, if that is wanted.
struct Drawer {
    folder: Option<PathBuf>,
    names: FileNames,
}

impl Drawer {
    fn new(command: &Predict) -> Self {
        let folder = || {
            let default = || command.run.join("predictions");
            command.out.clone().unwrap_or_else(default)
        };
        Self {
            folder: (!command.no_pictures).then(folder),
            names: FileNames::default(),
        }
    }

    fn draw(&mut self, trained: &Trained, file: &Found, reading: &mut FileReading) -> Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let name = self.names.next(&file.path, "motifs", "png");
        reading.draw(trained, &folder.join(name))
    }
}

/// Prints predictions one after the other.
enum Printer {
    Text,
    Json(Vec<Prediction>),
    Jsonl,
    Csv,
}

impl Printer {
    fn begin(format: Format) -> Result<Self> {
        Ok(match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json(Vec::new()),
            Format::Jsonl => Self::Jsonl,
            Format::Csv => {
                say_row(&["file", "output", "label", "confidence", "notes"].map(str::to_owned))?;
                Self::Csv
            }
        })
    }

    fn print(&mut self, prediction: Prediction) -> Result<()> {
        match self {
            Self::Text => print(&prediction),
            Self::Json(all) => all.push(prediction),
            Self::Jsonl => say!("{}", serde_json::to_string(&prediction)?),
            Self::Csv => say_row(&[
                prediction.file.display().to_string(),
                prediction.output,
                prediction.label.unwrap_or_default(),
                prediction
                    .confidence
                    .map_or(String::new(), |share| format!("{share:.4}")),
                prediction.notes.join("; "),
            ])?,
        }
        Ok(())
    }

    fn end(self, agreement: &Agreement) -> Result<()> {
        match self {
            Self::Json(all) => say!("{}", serde_json::to_string_pretty(&all)?),
            Self::Text if agreement.is_some() => say!("{agreement}"),
            Self::Text | Self::Jsonl | Self::Csv => {}
        }
        Ok(())
    }
}

fn say_row(row: &[String; 5]) -> Result<()> {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record(row)?;
    let line = line.into_inner()?;
    say!("{}", String::from_utf8_lossy(&line).trim_end());
    Ok(())
}

fn print(prediction: &Prediction) {
    let output = prediction.source.as_ref().unwrap_or(&prediction.output);
    let sure = prediction.confidence;
    let sure = sure.map_or(String::new(), |share| {
        format!(" ({:.0}% sure)", 100.0 * share)
    });
    say!("{}: {output}{sure}", prediction.file.display());
    for note in &prediction.notes {
        say!("  {note}");
    }
    if let Some(label) = &prediction.label {
        say!("  label {label}");
    }
    for time in &prediction.times {
        match time.seconds {
            Some(seconds) => say!("  {} at {seconds:.2} s", time.token),
            None => say!("  {} without a motif", time.token),
        }
    }
    for motif in &prediction.motifs {
        let place = match motif.seconds {
            Some(seconds) => format!("{seconds:.2} s"),
            None => format!("row {}, column {}", motif.row, motif.column),
        };
        say!(
            "  motif {} (stands for {}) at {place}, strength {:.3}",
            motif.name,
            motif.stands_for(),
            motif.strength
        );
    }
    if let Some(picture) = &prediction.picture {
        say!("  drawn in {}", picture.display());
    }
}
