//! Which predicted motif stands for which footprint (paper, section 3.2 and appendix A).

use serde::{Deserialize, Serialize};
use sparling_data::Footprint;

/// One activation of the motif map: a position of a channel whose value is positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motif {
    /// The channel it belongs to.
    pub channel: usize,
    /// Its row; 0 in a sequence.
    pub row: usize,
    /// Its column; in sound its frame.
    pub column: usize,
    /// The activation, positive.
    pub strength: f32,
}

impl Motif {
    #[cfg(test)]
    pub(crate) fn new(channel: usize, row: usize, column: usize, strength: f32) -> Self {
        Self {
            channel,
            row,
            column,
            strength,
        }
    }

    /// Every positive activation of one example's map, by channel, row and column.
    ///
    /// This is the only pass over all activations, most of which are zero. NaN is not positive.
    ///
    /// # Shapes
    ///
    /// - `activations`: `[channels, height, width]`, row-major
    ///
    /// # Panics
    ///
    /// When the number of activations is not a multiple of `height * width`.
    pub fn collect(activations: &[f32], height: usize, width: usize) -> Vec<Self> {
        let area = height * width;
        assert!(
            area > 0 && activations.len().is_multiple_of(area),
            "{} activations are no whole number of {height}x{width} channels",
            activations.len()
        );
        let mut motifs = Vec::new();
        for (line, values) in activations.chunks_exact(width).enumerate() {
            for (column, &strength) in values.iter().enumerate() {
                if strength > 0.0 {
                    let (channel, row) = (line / height, line % height);
                    motifs.push(Self {
                        channel,
                        row,
                        column,
                        strength,
                    });
                }
            }
        }
        motifs
    }
}

/// What a predicted motif counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The largest activation in a footprint: it stands for that footprint's symbol.
    Maximal,
    /// Another activation in a footprint: ignored, since a user could filter it.
    NonMaximal,
    /// In no footprint.
    FalsePositive,
}

/// Predicted motifs matched to one example's footprints.
#[derive(Clone, Debug, PartialEq)]
pub struct Matching {
    /// What each motif counts as.
    pub roles: Vec<Role>,
    /// For each footprint the index of its maximal motif; `None` where the footprint was missed.
    pub maximal: Vec<Option<usize>>,
}

impl Matching {
    /// Matches motifs to footprints.
    ///
    /// Footprints are visited in their order, which is that of placement, and an activation counts
    /// for the first one that holds it, so that overlapping footprints share nothing. Among equal
    /// activations the first in `motifs` is maximal: with [`Motif::collect`], the lowest channel.
    pub fn new(motifs: &[Motif], footprints: &[Footprint]) -> Self {
        let mut roles = vec![Role::FalsePositive; motifs.len()];
        let mut unclaimed: Vec<usize> = (0..motifs.len()).collect();
        let maximal = footprints
            .iter()
            .map(|footprint| {
                let mut best: Option<usize> = None;
                unclaimed.retain(|&index| {
                    let motif = &motifs[index];
                    let inside = footprint.contains(motif.row, motif.column);
                    if inside {
                        roles[index] = Role::NonMaximal;
                        if best.is_none_or(|best| motif.strength > motifs[best].strength) {
                            best = Some(index);
                        }
                    }
                    !inside
                });
                best.inspect(|&index| roles[index] = Role::Maximal)
            })
            .collect();
        Self { roles, maximal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(symbol: usize, start: usize, end: usize) -> Footprint {
        Footprint {
            symbol,
            top: start,
            bottom: end,
            left: start,
            right: end,
        }
    }

    #[test]
    fn collects_positive_activations_with_their_positions() {
        let mut activations = vec![0.0; 2 * 3 * 4];
        activations[6] = 0.5; // channel 0, row 1, column 2
        activations[23] = 2.0; // channel 1, row 2, column 3
        activations[0] = f32::NAN;
        activations[1] = -1.0;
        let expected = [Motif::new(0, 1, 2, 0.5), Motif::new(1, 2, 3, 2.0)];
        assert_eq!(Motif::collect(&activations, 3, 4), expected);
    }

    #[test]
    #[should_panic(expected = "7 activations are no whole number of 3x4 channels")]
    fn refuses_a_torn_map() {
        Motif::collect(&[0.0; 7], 3, 4);
    }

    #[test]
    fn the_largest_activation_is_maximal_and_the_rest_of_the_footprint_is_ignored() {
        let motifs = [
            Motif::new(0, 1, 1, 0.2),
            Motif::new(1, 2, 2, 0.9),
            Motif::new(1, 8, 8, 3.0),
        ];
        let matching = Matching::new(&motifs, &[square(0, 0, 4), square(1, 4, 6)]);
        assert_eq!(
            matching.roles,
            [Role::NonMaximal, Role::Maximal, Role::FalsePositive]
        );
        assert_eq!(matching.maximal, [Some(1), None]);
    }

    #[test]
    fn the_lowest_channel_wins_a_tie() {
        let motifs = [Motif::new(1, 3, 3, 0.5), Motif::new(2, 0, 0, 0.5)];
        assert_eq!(
            Matching::new(&motifs, &[square(0, 0, 4)]).maximal,
            [Some(0)]
        );
    }

    #[test]
    fn an_activation_in_two_footprints_counts_for_the_first() {
        let motifs = [Motif::new(0, 2, 2, 1.0)];
        let matching = Matching::new(&motifs, &[square(0, 0, 3), square(1, 2, 5)]);
        assert_eq!(matching.maximal, [Some(0), None]);
        // A weaker one in the first footprint alone does not free it for the second.
        let motifs = [Motif::new(0, 2, 2, 1.0), Motif::new(1, 0, 0, 2.0)];
        let matching = Matching::new(&motifs, &[square(0, 0, 3), square(1, 2, 5)]);
        assert_eq!(matching.maximal, [Some(1), None]);
        assert_eq!(matching.roles, [Role::NonMaximal, Role::Maximal]);
    }

    #[test]
    fn footprints_are_half_open() {
        let motifs = [Motif::new(0, 4, 0, 1.0), Motif::new(0, 0, 4, 1.0)];
        let matching = Matching::new(&motifs, &[square(0, 0, 4)]);
        assert_eq!(matching.roles, [Role::FalsePositive; 2]);
    }
}
