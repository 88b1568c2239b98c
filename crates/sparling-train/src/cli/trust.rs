//! `sparling trust`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use sparling_data::Split;

use super::output::say;
use super::tables::percent;
use crate::backend::Backend;
use crate::files::atomic;
use crate::run::trained::Trained;
use crate::study::experiment::Measurement;
use crate::study::names;
use crate::study::trust::{Marks, Trust, agreement};

/// What `trust` takes.
#[derive(Debug, Args)]
pub struct Measure {
    /// The runs' folders, in each of which its figures are kept as trust.json; several of one domain are
    /// compared with each other.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// How many test examples are read.
    #[arg(long, value_name = "N", default_value_t = 300)]
    examples: usize,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// A run, with what it marks.
struct Measured<'a> {
    run: &'a Path,
    domain: String,
    window: usize,
    trust: Trust,
    marks: Marks,
}

impl Measure {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "trust")?;
        let runs = self.runs.iter();
        let mut measured = runs
            .map(|run| {
                let measured = self.measure(run, backend);
                measured.with_context(|| format!("in {}", run.display()))
            })
            .collect::<Result<Vec<_>>>()?;
        let consistencies: Vec<Option<f64>> = (0..measured.len())
            .map(|index| consistency(&measured, index))
            .collect();
        for (measured, consistency) in measured.iter_mut().zip(consistencies) {
            measured.trust.consistency = consistency;
            print(measured);
            let json = serde_json::to_vec_pretty(&measured.trust)?;
            atomic::write(&Measurement::Trust.file(measured.run), &json)?;
        }
        Ok(())
    }

    fn measure<'a>(&self, run: &'a Path, backend: Backend) -> Result<Measured<'a>> {
        let mut trained = Trained::load(run, self.density, backend)?;
        trained.domain().prepare()?;
        if trained.names().is_none() {
            let names = names::measure(&trained);
            trained.set_names(names);
        }
        let names = trained.names().cloned().unwrap_or_default();
        let evaluator = trained.evaluator();
        let (trust, marks) = Trust::alone(&evaluator, &names, Split::Test, self.examples);
        let model = trained.config().model(trained.domain());
        Ok(Measured {
            run,
            domain: trained.config().domain_name().to_owned(),
            window: model.motif_model.window(),
            trust,
            marks,
        })
    }
}

/// The mean agreement of a run with the others of its domain.
fn consistency(measured: &[Measured], index: usize) -> Option<f64> {
    let own = &measured[index];
    let others = measured.iter().enumerate();
    let others = others.filter(|(other, run)| *other != index && run.domain == own.domain);
    let shares = others.filter_map(|(_, other)| {
        let channels = [own.trust.channels, other.trust.channels];
        agreement(&own.marks, &other.marks, channels, own.window)
    });
    let shares: Vec<f64> = shares.collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

fn print(Measured { run, trust, .. }: &Measured) {
    let Trust {
        dead,
        duplicate,
        channels,
        ..
    } = trust;
    say!("{}", run.display());
    say!(
        "  motifs that stay under noise {}, under shifts {}, that other runs mark too {}",
        percent(trust.under_noise),
        percent(trust.under_shifts),
        percent(trust.consistency),
    );
    say!(
        "  without a motif its symbol goes in {}; of {channels} channels {dead} are dead, {duplicate} duplicates",
        percent(trust.confidence),
    );
}
