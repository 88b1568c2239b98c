//! `sparling bench`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{say, say_part};
use crate::backend::Backend;
use crate::bench::{quantile, reembed, scaling, step};
use crate::cli::configuration::Configuration;

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
    /// Re-embedding with max pooling at the paper's size, beside going over every pixel.
    Reembed(Options),
    /// A training step by part, beside PyTorch.
    Step(StepOptions),
    /// What the model's parts cost as the image, the channels, the density or the batch grow.
    Scaling(ScalingOptions),
}

#[derive(Debug, Args)]
struct ScalingOptions {
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
    /// Draw the table as a PNG, too.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
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

#[derive(Debug, Args)]
struct StepOptions {
    /// The domain: digitcircle, audiomnist or latexocr.
    #[arg(default_value = "digitcircle")]
    domain: String,
    #[command(flatten)]
    configuration: Configuration,
    /// The density to let through; by default the one that training begins with.
    #[arg(long)]
    density: Option<f64>,
    #[command(flatten)]
    options: Options,
}

impl Bench {
    pub(super) fn run(self) -> Result<()> {
        // On a thread of the pool, as training.
        match self.part {
            Part::Quantile(options) => {
                let backend = Backend::choose(options.backend, "bench quantile")?;
                let report = rayon::scope(|_| quantile::run(backend, options.peer.as_deref()))?;
                show(options.json, &report, print_quantile)
            }
            Part::Reembed(options) => {
                let backend = Backend::choose(options.backend, "bench reembed")?;
                let report = rayon::scope(|_| reembed::run(backend, options.peer.as_deref()))?;
                show(options.json, &report, print_reembed)
            }
            Part::Step(StepOptions {
                domain,
                configuration,
                density,
                options,
            }) => {
                let backend = Backend::choose(options.backend, "bench step")?;
                let config = configuration.load(&domain, None)?;
                let density = density.unwrap_or(config.annealing.initial_density);
                let peer = options.peer.as_deref();
                let report = rayon::scope(|_| step::run(&config, density, backend, peer))?;
                show(options.json, &report, print_step)
            }
            Part::Scaling(ScalingOptions {
                backend,
                picture,
                json,
            }) => {
                let backend = Backend::choose(backend, "bench scaling")?;
                let report = rayon::scope(|_| scaling::run(backend))?;
                if let Some(path) = picture {
                    report.draw(&path)?;
                }
                show(json, &report, print_scaling)
            }
        }
    }
}

fn show<R: Serialize>(json: bool, report: &R, print: impl Fn(&R)) -> Result<()> {
    if json {
        say!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print(report);
    }
    Ok(())
}

fn print_scaling(report: &scaling::Report) {
    say!(
        "{} on {} threads, milliseconds per example, forward and backward, medians\n",
        report.backend,
        report.threads
    );
    say_part!("{:<26} {:>8}", "", "");
    report
        .parts
        .iter()
        .for_each(|part| say_part!(" {part:>12}"));
    say!();
    for row in &report.rows {
        say_part!("{:<26} {:>8}", row.key, row.value);
        row.ms_per_example
            .iter()
            .for_each(|ms| say_part!(" {ms:>12.4}"));
        say!();
    }
}

fn print_reembed(report: &reembed::Report) {
    say!(
        "{} on {} threads, {:?} to {} features, windows of {}, medians of forward and backward\n",
        report.backend,
        report.threads,
        report.shape,
        report.features,
        report.window
    );
    say!(
        "memory {} MiB, of which output and gradients {}; dense {} MiB\n",
        mebibytes(report.memory, 1),
        mebibytes(Some(report.results_memory), 1),
        mebibytes(report.dense_memory, 1)
    );
    say!(
        "{:>7} {:>11} {:>12} {:>10} {:>11} {:>8} {:>9}",
        "density",
        "forward ms",
        "backward ms",
        "dense ms",
        "PyTorch ms",
        "dense x",
        "PyTorch x"
    );
    for row in &report.rows {
        say!(
            "{:>7} {:>11.3} {:>12.3} {:>10.1} {:>11} {:>8.1} {:>9}",
            row.density,
            row.forward_ms,
            row.backward_ms,
            row.dense_ms,
            optional(row.peer_ms, 1),
            row.dense_ratio,
            optional(row.peer_ratio, 1)
        );
    }
}

fn mebibytes(bytes: Option<u64>, digits: usize) -> String {
    optional(bytes.map(|bytes| bytes as f64 / 1_048_576.0), digits)
}

fn print_step(report: &step::Report) {
    say!(
        "{} on {} threads, batches of {}, density {}, medians\n",
        report.backend,
        report.threads,
        report.batch_size,
        report.density
    );
    say!(
        "training    {:>9.1} samples/s, PyTorch {}, ratio {}",
        report.samples_per_s,
        optional(report.peer_samples_per_s, 1),
        optional(report.ratio, 2)
    );
    say!(
        "validation  {:>9.1} samples/s",
        report.validation_samples_per_s
    );
    say!(
        "peak memory {:>9} MiB, PyTorch {} MiB\n",
        mebibytes(report.peak_memory, 0),
        mebibytes(report.peer_peak_memory, 0)
    );
    say!(
        "{:<20} {:>11} {:>12} {:>11} {:>6}",
        "ms",
        "forward",
        "backward",
        "PyTorch",
        "ratio"
    );
    for part in &report.parts {
        let both = part.forward_ms + part.backward_ms.unwrap_or(0.0);
        say!(
            "{:<20} {:>11.3} {:>12} {:>11} {:>6}",
            part.name,
            part.forward_ms,
            optional(part.backward_ms, 3),
            optional(part.peer_ms, 3),
            optional(part.peer_ms.map(|peer| peer / both), 2)
        );
    }
    say!("\nPyTorch's data is made beforehand, and counts for nothing there.");
}

fn optional(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

fn print_quantile(report: &quantile::Report) {
    say!("{} on {} threads, medians", report.backend, report.threads);
    say!(
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
    for row in &report.quantile {
        say!(
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
    say!("\nGB/s: input read; of a copy, read and written. x: the peer's time by ours.");
    say!(
        "\n{:<20} {:>7} {:>9} {:>14} {:>6}",
        "forward, training",
        "density",
        "layer ms",
        "no update ms",
        "ratio"
    );
    for row in &report.forward {
        say!(
            "{:<20} {:>7} {:>9.3} {:>14.3} {:>6.2}",
            format!("{:?}", row.shape),
            row.density,
            row.layer_ms,
            row.without_update_ms,
            row.ratio
        );
    }
}
