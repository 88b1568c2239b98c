//! What tells without any truth how far runs can be trusted, beside the truth.

use super::tables::{number, percent};
use crate::metrics::statistics::RankCorrelation;
use crate::metrics::{ERRORS, Share};
use crate::report::page::{Page, Table};
use crate::study::runs::{DomainStudy, Run};
use crate::study::trust::Trust;

type Figure = fn(&Trust) -> Option<f64>;

/// The figures, each a share.
const FIGURES: [(&str, Figure); 5] = [
    ("stays under noise", |trust| trust.under_noise),
    ("stays under shifts", |trust| trust.under_shifts),
    ("marked by other runs", |trust| trust.consistency),
    ("confidence of names", |trust| trust.confidence),
    ("channels of use", |trust| {
        let idle = trust.dead + trust.duplicate;
        Some(1.0 - idle as f64 / trust.channels as f64)
    }),
];

/// Adds the figures of every group, and how they go with errors over all runs.
pub(super) fn add(page: &mut Page, study: &DomainStudy) {
    let runs: Vec<&Run> = study.groups.iter().flat_map(|group| &group.runs).collect();
    if runs.iter().all(|run| run.trust.is_none()) {
        return;
    }
    let names = FIGURES.map(|(name, _)| name);
    let mut table = Table::new(&[&["runs", "seeds"], &names[..]].concat());
    for group in &study.groups {
        let seeds = group.runs.iter().filter(|run| run.trust.is_some()).count();
        if seeds == 0 {
            continue;
        }
        let means = FIGURES.map(|(_, figure)| group.mean(|run| figure(run.trust.as_ref()?)));
        let row = [group.name.clone(), seeds.to_string()];
        table.rows.push(
            row.into_iter()
                .chain(means.iter().map(|mean| percent(mean.as_ref())))
                .collect(),
        );
    }
    let caption = "What needs no truth, in percent of motifs: those that keep channel and place when one value of \
                   the input in a hundred is replaced, and that move along when it is shifted by one or two \
                   positions; those that other runs mark too, by channels matched one to one; how often outputs \
                   lose a channel's symbol without its motif; and the share of channels that are neither dead nor \
                   stand for what another one stands for.";
    page.table(&format!("{}-trust", study.domain), caption, &table);
    add_correlations(page, study, &runs);
}

fn add_correlations(page: &mut Page, study: &DomainStudy, runs: &[&Run]) {
    let errors: Vec<(&str, Share)> = ERRORS
        .into_iter()
        .filter(|(name, _)| ["CE", "FNE"].contains(name))
        .collect();
    let names: Vec<&str> = errors.iter().map(|(name, _)| *name).collect();
    let mut table = Table::new(&[&["figure", "runs"], &names[..]].concat());
    for (name, figure) in FIGURES {
        let pairs = |share: Share| -> Vec<[f64; 2]> {
            let pairs = runs.iter().filter_map(|run| {
                let trust = figure(run.trust.as_ref()?)?;
                Some([trust, share(&run.results.test.figures)?])
            });
            pairs.collect()
        };
        let count = errors.iter().map(|(_, share)| pairs(*share).len()).max();
        let cells = errors
            .iter()
            .map(|(_, share)| told(RankCorrelation::of(&pairs(*share)).as_ref()));
        let row = [name.to_owned(), count.unwrap_or(0).to_string()];
        table.rows.push(row.into_iter().chain(cells).collect());
    }
    let caption = "How these figures go with the true errors over all runs above: Spearman's rank correlation with \
                   its 95 % bootstrap interval. One near -1 tells, without any truth, which run errs less.";
    page.table(&format!("{}-trust-errors", study.domain), caption, &table);
}

fn told(correlation: Option<&RankCorrelation>) -> String {
    let Some(RankCorrelation { rho, interval, .. }) = correlation else {
        return number(None, 2);
    };
    let [low, high] = interval;
    format!("{rho:.2} [{low:.2} to {high:.2}]")
}
