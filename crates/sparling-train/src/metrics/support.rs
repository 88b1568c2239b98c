//! Where channels look: what is around their motifs.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::matching::Motif;

/// Where a channel looks, in positions from its motif; rows are 0 in a sequence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// The middle: rows down and columns to the right of the motif.
    pub centre: [f64; 2],
    /// The rows.
    pub rows: Range<isize>,
    /// The columns.
    pub columns: Range<isize>,
    /// The activations that this was measured on.
    pub activations: usize,
}

impl Support {
    /// The box of a motif, as far as it lies within a map of this size: rows, columns.
    pub fn around(&self, motif: &Motif, [height, width]: [usize; 2]) -> [Range<usize>; 2] {
        let within = |at: usize, range: &Range<isize>, size: usize| {
            let limit = |end: isize| at.saturating_add_signed(end).min(size);
            limit(range.start)..limit(range.end)
        };
        [
            within(motif.row, &self.rows, height),
            within(motif.column, &self.columns, width),
        ]
    }

    /// The motif at its centre, within a map of this size.
    fn centred(&self, motif: &Motif, [height, width]: [usize; 2]) -> Motif {
        let moved = |at: usize, by: f64, size: usize| {
            let moved = at.saturating_add_signed(by.round() as isize);
            moved.min(size - 1)
        };
        Motif {
            row: moved(motif.row, self.centre[0], height),
            column: moved(motif.column, self.centre[1], width),
            ..*motif
        }
    }
}

/// The supports of a model's channels, `None` for those that were never active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supports(pub Vec<Option<Support>>);

impl Supports {
    /// A motif's support, if its channel has one.
    pub fn of(&self, motif: &Motif) -> Option<&Support> {
        self.0.get(motif.channel)?.as_ref()
    }

    /// Motifs at their centres, within a map of this size; those without a support stay where they are.
    pub fn centre(&self, motifs: &[Motif], plane: [usize; 2]) -> Vec<Motif> {
        let centred = |motif: &Motif| match self.of(motif) {
            Some(support) => support.centred(motif, plane),
            None => *motif,
        };
        motifs.iter().map(centred).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPPORT: Support = Support {
        centre: [-3.0, 1.5],
        rows: -5..0,
        columns: 0..4,
        activations: 7,
    };

    #[test]
    fn boxes_and_centres_stay_within_the_map() {
        let supports = Supports(vec![None, Some(SUPPORT)]);
        let plane = [20, 10];
        let inside = Motif::new(1, 9, 4, 1.0);
        assert_eq!(SUPPORT.around(&inside, plane), [4..9, 4..8]);
        let corner = Motif::new(1, 1, 8, 1.0);
        assert_eq!(SUPPORT.around(&corner, plane), [0..1, 8..10]);
        let other = Motif::new(0, 3, 3, 1.0);
        let moved = supports.centre(&[inside, corner, other], plane);
        let expected = [Motif::new(1, 6, 6, 1.0), Motif::new(1, 0, 9, 1.0), other];
        assert_eq!(moved, expected);
    }
}
