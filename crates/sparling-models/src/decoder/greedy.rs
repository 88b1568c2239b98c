//! Greedy decoding with cached keys and values.

use burn::tensor::{Int, Tensor};

use super::Decoder;
use super::attention::KeysValues;
use super::positional::sinusoids;

/// What decoding the next tokens needs of the source and of the past tokens.
struct DecodingState {
    /// Each layer's projection of the encoded motifs.
    memory: Vec<KeysValues>,
    /// Each layer's keys and values of the tokens so far.
    past: Vec<Option<KeysValues>>,
    /// How many tokens there were.
    position: usize,
}

impl Decoder {
    /// The likeliest next token again and again, from `start` until `end` or `max_length` tokens;
    /// neither `start` nor `end` is part of the result. Call it on a model in evaluation mode
    /// (`valid()`): dropout stays active on an autodiff device.
    ///
    /// Each step runs one token per example and reads one token per example back to the host.
    ///
    /// # Shapes
    ///
    /// - motifs: `[batch, channels, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if the motifs' shape does not suit the decoder, as [`Decoder::encode`].
    pub fn greedy(
        &self,
        motifs: Tensor<4>,
        start: usize,
        end: usize,
        max_length: usize,
    ) -> Vec<Vec<usize>> {
        let memory = self.encode(motifs);
        let [batch, _, _] = memory.dims();
        let mut tokens = Tensor::<2, Int>::full([batch, 1], start as i64, &memory.device());
        let mut state = DecodingState::new(self, memory);

        let mut outputs = vec![Vec::new(); batch];
        let mut ended = vec![false; batch];
        for _ in 0..max_length {
            let logits = self.step(tokens, &mut state); // [batch, vocabulary]
            tokens = logits.argmax(1); // [batch, 1]
            let ids = tokens.to_data();
            for ((id, output), ended) in ids.iter::<i64>().zip(&mut outputs).zip(&mut ended) {
                let id = id as usize;
                *ended |= id == end;
                if !*ended {
                    output.push(id);
                }
            }
            if ended.iter().all(|ended| *ended) {
                break;
            }
        }
        outputs
    }

    /// The logits after one more token of each sequence.
    ///
    /// # Shapes
    ///
    /// - tokens: `[batch, 1]`
    /// - output: `[batch, vocabulary]`
    fn step(&self, tokens: Tensor<2, Int>, state: &mut DecodingState) -> Tensor<2> {
        let mut x = self.embedding.forward(tokens); // [batch, 1, width]
        let [_, _, width] = x.dims();
        let position = sinusoids(state.position..state.position + 1, width, &x.device());
        x = x + position.unsqueeze();
        for ((layer, memory), past) in self.decoder.iter().zip(&state.memory).zip(&mut state.past) {
            x = layer.step(x, past, memory.clone());
        }
        state.position += 1;
        self.output.forward(x.squeeze_dim(1))
    }
}

impl DecodingState {
    fn new(decoder: &Decoder, memory: Tensor<3>) -> Self {
        let layers = &decoder.decoder;
        Self {
            memory: layers
                .iter()
                .map(|layer| layer.cross.project(memory.clone()))
                .collect(),
            past: vec![None; layers.len()],
            position: 0,
        }
    }
}
