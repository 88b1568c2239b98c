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

/// What `sample` takes.
#[derive(Debug, Args)]
pub struct Sample {
    /// The domain: digitcircle, audiomnist or latexocr.
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

/// A line of `labels.jsonl`.
#[derive(Serialize)]
struct Label<'a> {
    file: &'a str,
    output: String,
    /// The output as people write it, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    symbols: Vec<&'a str>,
    footprints: &'a [Footprint],
}

impl Sample {
    pub(super) fn run(self) -> Result<()> {
        let config = self.configuration.load(&self.domain, None)?;
        let domain = config.build_domain()?;
        domain.prepare()?;
        let split = self.seed.map_or(Split::Test, |seed| Split::Train { seed });
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make {}", self.out.display()))?;
        let mut labels = Vec::new();
        for index in 0..self.count {
            let example = domain.example(split, index);
            let file = self.write(&*domain, split, index, &example)?;
            let name = |footprint: &Footprint| domain.symbols()[footprint.symbol].as_str();
            let label = Label {
                file: &file,
                output: domain.vocabulary().decode(&example.tokens),
                source: domain
                    .typeset(&example.tokens)
                    .map(|typeset| typeset.source),
                symbols: example.footprints.iter().map(name).collect(),
                footprints: &example.footprints,
            };
            serde_json::to_writer(&mut labels, &label)?;
            labels.push(b'\n');
        }
        atomic::write(&self.out.join("labels.jsonl"), &labels)?;
        let note = domain
            .note()
            .map_or(String::new(), |note| format!(" ({note})"));
        say!(
            "{} examples{note} and labels.jsonl in {}",
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
            picture::write(&path, &example.input, [height, width], domain.ink())?;
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
