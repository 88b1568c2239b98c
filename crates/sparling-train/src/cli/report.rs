//! `sparling report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::{self, say};
use crate::report::evidence;
use crate::report::page::Page;
use crate::study::runs::{self, Found};

/// What `report` takes.
#[derive(Debug, Args)]
pub struct Write {
    /// Runs, or folders with runs in them.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Where report.html goes, with every figure and table as files beside it.
    #[arg(long, value_name = "DIR", default_value = "report")]
    out: PathBuf,
}

impl Write {
    pub(super) fn run(self) -> Result<()> {
        let Found { domains, left_out } = runs::read(&self.folders)?;
        for run in &left_out {
            output::warn(format_args!("left out: {run}"));
        }
        let mut page = Page::new("SPARLING: what the runs found, beside the paper's results");
        for domain in &domains {
            evidence::add(&mut page, domain);
            let runs: usize = domain.groups.iter().map(|group| group.runs.len()).sum();
            say!(
                "{}: {runs} runs in {} groups",
                domain.domain,
                domain.groups.len()
            );
        }
        page.save(&self.out)?;
        say!("{}", self.out.join("report.html").display());
        Ok(())
    }
}
