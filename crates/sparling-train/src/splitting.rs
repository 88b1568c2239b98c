//! Parts channels that stand for two symbols, in place of channels that nobody would miss.
//!
//! With as many channels as symbols, a channel too many for one symbol is a channel too few for
//! another, and gradients alone seldom move it there. Both show without any label of a motif: a
//! channel is spare if the loss hardly rises without it, and one that stands for two symbols is
//! active at two kinds of places, so that the features there differ widely. As in vector
//! quantisation by splitting (Linde, Buzo and Gray 1980), the spare channel becomes one half of that
//! other channel: its places fall into two kinds along the direction in which they differ most, and each
//! half moves towards one of them. The normalisation and the threshold that follow take away whatever
//! shifts a half as a whole, so both have to see the rest of the input alike, or one of them would win
//! both kinds of places.

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

/// Where one channel is active, and the features there. The weight is its strength squared, so that the
/// many weak places that mean nothing do not count.
type Places = Vec<(f64, Vec<f64>)>;

impl Splitting {
    /// The splits to make, the widest channel first.
    pub fn find(&self, judge: &Judge) -> Vec<Split> {
        let spare = self.spare(|without| judge.rises(without));
        if spare.is_empty() {
            return Vec::new();
        }
        let (places, rest) = judge.places();
        let mut widest: Vec<(usize, Kinds)> = places
            .iter()
            .enumerate()
            .filter(|(channel, _)| !spare.contains(channel))
            .filter_map(|(channel, places)| Some((channel, Kinds::of(places)?)))
            .collect();
        widest.sort_by(|(_, a), (_, b)| b.variance.total_cmp(&a.variance));
        let running_var = judge.model.bottleneck.norm.running_var.value_sync();
        let deviations = host(running_var.sqrt());
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

    /// Where each channel is the strongest, and features from all over the input.
    fn places(&self) -> (Vec<Places>, Moments) {
        let channels = self.model.bottleneck.sparsity.channels();
        let mut places = vec![Places::new(); channels];
        let mut all = Places::new();
        self.each_batch(|input, _| match input {
            Input::Sound(input) => self.add_places(input, &mut places, &mut all),
            Input::Image(input) => self.add_places(input, &mut places, &mut all),
        });
        (places, Moments::of(&all))
    }

    fn add_places<const D: usize>(
        &self,
        input: Tensor<D>,
        places: &mut [Places],
        all: &mut Places,
    ) {
        let motifs = winners(self.model.motifs(input.clone()), self.radius);
        let features = self.model.motif_model.features(input);
        let [_, width, rows, columns] = features.dims();
        let plane = rows * columns;
        let (motifs, features) = (host(motifs), host(features));
        let at = |example: usize, position: usize| {
            let planes = (0..width).map(|feature| (example * width + feature) * plane);
            let values = planes.map(|plane| f64::from(features[plane + position]));
            values.collect::<Vec<f64>>()
        };
        for (index, strength) in motifs.iter().enumerate() {
            if *strength > 0.0 {
                let (map, position) = (index / plane, index % plane);
                let (example, channel) = (map / places.len(), map % places.len());
                places[channel].push((f64::from(*strength).powi(2), at(example, position)));
            }
        }
        let positions = features.len() / width;
        let some = (0..positions).step_by(EVERY);
        all.extend(some.map(|index| (1.0, at(index / plane, index % plane))));
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

/// Of how many positions one tells what the input is like all over.
const EVERY: usize = 13;

/// More iterations than this change no choice.
const ITERATIONS: usize = 100;

/// The two kinds of places of a channel: below and above the middle of the direction in which their
/// features differ most (the first principal component, then 2-means).
#[derive(Clone, Debug, PartialEq)]
struct Kinds {
    /// The features' mean at each kind of place.
    means: [Vec<f64>; 2],
    /// The variance in the direction in which they differ most.
    variance: f64,
}

impl Kinds {
    /// `None` if the places do not differ.
    fn of(places: &Places) -> Option<Self> {
        if places.is_empty() {
            return None;
        }
        let moments = Moments::of(places);
        let (variance, direction) = moments.principal()?;
        let along = |features: &[f64]| dot(features, &direction);
        let mut border = along(&moments.mean);
        for _ in 0..ITERATIONS {
            let means = [false, true].map(|above| {
                let side = places
                    .iter()
                    .filter(|(_, at)| (along(at) > border) == above);
                mean(side)
            });
            let [Some(below), Some(above)] = means else {
                return None;
            };
            let middle = (along(&below) + along(&above)) / 2.0;
            if middle == border {
                let means = [below, above];
                return Some(Self { means, variance });
            }
            border = middle;
        }
        None
    }

    /// A direction, and the middle between the kinds along it, so that they lie `apart` to either side
    /// of it, and the rest of the input around the middle as closely as can be.
    fn border(&self, rest: &Moments, apart: f64) -> Option<(Vec<f64>, f64)> {
        let [below, above] = &self.means;
        let pairs = || below.iter().zip(above);
        let difference: Vec<f64> = pairs().map(|(a, b)| b - a).collect();
        let middle: Vec<f64> = pairs().map(|(a, b)| (a + b) / 2.0).collect();
        let shift: Vec<f64> = middle.iter().zip(&rest.mean).map(|(a, b)| a - b).collect();
        // The least variance over the rest, its mean at the middle, for a given difference.
        let [towards, across] = [&difference, &shift].map(|vector| rest.solve(vector));
        let share = dot(&shift, &towards) / dot(&shift, &across);
        let direction = towards.iter().zip(&across);
        let direction: Vec<f64> = direction.map(|(a, b)| a - share * b).collect();
        let half = dot(&direction, &difference) / 2.0;
        if !(half > 0.0 && half.is_finite()) {
            return None;
        }
        let direction: Vec<f64> = direction.iter().map(|x| x * apart / half).collect();
        let offset = dot(&direction, &middle);
        Some((direction, offset))
    }
}

fn mean<'a>(places: impl Iterator<Item = &'a (f64, Vec<f64>)>) -> Option<Vec<f64>> {
    let mut total = 0.0;
    let mut sum: Vec<f64> = Vec::new();
    for (weight, features) in places {
        total += weight;
        sum.resize(features.len(), 0.0);
        sum.iter_mut()
            .zip(features)
            .for_each(|(sum, x)| *sum += weight * x);
    }
    (total > 0.0).then(|| sum.iter().map(|sum| sum / total).collect())
}

/// The weighted mean and covariance of features.
struct Moments {
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl Moments {
    /// What is added to each feature's variance, as a share of their mean, so that directions in which
    /// features hardly vary do not decide.
    const RIDGE: f64 = 1e-2;

    fn of(places: &Places) -> Self {
        let mean = mean(places.iter()).unwrap_or_default();
        let total: f64 = places.iter().map(|(weight, _)| weight).sum();
        let mut covariance = vec![vec![0.0; mean.len()]; mean.len()];
        for (weight, features) in places {
            let centred = features.iter().zip(&mean).map(|(x, mean)| x - mean);
            let centred: Vec<f64> = centred.collect();
            for (row, a) in covariance.iter_mut().zip(&centred) {
                let share = weight / total * a;
                row.iter_mut()
                    .zip(&centred)
                    .for_each(|(entry, b)| *entry += share * b);
            }
        }
        Self { mean, covariance }
    }

    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let rows = self.covariance.iter();
        rows.map(|row| dot(row, vector)).collect()
    }

    fn variances(&self) -> impl Iterator<Item = f64> {
        (0..self.mean.len()).map(|index| self.covariance[index][index])
    }

    /// The largest variance and its direction, of length 1, by power iteration.
    fn principal(&self) -> Option<(f64, Vec<f64>)> {
        let variances = self.variances().enumerate();
        let (widest, _) = variances.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let mut direction = vec![0.0; self.mean.len()];
        direction[widest] = 1.0;
        let mut variance = 0.0;
        for _ in 0..ITERATIONS {
            let image = self.times(&direction);
            variance = dot(&image, &image).sqrt();
            if variance <= 0.0 {
                return None;
            }
            direction = image.iter().map(|x| x / variance).collect();
        }
        Some((variance, direction))
    }

    /// The inverse of the covariance, with the ridge, times a vector, by conjugate gradients.
    fn solve(&self, vector: &[f64]) -> Vec<f64> {
        let ridge = Self::RIDGE * self.variances().sum::<f64>() / self.mean.len() as f64;
        let mut solution = vec![0.0; vector.len()];
        let mut rest = vector.to_vec();
        let mut step = rest.clone();
        let mut square = dot(&rest, &rest);
        for _ in 0..ITERATIONS {
            let mut image = self.times(&step);
            image
                .iter_mut()
                .zip(&step)
                .for_each(|(x, step)| *x += ridge * step);
            let curvature = dot(&step, &image);
            if curvature <= 0.0 {
                break;
            }
            let length = square / curvature;
            solution
                .iter_mut()
                .zip(&step)
                .for_each(|(x, step)| *x += length * step);
            rest.iter_mut()
                .zip(&image)
                .for_each(|(x, image)| *x -= length * image);
            let before = square;
            square = dot(&rest, &rest);
            step = rest
                .iter()
                .zip(&step)
                .map(|(x, step)| x + square / before * step)
                .collect();
        }
        solution
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

    /// Two kinds of places along (3, 4) / 5, 10 apart, around (1, 2), the second kind rarer; and a weak
    /// place far off.
    fn places() -> Places {
        let mut places = Places::new();
        for (weight, side) in [(9.0, -5.0), (1.0, 5.0)] {
            for noise in [-0.1, 0.1] {
                let place = vec![1.0 + 0.6 * side - noise, 2.0 + 0.8 * side + noise];
                places.push((weight, place));
            }
        }
        places.push((1e-6, vec![900.0, -700.0]));
        places
    }

    #[test]
    fn places_fall_into_two_kinds() {
        let kinds = Kinds::of(&places()).unwrap();
        let mut means = kinds.means.clone();
        means.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for (mean, expected) in means.iter().zip([[-2.0, -2.0], [4.0, 6.0]]) {
            for (mean, expected) in mean.iter().zip(expected) {
                assert!((mean - expected).abs() < 0.01, "{kinds:?}");
            }
        }
        assert!((kinds.variance - 9.0).abs() < 0.1, "{kinds:?}");
    }

    #[test]
    fn the_border_lies_between_the_kinds_and_amid_the_rest() {
        let kinds = Kinds::of(&places()).unwrap();
        // Far from the places, and varying most across the second feature.
        let rest: Places = (0..20)
            .map(|step| {
                (
                    1.0,
                    vec![f64::from(step % 5) - 7.0, 3.0 * f64::from(step) - 40.0],
                )
            })
            .collect();
        let rest = Moments::of(&rest);
        let (direction, offset) = kinds.border(&rest, 2.0).unwrap();
        let mut sides = kinds
            .means
            .clone()
            .map(|mean| dot(&direction, &mean) - offset);
        sides.sort_by(f64::total_cmp);
        assert!(
            (sides[0] + 2.0).abs() < 1e-6 && (sides[1] - 2.0).abs() < 1e-6,
            "{sides:?}"
        );
        assert!((dot(&direction, &rest.mean) - offset).abs() < 1e-6);
    }

    #[test]
    fn solving_inverts_the_covariance() {
        let moments = Moments::of(&places());
        let vector = [0.7, -0.2];
        let solution = moments.solve(&vector);
        let ridge = Moments::RIDGE * moments.variances().sum::<f64>() / 2.0;
        for (index, image) in moments.times(&solution).iter().enumerate() {
            assert!((image + ridge * solution[index] - vector[index]).abs() < 1e-6);
        }
    }

    #[test]
    fn places_that_do_not_differ_are_of_one_kind() {
        assert_eq!(Kinds::of(&Places::new()), None);
        assert_eq!(Kinds::of(&vec![(1.0, vec![1.0, 2.0]); 3]), None);
    }
}
