//! How many bits the strength of a motif carries (paper, section 3.3 and Appendix B).
//!
//! Each channel's activations are put into `2^bits` bins by quantile and replaced by their bin's mean;
//! the bins are made on validation examples, and judged on test examples. The fewest bits with which the
//! outputs are as good as before, `eta`, bound what motifs say: `S * C * (H(density) + eta * density)`
//! bits for `C` channels of `S` positions.

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sparling_data::seed::Stream;
use sparling_data::{Batch, Split};

use crate::evaluate::Evaluator;
use crate::host::{maps, values};
use crate::metrics::edit;

/// As good as before: edit accuracy is lower by no more than this (paper, Appendix B).
const HARMLESS: f64 = 1e-3;

/// How often examples are drawn anew for the interval of eta.
const RESAMPLES: usize = 1000;

/// What binning does at one density.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binning {
    /// The density.
    pub density: f64,
    /// Edit accuracy, 1 - E2EE, with the activations as they are.
    pub edit_accuracy: f64,
    /// Edit accuracy with `2^bits` bins, for 0 bits and on.
    pub binned: Vec<f64>,
    /// The fewest bits that do no harm, if any of those tried.
    pub eta: Option<u32>,
    /// The 95 % bootstrap interval of eta over test examples; an end without a number lies above all
    /// bits tried.
    pub eta_interval: [Option<u32>; 2],
    /// The bound on what an example's motifs say, in bits, if there is an eta.
    pub bound_bits: Option<f64>,
    /// How many test examples were read, and validation examples for the bins if there are as many.
    pub examples: usize,
}

impl Binning {
    /// Measures with 0 to `most_bits` bits, on the first `examples` of validation and test.
    pub fn measure(evaluator: &Evaluator, examples: usize, most_bits: u32) -> Self {
        let channels = evaluator.model.bottleneck.sparsity.channels();
        let strengths = strengths(evaluator, examples, channels);
        let bins: Vec<Vec<Bins>> = (0..=most_bits)
            .map(|bits| {
                let of_channels = strengths.iter();
                of_channels
                    .map(|sorted| Bins::by_quantile(sorted, 1 << bits))
                    .collect()
            })
            .collect();
        let errors: Vec<Vec<f64>> = evaluator
            .batches(Split::Test, 0..examples as u64)
            .flat_map(|batch| errors(evaluator, batch, &bins))
            .collect();

        let accuracies = accuracies(errors.iter());
        let eta = eta(&accuracies);
        let sparsity = &evaluator.model.bottleneck.sparsity;
        let density = sparsity.density();
        let [_, height, width] = evaluator.domain.input_shape();
        Self {
            density,
            edit_accuracy: accuracies[0],
            binned: accuracies[1..].to_vec(),
            eta,
            eta_interval: eta_interval(&errors),
            bound_bits: eta.map(|eta| bound(channels * height * width, density, eta)),
            examples: errors.len(),
        }
    }
}

/// Each channel's activations on validation examples, in ascending order.
fn strengths(evaluator: &Evaluator, examples: usize, channels: usize) -> Vec<Vec<f32>> {
    let shape = evaluator.domain.input_shape();
    let [_, height, width] = shape;
    let mut strengths = vec![Vec::new(); channels];
    for batch in evaluator.batches(Split::Validation, 0..examples as u64) {
        let input = maps(batch.inputs, shape, evaluator.device);
        let motifs = values(evaluator.model.motifs(input));
        for (map, plane) in motifs.chunks(height * width).enumerate() {
            let active = plane.iter().filter(|strength| **strength != 0.0);
            strengths[map % channels].extend(active);
        }
    }
    for strengths in &mut strengths {
        strengths.sort_by(f32::total_cmp);
    }
    strengths
}

/// The edit error of each example: with the motifs as they are, then with each binning.
fn errors(evaluator: &Evaluator, batch: Batch, bins: &[Vec<Bins>]) -> Vec<Vec<f64>> {
    let input = maps(
        batch.inputs,
        evaluator.domain.input_shape(),
        evaluator.device,
    );
    let motifs = evaluator.model.motifs(input);
    let shape = motifs.dims();
    let [_, _, height, width] = shape;
    let strengths = values(motifs.clone());
    let binned = bins.iter().map(|of_channels| {
        let places = strengths.iter().enumerate();
        let strengths = places.map(|(place, strength)| {
            of_channels[place / (height * width) % of_channels.len()].mean_of(*strength)
        });
        let data = TensorData::new(strengths.collect(), shape);
        Tensor::from_data(data, evaluator.device)
    });
    let mut errors = vec![Vec::new(); batch.tokens.len()];
    for motifs in std::iter::once(motifs).chain(binned) {
        let outputs = evaluator.outputs(motifs);
        for ((errors, truth), output) in errors.iter_mut().zip(&batch.tokens).zip(&outputs) {
            errors.push(edit::error(truth, output));
        }
    }
    errors
}

/// The mean of 1 - error over examples: as it is, then with each binning.
fn accuracies<'a>(errors: impl ExactSizeIterator<Item = &'a Vec<f64>>) -> Vec<f64> {
    let examples = errors.len() as f64;
    let mut sums: Vec<f64> = Vec::new();
    for errors in errors {
        sums.resize(errors.len(), 0.0);
        let pairs = sums.iter_mut().zip(errors);
        pairs.for_each(|(sum, error)| *sum += error);
    }
    sums.iter().map(|sum| 1.0 - sum / examples).collect()
}

/// The fewest bits whose accuracy is as good as that without binning, which is the first.
fn eta(accuracies: &[f64]) -> Option<u32> {
    let (as_it_is, binned) = accuracies.split_first()?;
    let harmless = |accuracy: &f64| *accuracy >= as_it_is - HARMLESS;
    binned.iter().position(harmless).map(|bits| bits as u32)
}

/// The middle 95 % of eta when examples are drawn anew with replacement.
fn eta_interval(errors: &[Vec<f64>]) -> [Option<u32>; 2] {
    let count = errors.len();
    let mut stream = Stream::new(Split::Test, count as u64);
    let mut etas: Vec<u32> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..count).map(|_| &errors[stream.below(count as u64) as usize]);
            eta(&accuracies(drawn)).unwrap_or(u32::MAX)
        })
        .collect();
    etas.sort_unstable();
    [0.025, 0.975].map(|share| {
        let eta = etas[((RESAMPLES - 1) as f64 * share).round() as usize];
        (eta != u32::MAX).then_some(eta)
    })
}

/// What motifs at `places` positions, over all channels, say at most, in bits (paper, section 3.3).
pub fn bound(places: usize, density: f64, eta: u32) -> f64 {
    let part = |share: f64| {
        if share > 0.0 {
            -share * share.log2()
        } else {
            0.0
        }
    };
    let presence = part(density) + part(1.0 - density);
    places as f64 * (presence + f64::from(eta) * density)
}

/// Bins with about as many activations each.
#[derive(Debug, PartialEq)]
struct Bins {
    /// The least activation of each bin but the first.
    borders: Vec<f32>,
    means: Vec<f32>,
}

impl Bins {
    /// Of activations in ascending order, which may be fewer than bins.
    fn by_quantile(sorted: &[f32], count: usize) -> Self {
        let mut bins = Self {
            borders: Vec::new(),
            means: Vec::new(),
        };
        for bin in 0..count {
            let [first, end] = [bin, bin + 1].map(|bin| bin * sorted.len() / count);
            let bin = &sorted[first..end];
            let Some(least) = bin.first() else {
                continue;
            };
            if !bins.means.is_empty() {
                bins.borders.push(*least);
            }
            let sum: f64 = bin.iter().map(|strength| f64::from(*strength)).sum();
            bins.means.push((sum / bin.len() as f64) as f32);
        }
        bins
    }

    /// The mean of an activation's bin; what is not active stays so.
    fn mean_of(&self, strength: f32) -> f32 {
        if strength == 0.0 || self.means.is_empty() {
            return strength;
        }
        let bin = self.borders.partition_point(|border| *border <= strength);
        self.means[bin]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_equal_shares_and_stand_for_their_mean() {
        let sorted = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 40.0];
        let bins = Bins::by_quantile(&sorted, 4);
        assert_eq!(bins.borders, [3.0, 10.0, 30.0]);
        assert_eq!(bins.means, [1.5, 4.0, 15.0, 35.0]);
        let binned = [0.0, 0.5, 2.9, 3.0, 100.0].map(|strength| bins.mean_of(strength));
        assert_eq!(binned, [0.0, 1.5, 1.5, 4.0, 35.0]);
    }

    #[test]
    fn fewer_activations_than_bins_stay_as_they_are() {
        let bins = Bins::by_quantile(&[1.0, 2.0], 8);
        assert_eq!(
            [1.0, 2.0].map(|strength| bins.mean_of(strength)),
            [1.0, 2.0]
        );
        assert_eq!(Bins::by_quantile(&[], 2).mean_of(3.0), 3.0);
    }

    #[test]
    fn eta_is_the_first_binning_that_does_no_harm() {
        assert_eq!(eta(&[0.9, 0.5, 0.8995, 0.8, 0.9]), Some(1));
        assert_eq!(eta(&[0.9, 0.5, 0.6]), None);
        // One bit does no harm to 299 of 300 examples, which one in three resamples leaves out.
        let mut errors = vec![vec![0.0, 1.0, 0.0, 0.0]; 299];
        errors.push(vec![0.0, 1.0, 1.0, 0.0]);
        assert_eq!(eta(&accuracies(errors.iter())), Some(2));
        assert_eq!(eta_interval(&errors), [Some(1), Some(2)]);
    }

    #[test]
    fn the_bound_counts_presence_and_strength() {
        assert!((bound(10, 0.5, 3) - 25.0).abs() < 1e-12);
        assert_eq!(bound(10, 1.0, 3), 30.0);
        // The paper's DigitCircle at 5.02e-5, in positions of 100x100 and 10 channels.
        assert!((bound(100_000, 5.02e-5, 4) - 99.0).abs() < 1.0);
    }
}
