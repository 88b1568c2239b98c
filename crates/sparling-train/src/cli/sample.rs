//! `sparling sample`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use sparling_data::{Domain, Example, Footprint, Split};

use super::configuration::Configuration;
use super::output::say;
use crate::files::atomic;
use crate::files::{picture, sound};
use crate::report::examples::{self, ExamplePicture};
use crate::report::greys::mean_plane;

/// What `sample` takes.
#[derive(Debug, Args)]
pub struct Sample {
    /// The domain: digitcircle, audiomnist, latexocr or folder.
    domain: String,
    #[command(flatten)]
    configuration: Configuration,
    /// How many examples.
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: u64,
    /// Where to write them.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Training examples of this seed instead of test examples.
    #[arg(long)]
    seed: Option<u64>,
}

/// A line of `metadata.jsonl`, as `train folder` and Hugging Face's `imagefolder` and `audiofolder` read it.
#[derive(Serialize)]
struct Line<'a> {
    file_name: &'a str,
    /// The output: without spaces if each token is a character.
    text: String,
    /// The output as people write it, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    objects: Objects<'a>,
}

/// Where the symbols are: in a picture or in a recording.
#[derive(Serialize)]
struct Objects<'a> {
    /// Left, top, width and height, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    bbox: Option<Vec<[usize; 4]>>,
    /// Start and end.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<Vec<[f64; 2]>>,
    categories: Vec<&'a str>,
}

impl Sample {
    pub(super) fn run(self) -> Result<()> {
        let config = self.configuration.load(&self.domain, None)?;
        let domain = config.build_domain()?;
        domain.prepare()?;
        let split = self.seed.map_or(Split::Test, |seed| Split::Train { seed });
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make {}", self.out.display()))?;
        let mut lines = Vec::new();
        for index in 0..self.count {
            let example = domain.example(split, index);
            let file = self.write(&*domain, split, index, &example)?;
            let line = Line {
                file_name: &file,
                text: domain.vocabulary().label(&example.tokens),
                source: domain
                    .typeset(&example.tokens)
                    .map(|typeset| typeset.source),
                objects: Objects::of(&*domain, &example.footprints),
            };
            serde_json::to_writer(&mut lines, &line)?;
            lines.push(b'\n');
        }
        atomic::write(&self.out.join("metadata.jsonl"), &lines)?;
        let note = domain
            .note()
            .map_or(String::new(), |note| format!(" ({note})"));
        say!(
            "{} examples{note} and metadata.jsonl in {}",
            self.count,
            self.out.display()
        );
        Ok(())
    }

    /// Writes one input as `predict` reads it, and says in which file. Recordings get a picture too.
    fn write(
        &self,
        domain: &dyn Domain,
        split: Split,
        index: u64,
        example: &Example,
    ) -> Result<String> {
        let picture = format!("{index:05}.png");
        let path = self.out.join(&picture);
        let Some(recording) = domain.sound(split, index) else {
            let [_, height, width] = domain.input_shape();
            let greys = mean_plane(&example.input, height * width);
            picture::write(&path, &greys, [height, width], domain.ink())?;
            return Ok(picture);
        };
        let drawn = ExamplePicture {
            footprints: Some(&example.footprints),
            truth: Some(&domain.vocabulary().decode(&example.tokens)),
            ..ExamplePicture::new(&example.input, domain.input_shape())
        };
        examples::draw(&path, &[drawn])?;
        let file = format!("{index:05}.wav");
        sound::write(&self.out.join(&file), &recording)?;
        Ok(file)
    }
}

impl<'a> Objects<'a> {
    fn of(domain: &'a dyn Domain, footprints: &[Footprint]) -> Self {
        let seconds = domain.recordings().map(|recordings| {
            let hop = recordings.hop() as f64 / f64::from(recordings.sample_rate());
            // The last frame may begin at the very end.
            let longest = recordings.samples() as f64 / f64::from(recordings.sample_rate());
            let ends = footprints.iter().map(|at| [at.left, at.right]);
            ends.map(|ends| ends.map(|frame| (frame as f64 * hop).min(longest)))
                .collect()
        });
        let boxes = || {
            let boxes = footprints.iter();
            boxes
                .map(|at| [at.left, at.top, at.right - at.left, at.bottom - at.top])
                .collect()
        };
        let names = footprints.iter();
        Self {
            bbox: seconds.is_none().then(boxes),
            seconds,
            categories: names
                .map(|footprint| domain.symbols()[footprint.symbol].as_str())
                .collect(),
        }
    }
}
