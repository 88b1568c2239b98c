//! What a run's results can be: they are read from files that may be damaged, edited or another program's.

use anyhow::{Result, ensure};

use super::Run;
use crate::metrics::{AlignedConfusion, DetailedFigures, Figures};
use crate::study::direct::Judged;

/// More of anything than any run counts, and few enough that sums of them fit.
const MOST: u64 = 1 << 48;

impl Run {
    /// Checks everything that figures and tables are made from, for a domain with so many symbols.
    pub(super) fn validate(&self, symbols: usize) -> Result<()> {
        let channels = self.config.motif_model.channels;
        for results in [&self.results.test, &self.results.validation] {
            detailed(results, channels, symbols)?;
        }
        ensure!(
            self.results.samples < MOST,
            "results.json: samples are too many"
        );
        for check in &self.checks {
            figures("metrics.jsonl", &check.figures)?;
        }
        for binning in &self.binning {
            density("binning.json", binning.density)?;
            ensure!(
                !binning.binned.is_empty(),
                "binning.json: nothing is binned"
            );
        }
        if let Some(direct) = &self.direct {
            density("direct.json", direct.density)?;
            for judged in [&direct.validation, &direct.test] {
                let Judged {
                    shown,
                    sparling_wrong,
                    direct_wrong,
                } = judged;
                for counts in [shown, sparling_wrong, direct_wrong] {
                    let as_many = counts.len() == direct.symbols.len();
                    ensure!(as_many, "direct.json: not one number for each symbol");
                    few("direct.json", counts)?;
                }
            }
        }
        if let Some(causality) = &self.causality {
            density("causality.json", causality.density)?;
            let counts = [causality.exchanged, causality.as_expected];
            few("causality.json", &counts)?;
        }
        Ok(())
    }
}

fn detailed(results: &DetailedFigures, channels: usize, symbols: usize) -> Result<()> {
    figures("results.json", &results.figures)?;
    let AlignedConfusion { rows, missed } = &results.confusion;
    let square = missed.len() == symbols && rows.iter().all(|row| row.counts.len() == symbols);
    ensure!(
        square,
        "results.json: its confusion is not one of {symbols} symbols"
    );
    few("results.json", missed)?;
    for row in rows {
        let symbol = row.symbol.is_none_or(|symbol| symbol < symbols);
        ensure!(
            symbol,
            "results.json: a row of its confusion is for no symbol"
        );
        let known = row.channels.iter().all(|channel| *channel < channels);
        ensure!(
            known,
            "results.json: a channel of its confusion is not one of {channels}"
        );
        few("results.json", &row.counts)?;
        few("results.json", &[row.false_positives])?;
    }
    let known = results
        .by_symbol
        .iter()
        .all(|errors| errors.symbol < symbols);
    ensure!(
        known,
        "results.json: errors of a symbol that is not one of {symbols}"
    );
    Ok(())
}

fn figures(file: &str, figures: &Figures) -> Result<()> {
    density(file, figures.density)?;
    let Figures {
        empirical_density,
        fne,
        fpe,
        fpe_all,
        ce,
        e2ee,
        exact_match,
        well_formed,
        ..
    } = figures;
    let shares = [
        empirical_density,
        fne,
        fpe,
        fpe_all,
        ce,
        exact_match,
        well_formed,
    ];
    let possible = shares
        .into_iter()
        .flatten()
        .all(|share| (0.0..=1.0).contains(share));
    ensure!(possible, "{file}: a share is not from 0 to 1");
    // An output may be longer than the truth.
    ensure!(
        e2ee.is_none_or(|error| error >= 0.0),
        "{file}: an error is below 0"
    );
    Ok(())
}

fn density(file: &str, density: f64) -> Result<()> {
    let possible = density.is_normal() && density > 0.0 && density <= 1.0;
    ensure!(
        possible,
        "{file}: its density is {density}, not above 0 and at most 1"
    );
    Ok(())
}

fn few(file: &str, counts: &[u64]) -> Result<()> {
    ensure!(
        counts.iter().all(|count| *count < MOST),
        "{file}: a count is too large"
    );
    Ok(())
}
