//! Why an output was written: the flow from an input's few motifs to its tokens.
//!
//! Each edge is exact, since a motif can be taken away and the decoder run again: by how much a token's
//! log-probability changes without that motif, and what it is with that motif alone.

use serde::Serialize;

use crate::evaluate::{Evaluator, Reading};
use crate::metrics::Motif;

/// The flow graph of one input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The motifs.
    #[serde(skip)]
    pub motifs: Vec<Motif>,
    /// The output's tokens, the one that ends it last.
    pub tokens: Vec<usize>,
    /// The log-probability of each token, in nats, given those before it.
    pub log_probabilities: Vec<f64>,
    /// `[motif][token]`: by how much a token's log-probability changes when that motif is taken away.
    pub without: Vec<Vec<f64>>,
    /// `[motif][token]`: a token's log-probability when that motif alone is kept.
    pub alone: Vec<Vec<f64>>,
}

impl Explanation {
    /// Takes away each motif of a reading, and all but each.
    pub fn of(evaluator: &Evaluator, reading: &Reading) -> Self {
        let motifs = &reading.motifs;
        let tokens = evaluator.ended(&reading.prediction);
        let without = (0..motifs.len()).map(|index| {
            let mut others = motifs.clone();
            others.remove(index);
            others
        });
        let alone = motifs.iter().map(|motif| vec![*motif]);
        let variants: Vec<Vec<Motif>> = std::iter::once(motifs.clone())
            .chain(without)
            .chain(alone)
            .collect();
        let outputs = vec![tokens.clone(); variants.len()];
        let mut rows = evaluator.log_probabilities(&variants, &outputs);
        let alone = rows.split_off(1 + motifs.len());
        let without = rows.split_off(1);
        let all = rows.remove(0);
        let change = |row: Vec<f64>| row.iter().zip(&all).map(|(one, all)| one - all).collect();
        Self {
            motifs: motifs.clone(),
            tokens,
            without: without.into_iter().map(change).collect(),
            log_probabilities: all,
            alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;
    use crate::config::RunConfig;
    use crate::host::values;

    /// The log-probability of a token as anyone would compute it, one input at a time.
    fn by_hand(evaluator: &Evaluator, motifs: &[Motif], tokens: &[usize], step: usize) -> f64 {
        let start = evaluator.domain.vocabulary().start();
        let read: Vec<i32> = std::iter::once(start)
            .chain(tokens[..step].iter().copied())
            .map(|token| token as i32)
            .collect();
        let read = TensorData::new(read, [1, step + 1]);
        let read = Tensor::from_data(read, evaluator.device);
        let logits = values(evaluator.logits_of(&[motifs.to_vec()], read));
        let size = logits.len() / (step + 1);
        let logits = &logits[step * size..];
        let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        f64::from(logits[tokens[step]]) - sum.ln()
    }

    #[test]
    fn edges_are_what_taking_motifs_away_does() {
        let config = RunConfig::load("digitcircle", "small", None, &[]).unwrap();
        let domain = config.build_domain().unwrap();
        let device = Device::default();
        device.seed(1);
        let model = config.model(&*domain).init(&device);
        let evaluator = Evaluator {
            model: &model,
            domain: &*domain,
            device: &device,
            batch_size: 2,
            supports: None,
        };
        let motifs = vec![
            Motif::new(3, 10, 12, 1.5),
            Motif::new(7, 30, 20, 0.5),
            Motif::new(3, 40, 41, 2.0),
        ];
        let reading = Reading {
            input: Vec::new(),
            motifs: motifs.clone(),
            prediction: vec![3, 7],
            truth: Vec::new(),
            footprints: Vec::new(),
        };

        let explanation = Explanation::of(&evaluator, &reading);

        let tokens = vec![3, 7, domain.vocabulary().end()];
        assert_eq!(explanation.tokens, tokens);
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-5;
        let mut largest: f64 = 0.0;
        for step in 0..3 {
            let all = by_hand(&evaluator, &motifs, &tokens, step);
            assert!(close(explanation.log_probabilities[step], all));
            for index in 0..3 {
                let mut others = motifs.clone();
                let one = others.remove(index);
                let without = by_hand(&evaluator, &others, &tokens, step) - all;
                assert!(close(explanation.without[index][step], without));
                largest = largest.max(without.abs());
                let alone = by_hand(&evaluator, &[one], &tokens, step);
                assert!(close(explanation.alone[index][step], alone));
            }
        }
        assert!(largest > 1e-3, "no motif makes a difference");
    }
}
