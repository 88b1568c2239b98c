//! Why an output was written: the flow from an input's few motifs to its tokens.
//!
//! Each edge is exact, since a motif can be taken away and the decoder run again: by how much a token's
//! log-probability changes without that motif, and what it is with that motif alone.

use burn::tensor::{Int, Tensor, TensorData, activation};
use serde::Serialize;

use crate::evaluate::{Evaluator, Reading};
use crate::input::values;
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
        let mut tokens = reading.prediction.clone();
        // An output that is cut off for its length has no end.
        if tokens.len() <= evaluator.domain.longest_output() {
            tokens.push(evaluator.domain.vocabulary().end());
        }
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
        let mut rows = log_probabilities(evaluator, &variants, &tokens);
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

/// The log-probability of each of `tokens`, given those before it, for each input's motifs.
fn log_probabilities(
    evaluator: &Evaluator,
    inputs: &[Vec<Motif>],
    tokens: &[usize],
) -> Vec<Vec<f64>> {
    let vocabulary = evaluator.domain.vocabulary();
    let time = tokens.len();
    let read: Vec<i32> = std::iter::once(vocabulary.start())
        .chain(tokens[..time.saturating_sub(1)].iter().copied())
        .map(|token| token as i32)
        .collect();
    let mut rows = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(evaluator.batch_size) {
        let batch = inputs.len();
        let read = TensorData::new(read.repeat(batch), [batch, time]);
        let read: Tensor<2, Int> = Tensor::from_data(read, evaluator.device);
        let logits = evaluator.logits_of(inputs, read);
        let size = logits.dims()[2];
        let logs = values(activation::log_softmax(logits, 2));
        rows.extend(logs.chunks(time * size).map(|logs| {
            let steps = tokens.iter().enumerate();
            steps
                .map(|(step, token)| f64::from(logs[step * size + token]))
                .collect()
        }));
    }
    rows
}
