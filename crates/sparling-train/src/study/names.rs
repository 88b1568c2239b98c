//! What each channel stands for, learnt from what outputs lose without it: names that need no box.
//!
//! One motif after the other is taken away, and the decoder writes the output anew. The token that goes
//! most often when a channel's motif goes is what the channel stands for.
//!
//! Paper: this is ours; the paper names channels by true boxes.

use sparling_data::Split;

use crate::evaluate::{Evaluator, Reading};
use crate::metrics::{Motif, Name, Names};
use crate::run::trained::Trained;

/// The validation examples whose motifs are taken away.
const EXAMPLES: usize = 300;

/// The motifs of each channel that are taken away at most.
const MOTIFS: u64 = 200;

/// Names a trained model's channels, on the first validation examples of its domain, which must be prepared.
pub fn measure(trained: &Trained) -> Names {
    let evaluator = trained.evaluator();
    let examples = trained.config().validation.examples.min(EXAMPLES);
    of_examples(&evaluator, Split::Validation, examples)
}

/// Takes away every motif of the first `examples` of a split, one at a time.
fn of_examples(evaluator: &Evaluator, split: Split, examples: usize) -> Names {
    let channels = evaluator.model.bottleneck.sparsity.channels();
    let tokens = evaluator.domain.vocabulary().names().len();
    let mut counts = Counts {
        lost: vec![vec![0; tokens]; channels],
        motifs: vec![0; channels],
    };
    let batches = evaluator.batches(split, 0..examples as u64);
    let readings: Vec<Reading> = batches.flat_map(|batch| evaluator.read(batch)).collect();
    let mut taken = vec![0; channels];
    let mut cases: Vec<(&Reading, usize)> = Vec::new();
    for reading in &readings {
        for (index, motif) in reading.motifs.iter().enumerate() {
            taken[motif.channel] += 1;
            if taken[motif.channel] <= MOTIFS {
                cases.push((reading, index));
            }
        }
    }
    for cases in cases.chunks(evaluator.batch_size) {
        let without: Vec<Vec<Motif>> = cases
            .iter()
            .map(|(reading, motif)| {
                let mut motifs = reading.motifs.clone();
                motifs.remove(*motif);
                motifs
            })
            .collect();
        let outputs = evaluator.outputs_of(&without);
        for ((reading, motif), output) in cases.iter().zip(&outputs) {
            let channel = reading.motifs[*motif].channel;
            counts.add(channel, &reading.prediction, output);
        }
    }
    counts.names()
}

/// What outputs lost.
struct Counts {
    /// How often each token went with a motif of each channel.
    lost: Vec<Vec<u64>>,
    /// How many motifs of each channel were taken away.
    motifs: Vec<u64>,
}

impl Counts {
    /// Counts the tokens that an output has fewer of without one of a channel's motifs.
    fn add(&mut self, channel: usize, with: &[usize], without: &[usize]) {
        self.motifs[channel] += 1;
        for (token, lost) in self.lost[channel].iter_mut().enumerate() {
            let times = |output: &[usize]| output.iter().filter(|one| **one == token).count();
            *lost += u64::from(times(without) < times(with));
        }
    }

    fn names(&self) -> Names {
        let channels = self.lost.iter().zip(&self.motifs);
        let names = channels.map(|(lost, motifs)| {
            // The first of equals.
            let most = lost.iter().enumerate().rev().max_by_key(|(_, lost)| **lost);
            let (token, lost) = most.filter(|(_, lost)| **lost > 0)?;
            Some(Name {
                token,
                confidence: *lost as f64 / *motifs as f64,
                motifs: *motifs,
            })
        });
        Names(names.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_what_goes_with_its_motifs() {
        let mut counts = Counts {
            lost: vec![vec![0; 4]; 3],
            motifs: vec![0; 3],
        };
        // Channel 0 takes token 2 away twice, one of two equal ones among them, and once nothing.
        counts.add(0, &[1, 2, 3], &[1, 3]);
        counts.add(0, &[2, 2], &[2, 0]);
        counts.add(0, &[1, 2], &[1, 2]);
        // Another order loses nothing.
        counts.add(1, &[1, 2], &[2, 1]);
        let Names(names) = counts.names();
        let expected = Name {
            token: 2,
            confidence: 2.0 / 3.0,
            motifs: 3,
        };
        assert_eq!(names, [Some(expected), None, None]);
    }
}
