//! What a model gets right: output tokens, and motifs against held-out footprints.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use sparling_data::{Batch, Domain, Footprint, Split, batch};
use sparling_models::Sparling;

use crate::host::{maps, values};
use crate::metrics::{CentredCounts, Evaluation, Motif, Supports};

/// An input with what a model made of it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The input, row-major `[channels, height, width]`.
    pub input: Vec<f32>,
    /// Every activation.
    pub motifs: Vec<Motif>,
    /// The output tokens predicted.
    pub prediction: Vec<usize>,
    /// The true output tokens.
    pub truth: Vec<usize>,
    /// Where the symbols are.
    pub footprints: Vec<Footprint>,
}

impl Reading {
    /// Where the symbols are; `None` if there are some and nobody has said where.
    pub fn located(&self) -> Option<&[Footprint]> {
        let located = self.truth.is_empty() || !self.footprints.is_empty();
        located.then_some(&self.footprints)
    }
}

/// A model in evaluation mode, with what is needed to run it on a domain's examples.
pub struct Evaluator<'a> {
    /// The model, without autodiff.
    pub model: &'a Sparling,
    /// Its domain.
    pub domain: &'a dyn Domain,
    /// Its device, without autodiff.
    pub device: &'a Device,
    /// Examples per forward pass.
    pub batch_size: usize,
    /// Where its channels look, if that is known.
    pub supports: Option<&'a Supports>,
}

impl Evaluator<'_> {
    /// Evaluates the first `examples` of a split, or all if there are fewer.
    pub fn evaluate(&self, split: Split, examples: usize) -> Evaluation {
        let sparsity = &self.model.bottleneck.sparsity;
        let (channels, symbols) = (sparsity.channels(), self.domain.symbols().len());
        let mut evaluation = Evaluation::new(sparsity.density(), channels, symbols);
        let mut centred = CentredCounts::new(channels, symbols);
        let [_, height, width] = self.domain.input_shape();
        let elements = channels * height * width;
        for reading in self.readings(split, examples) {
            let Reading {
                motifs,
                truth,
                prediction,
                ..
            } = &reading;
            match reading.located() {
                Some(footprints) => {
                    evaluation.motifs.add_motifs(motifs, elements, footprints);
                    if let Some(supports) = self.supports {
                        centred.add(motifs, footprints, supports, [height, width], elements);
                    }
                }
                None => evaluation.motifs.add_unlocated(motifs.len(), elements),
            }
            evaluation.outputs.add_example(truth, prediction);
            if let Some(well_formed) = self.domain.is_well_formed(prediction) {
                evaluation.well_formed[0] += u64::from(well_formed);
                evaluation.well_formed[1] += 1;
            }
            evaluation.examples += 1;
        }
        evaluation.centred = self.supports.map(|_| centred);
        evaluation
    }

    /// Reads the first `examples` of a split.
    pub fn read_split(&self, split: Split, examples: usize) -> Vec<Reading> {
        self.readings(split, examples).collect()
    }

    /// How many examples there are of so many of a split.
    pub fn available(&self, split: Split, examples: usize) -> usize {
        let count = self.domain.count(split);
        count.map_or(examples, |count| examples.min(count as usize))
    }

    /// Examples of a split, in batches: as many as there are.
    pub fn batches(&self, split: Split, examples: Range<u64>) -> impl Iterator<Item = Batch> {
        let end = self.available(split, examples.end as usize) as u64;
        (examples.start..end)
            .step_by(self.batch_size)
            .map(move |first| {
                let size = self.batch_size.min((end - first) as usize);
                batch(self.domain, split, first, size)
            })
    }

    /// What the model makes of the first `examples` of a split, one after the other.
    pub fn readings(&self, split: Split, examples: usize) -> impl Iterator<Item = Reading> {
        self.batches(split, 0..examples as u64)
            .flat_map(|batch| self.read(batch))
    }

    /// Runs the model on a batch.
    pub fn read(&self, batch: Batch) -> Vec<Reading> {
        let size = batch.tokens.len();
        let shape = self.domain.input_shape();
        let input = maps(batch.inputs.clone(), shape, self.device);
        let motifs = self.model.motifs(input);
        let predictions = self.outputs(motifs.clone());
        let motifs = values(motifs);
        let [_, height, width] = shape;
        let inputs = batch.inputs.chunks(batch.inputs.len() / size);
        let motifs = motifs.chunks(motifs.len() / size);
        let rest = batch.tokens.into_iter().zip(batch.footprints);
        inputs
            .zip(motifs)
            .zip(predictions.into_iter().zip(rest))
            .map(
                |((input, motifs), (prediction, (truth, footprints)))| Reading {
                    input: input.to_vec(),
                    motifs: Motif::collect(motifs, height, width),
                    prediction,
                    truth,
                    footprints,
                },
            )
            .collect()
    }

    /// The output tokens that the decoder writes for one input's motifs.
    pub fn output_of(&self, motifs: &[Motif]) -> Vec<usize> {
        let outputs = self.outputs_of(&[motifs.to_vec()]);
        let mut outputs = outputs.into_iter();
        outputs.next().expect("one output for one input")
    }

    /// The output tokens that the decoder writes for each of some inputs' motifs.
    pub fn outputs_of(&self, inputs: &[Vec<Motif>]) -> Vec<Vec<usize>> {
        self.outputs(self.maps_of(inputs))
    }

    /// The logits of each next token, given those before it, for each of some inputs' motifs.
    ///
    /// # Shapes
    ///
    /// - `read`: `[batch, time]`
    /// - output: `[batch, time, vocabulary]`
    pub fn logits_of(&self, inputs: &[Vec<Motif>], read: Tensor<2, Int>) -> Tensor<3> {
        self.model.decoder.forward(self.maps_of(inputs), read)
    }

    /// How probable the decoder takes each input's output to be, given its motifs: the product over its
    /// tokens and its end.
    pub fn confidences(&self, inputs: &[Vec<Motif>], outputs: &[Vec<usize>]) -> Vec<f64> {
        let outputs: Vec<Vec<usize>> = outputs.iter().map(|output| self.ended(output)).collect();
        let logs = self.log_probabilities(inputs, &outputs);
        logs.iter()
            .map(|logs| logs.iter().sum::<f64>().exp())
            .collect()
    }

    /// An output with the token that ends it, unless it was cut off for its length.
    pub fn ended(&self, output: &[usize]) -> Vec<usize> {
        let is_whole = output.len() <= self.domain.longest_output();
        let end = is_whole.then(|| self.domain.vocabulary().end());
        output.iter().copied().chain(end).collect()
    }

    /// The log-probability of each token of each input's output, in nats, given the motifs and the tokens
    /// before it.
    pub fn log_probabilities(
        &self,
        inputs: &[Vec<Motif>],
        outputs: &[Vec<usize>],
    ) -> Vec<Vec<f64>> {
        let vocabulary = self.domain.vocabulary();
        let mut rows = Vec::with_capacity(inputs.len());
        let batches = inputs.chunks(self.batch_size);
        for (inputs, outputs) in batches.zip(outputs.chunks(self.batch_size)) {
            let time = outputs.iter().map(Vec::len).max().unwrap_or(0).max(1);
            let read = outputs.iter().flat_map(|output| {
                let before = std::iter::once(vocabulary.start()).chain(output.iter().copied());
                let filled = before.chain(std::iter::repeat(vocabulary.end()));
                filled.take(time).map(|token| token as i32)
            });
            let read = TensorData::new(read.collect::<Vec<i32>>(), [inputs.len(), time]);
            let logits = self.logits_of(inputs, Tensor::from_data(read, self.device));
            let size = logits.dims()[2];
            let logs = values(activation::log_softmax(logits, 2));
            let each = logs.chunks(time * size).zip(outputs);
            rows.extend(each.map(|(logs, output)| {
                let steps = output.iter().enumerate();
                steps
                    .map(|(step, token)| f64::from(logs[step * size + token]))
                    .collect()
            }));
        }
        rows
    }

    fn maps_of(&self, inputs: &[Vec<Motif>]) -> Tensor<4> {
        let [_, height, width] = self.domain.input_shape();
        let channels = self.model.bottleneck.sparsity.channels();
        let size = channels * height * width;
        let mut strengths = vec![0.0; inputs.len() * size];
        for (motifs, map) in inputs.iter().zip(strengths.chunks_mut(size)) {
            for motif in motifs {
                map[(motif.channel * height + motif.row) * width + motif.column] = motif.strength;
            }
        }
        maps(strengths, [channels, height, width], self.device)
    }

    /// The output tokens that the decoder writes for motifs.
    ///
    /// # Shapes
    ///
    /// - `motifs`: `[batch, channels, height, width]`
    pub fn outputs(&self, motifs: Tensor<4>) -> Vec<Vec<usize>> {
        let vocabulary = self.domain.vocabulary();
        // One more than the longest, so that an output that is too long shows as one.
        let longest = self.domain.longest_output() + 1;
        let (start, end) = (vocabulary.start(), vocabulary.end());
        self.model.decoder.greedy(motifs, start, end, longest)
    }
}
