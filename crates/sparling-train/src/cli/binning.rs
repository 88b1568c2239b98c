//! `sparling binning`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::numbers;
use super::output::{self, say, say_part};
use super::tables::{density, percent};
use crate::backend::Backend;
use crate::files::atomic;
use crate::run::folder::RunFolder;
use crate::run::trained::Trained;
use crate::study::binning::Binning;
use crate::study::experiment::Measurement;

/// What `binning` takes.
#[derive(Debug, Args)]
pub struct Measure {
    /// The run's folder, where the figures are kept as binning.json.
    run: PathBuf,
    /// How many validation examples make the bins, and how many test examples judge them.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = numbers::examples)]
    examples: usize,
    /// The most bits tried: 2^BITS bins.
    #[arg(long, value_name = "BITS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=16))]
    most_bits: u32,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Measure {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "binning")?;
        let ladder = RunFolder::open(&self.run)?.checkpoints().ladder()?;
        let mut densities = Vec::new();
        for (_, checkpoint) in &ladder {
            match checkpoint {
                Ok(checkpoint) => densities.push(Some(checkpoint.density)),
                Err(error) => output::warn(format_args!("{error}")),
            }
        }
        if densities.is_empty() {
            densities.push(None);
        }
        say_part!("   density  1-E2EE");
        (0..=self.most_bits).for_each(|bits| say_part!(" {:>7}", format!("2^{bits}")));
        say!("     eta 95 % int.  bound");
        let mut all = Vec::new();
        for density in densities {
            let trained = Trained::load(&self.run, density, backend)?;
            trained.domain().prepare()?;
            let evaluator = trained.evaluator();
            let binning = Binning::measure(&evaluator, self.examples, self.most_bits);
            print(&binning);
            all.push(binning);
        }
        let json = serde_json::to_vec_pretty(&all)?;
        atomic::write(&Measurement::Binning.file(&self.run), &json)?;
        Ok(())
    }
}

fn print(binning: &Binning) {
    let accuracy = percent(Some(binning.edit_accuracy));
    say_part!("{:>10} {accuracy:>8}", density(binning.density));
    for share in &binning.binned {
        say_part!(" {:>7}", percent(Some(*share)));
    }
    let bits = |eta: Option<u32>| eta.map_or("-".to_owned(), |eta| eta.to_string());
    let eta = bits(binning.eta);
    let interval = binning.eta_interval.map(bits).join(" to ");
    let bound = binning.bound_bits;
    let bound = bound.map_or("-".to_owned(), |bits| format!("{bits:.0} bits"));
    say!(" {eta:>7} {interval:>9}  {bound}");
}
