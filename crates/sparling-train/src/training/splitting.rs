//! Parts channels that stand for two symbols, in place of channels that nobody would miss.
//!
//! With as many channels as symbols, a channel too many for one symbol is a channel too few for
//! another, and gradients alone seldom move it there. Both show without any label of a motif: a
//! channel is spare if the loss hardly rises without it, and one that stands for two symbols is
//! active at two kinds of places, so that the features there differ widely. As in vector quantisation
//! by splitting (Linde, Buzo and Gray 1980), the spare channel becomes one half of that other channel:
//! its places fall into two kinds along the direction in which they differ most, and each half moves
//! towards one of them. The normalisation and the threshold that follow take away whatever shifts a
//! half as a whole, so both have to see the rest of the input alike, or one of them would win both
//! kinds of places.

mod kinds;

use std::ops::Range;

use burn::tensor::Tensor;
use sparling_data::Split;
use sparling_layer::competition::winners;
use sparling_models::ChannelSplit;

use crate::config::Splitting;
use crate::evaluate::Evaluator;
use crate::host::{maps, values};
use crate::metrics::statistics::median;
use crate::training::loss::Targets;
use kinds::{Kinds, Moments, Places, number};

/// What channels are judged by.
pub struct Judge<'a> {
    /// The model, with what is needed to run it.
    pub evaluator: &'a Evaluator<'a>,
    /// How far an activation must be the strongest to count.
    pub radius: usize,
    /// Where examples come from.
    pub split: Split,
    /// Which of them.
    pub examples: Range<u64>,
}

/// Where channels are active.
struct Seen {
    /// Where each channel is the strongest.
    places: Vec<Places>,
    /// Features from all over the input.
    all: Places,
}

/// Of how many positions one tells what the input is like all over.
const EVERY: usize = 13;

/// A channel that is the strongest at no more than this share of the median channel's places stands for
/// nothing.
const FEW: f64 = 0.1;

impl Splitting {
    /// The splits to make, the widest channel first.
    pub fn find(&self, judge: &Judge) -> Vec<ChannelSplit> {
        let (spare, Seen { places, all }) = if self.spare_below > 0.0 {
            let spare = self.spare(|without| judge.rises(without));
            if spare.is_empty() {
                return Vec::new();
            }
            (spare, judge.look())
        } else {
            let seen = judge.look();
            let numbers: Vec<f64> = seen.places.iter().map(number).collect();
            (idle(&numbers), seen)
        };
        let mut kinds: Vec<Option<Kinds>> = places.iter().map(Kinds::of).collect();
        let variances = kinds
            .iter()
            .map(|kinds| kinds.as_ref().map_or(0.0, |kinds| kinds.variance));
        let variances: Vec<f64> = variances.collect();
        let mut widest: Vec<(usize, Kinds)> = self
            .crowded(&variances, &spare)
            .into_iter()
            .filter_map(|channel| Some((channel, kinds[channel].take()?)))
            .collect();
        widest.sort_by(|(_, a), (_, b)| b.variance.total_cmp(&a.variance));
        let norm = judge.evaluator.model.bottleneck.norm.as_ref();
        let norm = norm.expect("the configuration asks for batch norm where channels are split");
        let deviations = values(norm.running_var.value_sync().sqrt());
        let rest = Moments::of(&all);
        let parted = spare.into_iter().zip(widest);
        parted
            .filter_map(|(spare, (channel, kinds))| {
                let apart = self.step * f64::from(deviations[channel]);
                let (direction, offset) = kinds.border(&rest, apart)?;
                Some(ChannelSplit {
                    channel,
                    spare,
                    direction: direction.iter().map(|x| *x as f32).collect(),
                    offset: offset as f32,
                })
            })
            .collect()
    }

    /// The channels, but for those that are spare, whose places vary so much that they may be parted.
    fn crowded(&self, variances: &[f64], spare: &[usize]) -> Vec<usize> {
        let rest = (0..variances.len()).filter(|channel| !spare.contains(channel));
        let mut rest: Vec<usize> = rest.collect();
        if !rest.is_empty() {
            let median = median(rest.iter().map(|channel| variances[*channel]).collect());
            rest.retain(|channel| variances[*channel] >= self.crowded_above * median);
        }
        rest
    }

    /// The channels that nobody would miss, one after the other: of two that stand in for each other
    /// only one is spare. `rises` says by how much the loss rises without each channel, given those
    /// already done without.
    fn spare(&self, rises: impl Fn(&[usize]) -> Vec<f64>) -> Vec<usize> {
        let mut spare = Vec::new();
        let mut missed = rises(&spare);
        let limit = self.spare_below * median(missed.clone());
        loop {
            let rest = (0..missed.len()).filter(|channel| !spare.contains(channel));
            match rest.min_by(|a, b| missed[*a].total_cmp(&missed[*b])) {
                Some(least) if missed[least] < limit => spare.push(least),
                _ => return spare,
            }
            missed = rises(&spare);
        }
    }
}

/// The channels that are the strongest nowhere, or at few places, given the number of each one's places.
fn idle(numbers: &[f64]) -> Vec<usize> {
    let winning = numbers.iter().copied().filter(|number| *number > 0.0);
    let winning: Vec<f64> = winning.collect();
    if winning.is_empty() {
        return Vec::new();
    }
    let few = FEW * median(winning);
    (0..numbers.len())
        .filter(|channel| numbers[*channel] <= few)
        .collect()
}

impl Judge<'_> {
    /// By how much the loss rises without each channel, in nats, where some are left out throughout
    /// and count for 0.
    fn rises(&self, left_out: &[usize]) -> Vec<f64> {
        let mut rises = vec![0.0; self.evaluator.model.bottleneck.sparsity.channels()];
        self.each_batch(|input, targets| self.add_rises(input, left_out, targets, &mut rises));
        rises
    }

    fn add_rises(
        &self,
        input: Tensor<4>,
        left_out: &[usize],
        targets: &Targets,
        rises: &mut [f64],
    ) {
        let model = self.evaluator.model;
        let without = |motifs: Tensor<4>, channel: usize| {
            let mut ranges = motifs.dims().map(|size| 0..size);
            ranges[1] = channel..channel + 1;
            motifs.slice_fill(ranges, 0.0)
        };
        let loss = |motifs: Tensor<4>| {
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
        for (channel, rise) in rises.iter_mut().enumerate() {
            if !left_out.contains(&channel) {
                *rise += loss(without(motifs.clone(), channel)) - whole;
            }
        }
    }

    /// Looks where the channels are active.
    fn look(&self) -> Seen {
        let channels = self.evaluator.model.bottleneck.sparsity.channels();
        let mut seen = Seen {
            places: vec![Places::new(); channels],
            all: Places::new(),
        };
        self.each_batch(|input, _| self.add_places(input, &mut seen));
        seen
    }

    fn add_places(&self, input: Tensor<4>, seen: &mut Seen) {
        let model = self.evaluator.model;
        let features = model.motif_model.features(input);
        let motifs = model.motif_model.detect(features.clone());
        let motifs = model.bottleneck.forward(motifs);
        let won = winners(motifs, self.radius);
        let [_, width, rows, columns] = features.dims();
        let plane = rows * columns;
        let (won, features) = (values(won), values(features));
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
            }
        }
        let positions = features.len() / width;
        let some = (0..positions).step_by(EVERY);
        let some = some.map(|index| (1.0, at(index / plane, index % plane)));
        seen.all.extend(some);
    }

    fn each_batch(&self, mut visit: impl FnMut(Tensor<4>, &Targets)) {
        let Evaluator { domain, device, .. } = self.evaluator;
        for batch in self.evaluator.batches(self.split, self.examples.clone()) {
            let targets = Targets::new(&batch.tokens, domain.vocabulary(), device);
            let input = maps(batch.inputs, domain.input_shape(), device);
            visit(input, &targets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: Splitting = Splitting {
        spare_below: 0.05,
        examples: 10,
        until_density: 1e-3,
        crowded_above: 1.25,
        step: 2.0,
    };

    #[test]
    fn spare_channels_are_those_far_below_the_median() {
        let rises = |_: &[usize]| vec![0.5, 0.001, 0.6, 0.1, -0.002, 0.7, 0.5];
        assert_eq!(CONFIG.spare(rises), [4, 1]);
        assert_eq!(CONFIG.spare(|_| vec![0.5; 4]), [0; 0]);
    }

    #[test]
    fn crowded_channels_vary_more_than_the_median_of_those_needed() {
        let variances = [50.0, 900.0, 62.0, 63.0, 0.0, 40.0];
        assert_eq!(CONFIG.crowded(&variances, &[1]), [3]);
        let any = Splitting {
            crowded_above: 0.0,
            ..CONFIG
        };
        assert_eq!(any.crowded(&variances, &[1]), [0, 2, 3, 4, 5]);
        assert_eq!(any.crowded(&[], &[]), [0; 0]);
    }

    #[test]
    fn idle_channels_win_far_less_than_the_median_of_those_that_win() {
        assert_eq!(
            idle(&[0.0, 30.0, 0.0, 50.0, 5.0, 6.0, 60.0, 0.0]),
            [0, 2, 7]
        );
        assert_eq!(idle(&[50.0, 5.0, 6.0, 60.0, 70.0]), [1]);
        assert_eq!(idle(&[0.0; 3]), [0; 0]);
    }

    #[test]
    fn of_two_channels_that_stand_in_for_each_other_one_is_spare() {
        let rises = |without: &[usize]| {
            let alone = without.contains(&1) || without.contains(&3);
            let twin = if alone { 0.6 } else { 0.0 };
            vec![0.5, twin, 0.6, twin, 0.4]
        };
        assert_eq!(CONFIG.spare(rises), [1]);
    }
}
