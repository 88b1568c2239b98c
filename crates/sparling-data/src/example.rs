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

/// A picture of the user's as an input.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnPicture {
    /// The input, as [`Example::input`].
    pub input: Vec<f32>,
    /// Where on it the picture is.
    pub view: View,
}

/// Where on an input a picture is that was put there, whole or in part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// The picture's height and width, in its own pixels.
    pub size: [usize; 2],
    /// Pixels of the input for one of the picture, downwards and to the right.
    pub scale: [f64; 2],
    /// The input's row and column at which the picture begins; negative where it is cut off.
    pub offset: [f64; 2],
}

impl View {
    /// A picture that is the input, pixel by pixel.
    pub fn whole(size: [usize; 2]) -> Self {
        Self {
            size,
            scale: [1.0; 2],
            offset: [0.0; 2],
        }
    }

    /// Whether the picture was made larger or smaller.
    pub fn is_scaled(&self) -> bool {
        self.scale != [1.0; 2]
    }

    /// The rows and columns of an input of this size that show the picture.
    pub fn covered(&self, [height, width]: [usize; 2]) -> [Range<usize>; 2] {
        let covered = |axis: usize, size: usize| {
            let end = self.offset[axis] + self.scale[axis] * self.size[axis] as f64;
            // A cast to an integer stays within the integer's range.
            let within = |edge: f64| (edge.round() as usize).min(size);
            within(self.offset[axis])..within(end)
        };
        [covered(0, height), covered(1, width)]
    }

    /// A place on the input, row and column, in the picture's pixels: from the left and from the top.
    pub fn point(&self, place: [f64; 2]) -> [f64; 2] {
        let [y, x] = [0, 1].map(|axis| {
            let own = (place[axis] - self.offset[axis]) / self.scale[axis];
            own.clamp(0.0, self.size[axis] as f64)
        });
        [x, y]
    }

    /// A part of the input, as far as it shows the picture, in the picture's pixels: left, top, width and
    /// height.
    pub fn bbox(&self, rows: &Range<usize>, columns: &Range<usize>) -> [f64; 4] {
        let [left, top] = self.point([rows.start as f64, columns.start as f64]);
        let [right, bottom] = self.point([rows.end as f64, columns.end as f64]);
        [left, top, right - left, bottom - top]
    }
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
    fn places_on_an_input_are_places_in_the_picture() {
        let view = View {
            size: [10, 40],
            scale: [0.5, 0.5],
            offset: [3.0, -2.0],
        };
        assert_eq!(view.point([5.0, 8.0]), [20.0, 4.0]);
        assert_eq!(view.bbox(&(4..6), &(0..4)), [4.0, 2.0, 8.0, 4.0]);
        // The picture begins at row 3, and its last columns are 16 and 17.
        assert_eq!(view.bbox(&(0..5), &(16..30)), [36.0, 0.0, 4.0, 4.0]);
        assert_eq!(view.covered([16, 20]), [3..8, 0..18]);
        assert!(view.is_scaled() && !View::whole([4, 4]).is_scaled());
    }

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
