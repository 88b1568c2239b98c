//! Whether a picture can be one of those that a model knows.

use std::ops::Range;

/// Why a picture is none that the model could read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// It is the same all over.
    Blank,
    /// Its edges are ink.
    Swapped,
}

impl Odd {
    /// Looks at an input, of which 0 is ground and 1 is ink, as far as it shows the picture. Of colours nobody
    /// knows which are ink.
    pub(super) fn of(
        ink: impl Fn(usize, usize) -> f32,
        [rows, columns]: [Range<usize>; 2],
        is_coloured: bool,
    ) -> Option<Self> {
        let values = rows
            .clone()
            .flat_map(|row| columns.clone().map(move |column| (row, column)));
        let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
        let (mut edges, mut inked) = (0, 0);
        for (row, column) in values {
            let value = ink(row, column);
            least = least.min(value);
            most = most.max(value);
            let is_edge = row == rows.start
                || row + 1 == rows.end
                || column == columns.start
                || column + 1 == columns.end;
            edges += usize::from(is_edge);
            inked += usize::from(is_edge && value > 0.5);
        }
        if 2 * inked > edges && !is_coloured {
            Some(Self::Swapped)
        } else if most - least < 0.05 {
            Some(Self::Blank)
        } else {
            None
        }
    }

    /// What to tell whoever wants it read.
    pub(super) fn note(self) -> &'static str {
        match self {
            Self::Blank => "blank: nothing is written in it",
            Self::Swapped => {
                "its edges are ink: ink and ground look swapped (--invert reads it the other way round, --unchecked \
                 as it is)"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(ink: impl Fn(usize, usize) -> f32) -> Option<Odd> {
        Odd::of(ink, [0..6, 0..8], false)
    }

    #[test]
    fn what_is_no_writing_is_told() {
        assert_eq!(odd(|_, _| 0.0), Some(Odd::Blank));
        assert_eq!(odd(|_, _| 0.02), Some(Odd::Blank));
        assert_eq!(odd(|_, _| 1.0), Some(Odd::Swapped));
        let written = |row: usize, column: usize| f32::from(u8::from(row == 3 && column > 1));
        assert_eq!(odd(written), None);
        assert_eq!(Odd::of(|_, _| 1.0, [0..6, 0..8], true), Some(Odd::Blank));
        assert_eq!(
            odd(|row, column| 1.0 - written(row, column)),
            Some(Odd::Swapped)
        );
    }
}
