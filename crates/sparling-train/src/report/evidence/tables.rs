//! Tables of runs.

use super::paper::{PAPER_CAUSALITY, PAPER_DIRECT};
use crate::metrics::statistics::Mean;
use crate::metrics::{ERRORS, Figures, Share};
use crate::report::page::{Page, Table};
use crate::study::direct::{Direct, Judged};
use crate::study::runs::{DomainStudy, Run};

type Split = fn(&Run) -> &Figures;

/// Adds where the figures come from.
pub(super) fn add_runs(page: &mut Page, study: &DomainStudy) {
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
                    .map_or("-", |commit| shortened(commit))
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
    let caption = "The runs; samples and minutes are means over seeds.";
    page.table(&format!("{}-runs", study.domain), caption, &table);
}

/// Adds the errors of every group at its lowest density (the paper's Table 1, and what Figures 3, 6
/// and 9 are drawn from).
pub(super) fn add_main_table(page: &mut Page, study: &DomainStudy) {
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
        let splits: &[(&str, Split)] = if group.generalises {
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
        if let Some(best) = group.best_by_validation() {
            let figures = &best.results.test.figures;
            let mut row = vec![
                format!("{}, seed {}, the best by validation", group.name, best.seed),
                "1".to_owned(),
            ];
            let share = |share: &Share| Mean::of(&[share(figures)?]);
            row.extend(shares.iter().map(|of| percent(share(of).as_ref())));
            let density = figures.empirical_density;
            row.push(density.map_or("-".to_owned(), |density| format!("{density:.2e}")));
            table.rows.push(row);
        }
    }
    let caption = "Errors in percent at each run's lowest density: the mean over seeds with its 95 % bootstrap \
                   interval, or with the range of fewer than five seeds. Of three seeds or more, the one with \
                   the lowest E2EE on validation examples stands beside the mean (paper, Appendix C). The \
                   density is the share of activations that are not zero.";
    page.table(&format!("{}-errors", study.domain), caption, &table);
}

/// Adds the paper's Table 2.
pub(super) fn add_direct(page: &mut Page, study: &DomainStudy) {
    let mut table = Table::new(&["runs", "seeds", "Sparling", "direct", "ratio"]);
    for group in &study.groups {
        type Split = fn(&Direct) -> &Judged;
        let splits: [(&str, Split); 2] = [
            ("validation", |direct| &direct.validation),
            ("test", |direct| &direct.test),
        ];
        // Where there are marks that formulas can be read without.
        let subsets: &[(&str, &[&str])] = match study.domain.as_str() {
            "latexocr" => &[("", &[]), (" without + ( )", &["+", "(", ")"])],
            _ => &[("", &[])],
        };
        for (split, judged) in splits {
            for (subset, without) in subsets {
                let errors = |run: &Run, method: usize| {
                    let direct = run.direct.as_ref()?;
                    let names = direct.symbols.iter().enumerate();
                    let kept = names.filter(|(_, name)| !without.contains(&name.as_str()));
                    let errors = judged(direct).errors(kept.map(|(symbol, _)| symbol))?;
                    Some(errors[method])
                };
                let [sparling, direct] = [0, 1].map(|method| group.mean(|run| errors(run, method)));
                if let (Some(sparling), Some(direct)) = (sparling, direct) {
                    let ratio = (sparling.mean > 0.0).then(|| direct.mean / sparling.mean);
                    table.rows.push(vec![
                        format!("{}, {split}{subset}", group.name),
                        sparling.values.len().to_string(),
                        percent(Some(&sparling)),
                        percent(Some(&direct)),
                        ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
                    ]);
                }
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
    let caption = "Single symbols that were missed or taken for another, in percent: by Sparling, which was \
                   never told what a symbol is, and directly, by a motif model of the same shape that was \
                   trained on labelled symbols (paper, Table 2).";
    page.table(&format!("{}-direct", study.domain), caption, &table);
}

/// Adds how often outputs follow motifs that are given to another channel.
pub(super) fn add_causality(page: &mut Page, study: &DomainStudy) {
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
    let caption = "How many outputs, in percent, change in one symbol and nowhere else when that symbol's motifs \
                   are moved to another symbol's channel. Only test examples that were read correctly count.";
    page.table(&format!("{}-causality", study.domain), caption, &table);
}

/// Adds what motifs can say at most (the paper's Appendix B).
pub(super) fn add_bits(page: &mut Page, study: &DomainStudy) {
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
        let caption = "The most that an example's motifs can say (paper, section 3.3 and Appendix B). Eta is the \
                       fewest bits for a motif's strength that cost no more than 0.1 % of edit accuracy; means \
                       over the seeds that have one.";
        page.table(&format!("{}-bits", study.domain), caption, &table);
    }
}

/// The first seven letters.
fn shortened(commit: &str) -> &str {
    let end = commit
        .char_indices()
        .nth(7)
        .map_or(commit.len(), |(end, _)| end);
    &commit[..end]
}

/// The mean alone.
pub(super) fn number(mean: Option<&Mean>, digits: usize) -> String {
    mean.map_or("-".to_owned(), |mean| format!("{:.digits$}", mean.mean))
}

/// The mean and its interval, in percent.
pub(super) fn percent(mean: Option<&Mean>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_shortened_letter_by_letter() {
        assert_eq!(shortened("abcdef\u{e9}12"), "abcdef\u{e9}");
        assert_eq!(shortened("abc"), "abc");
    }
}
