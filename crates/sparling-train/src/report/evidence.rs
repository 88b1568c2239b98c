//! The paper's figures and tables, for whatever runs there are.

mod figures;
mod paper;
mod tables;

use super::page::{Page, file_name};
use crate::study::runs::{DomainStudy, Group};
use figures::{by_bits, by_density, each, heat_map};

/// Adds all that is known of a domain's runs to a page.
pub fn add(page: &mut Page, study: &DomainStudy) {
    let domain = study.domain.as_str();
    page.heading(2, domain);
    tables::add_runs(page, study);
    tables::add_main_table(page, study);
    paper::add_paper(page, domain);
    figures::add_bars(page, study);
    for group in &study.groups {
        add_group(page, study, group);
    }
    figures::add_prediction(page, study);
    tables::add_direct(page, study);
    tables::add_causality(page, study);
    tables::add_bits(page, study);
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
        let caption = "What edit accuracy loses when the motifs' strengths are put into so many bins (paper, \
                       Figure 7), means over seeds.";
        page.figure(&format!("{id}-binning"), caption, each(&[panel]));
    }
}
