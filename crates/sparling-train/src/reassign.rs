//! Giving a channel that repeats another a symbol of its own to stand for.
//!
//! At a high density channels share the symbols: one may be written as A and B together, where A
//! alone and B alone are two others. As the density falls each should be left with a channel of its
//! own, but where two channels come to stand for the same symbol, nothing parts them again: either
//! spends all it may let through on that symbol, is zero everywhere else, and gets no gradient
//! there. A symbol that shares its channels with others is then lost at the lowest densities.
//!
//! So at a check the windows that the decoder pools over are counted by the set of channels active in
//! them. A channel that the others tell already is made to detect a set that has no channel of its
//! own. Labels have no part in it. The paper does not do this; without a `[reassignment]` in the
//! configuration, neither does a run.

mod detector;

pub use detector::DetectorFit;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::metrics::Motif;

/// When channels are reassigned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReassignConfig {
    /// A channel is redundant if so much of its entropy is known from the others, from 0 to 1.
    pub redundancy: f64,
    /// Above this density none is reassigned: channels still share everything.
    pub highest_density: f64,
    /// Below this density none is reassigned: a channel that moves needs more than its share of
    /// activations until the others have made room.
    pub lowest_density: f64,
    /// How many cuts of the density a reassigned channel is left alone for.
    pub rest_cuts: i32,
}

/// A channel with new work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reassignment {
    /// The channel.
    pub channel: usize,
    /// The channels that are active together where it is to answer.
    pub parts: Vec<usize>,
}

/// How many windows have which channels active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelSets {
    counts: BTreeMap<BTreeSet<usize>, u64>,
    windows: u64,
}

impl ChannelSets {
    /// Counts one example, whose windows are `pool` wide along each axis.
    ///
    /// # Shapes
    ///
    /// - `plane`: the motif map's height, 1 in one dimension, and width
    pub fn add_example(&mut self, motifs: &[Motif], plane: [usize; 2], pool: usize) {
        for set in active_sets(motifs, pool).into_values() {
            *self.counts.entry(set).or_default() += 1;
        }
        self.windows += plane
            .map(|side| side.div_ceil(pool) as u64)
            .iter()
            .product::<u64>();
    }

    /// What to reassign, if anything: the most redundant channel, to the set that most lacks one.
    /// Channels in `resting` are left as they are.
    pub fn reassignment(&self, redundancy: f64, resting: &BTreeSet<usize>) -> Option<Reassignment> {
        let channels: BTreeSet<usize> = self.counts.keys().flatten().copied().collect();
        let (channel, _) = channels
            .difference(resting)
            .map(|channel| (*channel, self.redundancy(*channel)))
            .filter(|(_, found)| *found >= redundancy)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let parts = self.without(channel).most_shared()?;
        Some(Reassignment { channel, parts })
    }

    /// How much of a channel's entropy is known from the other channels of the same window.
    fn redundancy(&self, channel: usize) -> f64 {
        let active = self.count(channel);
        let own = self.entropy([active, self.windows - active]);
        let rest = self.without(channel);
        let added = self.joint_entropy() - rest.joint_entropy();
        1.0 - added / own
    }

    /// The entropy of the set of active channels, in nats a window.
    fn joint_entropy(&self) -> f64 {
        let empty = self.windows - self.counts.values().sum::<u64>();
        self.entropy(self.counts.values().copied().chain([empty]))
    }

    fn entropy(&self, counts: impl IntoIterator<Item = u64>) -> f64 {
        let shares = counts
            .into_iter()
            .filter(|count| *count > 0)
            .map(|count| count as f64 / self.windows as f64);
        -shares.map(|share| share * share.ln()).sum::<f64>()
    }

    /// How many windows have a channel active.
    fn count(&self, channel: usize) -> u64 {
        let with = self.counts.iter().filter(|(set, _)| set.contains(&channel));
        with.map(|(_, count)| count).sum()
    }

    fn without(&self, channel: usize) -> Self {
        let mut counts = BTreeMap::new();
        for (set, count) in &self.counts {
            let mut set = set.clone();
            set.remove(&channel);
            if !set.is_empty() {
                *counts.entry(set).or_default() += count;
            }
        }
        Self {
            counts,
            windows: self.windows,
        }
    }

    /// The set of channels that is common, and none of whose channels is active in little else: a
    /// symbol that is written with channels which stand for others too.
    fn most_shared(&self) -> Option<Vec<usize>> {
        let score = |set: &BTreeSet<usize>, count: u64| {
            let share = |channel: &usize| count as f64 / self.count(*channel) as f64;
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

/// The channels active in each window that has any.
fn active_sets(motifs: &[Motif], pool: usize) -> BTreeMap<[usize; 2], BTreeSet<usize>> {
    let mut active: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for motif in motifs {
        let window = [motif.row / pool, motif.column / pool];
        active.entry(window).or_default().insert(motif.channel);
    }
    active
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of 2x2 windows 8 wide, the first of which has these channels active.
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
    fn windows_are_counted_with_those_that_are_empty() {
        let counted = sets(&[(&[0, 1], 2), (&[1], 1)]);
        assert_eq!(counted.windows, 12);
        assert_eq!([0, 1, 2].map(|channel| counted.count(channel)), [2, 3, 0]);
    }

    #[test]
    fn motifs_of_one_channel_in_one_window_count_once() {
        let motif = |column| Motif {
            channel: 0,
            row: 0,
            column,
            strength: 1.0,
        };
        let mut sets = ChannelSets::default();
        sets.add_example(&[motif(0), motif(7), motif(8)], [1, 20], 8);
        assert_eq!((sets.count(0), sets.windows), (2, 3));
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
            parts: vec![2, 3],
        };
        let none = BTreeSet::new();
        assert_eq!(counted.reassignment(0.8, &none), Some(expected));
        assert_eq!(counted.reassignment(0.8, &BTreeSet::from([1])), None);
    }

    #[test]
    fn redundancy_is_what_the_others_tell() {
        let twins = sets(&[(&[0, 1], 50), (&[2], 50)]);
        assert!((twins.redundancy(0) - 1.0).abs() < 1e-12);
        // Two channels that are active independently tell nothing of each other.
        let mut independent = ChannelSets::default();
        for (set, count) in [(vec![0], 3), (vec![1], 3), (vec![0, 1], 1)] {
            independent.counts.insert(set.into_iter().collect(), count);
        }
        independent.windows = 16; // each in a quarter of the windows, both in a sixteenth
        assert!(independent.redundancy(0).abs() < 1e-12);
    }

    #[test]
    fn channels_of_their_own_are_left_alone() {
        let counted = sets(&[(&[0], 30), (&[1], 30), (&[0, 1], 10)]);
        assert_eq!(counted.reassignment(0.8, &BTreeSet::new()), None);
    }

    #[test]
    fn without_a_shared_symbol_there_is_nothing_to_take_over() {
        let counted = sets(&[(&[0, 1], 50), (&[2], 50)]);
        assert_eq!(counted.reassignment(0.8, &BTreeSet::new()), None);
    }
}
