//! Giving a channel that repeats another a symbol of its own to stand for.
//!
//! At a high density channels share the symbols: one may be written as A and B together, where A
//! alone and B alone are two others. As the density falls each should be left with a channel of its
//! own, but where two channels come to stand for the same symbol, nothing parts them again: either
//! spends all it may let through on that symbol, is zero everywhere else, and gets no gradient
//! there. A symbol that shares its channels with others is then lost at the lowest densities.
//!
//! So at each check the places with motifs are counted by the set of channels active there. Of two
//! channels that are active at the same places, the rarer is made to detect a set that has no channel
//! of its own. Labels have no part in it. The paper does not do this; without a `[reassignment]` in
//! the configuration, neither does a run.

mod detector;

pub use detector::DetectorFit;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::metrics::Motif;

/// When channels are reassigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReassignConfig {
    /// Two channels repeat each other if their activity correlates so much over all places (the phi
    /// coefficient, at most 1).
    pub correlation: f64,
    /// Below this density none is reassigned: a channel that moves needs more than its share of
    /// activations until the others have made room.
    pub minimum_density: f64,
    /// How many cuts of the density a reassigned channel is left alone for.
    pub rest_cuts: i32,
}

/// A channel with new work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reassignment {
    /// The channel.
    pub channel: usize,
    /// The channel it repeated.
    pub repeated: usize,
    /// The channels that are active together where it is to answer.
    pub parts: Vec<usize>,
}

/// How many places have which channels active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelSets {
    counts: BTreeMap<BTreeSet<usize>, u64>,
    /// All places, with motifs or without.
    places: u64,
}

impl ChannelSets {
    /// Counts one example. It has as many places as windows of `pool` positions along each axis; those
    /// with motifs are wherever motifs lie less than `pool` positions apart.
    ///
    /// # Shapes
    ///
    /// - `plane`: the motif map's height, 1 in one dimension, and width
    pub fn add_example(&mut self, motifs: &[Motif], plane: [usize; 2], pool: usize) {
        for site in sites(motifs, pool) {
            *self.counts.entry(site.channels).or_default() += 1;
        }
        self.places += plane
            .map(|side| side.div_ceil(pool) as u64)
            .iter()
            .product::<u64>();
    }

    /// What to reassign, if anything: of the two channels that repeat each other most, the rarer.
    /// Channels in `resting` are left as they are.
    pub fn reassignment(
        &self,
        config: &ReassignConfig,
        resting: &BTreeSet<usize>,
    ) -> Option<Reassignment> {
        let channels = self.counts.keys().flatten().collect::<BTreeSet<_>>();
        let free = channels.into_iter().filter(|c| !resting.contains(c));
        let free: Vec<usize> = free.copied().collect();
        let pairs = free
            .iter()
            .enumerate()
            .flat_map(|(index, first)| free[..index].iter().map(|second| [*second, *first]));
        let ([first, second], _) = pairs
            .map(|pair| (pair, self.correlation(pair)))
            .filter(|(_, correlation)| *correlation >= config.correlation)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let (channel, repeated) = if self.count(&[first]) < self.count(&[second]) {
            (first, second)
        } else {
            (second, first)
        };
        let parts = self.without(channel).most_shared()?;
        Some(Reassignment {
            channel,
            repeated,
            parts,
        })
    }

    /// The phi coefficient of two channels' activity over all places: near 0 where both are active
    /// nearly everywhere, as at a high density.
    fn correlation(&self, pair: [usize; 2]) -> f64 {
        let [first, second, both] = [&pair[..1], &pair[1..], &pair[..]]
            .map(|channels| self.count(channels) as f64 / self.places as f64);
        let deviations = (first * (1.0 - first) * second * (1.0 - second)).sqrt();
        (both - first * second) / deviations
    }

    /// How many places have all these channels active.
    fn count(&self, channels: &[usize]) -> u64 {
        let with_all = self
            .counts
            .iter()
            .filter(|(set, _)| channels.iter().all(|channel| set.contains(channel)));
        with_all.map(|(_, count)| count).sum()
    }

    fn without(&self, channel: usize) -> Self {
        let mut counts = BTreeMap::new();
        for (set, count) in &self.counts {
            let mut set = set.clone();
            set.remove(&channel);
            *counts.entry(set).or_default() += count;
        }
        Self {
            counts,
            places: self.places,
        }
    }

    /// The set of channels that is common, and none of whose channels is active in little else: a
    /// symbol that is written with channels which stand for others too.
    fn most_shared(&self) -> Option<Vec<usize>> {
        let score = |set: &BTreeSet<usize>, count: u64| {
            let share = |channel: &usize| count as f64 / self.count(&[*channel]) as f64;
            let largest = set.iter().map(share).fold(0.0, f64::max);
            count as f64 * (1.0 - largest)
        };
        self.counts
            .iter()
            .filter(|(set, _)| set.len() > 1)
            .map(|(set, count)| (set, score(set, *count)))
            .filter(|(_, score)| *score > 0.0)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(set, _)| set.iter().copied().collect())
    }
}

/// Motifs that lie together, with the channels they are of: a strongest one and all that are less
/// than `reach` rows and columns away from it.
struct Site<'a> {
    motifs: Vec<&'a Motif>,
    channels: BTreeSet<usize>,
}

/// Splits an example's motifs into sites, the strongest first.
fn sites(motifs: &[Motif], reach: usize) -> Vec<Site<'_>> {
    let mut rest: Vec<&Motif> = motifs.iter().collect();
    rest.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let mut sites = Vec::new();
    while let Some(&strongest) = rest.first() {
        let near = |motif: &&Motif| {
            let rows = motif.row.abs_diff(strongest.row);
            rows.max(motif.column.abs_diff(strongest.column)) < reach
        };
        let (motifs, others): (Vec<&Motif>, Vec<&Motif>) = rest.into_iter().partition(near);
        let channels = motifs.iter().map(|motif| motif.channel).collect();
        sites.push(Site { motifs, channels });
        rest = others;
    }
    sites
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: ReassignConfig = ReassignConfig {
        correlation: 0.8,
        minimum_density: 0.0,
        rest_cuts: 2,
    };

    /// Examples of 2x2 places, one of which has these channels active.
    fn sets(examples: &[(&[usize], u64)]) -> ChannelSets {
        let mut sets = ChannelSets::default();
        for (channels, times) in examples {
            let motif = |channel: &usize| Motif {
                channel: *channel,
                row: 7,
                column: channel % 8,
                strength: 1.0,
            };
            let motifs: Vec<_> = channels.iter().map(motif).collect();
            for _ in 0..*times {
                sets.add_example(&motifs, [16, 15], 8);
            }
        }
        sets
    }

    #[test]
    fn places_are_counted_with_those_that_are_empty() {
        let counted = sets(&[(&[0, 1], 2), (&[1], 1)]);
        assert_eq!(counted.places, 12);
        assert_eq!(
            [&[0][..], &[1], &[0, 1]].map(|c| counted.count(c)),
            [2, 3, 2]
        );
    }

    #[test]
    fn motifs_of_one_channel_at_one_place_count_once() {
        let motif = |column| Motif {
            channel: 0,
            row: 0,
            column,
            strength: 1.0,
        };
        let mut sets = ChannelSets::default();
        sets.add_example(&[motif(0), motif(7), motif(8)], [1, 20], 8);
        assert_eq!((sets.count(&[0]), sets.places), (2, 3));
    }

    #[test]
    fn a_duplicate_takes_over_the_set_without_a_channel_of_its_own() {
        let counted = sets(&[
            (&[0, 1], 50), // a symbol with two channels; 1 is the rarer
            (&[0], 2),
            (&[2], 50),
            (&[2, 3], 40), // a symbol written with the channels of two others
            (&[3], 45),
            (&[4, 5], 45), // 5 is hardly active elsewhere: the set is its own
            (&[4], 40),
        ]);
        let expected = Reassignment {
            channel: 1,
            repeated: 0,
            parts: vec![2, 3],
        };
        let none = BTreeSet::new();
        assert_eq!(counted.reassignment(&CONFIG, &none), Some(expected));
        assert_eq!(counted.reassignment(&CONFIG, &BTreeSet::from([1])), None);
    }

    #[test]
    fn channels_of_their_own_are_left_alone() {
        let counted = sets(&[(&[0], 30), (&[1], 30), (&[0, 1], 10)]);
        assert_eq!(counted.reassignment(&CONFIG, &BTreeSet::new()), None);
    }

    #[test]
    fn channels_active_everywhere_are_no_duplicates() {
        let mut counted = ChannelSets::default();
        for _ in 0..100 {
            let everywhere = (0..3).flat_map(|channel| {
                [[0, 0], [0, 8], [8, 0], [8, 8]].map(|[row, column]| Motif {
                    channel,
                    row,
                    column,
                    strength: 1.0,
                })
            });
            counted.add_example(&everywhere.collect::<Vec<_>>(), [16, 16], 8);
        }
        assert_eq!(counted.reassignment(&CONFIG, &BTreeSet::new()), None);
    }

    #[test]
    fn without_a_shared_symbol_there_is_nothing_to_take_over() {
        let counted = sets(&[(&[0, 1], 50), (&[2], 50)]);
        assert_eq!(counted.reassignment(&CONFIG, &BTreeSet::new()), None);
    }
}
