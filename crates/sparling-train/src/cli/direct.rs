//! `sparling direct`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use sparling_data::Domain;

use super::output::say;
use super::progress::percent;
use crate::backend::Backend;
use crate::files::atomic;
use crate::run::trained::Trained;
use crate::study::direct::{self, Direct};
use crate::study::experiment::Measurement;

/// What `direct` takes.
#[derive(Debug, Args)]
pub struct Compare {
    /// The run's folder, where the figures are kept as direct.json.
    run: PathBuf,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// The labelled examples to train on.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    samples: u64,
    /// The examples to judge by, of each split.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    examples: usize,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Compare {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "direct")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let single = trained.config().domain.single();
        let single = single.context("this domain makes no examples of single symbols")?;
        let domain: Arc<dyn Domain> = Arc::from(single.build()?);
        domain.prepare()?;
        let device = backend.device().autodiff();
        let labelled =
            rayon::scope(|_| direct::train(trained.config(), &domain, &device, self.samples));
        let found = Direct::measure(&trained, &labelled, &*domain, self.samples, self.examples);
        say!("errors on single symbols   validation     test");
        let [validation, test] = [found.validation, found.test];
        for (name, errors) in [
            (
                "without a label of any",
                [validation.sparling, test.sparling],
            ),
            ("trained on labels", [validation.direct, test.direct]),
        ] {
            let [validation, test] = errors.map(|share| percent(Some(share)));
            say!("{name:26} {validation:>10} {test:>8}");
        }
        let json = serde_json::to_vec_pretty(&found)?;
        atomic::write(&Measurement::Direct.file(&self.run), &json)?;
        Ok(())
    }
}
