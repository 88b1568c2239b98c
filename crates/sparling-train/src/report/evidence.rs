//! The paper's figures and tables, for whatever runs there are.

mod figures;
mod paper;
mod tables;
mod trust;

use super::page::{Page, file_name};
use crate::study::runs::{DomainStudy, Group, Run};
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
    trust::add(page, study);
    tables::add_bits(page, study);
}

/// Adds what is to be seen of each group alone.
fn add_group(page: &mut Page, study: &DomainStudy, group: &Group) {
    let id = file_name(&format!("{}-{}", study.domain, group.name));
    page.heading(3, &group.name);
    add_pictures(page, &group.runs[0]);
    add_channels(page, study, group);
    add_confusion(page, group, &id);
    if let Some(panel) = by_density(group) {
        let caption = "Validation errors of the state kept at each density, from dense to sparse (paper, \
                       Figure 5); means over seeds.";
        page.figure(&format!("{id}-density"), caption, each(&[panel]));
    }
    if let Some(panel) = by_bits(group) {
        let caption = "How much edit accuracy falls when the strength of every motif is rounded to one of a few \
                       values, its bin (paper, Figure 7); means over seeds.";
        page.figure(&format!("{id}-binning"), caption, each(&[panel]));
    }
}

/// Adds the pictures that a run ended with.
fn add_pictures(page: &mut Page, run: &Run) {
    let seed = run.seed;
    let examples = format!(
        "Test examples of seed {seed} with the motifs found in them (paper, Figure 2). Each channel has a letter \
         and a colour. Solid boxes are the true footprints, which the model was never shown, dashed ones what \
         the motif's channel looks at."
    );
    let channels = format!(
        "What each channel of seed {seed} answers to: its density, the symbols that its activations lie in, and \
         the strongest of them, each in the part of the input that the motif model sees."
    );
    for (file, caption) in [("examples.png", examples), ("channels.png", channels)] {
        if let Ok(png) = std::fs::read(run.path.join(file)) {
            page.picture(&caption, &png);
        }
    }
}

/// Adds links to the pages of channels that `explain` has left in runs' folders.
fn add_channels(page: &mut Page, study: &DomainStudy, group: &Group) {
    for run in &group.runs {
        if let Ok(channels) = std::fs::read_to_string(run.path.join("channels.html")) {
            let name = format!("{}-{}-seed{}", study.domain, group.name, run.seed);
            let text = format!("What each channel of seed {} is", run.seed);
            page.link(&text, &file_name(&name), channels);
        }
    }
}

fn add_confusion(page: &mut Page, group: &Group, id: &str) {
    let Run { seed, results, .. } = &group.runs[0];
    let caption = format!(
        "Confusion of seed {seed} (paper, Figure 4). A row is a symbol, with the channels that stand for it and \
         their share of all motifs; it says, in percent, in which symbols those motifs really lie, and in the \
         last column how many lie in none. The last row says how many of each symbol were missed."
    );
    let title = format!("{}, seed {seed}", group.name);
    let map = heat_map(&results.test.confusion, &group.symbols, &title);
    page.figure(&format!("{id}-confusion"), &caption, vec![map.draw()]);
}
