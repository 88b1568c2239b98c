//! `sparling annotate`.

use std::collections::HashSet;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::output::{complain, say};
use super::predict::media;
use crate::backend::Backend;
use crate::reading::annotations::{Annotation, Format};
use crate::reading::{Agreement, Found, Handling, Journal, Reader, find};
use crate::run::trained::Trained;
use crate::study::supports;

/// Bad files that are listed; of the others only their number.
const LISTED: usize = 20;

/// How often a line says how far it is, where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// What `annotate` takes.
#[derive(Debug, Args)]
pub struct Annotate {
    /// The run's folder.
    run: PathBuf,
    /// Folders of pictures or recordings, files, or patterns such as 'scans/*.png'.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What to write; several with commas between them.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "jsonl")]
    format: Vec<Format>,
    /// Where to write it; by default a folder of the first path's name in `annotations` in the run's folder.
    /// Files that were read there before are not read again.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    handling: Handling,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Annotate {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "annotate")?;
        let mut trained = Trained::load(&self.run, self.density, backend)?;
        let is_of_recordings = trained.domain().recordings().is_some();
        for format in &self.format {
            format.check(is_of_recordings)?;
        }
        let (files, odd) = find(&self.paths, media(&trained), trained.domain().label())?;
        odd.iter().for_each(|odd| complain(format_args!("{odd}")));
        if trained.supports().is_none() {
            let why =
                "boxes come from where channels look, which is measured on the run's own examples";
            trained.domain().prepare().context(why)?;
            let supports = supports::measure(&trained)?;
            trained.set_supports(supports);
        }
        let out = self.folder();
        fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
        let mut journal = Journal::open(&out, &trained, self.handling)?;
        let done: HashSet<&str> = journal.names().collect();
        let rest: Vec<Found> = files
            .iter()
            .filter(|file| !done.contains(file.name.as_str()))
            .cloned()
            .collect();
        if rest.len() < files.len() {
            let before = files.len() - rest.len();
            say!("{before} of {} files were read before", files.len());
        }
        let bad = self.read(&trained, &rest, &mut journal)?;
        self.write(&trained, &files, journal.into_annotations(), &out)?;
        list(&bad);
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let name = self.paths[0].file_stem().unwrap_or("files".as_ref());
            self.run.join("annotations").join(name)
        })
    }

    /// Reads what is left into the journal; returns what could not be read, and why.
    fn read(
        &self,
        trained: &Trained,
        files: &[Found],
        journal: &mut Journal,
    ) -> Result<Vec<String>> {
        let mut progress = Progress::begin(files.len());
        let mut agreement = Agreement::default();
        let mut bad = Vec::new();
        Reader::new(trained, self.handling).read(files, |file, reading| {
            match reading {
                Ok(reading) => {
                    let prediction = &reading.prediction;
                    agreement.add(trained.domain(), prediction);
                    let text = trained.domain().vocabulary().label(&prediction.tokens);
                    journal.add(Annotation::of(file, &reading, text))?;
                }
                Err(error) => bad.push(format!("{error:#}")),
            }
            progress.step();
            Ok(())
        })?;
        progress.end();
        if agreement.is_some() {
            say!("{agreement}");
        }
        Ok(bad)
    }

    /// Writes the formats that were asked for, of the files that were asked for.
    fn write(
        &self,
        trained: &Trained,
        files: &[Found],
        annotations: Vec<Annotation>,
        out: &Path,
    ) -> Result<()> {
        let asked: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let mut annotations = annotations;
        annotations.retain(|annotation| asked.contains(annotation.file_name.as_str()));
        annotations.sort_by(|one, other| one.file_name.cmp(&other.file_name));
        let symbols: usize = annotations
            .iter()
            .map(|annotation| annotation.objects.categories.len())
            .sum();
        let odd = annotations.iter().filter(|of| of.text.is_empty()).count();
        say!(
            "{} files read, {symbols} symbols found{}",
            annotations.len(),
            match odd {
                0 => String::new(),
                odd => format!("; {odd} without a reading, with the reason in their notes"),
            }
        );
        for format in &self.format {
            let path = format.write(&annotations, trained.domain().symbols(), out)?;
            say!("written to {}", path.display());
        }
        Ok(())
    }
}

/// Says what could not be read.
fn list(bad: &[String]) {
    if bad.is_empty() {
        return;
    }
    complain(format_args!("{} files could not be read:", bad.len()));
    for bad in bad.iter().take(LISTED) {
        complain(format_args!("{bad}"));
    }
    if bad.len() > LISTED {
        complain(format_args!("and {} more", bad.len() - LISTED));
    }
}

/// How far it is: a bar on a terminal, a line now and then elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    files: usize,
    done: usize,
    said: Instant,
}

impl Progress {
    fn begin(files: usize) -> Self {
        let shown = std::io::stderr().is_terminal();
        let style = "{pos} of {len} files  {per_sec}  left {eta}  {wide_bar}";
        let style = ProgressStyle::with_template(style).expect("the template is well formed");
        Self {
            bar: shown.then(|| ProgressBar::new(files as u64).with_style(style)),
            files,
            done: 0,
            said: Instant::now(),
        }
    }

    fn step(&mut self) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if self.said.elapsed() >= PAUSE => {
                say!("{} of {} files", self.done, self.files);
                self.said = Instant::now();
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
