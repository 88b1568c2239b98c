//! The paper's figures and tables, for whatever runs there are.

use std::collections::BTreeMap;

use super::chart::{Axis, Bar, HeatMap, LEAST_ERROR, Panel, Series, error_at, sheet};
use super::examples::channel_name;
use super::page::{Page, Table, file_name};
use crate::evaluate::Figures;
use crate::metrics::AlignedConfusion;
use crate::statistics::Mean;
use crate::study::{DomainStudy, Group, Run};

/// So many bars stand in one row.
const MOST_BARS: usize = 20;

type Share = fn(&Figures) -> Option<f64>;

type Split = fn(&Run) -> &Figures;

const ERRORS: [(&str, Share); 4] = [
    ("FNE", |figures| figures.fne),
    ("FPE", |figures| figures.fpe),
    ("CE", |figures| figures.ce),
    ("E2EE", |figures| figures.e2ee),
];

/// What the paper reports, in percent: FNE, FPE, CE, E2EE and density (Figures 3 and 9, Table 1;
/// means of 9 seeds, at the paper's scale).
const PAPER: [(&str, &str, [f64; 5]); 9] = [
    ("digitcircle", "MT", [0.42, 1.48, 1.16, 0.74, 0.005]),
    ("digitcircle", "ST", [0.98, 0.002, 22.19, 2.11, 0.005]),
    (
        "digitcircle",
        "L1, weight 0.1",
        [0.0, 99.99, 50.34, 0.68, 37.0],
    ),
    (
        "digitcircle",
        "L1, weight 1",
        [0.0, 99.90, 47.84, 2.85, 4.7],
    ),
    (
        "digitcircle",
        "L1, weight 2",
        [58.09, 91.25, 45.65, 70.31, 0.023],
    ),
    (
        "digitcircle",
        "L1, weight 5",
        [73.12, 95.99, 50.85, 75.00, 0.032],
    ),
    (
        "digitcircle",
        "L1, weight 10",
        [84.51, 97.63, 33.82, 73.20, 0.028],
    ),
    ("latexocr", "MT", [14.20, 0.53, 2.50, 0.98, 8.94e-4]),
    (
        "audiomnist",
        "MT, unseen speakers",
        [4.46, 0.0, 5.47, 8.65, 0.119],
    ),
];

/// The paper's Table 2, in percent: Sparling and direct.
const PAPER_DIRECT: [(&str, &str, [f64; 2]); 5] = [
    ("digitcircle", "DigitCircle", [1.24, 0.01]),
    ("latexocr", "LaTeX-OCR", [6.55, 0.12]),
    ("latexocr", "LaTeX-OCR without + ( )", [2.96, 0.10]),
    ("audiomnist", "speakers of training", [5.41, 0.61]),
    ("audiomnist", "unseen speakers", [8.01, 4.28]),
];

/// Adds all that is known of a domain's runs to a page.
pub fn add(page: &mut Page, study: &DomainStudy) {
    let domain = study.domain.as_str();
    page.heading(2, domain);
    add_runs(page, study);
    add_main_table(page, study);
    add_paper(page, domain);
    add_bars(page, study);
    for group in &study.groups {
        add_group(page, study, group);
    }
    add_prediction(page, study);
    add_direct(page, study);
    add_causality(page, study);
    add_bits(page, study);
}

/// Adds where the figures come from.
fn add_runs(page: &mut Page, study: &DomainStudy) {
    let mut table = Table::new(&[
        "runs",
        "seeds",
        "test examples",
        "commit",
        "samples",
        "minutes",
    ]);
    for group in &study.groups {
        let seeds: Vec<String> = group.runs.iter().map(|run| run.seed.to_string()).collect();
        let mut commits: Vec<&str> = group
            .runs
            .iter()
            .map(|run| {
                run.commit
                    .as_deref()
                    .map_or("-", |commit| commit.get(..7).unwrap_or(commit))
            })
            .collect();
        commits.sort_unstable();
        commits.dedup();
        table.rows.push(vec![
            group.name.clone(),
            seeds.join(", "),
            group.runs[0].results.test.figures.examples.to_string(),
            commits.join(", "),
            number(
                group.mean(|run| Some(run.results.samples as f64)).as_ref(),
                0,
            ),
            number(group.mean(Run::minutes).as_ref(), 1),
        ]);
    }
    let caption = "What was run; samples and minutes are means over seeds.";
    page.table(&format!("{}-runs", study.domain), caption, &table);
}

/// Adds the errors of every group at its lowest density (the paper's Table 1, and what Figures 3, 6
/// and 9 are drawn from).
fn add_main_table(page: &mut Page, study: &DomainStudy) {
    let mut table = Table::new(&[
        "runs",
        "seeds",
        "FNE",
        "FPE",
        "CE",
        "E2EE",
        "exact match",
        "density",
    ]);
    let shares = ERRORS.map(|(_, share)| share).into_iter();
    let shares: Vec<Share> = shares
        .chain([(|figures| figures.exact_match) as Share])
        .collect();
    for group in &study.groups {
        let splits: &[(&str, Split)] = if study.generalises {
            &[
                (", seen speakers", |run| &run.results.validation.figures),
                (", unseen speakers", |run| &run.results.test.figures),
            ]
        } else {
            &[("", |run| &run.results.test.figures)]
        };
        for (name, figures) in splits {
            let mut row = vec![
                format!("{}{name}", group.name),
                group.runs.len().to_string(),
            ];
            for share in &shares {
                row.push(percent(group.mean(|run| share(figures(run))).as_ref()));
            }
            let density = group.mean(|run| figures(run).empirical_density);
            row.push(density.map_or("-".to_owned(), |mean| format!("{:.2e}", mean.mean)));
            table.rows.push(row);
        }
    }
    let caption = "Errors in percent at each run's lowest density: mean over seeds and the 95 % bootstrap \
                   interval of the mean. The density is the share of activations that are not zero.";
    page.table(&format!("{}-errors", study.domain), caption, &table);
}

/// Adds the bars of the paper's Figures 3, 6 and 9.
fn add_bars(page: &mut Page, study: &DomainStudy) {
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
            "Errors on test examples (paper, Figures 3, 6 and 9). Bars are means over seeds, dots the \
             seeds, whiskers 95 % bootstrap intervals. {}.",
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

/// Adds what is to be seen of each group alone.
fn add_group(page: &mut Page, study: &DomainStudy, group: &Group) {
    let id = file_name(&format!("{}-{}", study.domain, group.name));
    page.heading(3, &group.name);
    let first = &group.runs[0];
    if let Ok(png) = std::fs::read(first.path.join("examples.png")) {
        let caption = format!(
            "Test examples of seed {} with their motifs (paper, Figure 2): dots are motifs, one letter and \
             colour per channel, boxes the true footprints, which were never shown.",
            first.seed
        );
        page.picture(&caption, &png);
    }
    if let Ok(png) = std::fs::read(first.path.join("channels.png")) {
        let caption = format!(
            "What each channel of seed {} answers to: its density, the symbols that its activations are \
             in, and its strongest examples with the window that the motif model sees.",
            first.seed
        );
        page.picture(&caption, &png);
    }
    let confusion = &first.results.test.confusion;
    let caption = format!(
        "Confusion of seed {} (paper, Figure 4), in percent of the row's motifs: rows are symbols with the \
         channels that stand for them and the share of all motifs, columns the true symbols; false \
         positives in the last column, missed symbols, in percent of those there, in the last row.",
        first.seed
    );
    let map = heat_map(
        confusion,
        &study.symbols,
        &format!("{}, seed {}", group.name, first.seed),
    );
    page.figure(&format!("{id}-confusion"), &caption, vec![map.draw()]);
    if let Some(panel) = by_density(group) {
        let caption = "Validation errors against density, from dense to sparse (paper, Figure 5): the state \
                       kept at each density, means over seeds.";
        page.figure(&format!("{id}-density"), caption, each(&[panel]));
    }
    if let Some(panel) = by_bits(group) {
        let caption = "What exact match loses when the motifs' strengths are put into so many bins (paper, \
                       Figure 7), means over seeds.";
        page.figure(&format!("{id}-binning"), caption, each(&[panel]));
    }
}

fn heat_map(confusion: &AlignedConfusion, symbols: &[String], title: &str) -> HeatMap {
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
fn by_density(group: &Group) -> Option<Panel> {
    let mut densities: BTreeMap<String, Vec<&Figures>> = BTreeMap::new();
    for run in &group.runs {
        for check in run.ladder() {
            let key = format!("{:.3e}", check.figures.density);
            densities.entry(key).or_default().push(&check.figures);
        }
    }
    let mut ladder: Vec<Vec<&Figures>> = densities
        .into_values()
        .filter(|figures| 2 * figures.len() > group.runs.len())
        .collect();
    ladder.sort_by(|a, b| b[0].density.total_cmp(&a[0].density));
    if ladder.len() < 3 {
        return None;
    }
    let series = ERRORS.iter().enumerate().map(|(style, (name, share))| {
        let points = ladder.iter().filter_map(|figures| {
            let values: Vec<f64> = figures
                .iter()
                .filter_map(|figures| share(figures))
                .collect();
            let error = Mean::of(&values)?.mean;
            Some((-figures[0].density.log10(), error_at(error)))
        });
        Series::line(*name, style, points)
    });
    let densities = || ladder.iter().map(|figures| figures[0].density);
    Some(Panel::of_curves(
        format!("{}: errors against density", group.name),
        Axis::density(densities(), true),
        Axis::error(LEAST_ERROR),
        series.collect(),
    ))
}

/// What exact match loses by binning, against density.
fn by_bits(group: &Group) -> Option<Panel> {
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
                .map(|binning| binning.exact_match - binning.binned[bits])
                .collect();
            let loss = Mean::of(&losses)?.mean;
            Some((-binning.density.log10(), error_at(loss)))
        });
        Series::line(format!("{} bins", 1 << bits), bits - 1, points)
    });
    Some(Panel::of_curves(
        format!("{}: exact match lost by binning", group.name),
        Axis::density(first.iter().map(|binning| binning.density), true),
        Axis::error(LEAST_ERROR),
        series.collect(),
    ))
}

/// Adds whether the validation error tells the motif errors across seeds (the paper's Figure 8).
fn add_prediction(page: &mut Page, study: &DomainStudy) {
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
        x.title = "validation outputs that are not right";
        Panel::of_curves(title, x, Axis::error(LEAST_ERROR), series.collect())
    });
    let caption = "Motif errors on test examples against the error that training sees, one dot a seed \
                   (paper, Figure 8).";
    page.figure(
        &format!("{}-prediction", study.domain),
        caption,
        each(&panels),
    );
}

/// Adds the paper's Table 2.
fn add_direct(page: &mut Page, study: &DomainStudy) {
    let mut table = Table::new(&["runs", "seeds", "Sparling", "direct", "ratio"]);
    for group in &study.groups {
        type Errors = fn(&Run) -> Option<crate::direct::Errors>;
        let splits: [(&str, Errors); 2] = [
            ("validation", |run| {
                run.direct.as_ref().map(|direct| direct.validation)
            }),
            ("test", |run| run.direct.as_ref().map(|direct| direct.test)),
        ];
        for (split, errors) in splits {
            let sparling = group.mean(|run| errors(run).map(|errors| errors.sparling));
            let direct = group.mean(|run| errors(run).map(|errors| errors.direct));
            if let (Some(sparling), Some(direct)) = (sparling, direct) {
                let ratio = (sparling.mean > 0.0).then(|| direct.mean / sparling.mean);
                table.rows.push(vec![
                    format!("{}, {split}", group.name),
                    sparling.values.len().to_string(),
                    percent(Some(&sparling)),
                    percent(Some(&direct)),
                    ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
                ]);
            }
        }
    }
    if table.rows.is_empty() {
        return;
    }
    for (_, name, [sparling, direct]) in PAPER_DIRECT
        .iter()
        .filter(|(domain, ..)| *domain == study.domain)
    {
        table.rows.push(vec![
            format!("paper: {name}"),
            "9".to_owned(),
            format!("{sparling:.2}"),
            format!("{direct:.2}"),
            format!("{:.2}", direct / sparling),
        ]);
    }
    let caption = "Single symbols taken for another or missed, in percent: by Sparling, which was never shown \
                   one, and by a motif model of the same shape that was trained on labelled ones (paper, \
                   Table 2).";
    page.table(&format!("{}-direct", study.domain), caption, &table);
}

/// What the authors' repository reports of exchanging motifs, in percent.
const PAPER_CAUSALITY: [(&str, f64); 3] = [
    ("digitcircle", 99.3),
    ("latexocr", 86.1),
    ("audiomnist", 93.4),
];

/// Adds how often outputs follow motifs that are given to another channel.
fn add_causality(page: &mut Page, study: &DomainStudy) {
    let mut table = Table::new(&["runs", "seeds", "outputs as expected", "exchanged"]);
    for group in &study.groups {
        let share = group.mean(|run| run.causality.as_ref()?.share());
        let exchanged = group.mean(|run| Some(run.causality.as_ref()?.exchanged as f64));
        if let Some(share) = share {
            table.rows.push(vec![
                group.name.clone(),
                share.values.len().to_string(),
                percent(Some(&share)),
                number(exchanged.as_ref(), 0),
            ]);
        }
    }
    if table.rows.is_empty() {
        return;
    }
    for (_, share) in PAPER_CAUSALITY
        .iter()
        .filter(|(domain, _)| *domain == study.domain)
    {
        let row = ["authors' repository", "-", &format!("{share:.1}"), "-"];
        table.rows.push(row.map(str::to_owned).to_vec());
    }
    let caption = "Outputs, in percent, that change in one symbol alone when its motifs are given to the \
                   channel of another symbol, of the test examples that were read correctly.";
    page.table(&format!("{}-causality", study.domain), caption, &table);
}

/// Adds what motifs can say at most (the paper's Appendix B).
fn add_bits(page: &mut Page, study: &DomainStudy) {
    let mut table = Table::new(&["runs", "density", "seeds", "eta in bits", "bound in bits"]);
    for group in &study.groups {
        let Some(measured) = group.runs.iter().find(|run| !run.binning.is_empty()) else {
            continue;
        };
        for binning in &measured.binning {
            let same = |run: &Run| {
                let mut all = run.binning.iter();
                all.find(|other| other.density == binning.density).cloned()
            };
            let eta = group.mean(|run| same(run)?.eta.map(f64::from));
            let bound = group.mean(|run| same(run)?.bound_bits);
            table.rows.push(vec![
                group.name.clone(),
                format!("{:.2e}", binning.density),
                eta.as_ref().map_or(0, |eta| eta.values.len()).to_string(),
                number(eta.as_ref(), 1),
                number(bound.as_ref(), 0),
            ]);
        }
    }
    if !table.rows.is_empty() {
        let caption = "What an example's motifs can say at most (paper, section 3.3 and Appendix B): eta is the \
                       fewest bits of strength with which exact match is lower by no more than 0.1 %; means \
                       over the seeds that have one.";
        page.table(&format!("{}-bits", study.domain), caption, &table);
    }
}

/// Adds the paper's own values.
fn add_paper(page: &mut Page, domain: &str) {
    let mut table = Table::new(&["paper", "FNE", "FPE", "CE", "E2EE", "density"]);
    for (_, name, values) in PAPER.iter().filter(|(of, ..)| *of == domain) {
        let mut row = vec![(*name).to_owned()];
        row.extend(values[..4].iter().map(|value| format!("{value}")));
        row.push(format!("{:.2e}", values[4] / 100.0));
        table.rows.push(row);
    }
    let caption = "The paper's values in percent, at the paper's scale: inputs, models and training are many \
                   times larger than the small presets', so that they are to be compared in kind, not in size.";
    page.table(&format!("{domain}-paper"), caption, &table);
}

/// Panels as pictures of their own.
fn each(panels: &[Panel]) -> Vec<String> {
    let panels = panels.iter();
    panels
        .map(|panel| sheet(std::slice::from_ref(panel), 1))
        .collect()
}

/// The mean alone.
fn number(mean: Option<&Mean>, digits: usize) -> String {
    mean.map_or("-".to_owned(), |mean| format!("{:.digits$}", mean.mean))
}

/// The mean and its interval, in percent.
fn percent(mean: Option<&Mean>) -> String {
    mean.map_or("-".to_owned(), |mean| {
        let [low, high] = mean.interval.map(|value| 100.0 * value);
        let value = 100.0 * mean.mean;
        if mean.values.len() == 1 {
            format!("{value:.2}")
        } else {
            format!("{value:.2} [{low:.2}-{high:.2}]")
        }
    })
}

fn letter(index: usize) -> String {
    char::from(b'A' + index as u8).to_string()
}
