//! What channels do to outputs: the mean effect of each channel's motifs on each token.
//!
//! Beside the confusion matrix, which says in whose footprints a channel's motifs lie, this says what the
//! decoder makes of them. It needs no box.

use serde::Serialize;

use super::explain::Explanation;
use crate::evaluate::{Evaluator, Reading};

/// Effects of channels on tokens, averaged over examples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effects {
    /// `[channel][token]`: by how much a token's log-probability changes where it is written, in nats, when
    /// one of the channel's motifs is taken away; `None` where they never meet.
    pub mean: Vec<Vec<Option<f64>>>,
    /// For each channel the motifs that were taken away.
    pub motifs: Vec<u64>,
    /// The examples.
    pub examples: usize,
}

impl Effects {
    /// Takes away every motif of some readings, one at a time, but for readings with more than `most`.
    pub fn of(evaluator: &Evaluator, readings: &[Reading], most: usize) -> Self {
        let channels = evaluator.model.bottleneck.sparsity.channels();
        let tokens = evaluator.domain.vocabulary().len();
        let mut sums = Sums {
            changes: vec![vec![(0.0, 0); tokens]; channels],
            motifs: vec![0; channels],
        };
        let read = readings.iter();
        let read = read.filter(|reading| reading.motifs.len() <= most);
        let examples = read
            .map(|reading| sums.add(&Explanation::of(evaluator, reading)))
            .count();
        let mean = |(sum, count): (f64, u64)| (count > 0).then(|| sum / count as f64);
        let rows = sums.changes.into_iter();
        Self {
            mean: rows
                .map(|row| row.into_iter().map(mean).collect())
                .collect(),
            motifs: sums.motifs,
            examples,
        }
    }
}

struct Sums {
    /// `[channel][token]`: the sum of changes, and their number.
    changes: Vec<Vec<(f64, u64)>>,
    motifs: Vec<u64>,
}

impl Sums {
    fn add(&mut self, explanation: &Explanation) {
        for (motif, without) in explanation.motifs.iter().zip(&explanation.without) {
            self.motifs[motif.channel] += 1;
            for (token, change) in explanation.tokens.iter().zip(without) {
                let (sum, count) = &mut self.changes[motif.channel][*token];
                *sum += change;
                *count += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Motif;

    #[test]
    fn changes_are_averaged_by_channel_and_token() {
        let mut sums = Sums {
            changes: vec![vec![(0.0, 0); 3]; 2],
            motifs: vec![0; 2],
        };
        let explanation = Explanation {
            motifs: vec![Motif::new(1, 0, 0, 1.0), Motif::new(1, 2, 2, 1.0)],
            tokens: vec![2, 0, 2],
            log_probabilities: vec![0.0; 3],
            without: vec![vec![-1.0, 0.5, -2.0], vec![-3.0, 0.0, 0.0]],
            alone: vec![vec![0.0; 3]; 2],
        };
        sums.add(&explanation);
        assert_eq!(sums.motifs, [0, 2]);
        assert_eq!(sums.changes[1], [(0.5, 2), (0.0, 0), (-6.0, 4)]);
        assert_eq!(sums.changes[0], [(0.0, 0); 3]);
    }
}
