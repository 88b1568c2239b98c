//! How many bits the strength of a motif carries (paper, section 3.3 and Appendix B).
//!
//! Activations are put into `2^bits` bins by quantile and replaced by their bin's mean. The fewest
//! bits with which the outputs are as good as before, `eta`, bound what motifs say:
//! `S * C * (H(density) + eta * density)` bits for `C` channels of `S` positions.

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sparling_data::Split;

use crate::evaluate::Evaluator;
use crate::input::{Input, values};

/// As good as before: exact match is lower by no more than this (paper, Appendix B).
const HARMLESS: f64 = 1e-3;

/// What binning does at one density.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binning {
    /// The density.
    pub density: f64,
    /// Exact match with the activations as they are.
    pub exact_match: f64,
    /// Exact match with `2^bits` bins, for 0 bits and on.
    pub binned: Vec<f64>,
    /// The fewest bits that do no harm, if any of those tried.
    pub eta: Option<u32>,
    /// The bound on what an example's motifs say, in bits, if there is an eta.
    pub bound_bits: Option<f64>,
    /// How many examples were read.
    pub examples: usize,
}

impl Binning {
    /// Measures the first `examples` of a split with 0 to `most_bits` bits.
    pub fn measure(evaluator: &Evaluator, split: Split, examples: usize, most_bits: u32) -> Self {
        let shape = evaluator.domain.input_shape();
        let batches = || {
            let batches = evaluator.batches(split, 0..examples as u64);
            batches.map(|batch| {
                let input = Input::new(batch.inputs, &shape, evaluator.device);
                (input, batch.tokens)
            })
        };
        let mut strengths = Vec::new();
        for (input, _) in batches() {
            let motifs = match input {
                Input::Sound(input) => values(evaluator.model.motifs(input)),
                Input::Image(input) => values(evaluator.model.motifs(input)),
            };
            strengths.extend(motifs.into_iter().filter(|strength| *strength != 0.0));
        }
        strengths.sort_by(f32::total_cmp);
        let bins: Vec<Bins> = (0..=most_bits)
            .map(|bits| Bins::by_quantile(&strengths, 1 << bits))
            .collect();

        let mut right = vec![0; bins.len() + 1];
        for (input, truths) in batches() {
            match input {
                Input::Sound(input) => count(evaluator, input, &bins, &truths, &mut right),
                Input::Image(input) => count(evaluator, input, &bins, &truths, &mut right),
            }
        }
        let shares: Vec<f64> = right
            .iter()
            .map(|right| f64::from(*right) / examples as f64)
            .collect();
        let (exact_match, binned) = (shares[0], shares[1..].to_vec());
        let eta = binned
            .iter()
            .position(|share| *share >= exact_match - HARMLESS);
        let eta = eta.map(|bits| bits as u32);
        let sparsity = &evaluator.model.bottleneck.sparsity;
        let density = sparsity.density();
        let places = sparsity.channels() * shape[1..].iter().product::<usize>();
        Self {
            density,
            exact_match,
            binned,
            eta,
            bound_bits: eta.map(|eta| bound(places, density, eta)),
            examples,
        }
    }
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

/// Counts the outputs that are right: first with the motifs as they are, then with each binning.
fn count<const D: usize>(
    evaluator: &Evaluator,
    input: Tensor<D>,
    bins: &[Bins],
    truths: &[Vec<usize>],
    right: &mut [u32],
) {
    let motifs = evaluator.model.motifs(input);
    let shape = motifs.dims();
    let strengths = values(motifs.clone());
    let binned = bins.iter().map(|bins| {
        let strengths = strengths.iter().map(|strength| bins.mean_of(*strength));
        let data = TensorData::new(strengths.collect(), shape);
        Tensor::from_data(data, evaluator.device)
    });
    for (right, motifs) in right.iter_mut().zip(std::iter::once(motifs).chain(binned)) {
        let outputs = evaluator.outputs(motifs);
        let pairs = outputs.iter().zip(truths);
        *right += pairs.filter(|(output, truth)| output == truth).count() as u32;
    }
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
    fn the_bound_counts_presence_and_strength() {
        assert!((bound(10, 0.5, 3) - 25.0).abs() < 1e-12);
        assert_eq!(bound(10, 1.0, 3), 30.0);
        // The paper's DigitCircle at 5.02e-5, in positions of 100x100 and 10 channels.
        assert!((bound(100_000, 5.02e-5, 4) - 99.0).abs() < 1.0);
    }
}
