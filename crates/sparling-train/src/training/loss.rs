//! The training signal: cross-entropy on the output tokens, and nothing else.

use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use sparling_data::Vocabulary;

/// Output tokens as the decoder is trained on them: what it reads and what it should write.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The start token, then the output: `[batch, time]`.
    pub read: Tensor<2, Int>,
    /// The weight of each token in the loss, `[batch, time, vocabulary]`: the output and the end
    /// token share a weight of 1, padding has none.
    pub weights: Tensor<3>,
}

impl Targets {
    /// Pads a batch of outputs to the longest.
    pub fn new(outputs: &[Vec<usize>], vocabulary: &Vocabulary, device: &Device) -> Self {
        let longest = outputs.iter().map(Vec::len).max().unwrap_or(0);
        let (batch, time, size) = (outputs.len(), longest + 1, vocabulary.len());
        let written = outputs.iter().map(|output| output.len() + 1).sum::<usize>();
        let share = 1.0 / written as f32;

        let mut read = Vec::with_capacity(batch * time);
        let mut weights = vec![0.0; batch * time * size];
        for (row, output) in outputs.iter().enumerate() {
            let padding = std::iter::repeat_n(vocabulary.end(), longest - output.len());
            let tokens = output.iter().copied();
            read.extend(
                std::iter::once(vocabulary.start())
                    .chain(tokens.clone())
                    .chain(padding)
                    .map(|id| id as i32),
            );
            for (step, token) in tokens.chain([vocabulary.end()]).enumerate() {
                weights[(row * time + step) * size + token] = share;
            }
        }
        Self {
            read: Tensor::from_data(TensorData::new(read, [batch, time]), device),
            weights: Tensor::from_data(TensorData::new(weights, [batch, time, size]), device),
        }
    }

    /// The mean cross-entropy over all written tokens, in nats.
    ///
    /// # Shapes
    ///
    /// - `logits`: `[batch, time, vocabulary]`
    /// - output: `[1]`
    pub fn cross_entropy(&self, logits: Tensor<3>) -> Tensor<1> {
        cross_entropy(logits, self.weights.clone())
    }
}

/// The cross-entropy summed with weights, in nats; the last dimension is that of the classes.
///
/// # Shapes
///
/// - `logits`, `weights`: the same
/// - output: `[1]`
pub fn cross_entropy<const D: usize>(logits: Tensor<D>, weights: Tensor<D>) -> Tensor<1> {
    (activation::log_softmax(logits, D - 1) * weights)
        .sum()
        .neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_has_no_weight() {
        let device = Device::default();
        let vocabulary = Vocabulary::new(["a", "b"]);
        let targets = Targets::new(&[vec![0], vec![1, 0, 1]], &vocabulary, &device);
        assert_eq!(targets.read.dims(), [2, 4]);
        let weights: Vec<f32> = targets
            .weights
            .clone()
            .sum_dim(2)
            .into_data()
            .try_into_vec()
            .unwrap();
        let sixth = 1.0 / 6.0;
        assert_eq!(
            weights,
            [sixth, sixth, 0.0, 0.0, sixth, sixth, sixth, sixth]
        );
    }

    #[test]
    fn even_odds_cost_the_logarithm_of_the_vocabulary() {
        let device = Device::default();
        let vocabulary = Vocabulary::new(["a", "b"]);
        let targets = Targets::new(&[vec![0], vec![1, 0, 1]], &vocabulary, &device);
        let loss = targets
            .cross_entropy(Tensor::zeros([2, 4, 4], &device))
            .into_scalar::<f32>();
        assert!((loss - 4.0_f32.ln()).abs() < 1e-6);
    }
}
