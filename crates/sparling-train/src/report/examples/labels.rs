//! Where a motif's letter fits beside its mark.

use anyhow::Result;
use plotters::prelude::*;

use crate::report::canvas::Canvas;
use crate::report::lettering::{Align, Lettering, text_width};

/// The size of a label's type, in pixels.
const TYPE: u32 = 15;

/// A rectangle in pixels: left, top, right, bottom.
type Space = [i32; 4];

/// The labels of one picture and what they must not cover.
pub(super) struct Labels {
    bounds: Space,
    taken: Vec<Space>,
}

impl Labels {
    /// No label yet, in a picture between two corners.
    pub(super) fn new(start: (i32, i32), end: (i32, i32)) -> Self {
        Self {
            bounds: [start.0, start.1, end.0, end.1],
            taken: Vec::new(),
        }
    }

    /// Keeps labels off a mark.
    pub(super) fn keep_clear(&mut self, at: (i32, i32), radius: i32) {
        self.taken
            .push([at.0 - radius, at.1 - radius, at.0 + radius, at.1 + radius]);
    }

    /// Writes a label beside its mark, where it covers nothing; without such a place it is left
    /// out, as among the thousands of motifs of a model that has just begun to train.
    pub(super) fn write(
        &mut self,
        canvas: &Canvas<'_>,
        text: &str,
        mark: (i32, i32),
        radius: i32,
        colour: RGBColor,
    ) -> Result<()> {
        let (half_width, half_height) = (text_width(text, TYPE) / 2 + 2, TYPE as i32 / 2 - 1);
        let (aside, above) = (radius + 2 + half_width, radius + 2 + half_height);
        let places = [
            (aside, -half_height),
            (-aside, -half_height),
            (aside, half_height),
            (-aside, half_height),
            (0, -above),
            (0, above),
        ];
        let fitting = places.into_iter().find_map(|(right, down)| {
            let (x, y) = (mark.0 + right, mark.1 + down);
            let space = [
                x - half_width,
                y - half_height,
                x + half_width,
                y + half_height,
            ];
            self.is_free(space).then_some(space)
        });
        let Some(space) = fitting else { return Ok(()) };
        self.taken.push(space);
        let middle = ((space[0] + space[2]) / 2, (space[1] + space[3]) / 2);
        let rim = Lettering::left(TYPE, WHITE).aligned(Align::Centre);
        for (right, down) in (-2..=3).flat_map(|right| (-2..=2).map(move |down| (right, down))) {
            rim.write(canvas, text, (middle.0 + right, middle.1 + down))?;
        }
        // Twice, one pixel apart, is bold.
        let ink = Lettering { colour, ..rim };
        ink.write(canvas, text, middle)?;
        ink.write(canvas, text, (middle.0 + 1, middle.1))
    }

    fn is_free(&self, space: Space) -> bool {
        let [left, top, right, bottom] = self.bounds;
        let inside = space[0] >= left && space[1] >= top && space[2] <= right && space[3] <= bottom;
        inside && !self.taken.iter().any(|other| overlap(*other, space))
    }
}

fn overlap(one: Space, other: Space) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_that_touch_do_not_overlap() {
        assert!(overlap([0, 0, 4, 4], [3, 3, 6, 6]));
        assert!(!overlap([0, 0, 4, 4], [4, 0, 6, 4]));
    }

    #[test]
    fn labels_stay_inside_and_off_marks() {
        let mut labels = Labels::new((0, 0), (100, 100));
        assert!(labels.is_free([10, 10, 20, 20]));
        labels.keep_clear((15, 15), 3);
        assert!(!labels.is_free([10, 10, 20, 20]));
        assert!(!labels.is_free([95, 0, 105, 10]));
    }
}
