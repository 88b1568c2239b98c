//! `sparling golden`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use super::output::say;
use crate::backend::Backend;
use crate::golden;

/// What `golden` takes.
#[derive(Debug, Args)]
pub struct Golden {
    /// The folder of golden values.
    dir: PathBuf,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Golden {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "golden")?;
        let comparisons = golden::compare(&self.dir, &backend.device())?;
        say!(
            "{:<40} {:>12} {:>12} {:>10}",
            "case",
            "absolute",
            "relative",
            "tolerance"
        );
        for comparison in &comparisons {
            let mark = if comparison.passes() { "" } else { "  FAILS" };
            say!(
                "{:<40} {:>12.3e} {:>12.3e} {:>10.0e}{mark}",
                comparison.case,
                comparison.max_absolute,
                comparison.max_relative,
                comparison.tolerance,
            );
        }
        let failed = comparisons
            .iter()
            .filter(|comparison| !comparison.passes())
            .count();
        if failed > 0 {
            bail!(
                "{failed} of {} cases are beyond their tolerance on {backend}",
                comparisons.len()
            );
        }
        say!(
            "all {} cases are within their tolerance on {backend}",
            comparisons.len()
        );
        Ok(())
    }
}
