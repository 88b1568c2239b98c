//! `sparling direct`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use sparling_data::Domain;

use super::numbers;
use super::output::say;
use super::tables::percent;
use crate::backend::Backend;
use crate::files::atomic;
use crate::run::trained::Trained;
use crate::study::direct::{self, Direct, Schedule};
use crate::study::experiment::Measurement;

/// What `direct` takes.
#[derive(Debug, Args)]
pub struct Compare {
    /// The run's folder, where the figures are kept as direct.json.
    run: PathBuf,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// The labelled examples from one look at validation to the next.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    check_every: u64,
    /// Training on labels ends when so many looks in a row were no better than the best before.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    patience: u32,
    /// The examples to judge by, of each split.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = numbers::examples)]
    examples: usize,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Compare {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "direct")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let single = trained.config().domain.single()?;
        let domain: Arc<dyn Domain> = single
            .context("this domain makes no examples of single symbols")?
            .into();
        domain.prepare()?;
        let device = backend.device().autodiff();
        let schedule = Schedule {
            check_every: self.check_every,
            patience: self.patience,
            examples: self.examples,
        };
        let labelled = rayon::scope(|_| {
            direct::train(
                trained.config(),
                &domain,
                &device,
                schedule,
                |samples, error| {
                    say!(
                        "{samples:>9} labelled examples: {} wrong",
                        percent(Some(error))
                    );
                },
            )
        });
        let found = Direct::measure(&trained, &labelled, &*domain, self.examples);
        say!("errors on single symbols   validation     test");
        let both = [found.validation.all(), found.test.all()];
        for (name, method) in [("without a label of any", 0), ("trained on labels", 1)] {
            let [validation, test] =
                both.map(|errors| percent(errors.map(|errors| errors[method])));
            say!("{name:26} {validation:>10} {test:>8}");
        }
        let json = serde_json::to_vec_pretty(&found)?;
        atomic::write(&Measurement::Direct.file(&self.run), &json)?;
        Ok(())
    }
}
