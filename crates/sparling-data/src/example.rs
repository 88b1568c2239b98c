//! One labelled example, and the footprints that only evaluation may look at.

use std::ops::Range;

/// An input with its output tokens and, for evaluation alone, where its symbols are.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The input, row-major `[channels, height, width]`.
    pub input: Vec<f32>,
    /// The output tokens, without start and end.
    pub tokens: Vec<usize>,
    /// Where each symbol is, in the order in which they were placed. Training never sees this.
    pub footprints: Vec<Footprint>,
}

/// A recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Mono samples, between -1 and 1.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub sample_rate: u32,
}

/// An output as people write it, and as an input without noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Typeset {
    /// In the domain's own notation, such as LaTeX.
    pub source: String,
    /// The input, as [`Example::input`].
    pub input: Vec<f32>,
}

/// Where one symbol is: a half-open rectangle of the motif map (paper, section 3.2).
///
/// In a sequence the only row is 0; in sound the columns are frames.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Footprint {
    /// Index into the domain's symbols.
    pub symbol: usize,
    /// First row.
    pub top: usize,
    /// One past the last row.
    pub bottom: usize,
    /// First column.
    pub left: usize,
    /// One past the last column.
    pub right: usize,
}

impl Footprint {
    /// Whether the position lies inside.
    pub fn contains(&self, row: usize, column: usize) -> bool {
        (self.top..self.bottom).contains(&row) && (self.left..self.right).contains(&column)
    }

    /// How well a box covers it: intersection over union, from 0 to 1.
    pub fn overlap(&self, rows: Range<usize>, columns: Range<usize>) -> f64 {
        let common = |start: usize, end: usize, range: &Range<usize>| {
            end.min(range.end).saturating_sub(start.max(range.start))
        };
        let both = common(self.top, self.bottom, &rows) * common(self.left, self.right, &columns);
        let own = (self.bottom - self.top) * (self.right - self.left);
        let either = own + rows.len() * columns.len() - both;
        both as f64 / either.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_intersection_over_union() {
        let footprint = Footprint {
            symbol: 0,
            top: 2,
            bottom: 6,
            left: 1,
            right: 4,
        };
        for (rows, columns, expected) in [
            (2..6, 1..4, 1.0),
            (4..6, 1..4, 0.5),
            (4..8, 1..4, 6.0 / 18.0),
            (6..9, 1..4, 0.0),
            (0..0, 0..0, 0.0),
            (0..2, 0..1, 0.0),
        ] {
            assert_eq!(footprint.overlap(rows, columns), expected);
        }
    }
}
