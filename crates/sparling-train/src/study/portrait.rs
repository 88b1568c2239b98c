//! All of a channel's activations: how strong they are, what they look like, and where they lie.

use crate::evaluate::Reading;
use crate::metrics::Motif;
use crate::study::channels::{Crop, crop};

/// The bars of a histogram.
const BARS: usize = 24;

/// A channel as its activations show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Portrait {
    /// Its activations.
    pub activations: usize,
    /// How strong they are.
    pub strengths: Histogram,
    /// The input around some of them, from the weakest to the strongest.
    pub patches: Vec<Crop>,
    /// For each symbol the activations in its footprints.
    pub answers: Vec<u64>,
    /// Activations in no footprint, of inputs whose symbols somebody has located.
    pub outside: u64,
}

/// Numbers in bars of equal width.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Histogram {
    /// Where the first bar begins.
    pub from: f32,
    /// Where the last one ends.
    pub to: f32,
    /// How many numbers there are in each.
    pub counts: Vec<u64>,
}

/// Portrays each channel by the motifs of some readings, with so many patches of the `window` around them.
pub fn of(
    readings: &[Reading],
    channels: usize,
    symbols: usize,
    shape: [usize; 3],
    (window, patches): (usize, usize),
) -> Vec<Portrait> {
    let mut found: Vec<Vec<(&Reading, &Motif)>> = vec![Vec::new(); channels];
    for reading in readings {
        for motif in &reading.motifs {
            found[motif.channel].push((reading, motif));
        }
    }
    found
        .into_iter()
        .map(|mut found| {
            found.sort_by(|(_, one), (_, other)| one.strength.total_cmp(&other.strength));
            let strengths: Vec<f32> = found.iter().map(|(_, motif)| motif.strength).collect();
            let crops = spread(found.len(), patches)
                .map(|rank| crop(found[rank].1, &found[rank].0.input, shape, window));
            let mut portrait = Portrait {
                activations: found.len(),
                strengths: Histogram::of(&strengths),
                patches: crops.collect(),
                answers: vec![0; symbols],
                outside: 0,
            };
            found
                .iter()
                .for_each(|(reading, motif)| portrait.place(reading, motif));
            portrait
        })
        .collect()
}

/// At most `most` ranks, evenly from the first to the last.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let kept = count.min(most);
    (0..kept).map(move |index| index * (count - 1) / (kept - 1).max(1))
}

impl Portrait {
    /// Counts in whose footprint a motif lies.
    fn place(&mut self, reading: &Reading, motif: &Motif) {
        let Some(footprints) = reading.located() else {
            return;
        };
        let mut footprints = footprints.iter();
        match footprints.find(|footprint| footprint.contains(motif.row, motif.column)) {
            Some(footprint) => self.answers[footprint.symbol] += 1,
            None => self.outside += 1,
        }
    }
}

impl Histogram {
    /// Counts numbers in ascending order.
    fn of(sorted: &[f32]) -> Self {
        let (Some(&from), Some(&to)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let mut counts = vec![0; BARS];
        for value in sorted {
            let share = (value - from) / (to - from).max(f32::MIN_POSITIVE);
            counts[((share * BARS as f32) as usize).min(BARS - 1)] += 1;
        }
        Self { from, to, counts }
    }
}

#[cfg(test)]
mod tests {
    use sparling_data::Footprint;

    use super::*;

    #[test]
    fn every_activation_is_counted_and_patches_span_the_strengths() {
        let footprint = Footprint {
            symbol: 1,
            top: 0,
            bottom: 2,
            left: 0,
            right: 2,
        };
        let reading = |strengths: [f32; 2]| Reading {
            input: vec![0.0; 16],
            motifs: vec![
                Motif::new(0, 1, 1, strengths[0]),
                Motif::new(0, 3, 3, strengths[1]),
            ],
            prediction: vec![1],
            truth: vec![1],
            footprints: vec![footprint.clone()],
        };
        let readings = [reading([4.0, 1.0]), reading([2.0, 3.0])];
        let portraits = of(&readings, 2, 3, [1, 4, 4], (3, 3));
        let [portrait, silent] = &portraits[..] else {
            panic!("there are two channels");
        };
        assert_eq!((portrait.activations, portrait.outside), (4, 2));
        assert_eq!(portrait.answers, [0, 2, 0]);
        let strengths: Vec<f32> = portrait.patches.iter().map(|crop| crop.strength).collect();
        assert_eq!(strengths, [1.0, 2.0, 4.0]);
        let Histogram { from, to, counts } = &portrait.strengths;
        assert_eq!((*from, *to), (1.0, 4.0));
        assert_eq!((counts[0], counts[BARS - 1]), (1, 1));
        assert_eq!(counts.iter().sum::<u64>(), 4);
        assert_eq!(silent.activations, 0);
        assert!(silent.patches.is_empty() && silent.strengths.counts.is_empty());
    }

    #[test]
    fn ranks_are_spread_from_end_to_end() {
        let ranks = |count, most| spread(count, most).collect::<Vec<_>>();
        assert!(ranks(0, 3).is_empty());
        assert_eq!(ranks(1, 3), [0]);
        assert_eq!(ranks(2, 3), [0, 1]);
        assert_eq!(ranks(9, 3), [0, 4, 8]);
    }
}
