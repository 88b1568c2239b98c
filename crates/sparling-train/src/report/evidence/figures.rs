//! Charts of runs.

use std::collections::BTreeMap;

use crate::metrics::channel::channel_name;
use crate::metrics::statistics::Mean;
use crate::metrics::{AlignedConfusion, ERRORS, Figures, Share};
use crate::report::chart::{Axis, Bar, HeatMap, LEAST_ERROR, Panel, Series, error_at, sheet};
use crate::report::page::Page;
use crate::run::checkpoint::Checkpoints;
use crate::run::event::ladder;
use crate::study::runs::{DomainStudy, Group, Run};

/// So many bars stand in one row.
const MOST_BARS: usize = 20;

/// Adds the bars of the paper's Figures 3, 6 and 9.
pub(super) fn add_bars(page: &mut Page, study: &DomainStudy) {
    for (part, groups) in study.groups.chunks(MOST_BARS).enumerate() {
        let names: Vec<String> = (0..groups.len()).map(letter).collect();
        let panels = ERRORS.map(|(error, share)| Panel {
            title: error.to_owned(),
            x: Axis::categories(&names),
            y: Axis::error(LEAST_ERROR),
            series: Vec::new(),
            bars: groups
                .iter()
                .enumerate()
                .filter_map(|(at, group)| Some(bar(at, &group.test(share)?)))
                .collect(),
        });
        let key: Vec<String> = groups
            .iter()
            .enumerate()
            .map(|(at, group)| format!("{}: {}", letter(at), group.name))
            .collect();
        let caption = format!(
            "Errors on test examples (paper, Figures 3, 6 and 9). Bars are means over seeds, dots single \
             seeds, whiskers 95 % bootstrap intervals, or the range of fewer than five seeds. {}.",
            key.join("; ")
        );
        let name = format!("{}-errors-{}", study.domain, part + 1);
        page.figure(&name, &caption, each(&panels));
    }
}

fn bar(at: usize, mean: &Mean) -> Bar {
    Bar {
        at: at as f64,
        mean: error_at(mean.mean),
        interval: mean.interval.map(error_at),
        values: mean.values.iter().map(|value| error_at(*value)).collect(),
        style: at,
    }
}

pub(super) fn heat_map(confusion: &AlignedConfusion, symbols: &[String], title: &str) -> HeatMap {
    let total: u64 = confusion.rows.iter().map(|row| row.total()).sum();
    let mut rows = Vec::new();
    let mut shares = Vec::new();
    for row in &confusion.rows {
        if row.total() == 0 && row.symbol.is_none() {
            continue;
        }
        let name = row.symbol.map_or("none", |symbol| &symbols[symbol]);
        let channels = row.channels.iter().map(|channel| channel_name(*channel));
        let channels: Vec<String> = channels.collect();
        let share = 100.0 * row.total() as f64 / total.max(1) as f64;
        rows.push(match channels.is_empty() {
            true => format!("{name}, no channel"),
            false => format!("{name} ({}) {share:.1} %", channels.join(",")),
        });
        let counts = row.counts.iter().chain([&row.false_positives]);
        let of_row = row.total().max(1) as f64;
        shares.push(counts.map(|count| *count as f64 / of_row).collect());
    }
    rows.push("missed".to_owned());
    let missed = confusion.missed.iter().enumerate().map(|(symbol, missed)| {
        let found: u64 = confusion.rows.iter().map(|row| row.counts[symbol]).sum();
        *missed as f64 / (found + missed).max(1) as f64
    });
    shares.push(missed.chain([0.0]).collect());
    HeatMap {
        title: title.to_owned(),
        rows,
        columns: symbols.iter().cloned().chain(["none".to_owned()]).collect(),
        shares,
    }
}

/// The mean over runs at each density that most of them went through.
pub(super) fn by_density(group: &Group) -> Option<Panel> {
    let mut densities: BTreeMap<String, Vec<&Figures>> = BTreeMap::new();
    for run in &group.runs {
        for check in ladder(&run.checks) {
            let update = run.config.annealing.density_update;
            let key = Checkpoints::ladder_name(check.figures.density, update);
            densities.entry(key).or_default().push(&check.figures);
        }
    }
    let mut rungs: Vec<Vec<&Figures>> = densities
        .into_values()
        .filter(|figures| 2 * figures.len() > group.runs.len())
        .collect();
    rungs.sort_by(|a, b| b[0].density.total_cmp(&a[0].density));
    if rungs.len() < 3 {
        return None;
    }
    let series = ERRORS.iter().enumerate().map(|(style, (name, share))| {
        let points = rungs.iter().filter_map(|figures| {
            let values: Vec<f64> = figures
                .iter()
                .filter_map(|figures| share(figures))
                .collect();
            let error = Mean::of(&values)?.mean;
            Some((-figures[0].density.log10(), error_at(error)))
        });
        Series::line(*name, style, points)
    });
    let densities = || rungs.iter().map(|figures| figures[0].density);
    Some(Panel::of_curves(
        format!("{}: errors against density", group.name),
        Axis::density(densities(), true),
        Axis::error(LEAST_ERROR),
        series.collect(),
    ))
}

/// What edit accuracy loses by binning, against density.
pub(super) fn by_bits(group: &Group) -> Option<Panel> {
    let measured: Vec<&Run> = group
        .runs
        .iter()
        .filter(|run| !run.binning.is_empty())
        .collect();
    let first = &measured.first()?.binning;
    let bits = first[0].binned.len();
    let series = (1..bits).map(|bits| {
        let points = first.iter().filter_map(|binning| {
            let losses: Vec<f64> = measured
                .iter()
                .filter_map(|run| {
                    run.binning
                        .iter()
                        .find(|other| other.density == binning.density)
                })
                .filter_map(|binning| Some(binning.edit_accuracy - binning.binned.get(bits)?))
                .collect();
            let loss = Mean::of(&losses)?.mean;
            Some((-binning.density.log10(), error_at(loss)))
        });
        Series::line(format!("{} bins", 1 << bits), bits - 1, points)
    });
    Some(Panel::of_curves(
        format!("{}: edit accuracy lost by binning", group.name),
        Axis::density(first.iter().map(|binning| binning.density), true),
        Axis::error(LEAST_ERROR),
        series.collect(),
    ))
}

/// Adds whether the validation error tells the motif errors across seeds (the paper's Figure 8).
pub(super) fn add_prediction(page: &mut Page, study: &DomainStudy) {
    let groups: Vec<&Group> = study
        .groups
        .iter()
        .filter(|group| group.runs.len() >= 3 && group.runs[0].config.bottleneck.baseline.is_none())
        .collect();
    if groups.is_empty() {
        return;
    }
    let motif_errors: [(&str, Share); 2] = [
        ("FPE against validation error", |figures| figures.fpe),
        ("CE against validation error", |figures| figures.ce),
    ];
    let panels = motif_errors.map(|(title, share)| {
        let series = groups.iter().enumerate().map(|(style, group)| {
            let points = group.runs.iter().filter_map(|run| {
                let wrong = 1.0 - run.results.validation.figures.exact_match?;
                let error = share(&run.results.test.figures)?;
                Some((error_at(wrong), error_at(error)))
            });
            Series::dots(group.name.clone(), style, points)
        });
        let mut x = Axis::error(LEAST_ERROR);
        x.title = "wrong outputs in validation";
        Panel::of_curves(title, x, Axis::error(LEAST_ERROR), series.collect())
    });
    let caption = "Motif errors on test examples against the share of wrong outputs in validation, which can \
                   be measured without knowing any footprint; each mark is a seed (paper, Figure 8).";
    page.figure(
        &format!("{}-prediction", study.domain),
        caption,
        each(&panels),
    );
}

/// Panels as pictures of their own.
pub(super) fn each(panels: &[Panel]) -> Vec<String> {
    let panels = panels.iter();
    panels
        .map(|panel| sheet(std::slice::from_ref(panel), 1))
        .collect()
}

fn letter(index: usize) -> String {
    char::from(b'A' + index as u8).to_string()
}
