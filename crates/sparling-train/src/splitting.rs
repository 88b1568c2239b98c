//! Parts channels that stand for two symbols, in place of channels that nobody would miss.
//!
//! With as many channels as symbols, a channel too many for one symbol is a channel too few for
//! another, and gradients alone seldom move it there. Both show without any label of a motif: a
//! channel is spare if the loss hardly rises without it, and one that stands for two symbols is
//! active at more places than others and at two kinds of them, so that the features there differ
//! widely. As in vector quantisation by splitting (Linde, Buzo and Gray 1980), the spare channel becomes
//! one half of that other channel: its places fall into two kinds along the direction in which they
//! differ most, and each half moves towards one of them. The normalisation and the threshold that
//! follow take away whatever shifts a half as a whole, so both have to see the rest of the input alike,
//! or one of them would win both kinds of places.

mod kinds;

use std::ops::Range;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use sparling_data::Split as Data;
use sparling_layer::competition::winners;
use sparling_models::Split;

use crate::evaluate::Evaluator;
use crate::host::values;
use crate::input::Input;
use crate::loss::Targets;
use crate::statistics::median;
use kinds::{Kinds, Moments, Places, number};

/// When and how channels are parted, at each check that does not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splitting {
    /// A channel is spare if, without it, the loss rises by less than this share of the median of
    /// all channels.
    pub spare_below: f64,
    /// A channel is spare only if others are active near this share of its places, or more. Where symbols
    /// can be told from the others' places, a channel of its own may be missed little, too. 0 asks for
    /// nothing.
    #[serde(default)]
    pub spare_in_company: f64,
    /// The training examples that channels are judged by.
    pub examples: usize,
    /// The lowest density at which channels are parted.
    pub until_density: f64,
    /// A channel is parted only if the features at the places where it is the strongest spread so many
    /// times as much as the median channel's, or more, counting both how many places there are and how
    /// much they differ; 0 to part any.
    pub crowded_above: f64,
    /// How far each half moves towards its kind of places and away from the other, in standard
    /// deviations of the channel's detector.
    pub step: f64,
}

/// What channels are judged by.
pub struct Judge<'a> {
    /// The model, with what is needed to run it.
    pub evaluator: &'a Evaluator<'a>,
    /// How far an activation must be the strongest to count.
    pub radius: usize,
    /// Where examples come from.
    pub split: Data,
    /// Which of them.
    pub examples: Range<u64>,
}

/// Where channels are active.
struct Seen {
    /// Where each channel is the strongest.
    places: Vec<Places>,
    /// Near how many of those other channels are active.
    in_company: Vec<usize>,
    /// Features from all over the input.
    all: Places,
}

/// Of how many positions one tells what the input is like all over.
const EVERY: usize = 13;

impl Splitting {
    /// The splits to make, the widest channel first.
    pub fn find(&self, judge: &Judge) -> Vec<Split> {
        let channels = judge.evaluator.model.bottleneck.sparsity.channels();
        let mut spare = self.spare(channels, |channels, without| judge.rises(channels, without));
        if spare.is_empty() {
            return Vec::new();
        }
        let Seen {
            places,
            in_company,
            all,
        } = judge.look();
        spare.retain(|channel| {
            in_company[*channel] as f64 >= self.spare_in_company * places[*channel].len() as f64
        });
        let rest = Moments::of(&all);
        let mut kinds: Vec<Option<Kinds>> = places.iter().map(Kinds::of).collect();
        let spreads = places.iter().zip(&kinds).map(|(places, kinds)| {
            let variance = kinds.as_ref().map_or(0.0, |kinds| kinds.variance);
            number(places) * variance
        });
        let mut widest: Vec<(usize, Kinds)> = self
            .crowded(&spreads.collect::<Vec<_>>(), &spare)
            .into_iter()
            .filter_map(|channel| Some((channel, kinds[channel].take()?)))
            .collect();
        widest.sort_by(|(_, a), (_, b)| b.variance.total_cmp(&a.variance));
        let norm = judge.evaluator.model.bottleneck.norm.as_ref();
        let norm = norm.expect("the configuration asks for batch norm where channels are split");
        let deviations = values(norm.running_var.value_sync().sqrt());
        let parted = spare.into_iter().zip(widest);
        parted
            .filter_map(|(spare, (channel, kinds))| {
                let apart = self.step * f64::from(deviations[channel]);
                let (direction, offset) = kinds.border(&rest, apart)?;
                Some(Split {
                    channel,
                    spare,
                    direction: direction.iter().map(|x| *x as f32).collect(),
                    offset: offset as f32,
                })
            })
            .collect()
    }

    /// The channels, but for those that are spare, whose places spread so much that they may be parted.
    fn crowded(&self, spreads: &[f64], spare: &[usize]) -> Vec<usize> {
        let rest = (0..spreads.len()).filter(|channel| !spare.contains(channel));
        let mut rest: Vec<usize> = rest.collect();
        if !rest.is_empty() {
            let median = median(rest.iter().map(|channel| spreads[*channel]).collect());
            rest.retain(|channel| spreads[*channel] >= self.crowded_above * median);
        }
        rest
    }

    /// The channels that nobody would miss, one after the other: of two that stand in for each other
    /// only one is spare. `rises` says by how much the loss rises without each of some channels, given
    /// those already done without.
    fn spare(&self, channels: usize, rises: impl Fn(&[usize], &[usize]) -> Vec<f64>) -> Vec<usize> {
        let mut spare = Vec::new();
        let mut candidates: Vec<usize> = (0..channels).collect();
        let mut missed = rises(&candidates, &spare);
        let limit = self.spare_below * median(missed.clone());
        loop {
            // Without others a channel is missed more, if anything: who is missed enough now stays so.
            let mut rest: Vec<_> = candidates.into_iter().zip(missed).collect();
            rest.retain(|(_, missed)| *missed < limit);
            let least = (0..rest.len()).min_by(|a, b| rest[*a].1.total_cmp(&rest[*b].1));
            let Some(least) = least else {
                return spare;
            };
            let (channel, rise) = rest.remove(least);
            spare.push(channel);
            (candidates, missed) = rest.into_iter().unzip();
            // Where it makes no difference at all, what is known of the others still holds.
            if rise != 0.0 && !candidates.is_empty() {
                missed = rises(&candidates, &spare);
            }
        }
    }
}

impl Judge<'_> {
    /// By how much the loss rises without each of some channels, in nats, where others are left out
    /// throughout.
    fn rises(&self, channels: &[usize], left_out: &[usize]) -> Vec<f64> {
        let mut rises: Vec<_> = channels.iter().map(|channel| (*channel, 0.0)).collect();
        self.each_batch(|input, targets| match input {
            Input::Sound(input) => self.add_rises(input, left_out, targets, &mut rises),
            Input::Image(input) => self.add_rises(input, left_out, targets, &mut rises),
        });
        rises.into_iter().map(|(_, rise)| rise).collect()
    }

    fn add_rises<const D: usize>(
        &self,
        input: Tensor<D>,
        left_out: &[usize],
        targets: &Targets,
        rises: &mut [(usize, f64)],
    ) {
        let model = self.evaluator.model;
        let without = |motifs: Tensor<D>, channel: usize| {
            let mut ranges = motifs.dims().map(|size| 0..size);
            ranges[1] = channel..channel + 1;
            motifs.slice_fill(ranges, 0.0)
        };
        let loss = |motifs: Tensor<D>| {
            let kept = winners(motifs, self.radius);
            let logits = model.decoder.forward(kept, targets.read.clone());
            f64::from(targets.cross_entropy(logits).into_scalar::<f32>())
        };
        let motifs = left_out
            .iter()
            .fold(model.motifs(input), |motifs, channel| {
                without(motifs, *channel)
            });
        let whole = loss(motifs.clone());
        // A channel that is active nowhere makes no difference, and needs no decoding to know it.
        let strongest = values(
            motifs
                .clone()
                .swap_dims(0, 1)
                .flatten::<2>(1, -1)
                .max_dim(1),
        );
        for (channel, rise) in rises {
            if strongest[*channel] > 0.0 {
                *rise += loss(without(motifs.clone(), *channel)) - whole;
            }
        }
    }

    /// Looks where the channels are active.
    fn look(&self) -> Seen {
        let channels = self.evaluator.model.bottleneck.sparsity.channels();
        let mut seen = Seen {
            places: vec![Places::new(); channels],
            in_company: vec![0; channels],
            all: Places::new(),
        };
        self.each_batch(|input, _| match input {
            Input::Sound(input) => self.add_places(input, &mut seen),
            Input::Image(input) => self.add_places(input, &mut seen),
        });
        seen
    }

    fn add_places<const D: usize>(&self, input: Tensor<D>, seen: &mut Seen) {
        let model = self.evaluator.model;
        let features = model.motif_model.features(input);
        let motifs: Tensor<D> = model.motif_model.detect(features.clone());
        let motifs = model.bottleneck.forward(motifs);
        let won = winners(motifs.clone(), self.radius);
        let [_, width, rows, columns] = features.dims();
        let plane = rows * columns;
        let (motifs, won, features) = (values(motifs), values(won), values(features));
        let channels = seen.places.len();
        let at = |example: usize, position: usize| {
            let planes = (0..width).map(|feature| (example * width + feature) * plane);
            let values = planes.map(|plane| f64::from(features[plane + position]));
            values.collect::<Vec<f64>>()
        };
        for (index, strength) in won.iter().enumerate() {
            if *strength > 0.0 {
                let (map, position) = (index / plane, index % plane);
                let (example, channel) = (map / channels, map % channels);
                seen.places[channel].push((f64::from(*strength).powi(2), at(example, position)));
                let of_example = &motifs[example * channels * plane..][..channels * plane];
                let mut others = of_example.chunks(plane).enumerate();
                let company = others.any(|(other, motifs)| {
                    other != channel && is_active_near(motifs, columns, position, self.radius)
                });
                seen.in_company[channel] += usize::from(company);
            }
        }
        let positions = features.len() / width;
        let some = (0..positions).step_by(EVERY);
        let some = some.map(|index| (1.0, at(index / plane, index % plane)));
        seen.all.extend(some);
    }

    fn each_batch(&self, mut visit: impl FnMut(Input, &Targets)) {
        let Evaluator { domain, device, .. } = self.evaluator;
        for batch in self.evaluator.batches(self.split, self.examples.clone()) {
            let targets = Targets::new(&batch.tokens, domain.vocabulary(), device);
            let input = Input::new(batch.inputs, &domain.input_shape(), device);
            visit(input, &targets);
        }
    }
}

/// Whether one channel's plane is active within `radius` rows and columns of a position.
fn is_active_near(plane: &[f32], columns: usize, position: usize, radius: usize) -> bool {
    let (row, column) = (position / columns, position % columns);
    let near = |at: usize, length: usize| at.saturating_sub(radius)..length.min(at + radius + 1);
    near(row, plane.len() / columns).any(|row| {
        let row = &plane[row * columns..][..columns];
        row[near(column, columns)].iter().any(|motif| *motif > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const CONFIG: Splitting = Splitting {
        spare_below: 0.05,
        spare_in_company: 0.0,
        examples: 10,
        until_density: 1e-3,
        crowded_above: 1.25,
        step: 2.0,
    };

    #[test]
    fn spare_channels_are_those_far_below_the_median() {
        let alone = [0.5, 0.001, 0.6, 0.1, -0.002, 0.7, 0.5];
        let rises = |channels: &[usize], _: &[usize]| channels.iter().map(|c| alone[*c]).collect();
        assert_eq!(CONFIG.spare(7, rises), [4, 1]);
        assert_eq!(CONFIG.spare(4, |_, _| vec![0.5; 4]), [0; 0]);
    }

    #[test]
    fn crowded_channels_spread_more_than_the_median_of_those_needed() {
        let spreads = [50.0, 900.0, 62.0, 63.0, 0.0, 40.0];
        assert_eq!(CONFIG.crowded(&spreads, &[1]), [3]);
        let any = Splitting {
            crowded_above: 0.0,
            ..CONFIG
        };
        assert_eq!(any.crowded(&spreads, &[1]), [0, 2, 3, 4, 5]);
        assert_eq!(any.crowded(&[], &[]), [0; 0]);
    }

    #[test]
    fn near_is_within_the_radius_along_both_axes() {
        let mut plane = [0.0; 5 * 7];
        plane[2 * 7 + 3] = 1.0; // row 2, column 3
        let near = |row: usize, column: usize| is_active_near(&plane, 7, row * 7 + column, 2);
        assert!(near(2, 3) && near(0, 1) && near(4, 5) && near(0, 5));
        assert!(!near(2, 0) && !near(2, 6) && !near(4, 6));
        assert!(!is_active_near(&plane, 7, 2 * 7 + 4, 0));
    }

    #[test]
    fn of_two_channels_that_stand_in_for_each_other_one_is_spare() {
        let rises = |channels: &[usize], without: &[usize]| {
            let alone = without.contains(&1) || without.contains(&3);
            let twin = if alone { 0.6 } else { 0.001 };
            let all = [0.5, twin, 0.6, twin, 0.4];
            channels.iter().map(|channel| all[*channel]).collect()
        };
        assert_eq!(CONFIG.spare(5, rises), [1]);
    }

    #[test]
    fn channels_active_nowhere_are_spare_without_another_look() {
        let looks = Cell::new(0);
        let rises = |channels: &[usize], _: &[usize]| {
            looks.set(looks.get() + 1);
            let all = [0.0, 0.5, 0.0, 0.6, 0.5];
            channels.iter().map(|channel| all[*channel]).collect()
        };
        assert_eq!(CONFIG.spare(5, rises), [0, 2]);
        assert_eq!(looks.get(), 1);
    }
}
