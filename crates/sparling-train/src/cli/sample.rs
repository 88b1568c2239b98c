//! `sparling sample`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use sparling_data::{Footprint, Split};

use super::configuration::Configuration;
use crate::atomic;
use crate::evaluate::plane;
use crate::picture;

/// What `sample` takes.
#[derive(Debug, Args)]
pub struct Sample {
    /// The domain: digitcircle.
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
    symbols: Vec<&'a str>,
    footprints: &'a [Footprint],
}

impl Sample {
    pub(super) fn run(self) -> Result<()> {
        let config = self.configuration.load(&self.domain, None)?;
        let domain = config.domain.build()?;
        let split = self.seed.map_or(Split::Test, |seed| Split::Train { seed });
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make {}", self.out.display()))?;
        let size = plane(&domain.input_shape());
        let mut labels = Vec::new();
        for index in 0..self.count {
            let example = domain.example(split, index);
            let file = format!("{index:05}.png");
            picture::write(&self.out.join(&file), &example.input, size)?;
            let name = |footprint: &Footprint| domain.symbols()[footprint.symbol].as_str();
            let label = Label {
                file: &file,
                output: domain.vocabulary().decode(&example.tokens),
                symbols: example.footprints.iter().map(name).collect(),
                footprints: &example.footprints,
            };
            serde_json::to_writer(&mut labels, &label)?;
            labels.push(b'\n');
        }
        atomic::write(&self.out.join("labels.jsonl"), &labels)?;
        println!(
            "{} examples and labels.jsonl in {}",
            self.count,
            self.out.display()
        );
        Ok(())
    }
}
