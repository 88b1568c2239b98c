//! What the signs in a picture of examples mean.

use svg::node::element::Group;

use super::{ExamplePicture, footprint_frame, marker, support_frame};
use crate::metrics::Role;
use crate::metrics::channel::channel_name;
use crate::report::drawing::{Anchor, INK, LABEL_TYPE, colour, moved, text, text_width};

/// The height of a line, in pixels.
const LINE: i32 = LABEL_TYPE + 12;

/// Room for a sign and after an entry, in pixels.
const SIGN: i32 = 24;
const SPACE: i32 = 26;

/// Entries in lines that fit.
pub(super) struct Legend {
    entries: Vec<(Sign, &'static str)>,
    width: i32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    Motif(Role),
    Channel,
    Footprint,
    Support,
}

impl Legend {
    /// What is to be explained of some examples, in lines no wider than `width`.
    pub(super) fn of(examples: &[ExamplePicture<'_>], width: i32) -> Self {
        let any = |is: fn(&ExamplePicture<'_>) -> bool| examples.iter().any(is);
        let mut entries = Vec::new();
        if any(|example| example.footprints.is_some()) {
            entries.extend([
                (Sign::Motif(Role::Maximal), "maximal motif"),
                (Sign::Motif(Role::NonMaximal), "other motif in a footprint"),
                (Sign::Motif(Role::FalsePositive), "motif in no footprint"),
            ]);
        } else {
            entries.push((Sign::Motif(Role::Maximal), "motif"));
        }
        entries.push((Sign::Channel, "its channel"));
        if any(|example| example.footprints.is_some()) {
            entries.push((Sign::Footprint, "true footprint"));
        }
        if any(|example| example.supports.is_some() && !example.is_crowded()) {
            entries.push((Sign::Support, "what the motif's channel looks at"));
        }
        Self { entries, width }
    }

    /// In pixels.
    pub(super) fn height(&self) -> i32 {
        self.places().last().map_or(0, |(_, top)| top + LINE)
    }

    /// Draws it with its top left corner at the origin.
    pub(super) fn draw(&self) -> Group {
        let entries = self.entries.iter().zip(self.places());
        entries.fold(Group::new(), |legend, ((sign, meaning), at)| {
            let meaning = text(meaning, LABEL_TYPE, Anchor::Start, (SIGN, LINE / 2));
            legend.add(moved(sign.draw().add(meaning), at))
        })
    }

    /// The corners of the entries.
    fn places(&self) -> Vec<(i32, i32)> {
        let (mut left, mut top) = (0, 0);
        let place = |(_, meaning): &(Sign, &str)| {
            let reach = SIGN + text_width(meaning, LABEL_TYPE);
            if left > 0 && left + reach > self.width {
                (left, top) = (0, top + LINE);
            }
            let at = (left, top);
            left += reach + SPACE;
            at
        };
        self.entries.iter().map(place).collect()
    }
}

impl Sign {
    fn draw(self) -> Group {
        let (middle, corner, size) = ((8, LINE / 2), (0, LINE / 2 - 7), (16, 14));
        match self {
            Self::Motif(role) => Group::new().add(marker(role).draw(middle, 6, INK)),
            Self::Channel => {
                let name = text(&channel_name(0), LABEL_TYPE, Anchor::Middle, middle);
                let bold = name.set("fill", colour(0)).set("stroke", colour(0));
                Group::new().add(bold)
            }
            Self::Footprint => Group::new().add(footprint_frame(corner, size)),
            Self::Support => support_frame(corner, size, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_explained() {
        let example = ExamplePicture::new(&[0.0; 4], [1, 2, 2]);
        let signs = |example| {
            let legend = Legend::of(&[example], 500);
            legend
                .entries
                .iter()
                .map(|(sign, _)| *sign)
                .collect::<Vec<_>>()
        };
        assert_eq!(signs(example), [Sign::Motif(Role::Maximal), Sign::Channel]);
        let known = ExamplePicture {
            footprints: Some(&[]),
            ..example
        };
        assert_eq!(signs(known).len(), 5);
        assert!(!signs(known).contains(&Sign::Support));
    }

    #[test]
    fn lines_are_broken_where_they_end() {
        let example = ExamplePicture::new(&[0.0; 4], [1, 2, 2]);
        assert_eq!(Legend::of(&[example], 500).height(), LINE);
        let narrow = Legend::of(&[example], 100);
        assert_eq!(narrow.places(), [(0, 0), (0, LINE)]);
        assert_eq!(narrow.height(), 2 * LINE);
    }
}
