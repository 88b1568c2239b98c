//! Where a motif's letter fits beside its mark.

use svg::node::element::Group;

use crate::report::drawing::{Anchor, LABEL_TYPE, PAPER, Pixels, text, text_width};

/// A rectangle in pixels: left, top, right, bottom.
type Space = [i32; 4];

/// The labels of one picture and what they must not cover.
pub(super) struct Labels {
    bounds: Space,
    taken: Vec<Space>,
}

impl Labels {
    /// No label yet, in a picture of a size.
    pub(super) fn new((width, height): Pixels) -> Self {
        Self {
            bounds: [0, 0, width, height],
            taken: Vec::new(),
        }
    }

    /// Keeps labels off a mark.
    pub(super) fn keep_clear(&mut self, at: Pixels, radius: i32) {
        self.taken
            .push([at.0 - radius, at.1 - radius, at.0 + radius, at.1 + radius]);
    }

    /// A label beside its mark, where it covers nothing; without such a place it is left out, as among
    /// the thousands of motifs of a model that has just begun to train.
    pub(super) fn beside(
        &mut self,
        mark: Pixels,
        radius: i32,
        name: &str,
        colour: &str,
    ) -> Option<Group> {
        let (half_width, half_height) = (text_width(name, LABEL_TYPE) / 2 + 2, LABEL_TYPE / 2 - 1);
        let (aside, above) = (radius + 2 + half_width, radius + 2 + half_height);
        let places = [
            (aside, -half_height),
            (-aside, -half_height),
            (aside, half_height),
            (-aside, half_height),
            (0, -above),
            (0, above),
        ];
        let middle = places.into_iter().find_map(|(right, down)| {
            let (x, y) = (mark.0 + right, mark.1 + down);
            let (left, top) = (x - half_width, y - half_height);
            let space = [left, top, x + half_width, y + half_height];
            self.take(space).then_some((x, y))
        })?;
        let line = text(name, LABEL_TYPE, Anchor::Middle, middle).set("fill", colour);
        let rim = line.clone().set("stroke", PAPER).set("stroke-width", 5);
        // A line around each letter in its own colour makes it bold.
        let bold = line.set("stroke", colour);
        Some(
            Group::new()
                .add(rim.set("stroke-linejoin", "round"))
                .add(bold),
        )
    }

    /// Takes a space, if it is free.
    fn take(&mut self, space: Space) -> bool {
        let [left, top, right, bottom] = self.bounds;
        let inside = space[0] >= left && space[1] >= top && space[2] <= right && space[3] <= bottom;
        let free = inside && !self.taken.iter().any(|other| overlap(*other, space));
        if free {
            self.taken.push(space);
        }
        free
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
    fn labels_stay_inside_and_off_marks_and_each_other() {
        let mut labels = Labels::new((100, 100));
        labels.keep_clear((15, 15), 3);
        assert!(!labels.take([10, 10, 20, 20]));
        assert!(!labels.take([95, 0, 105, 10]));
        assert!(labels.take([20, 10, 30, 20]));
        assert!(!labels.take([25, 15, 35, 25]));
    }

    #[test]
    fn a_label_without_room_is_left_out() {
        let mut labels = Labels::new((60, 20));
        let mut beside = || labels.beside((30, 12), 5, "AB", "#000000");
        assert!(beside().is_some() && beside().is_some());
        assert!(beside().is_none());
    }
}
