//! `sparling causality`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use sparling_data::Split;

use super::numbers;
use super::output::say;
use super::tables::percent;
use crate::backend::Backend;
use crate::files::atomic;
use crate::run::trained::Trained;
use crate::study::causality::Causality;
use crate::study::experiment::Measurement;

/// What `causality` takes.
#[derive(Debug, Args)]
pub struct Measure {
    /// The run's folder, where the figures are kept as causality.json.
    run: PathBuf,
    /// How many test examples are read.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = numbers::examples)]
    examples: usize,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Measure {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "causality")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        ensure!(
            !trained.domain().exchangeable().is_empty(),
            "no symbol of this run's outputs can stand in another's place"
        );
        trained.domain().prepare()?;
        let validation = trained.validation();
        let symbols = &validation
            .context("the run was not validated yet, so that its channels have no symbols")?
            .symbols;
        let evaluator = trained.evaluator();
        let causality = Causality::measure(&evaluator, symbols, Split::Test, self.examples);
        say!(
            "{} of {} outputs changed as they should ({}), of {} examples",
            causality.as_expected,
            causality.exchanged,
            percent(causality.share()),
            causality.examples,
        );
        let json = serde_json::to_vec_pretty(&causality)?;
        atomic::write(&Measurement::Causality.file(&self.run), &json)?;
        Ok(())
    }
}
