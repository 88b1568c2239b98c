//! Parts channels that stand for two symbols, in place of channels that nobody would miss.
//!
//! With as many channels as symbols, a channel too many for one symbol is a channel too few for
//! another, and gradients alone seldom move it there. Both show without any label of a motif: a
//! channel is spare if the loss hardly rises without it, and one that stands for two symbols is
//! active at two kinds of places, so that the features there differ widely. As in vector
//! quantisation by splitting (Linde, Buzo and Gray 1980), the spare channel becomes one half of that
//! other channel, along the direction in which its places differ most, and with the middle between
//! the two kinds as the border.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sparling_data::{Domain, Split as Data, batch};
use sparling_layer::competition::winners;
use sparling_models::{Sparling, Split};

use crate::input::Input;
use crate::loss::Targets;

/// When and how channels are parted, at each check that does not end the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splitting {
    /// A channel is spare if, without it, the loss rises by less than this share of the median of
    /// all channels.
    pub spare_below: f64,
    /// The training examples that channels are judged by.
    pub examples: usize,
    /// The lowest density at which channels are parted.
    pub until_density: f64,
    /// How far each half moves towards its kind of places and away from the other, in standard
    /// deviations of the channel's detector.
    pub step: f64,
}

/// What channels are judged by.
pub struct Judge<'a> {
    /// The model, without autodiff.
    pub model: &'a Sparling,
    /// Its domain.
    pub domain: &'a dyn Domain,
    /// Its device, without autodiff.
    pub device: &'a Device,
    /// Examples per forward pass.
    pub batch_size: usize,
    /// How far an activation must be the strongest to count.
    pub radius: usize,
    /// The examples, as indices into the split.
    pub examples: std::ops::Range<u64>,
    /// Where they come from.
    pub data: Data,
}

/// Where one channel is active: how strongly, and the features there.
type Places = Vec<(f64, Vec<f32>)>;

impl Splitting {
    /// The splits to make, the widest channel first.
    pub fn find(&self, judge: &Judge) -> Vec<Split> {
        let spare = self.spare(|without| judge.rises(without));
        if spare.is_empty() {
            return Vec::new();
        }
        let mut widest: Vec<(usize, Axis)> = judge
            .places()
            .into_iter()
            .enumerate()
            .filter(|(channel, _)| !spare.contains(channel))
            .filter_map(|(channel, places)| Some((channel, Axis::of(&places)?)))
            .collect();
        widest.sort_by(|(_, a), (_, b)| b.deviation.total_cmp(&a.deviation));
        let running_var = judge.model.bottleneck.norm.running_var.value_sync();
        let deviations = host(running_var.sqrt());
        let parted = spare.into_iter().zip(widest);
        parted
            .map(|(spare, (channel, axis))| {
                let [low, high] = axis.kinds;
                let scale = self.step * f64::from(deviations[channel]) / ((high - low) / 2.0);
                Split {
                    channel,
                    spare,
                    direction: axis.direction.iter().map(|x| (x * scale) as f32).collect(),
                    offset: ((low + high) / 2.0 * scale) as f32,
                }
            })
            .collect()
    }

    /// The channels that nobody would miss, one after the other: of two that stand in for each other
    /// only one is spare. `rises` says by how much the loss rises without each channel, given those
    /// already done without.
    fn spare(&self, rises: impl Fn(&[usize]) -> Vec<f64>) -> Vec<usize> {
        let mut spare = Vec::new();
        let mut missed = rises(&spare);
        let mut sorted = missed.clone();
        sorted.sort_by(f64::total_cmp);
        let limit = self.spare_below * sorted[sorted.len() / 2];
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

impl Judge<'_> {
    /// By how much the loss rises without each channel, in nats; some are left out throughout.
    fn rises(&self, left_out: &[usize]) -> Vec<f64> {
        let channels = self.model.bottleneck.sparsity.channels();
        let mut losses = vec![0.0; channels + 1];
        self.each_batch(|input, tokens| {
            let targets = Targets::new(tokens, self.domain.vocabulary(), self.device);
            match input {
                Input::Sound(input) => self.losses(input, left_out, &targets, &mut losses),
                Input::Image(input) => self.losses(input, left_out, &targets, &mut losses),
            }
        });
        let whole = losses[channels];
        losses[..channels].iter().map(|loss| loss - whole).collect()
    }

    /// Adds the loss without each channel, and last that with all.
    fn losses<const D: usize>(
        &self,
        input: Tensor<D>,
        left_out: &[usize],
        targets: &Targets,
        losses: &mut [f64],
    ) {
        let without = |motifs: Tensor<D>, channel: usize| {
            let mut ranges = motifs.dims().map(|size| 0..size);
            ranges[1] = channel..channel + 1;
            motifs.slice_fill(ranges, 0.0)
        };
        let motifs = left_out
            .iter()
            .fold(self.model.motifs(input), |motifs, channel| {
                without(motifs, *channel)
            });
        let channels = motifs.dims()[1];
        for (channel, sum) in losses.iter_mut().enumerate() {
            let kept = match channel < channels {
                true => without(motifs.clone(), channel),
                false => motifs.clone(),
            };
            let kept = winners(kept, self.radius);
            let logits = self.model.decoder.forward(kept, targets.read.clone());
            *sum += f64::from(targets.cross_entropy(logits).into_scalar::<f32>());
        }
    }

    /// Where each channel is the strongest.
    fn places(&self) -> Vec<Places> {
        let channels = self.model.bottleneck.sparsity.channels();
        let mut places = vec![Places::new(); channels];
        self.each_batch(|input, _| match input {
            Input::Sound(input) => self.add_places(input, &mut places),
            Input::Image(input) => self.add_places(input, &mut places),
        });
        places
    }

    fn add_places<const D: usize>(&self, input: Tensor<D>, places: &mut [Places]) {
        let motifs = winners(self.model.motifs(input.clone()), self.radius);
        let features = self.model.motif_model.features(input);
        let [_, width, rows, columns] = features.dims();
        let plane = rows * columns;
        let (motifs, features) = (host(motifs), host(features));
        for (index, strength) in motifs.iter().enumerate() {
            if *strength > 0.0 {
                let (map, position) = (index / plane, index % plane);
                let (example, channel) = (map / places.len(), map % places.len());
                let here = (0..width)
                    .map(|feature| features[(example * width + feature) * plane + position]);
                places[channel].push((f64::from(*strength), here.collect()));
            }
        }
    }

    fn each_batch(&self, mut visit: impl FnMut(Input, &[Vec<usize>])) {
        for first in self.examples.clone().step_by(self.batch_size) {
            let size = self.batch_size.min((self.examples.end - first) as usize);
            let batch = batch(self.domain, self.data, first, size);
            let input = Input::new(batch.inputs, &self.domain.input_shape(), self.device);
            visit(input, &batch.tokens);
        }
    }
}

/// The direction in which features differ most (the first principal component).
#[derive(Clone, Debug, PartialEq)]
struct Axis {
    /// Of length 1.
    direction: Vec<f64>,
    /// Their standard deviation along it.
    deviation: f64,
    /// Where the two kinds of places are along it (2-means).
    kinds: [f64; 2],
}

impl Axis {
    /// More than this changes no choice.
    const ITERATIONS: usize = 200;

    /// Of places, each weighted by its strength's square, so that the many weak ones that mean
    /// nothing do not count; `None` if they do not differ.
    fn of(places: &Places) -> Option<Self> {
        let width = places.first()?.1.len();
        let total: f64 = places.iter().map(|(strength, _)| strength.powi(2)).sum();
        let mut mean = vec![0.0; width];
        for (strength, features) in places {
            for (mean, feature) in mean.iter_mut().zip(features) {
                *mean += strength.powi(2) / total * f64::from(*feature);
            }
        }
        let mut covariance = vec![vec![0.0; width]; width];
        for (strength, features) in places {
            let centred: Vec<f64> = features
                .iter()
                .zip(&mean)
                .map(|(feature, mean)| f64::from(*feature) - mean)
                .collect();
            for (row, a) in covariance.iter_mut().zip(&centred) {
                for (entry, b) in row.iter_mut().zip(&centred) {
                    *entry += strength.powi(2) / total * a * b;
                }
            }
        }

        // Power iteration, from the feature that varies most.
        let varied = (0..width).max_by(|a, b| covariance[*a][*a].total_cmp(&covariance[*b][*b]))?;
        let mut direction = vec![0.0; width];
        direction[varied] = 1.0;
        let mut variance = 0.0;
        for _ in 0..Self::ITERATIONS {
            let image: Vec<f64> = covariance.iter().map(|row| dot(row, &direction)).collect();
            variance = dot(&image, &image).sqrt();
            if variance <= 0.0 {
                return None;
            }
            direction = image.iter().map(|x| x / variance).collect();
        }
        let along = places.iter().map(|(strength, features)| {
            let place = features.iter().zip(&direction);
            let place = place.map(|(feature, x)| f64::from(*feature) * x).sum();
            (strength.powi(2), place)
        });
        Some(Self {
            deviation: variance.sqrt(),
            kinds: two_means(&along.collect::<Vec<_>>(), dot(&direction, &mean)),
            direction,
        })
    }
}

/// The means of two groups of weighted values, those below and above the middle between them.
fn two_means(values: &[(f64, f64)], mut border: f64) -> [f64; 2] {
    let mut kinds = [border; 2];
    loop {
        let mut sums = [[0.0; 2]; 2];
        for (weight, value) in values {
            let [weights, products] = &mut sums[usize::from(*value > border)];
            *weights += weight;
            *products += weight * value;
        }
        for (kind, [weights, products]) in kinds.iter_mut().zip(sums) {
            if weights > 0.0 {
                *kind = products / weights;
            }
        }
        let middle = (kinds[0] + kinds[1]) / 2.0;
        if (middle - border).abs() <= 1e-9 * (kinds[1] - kinds[0]) {
            return kinds;
        }
        border = middle;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: Splitting = Splitting {
        spare_below: 0.05,
        examples: 10,
        until_density: 1e-3,
        step: 2.0,
    };

    #[test]
    fn spare_channels_are_those_far_below_the_median() {
        let rises = |_: &[usize]| vec![0.5, 0.001, 0.6, 0.1, -0.002, 0.7, 0.5];
        assert_eq!(CONFIG.spare(rises), [4, 1]);
        assert_eq!(CONFIG.spare(|_| vec![0.5; 4]), [0; 0]);
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

    #[test]
    fn the_axis_runs_through_both_kinds_of_places() {
        // Two kinds along (3, 4) / 5, 10 apart, around (1, 2), the second one rarer; a weak third place
        // far off.
        let mut places: Places = Vec::new();
        for (strength, side) in [(3.0, -5.0), (1.0, 5.0)] {
            for noise in [-0.1, 0.1] {
                let place = vec![1.0 + 0.6 * side - noise, 2.0 + 0.8 * side + noise];
                places.push((strength, place));
            }
        }
        places.push((1e-3, vec![900.0, -700.0]));
        let axis = Axis::of(&places).unwrap();
        let sign = axis.direction[0].signum();
        assert!((axis.direction[0] * sign - 0.6).abs() < 0.02, "{axis:?}");
        assert!((axis.direction[1] * sign - 0.8).abs() < 0.02, "{axis:?}");
        assert!((axis.deviation - 3.0).abs() < 0.1, "{axis:?}");
        let mut kinds = axis.kinds.map(|kind| kind * sign);
        kinds.sort_by(f64::total_cmp);
        assert!(
            (kinds[0] + 2.8).abs() < 0.1 && (kinds[1] - 7.2).abs() < 0.1,
            "{axis:?}"
        );
    }

    #[test]
    fn places_that_do_not_differ_have_no_axis() {
        assert_eq!(Axis::of(&Places::new()), None);
        assert_eq!(Axis::of(&vec![(1.0, vec![1.0, 2.0]); 3]), None);
    }
}
