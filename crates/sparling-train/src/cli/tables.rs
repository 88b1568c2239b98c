//! The errors of an evaluation, written in the same columns wherever they are shown.

use crate::metrics::{Centred, ERRORS, Figures, Share};

/// The columns in their order, each with what it means.
pub(super) const COLUMNS: [((&str, Share), &str); 5] = [
    (ERRORS[0], "symbols without an activation"),
    (
        ERRORS[1],
        "activations outside all symbols, among those and the maximal",
    ),
    (ERRORS[2], "symbols answered to by another symbol's channel"),
    (ERRORS[3], "edit distance over length"),
    (
        ("exact", |figures| figures.exact_match),
        "outputs right in every token",
    ),
];

/// What stands above rows.
pub(super) fn header() -> String {
    line("samples", "density", COLUMNS.map(|((name, _), _)| name))
}

/// A model's errors after so many training samples.
pub(super) fn row(samples: u64, figures: &Figures) -> String {
    let shares = COLUMNS.map(|((_, share), _)| percent(share(figures)));
    line(&samples.to_string(), &density(figures.density), shares)
}

/// The same with motifs at the centres of what their channels look at, which changes no output.
pub(super) fn centred_row(samples: u64, figures: &Figures, centred: &Centred) -> String {
    let Centred { fne, fpe, ce, .. } = *centred;
    row(
        samples,
        &Figures {
            fne,
            fpe,
            ce,
            ..figures.clone()
        },
    )
}

/// The same errors where there is no header above them.
pub(super) fn named(figures: &Figures) -> String {
    let named = COLUMNS.map(|((name, share), _)| format!("{name} {}", percent(share(figures))));
    named.join("  ")
}

fn line(samples: &str, density: &str, shares: [impl std::fmt::Display; 5]) -> String {
    let shares = shares.map(|share| format!(" {share:>7}"));
    format!("{samples:>9} {density:>10}{}", shares.concat())
}

/// A density, as written everywhere.
pub(super) fn density(density: f64) -> String {
    format!("{density:.3e}")
}

/// A share as a percentage; `-` where there is none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.2}%", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Evaluation;

    #[test]
    fn rows_stand_under_their_header() {
        let mut figures = Evaluation::new(1.5e-4, 1, 1).figures();
        (figures.fne, figures.e2ee, figures.exact_match) = (Some(1.0), Some(0.0123), Some(0.9));
        let expected = [
            "  samples    density     FNE     FPE      CE    E2EE   exact",
            "   100000   1.500e-4 100.00%       -       -   1.23%  90.00%",
        ];
        assert_eq!([header(), row(100_000, &figures)], expected);
        let named = named(&figures);
        assert_eq!(named, "FNE 100.00%  FPE -  CE -  E2EE 1.23%  exact 90.00%");
    }

    #[test]
    fn centres_change_no_output() {
        let mut figures = Evaluation::new(0.5, 1, 1).figures();
        (figures.fne, figures.e2ee) = (Some(0.5), Some(0.25));
        let centred = Centred {
            fne: Some(0.125),
            fpe: Some(0.0),
            fpe_all: None,
            ce: None,
            iou: None,
        };
        let row = centred_row(7, &figures, &centred);
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            cells,
            ["7", "5.000e-1", "12.50%", "0.00%", "-", "25.00%", "-"]
        );
    }
}
