//! `sparling evaluate`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, ValueEnum};
use sparling_data::Split;

use super::configuration;
use super::numbers;
use super::output::{say, say_part};
use super::tables::{COLUMNS, density, percent};
use crate::backend::Backend;
use crate::metrics::channel::channel_name;
use crate::metrics::{AlignedConfusion, Centred, DetailedFigures, SymbolErrors};
use crate::run::folder::RunFolder;
use crate::run::trained::Trained;
use crate::study::{names, supports};

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
    /// How many of them, or all if there are fewer.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = numbers::examples)]
    examples: usize,
    /// The folder that examples are made from, as it is now, if it is no longer where or what it was.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// The held-out splits.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum EvaluationSplit {
    /// For audiomnist: held-out speakers.
    Test,
    /// For audiomnist: the speakers of training.
    Validation,
    /// One beside the other.
    Both,
}

impl EvaluationSplit {
    fn splits(self) -> &'static [(&'static str, Split)] {
        const BOTH: [(&str, Split); 2] = [("test", Split::Test), ("validation", Split::Validation)];
        match self {
            Self::Test => &BOTH[..1],
            Self::Validation => &BOTH[1..],
            Self::Both => &BOTH,
        }
    }
}

impl Evaluate {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "evaluate")?;
        let config = configuration::of_run(&RunFolder::open(&self.run)?, self.data.as_deref())?;
        let domain = Arc::from(config.build_domain()?);
        let mut trained = Trained::load_on(&self.run, domain, self.density, backend)?;
        trained.domain().prepare()?;
        if trained.supports().is_none() {
            let supports = supports::measure(&trained)?;
            trained.set_supports(supports);
        }
        if trained.names().is_none() {
            let names = names::measure(&trained);
            trained.set_names(names);
        }
        let reports: BTreeMap<&str, DetailedFigures> = self
            .split
            .splits()
            .iter()
            .map(|(name, split)| {
                let evaluation = trained.evaluator().evaluate(*split, self.examples);
                (*name, evaluation.detailed())
            })
            .collect();
        if self.json {
            let json = match self.split {
                EvaluationSplit::Both => serde_json::to_string_pretty(&reports)?,
                _ => serde_json::to_string_pretty(&reports.values().next())?,
            };
            say!("{json}");
        } else {
            print(&trained, &reports);
        }
        Ok(())
    }
}

fn print(trained: &Trained, reports: &BTreeMap<&str, DetailedFigures>) {
    let note = trained
        .domain()
        .note()
        .map_or(String::new(), |note| format!(", {note}"));
    say!(
        "{} ({} samples{note})",
        trained.checkpoint_name(),
        trained.samples()
    );
    print_figures(reports);
    print_centred(reports);
    for (name, report) in reports {
        say!("\n{name}");
        print_confusion(&report.confusion, trained.domain().symbols());
        say!();
        print_names(trained, &report.figures.symbols);
        print_symbols(&report.by_symbol, trained.domain().symbols());
    }
}

/// Prints what channels stand for by what outputs lose without them, beside what footprints say.
fn print_names(trained: &Trained, by_footprints: &[Option<usize>]) {
    let symbols = trained.domain().symbols();
    let name = |symbol: Option<usize>| symbol.map_or("nothing", |symbol| &symbols[symbol]);
    let mut agreeing = 0;
    for (channel, by_footprints) in by_footprints.iter().enumerate() {
        let symbol = trained.symbol_of(channel);
        agreeing += usize::from(symbol == *by_footprints);
        if symbol != *by_footprints {
            say!(
                "channel {} stands for {} by what outputs lose without it, for {} by footprints",
                channel_name(channel),
                name(symbol),
                name(*by_footprints)
            );
        }
    }
    say!(
        "{agreeing} of {} channels stand for the same by what outputs lose without them and by footprints\n",
        by_footprints.len()
    );
}

/// Prints the counts of channels against symbols (paper, Figure 4), each symbol's channels in its
/// row.
fn print_confusion(confusion: &AlignedConfusion, symbols: &[String]) {
    let name = |symbol: Option<usize>| symbol.map_or("none", |symbol| &symbols[symbol]);
    say_part!("{:>12}", "channel for");
    symbols.iter().for_each(|symbol| say_part!("{symbol:>7}"));
    say!("{:>7}", "none");
    for row in &confusion.rows {
        if row.symbol.is_none() && row.channels.is_empty() {
            continue;
        }
        let channels: Vec<String> = row
            .channels
            .iter()
            .map(|channel| channel_name(*channel))
            .collect();
        say_part!("{:>7} {:>4}", channels.join(","), name(row.symbol));
        row.counts.iter().for_each(|count| say_part!("{count:>7}"));
        say!("{:>7}", row.false_positives);
    }
    say_part!("{:>12}", "none");
    confusion
        .missed
        .iter()
        .for_each(|count| say_part!("{count:>7}"));
    say!();
}

/// Prints how well each symbol is found, those most missed first.
fn print_symbols(errors: &[SymbolErrors], symbols: &[String]) {
    let mut errors: Vec<_> = errors
        .iter()
        .filter(|errors| errors.footprints > 0)
        .collect();
    let missed = |errors: &SymbolErrors| errors.fne.unwrap_or(0.0);
    errors.sort_by(|one, other| missed(other).total_cmp(&missed(one)));
    say!("{:>7} {:>7} {:>8} {:>8}", "symbol", "there", "FNE", "CE");
    for SymbolErrors {
        symbol,
        footprints,
        fne,
        ce,
    } in errors
    {
        let [fne, ce] = [fne, ce].map(|share| percent(*share));
        say!("{:>7} {footprints:>7} {fne:>8} {ce:>8}", symbols[*symbol]);
    }
}

/// Prints the figures one a line, the splits side by side.
fn print_figures(reports: &BTreeMap<&str, DetailedFigures>) {
    let row = |name: &str, value: &dyn Fn(&DetailedFigures) -> String, meaning: &str| {
        print_row(name, reports.values().map(value), meaning);
    };
    print_row("", reports.keys().map(|name| (*name).to_owned()), "");
    row("density", &|of| density(of.figures.density), "");
    let empirical = |of: &DetailedFigures| {
        let share = of.figures.empirical_density;
        share.map_or("-".to_owned(), density)
    };
    row("empirical density", &empirical, "");
    for ((name, share), meaning) in COLUMNS {
        row(name, &|of| percent(share(&of.figures)), meaning);
    }
    let all = "activations outside all symbols, among all activations";
    row("FPE (all)", &|of| percent(of.figures.fpe_all), all);
    let well_formed = |of: &DetailedFigures| of.figures.well_formed;
    if reports.values().any(|of| well_formed(of).is_some()) {
        let meaning = "outputs that the grammar makes";
        row("well-formed", &|of| percent(well_formed(of)), meaning);
    }
    row("examples", &|of| of.figures.examples.to_string(), "");
}

/// Prints the errors with the centres of what channels look at in place of motifs' positions.
fn print_centred(reports: &BTreeMap<&str, DetailedFigures>) {
    type Share = fn(&Centred) -> Option<f64>;
    let shares: [(&str, Share, &str); 4] = [
        (
            "FNE (centres)",
            |of| of.fne,
            "with each motif at the middle of what its channel looks at",
        ),
        ("FPE (centres)", |of| of.fpe, ""),
        ("CE (centres)", |of| of.ce, ""),
        (
            "IoU",
            |of| of.iou,
            "what a maximal motif's channel looks at, and its symbol's footprint",
        ),
    ];
    let centred = || reports.values().filter_map(|of| of.centred.as_ref());
    for (name, share, meaning) in shares {
        print_row(name, centred().map(|of| percent(share(of))), meaning);
    }
}

fn print_row(name: &str, values: impl Iterator<Item = String>, meaning: &str) {
    say_part!("{name:<19}");
    values.for_each(|value| say_part!(" {value:<11}"));
    say!("{meaning}");
}
