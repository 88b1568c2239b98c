//! What the paper reports.

use crate::report::page::{Page, Table};

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
pub(super) const PAPER_DIRECT: [(&str, &str, [f64; 2]); 5] = [
    ("digitcircle", "DigitCircle", [1.24, 0.01]),
    ("latexocr", "LaTeX-OCR", [6.55, 0.12]),
    ("latexocr", "LaTeX-OCR without + ( )", [2.96, 0.10]),
    ("audiomnist", "speakers of training", [5.41, 0.61]),
    ("audiomnist", "unseen speakers", [8.01, 4.28]),
];

/// What the authors' repository reports of exchanging motifs, in percent.
pub(super) const PAPER_CAUSALITY: [(&str, f64); 3] = [
    ("digitcircle", 99.3),
    ("latexocr", 86.1),
    ("audiomnist", 93.4),
];

/// Adds the paper's own values.
pub(super) fn add_paper(page: &mut Page, domain: &str) {
    let mut table = Table::new(&["paper", "FNE", "FPE", "CE", "E2EE", "density"]);
    for (_, name, values) in PAPER.iter().filter(|(of, ..)| *of == domain) {
        let mut row = vec![(*name).to_owned()];
        row.extend(values[..4].iter().map(|value| format!("{value}")));
        row.push(format!("{:.2e}", values[4] / 100.0));
        table.rows.push(row);
    }
    let caption = "The paper's own figures in percent. Its inputs, models and training are many times larger \
                   than the small presets': compare which errors are large, not how large they are.";
    page.table(&format!("{domain}-paper"), caption, &table);
}
