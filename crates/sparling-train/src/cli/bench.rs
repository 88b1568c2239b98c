//! `sparling bench`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::backend::Backend;
use crate::bench::quantile::{self, Report};

/// What `bench` takes.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The threshold's quantile beside a sort, a selection and PyTorch, and the layer around it.
    Quantile(Options),
}

#[derive(Debug, Args)]
struct Options {
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
    /// A Python with PyTorch to measure beside it.
    #[arg(long, value_name = "PYTHON")]
    peer: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self) -> Result<()> {
        let Part::Quantile(options) = self.part;
        let backend = Backend::choose(options.backend, "bench quantile")?;
        // On a thread of the pool, as training.
        let report = rayon::scope(|_| quantile::run(backend, options.peer.as_deref()))?;
        if options.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        Ok(())
    }
}

fn print(report: &Report) {
    println!("{} on {} threads, medians", report.backend, report.threads);
    println!(
        "\n{:<20} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6} {:>10} {:>11} {:>10} {:>7} {:>7}",
        "shape",
        "density",
        "cold ms",
        "warm ms",
        "cold GB/s",
        "warm GB/s",
        "copy GB/s",
        "share",
        "sort ms",
        "nth ms",
        "peer ms",
        "cold x",
        "warm x"
    );
    let optional = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    for row in &report.quantile {
        println!(
            "{:<20} {:>7} {:>9.3} {:>9.3} {:>9.1} {:>9.1} {:>9.1} {:>5.0}% {:>10.2} {:>11.2} {:>10} {:>7} {:>7}",
            format!("{:?}", row.shape),
            row.density,
            row.cold_ms,
            row.warm_ms,
            row.cold_gb_per_s,
            row.warm_gb_per_s,
            row.copy_gb_per_s,
            row.warm_share_of_copy * 100.0,
            row.sort_ms,
            row.select_nth_ms,
            optional(row.peer_ms, 2),
            optional(row.cold_ratio, 1),
            optional(row.warm_ratio, 1)
        );
    }
    println!("\nGB/s: input read; of a copy, read and written. x: the peer's time by ours.");
    println!(
        "\n{:<20} {:>7} {:>9} {:>14} {:>6}",
        "forward, training", "density", "layer ms", "no update ms", "ratio"
    );
    for row in &report.forward {
        println!(
            "{:<20} {:>7} {:>9.3} {:>14.3} {:>6.2}",
            format!("{:?}", row.shape),
            row.density,
            row.layer_ms,
            row.without_update_ms,
            row.ratio
        );
    }
}
