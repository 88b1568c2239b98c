//! `sparling evaluate`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use sparling_data::Split;

use super::progress::percent;
use crate::backend::Backend;
use crate::evaluate::Figures;
use crate::metrics::AlignedConfusion;
use crate::model::Trained;
use crate::report::examples::channel_name;

/// What `evaluate` takes.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The run's folder.
    run: PathBuf,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Which examples.
    #[arg(long, value_enum, default_value = "test")]
    split: EvaluationSplit,
    /// How many of them.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    examples: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// The splits nobody trains on.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EvaluationSplit {
    Test,
    Validation,
}

impl Evaluate {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "evaluate")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let split = match self.split {
            EvaluationSplit::Test => Split::Test,
            EvaluationSplit::Validation => Split::Validation,
        };
        let evaluation = trained.evaluator().evaluate(split, self.examples);
        let figures = evaluation.figures();
        let confusion = evaluation.motifs.aligned();
        if self.json {
            let report = Report { figures, confusion };
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            println!(
                "{} ({} samples)",
                trained.checkpoint_name(),
                trained.samples()
            );
            print_figures(&figures);
            print_confusion(&confusion, trained.domain().symbols());
        }
        Ok(())
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    figures: Figures,
    confusion: AlignedConfusion,
}

/// Prints the counts of channels against symbols (paper, Figure 4), each symbol's channels in its
/// row.
fn print_confusion(confusion: &AlignedConfusion, symbols: &[String]) {
    let name = |symbol: Option<usize>| symbol.map_or("none", |symbol| &symbols[symbol]);
    print!("\n{:>12}", "channel for");
    symbols.iter().for_each(|symbol| print!("{symbol:>7}"));
    println!("{:>7}", "none");
    for row in &confusion.rows {
        if row.symbol.is_none() && row.channels.is_empty() {
            continue;
        }
        let channels: Vec<String> = row
            .channels
            .iter()
            .map(|channel| channel_name(*channel))
            .collect();
        print!("{:>7} {:>4}", channels.join(","), name(row.symbol));
        row.counts.iter().for_each(|count| print!("{count:>7}"));
        println!("{:>7}", row.false_positives);
    }
    print!("{:>12}", "none");
    confusion
        .missed
        .iter()
        .for_each(|count| print!("{count:>7}"));
    println!();
}

/// Prints the figures one a line.
fn print_figures(figures: &Figures) {
    println!("density             {:.3e}", figures.density);
    let empirical = figures
        .empirical_density
        .map_or("-".to_owned(), |share| format!("{share:.3e}"));
    println!("empirical density   {empirical}");
    let rows = [
        ("FNE", figures.fne, "symbols without an activation"),
        (
            "FPE",
            figures.fpe,
            "activations outside all symbols, among those and the maximal",
        ),
        (
            "FPE (all)",
            figures.fpe_all,
            "the same among all activations",
        ),
        (
            "CE",
            figures.ce,
            "symbols answered to by another symbol's channel",
        ),
        ("E2EE", figures.e2ee, "edit distance over length"),
        (
            "exact match",
            figures.exact_match,
            "outputs right in every token",
        ),
    ];
    for (name, share, meaning) in rows {
        println!("{name:<19} {:<8} {meaning}", percent(share));
    }
    println!("examples            {}", figures.examples);
}
