//! What a model gets right: output tokens, and motifs against held-out footprints.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sparling_data::{Batch, Domain, Footprint, Split, batch};
use sparling_models::Sparling;

use crate::host::values;
use crate::input::Input;
use crate::metrics::{
    AlignedConfusion, EndToEnd, Matching, Motif, MotifCounts, SymbolErrors, ratio,
};
use crate::support::Supports;

/// The figures of an evaluation (paper, section 3.2), all as shares between 0 and 1.
///
/// A figure whose denominator is empty is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The density the bottleneck is set to.
    pub density: f64,
    /// The share of activations that are not zero.
    pub empirical_density: Option<f64>,
    /// Symbols without any activation in their footprint.
    pub fne: Option<f64>,
    /// Activations outside all footprints, among those and the maximal motifs.
    pub fpe: Option<f64>,
    /// Activations outside all footprints, among all activations.
    pub fpe_all: Option<f64>,
    /// Maximal motifs whose channel stands for another symbol.
    pub ce: Option<f64>,
    /// Mean edit distance over length.
    pub e2ee: Option<f64>,
    /// Outputs that are right in every token.
    pub exact_match: Option<f64>,
    /// Outputs that the domain's grammar makes, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_formed: Option<f64>,
    /// How many examples were evaluated.
    pub examples: usize,
    /// For each channel the symbol it stands for under the best assignment.
    #[serde(default)]
    pub symbols: Vec<Option<usize>>,
}

/// The figures, with what is behind them symbol by symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// The errors of each symbol.
    pub by_symbol: Vec<SymbolErrors>,
    /// Which channel answered to which symbol.
    pub confusion: AlignedConfusion,
    /// The same errors with the centre of each motif's support in place of the motif's own position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centred: Option<Centred>,
}

/// What motifs get right where the middle of what their channel looks at is taken for their position.
///
/// Paper: this is ours. The supports are measured without any footprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Centred {
    /// Symbols without any centre in their footprint.
    pub fne: Option<f64>,
    /// Centres outside all footprints, among those and the maximal ones.
    pub fpe: Option<f64>,
    /// Centres outside all footprints, among all.
    pub fpe_all: Option<f64>,
    /// Maximal motifs whose channel stands for another symbol.
    pub ce: Option<f64>,
    /// The mean overlap of maximal motifs' supports with their footprints: intersection over union.
    pub iou: Option<f64>,
}

/// The counts behind [`Centred`].
#[derive(Clone, Debug)]
pub struct CentredCounts {
    /// Centres against footprints.
    pub motifs: MotifCounts,
    /// The sum of the overlaps.
    pub overlap: f64,
}

/// The counts behind the figures.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The density the bottleneck is set to.
    pub density: f64,
    /// Motifs against footprints.
    pub motifs: MotifCounts,
    /// The same with the centres of their supports, where these are known.
    pub centred: Option<CentredCounts>,
    /// Outputs against the truth.
    pub outputs: EndToEnd,
    /// Outputs that the domain's grammar makes, of those that it was asked about.
    pub well_formed: [u64; 2],
    /// How many examples were evaluated.
    pub examples: usize,
}

/// An input with what a model made of it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The input, row-major `[channels, spatial...]`.
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

impl Evaluation {
    /// Divides the counts.
    pub fn figures(&self) -> Figures {
        Figures {
            density: self.density,
            empirical_density: self.motifs.empirical_density(),
            fne: self.motifs.fne(),
            fpe: self.motifs.fpe(),
            fpe_all: self.motifs.fpe_all(),
            ce: self.motifs.ce(),
            e2ee: self.outputs.e2ee(),
            exact_match: self.outputs.accuracy(),
            well_formed: ratio(self.well_formed[0], self.well_formed[1]),
            examples: self.examples,
            symbols: self.motifs.assignment(),
        }
    }

    /// Divides the counts, by symbol too.
    pub fn report(&self) -> Report {
        Report {
            figures: self.figures(),
            by_symbol: self.motifs.by_symbol(),
            confusion: self.motifs.aligned(),
            centred: self.centred.as_ref().map(CentredCounts::figures),
        }
    }
}

impl CentredCounts {
    fn figures(&self) -> Centred {
        let maximal = self.motifs.maximal_total();
        Centred {
            fne: self.motifs.fne(),
            fpe: self.motifs.fpe(),
            fpe_all: self.motifs.fpe_all(),
            ce: self.motifs.ce(),
            iou: (maximal > 0).then(|| self.overlap / maximal as f64),
        }
    }

    /// Counts what was found in one example, whose map has so many elements.
    fn add(&mut self, reading: &Reading, supports: &Supports, plane: [usize; 2], elements: usize) {
        let footprints = &reading.footprints;
        let centred = supports.centre(&reading.motifs, plane);
        self.motifs.add_motifs(&centred, elements, footprints);
        let maximal = Matching::new(&centred, footprints).maximal;
        for (footprint, maximal) in footprints.iter().zip(maximal) {
            let motif = maximal.map(|index| &reading.motifs[index]);
            if let Some((motif, support)) =
                motif.and_then(|motif| Some((motif, supports.of(motif)?)))
            {
                let [rows, columns] = support.around(motif, plane);
                self.overlap += footprint.overlap(rows, columns);
            }
        }
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
    /// Evaluates the first `examples` of a split.
    pub fn evaluate(&self, split: Split, examples: usize) -> Evaluation {
        let channels = self.model.bottleneck.sparsity.channels();
        let mut evaluation = Evaluation {
            density: self.model.bottleneck.sparsity.density(),
            motifs: self.no_motifs(),
            centred: self.supports.map(|_| CentredCounts {
                motifs: self.no_motifs(),
                overlap: 0.0,
            }),
            outputs: EndToEnd::default(),
            well_formed: [0, 0],
            examples,
        };
        let plane = plane(&self.domain.input_shape());
        let elements = channels * plane[0] * plane[1];
        for reading in self.readings(split, examples) {
            evaluation
                .motifs
                .add_motifs(&reading.motifs, elements, &reading.footprints);
            if let (Some(centred), Some(supports)) = (&mut evaluation.centred, self.supports) {
                centred.add(&reading, supports, plane, elements);
            }
            evaluation
                .outputs
                .add_example(&reading.truth, &reading.prediction);
            if let Some(well_formed) = self.domain.is_well_formed(&reading.prediction) {
                evaluation.well_formed[0] += u64::from(well_formed);
                evaluation.well_formed[1] += 1;
            }
        }
        evaluation
    }

    fn no_motifs(&self) -> MotifCounts {
        let channels = self.model.bottleneck.sparsity.channels();
        MotifCounts::new(channels, self.domain.symbols().len())
    }

    /// Reads the first `examples` of a split.
    pub fn read_split(&self, split: Split, examples: usize) -> Vec<Reading> {
        self.readings(split, examples).collect()
    }

    /// Examples of a split, in batches.
    pub fn batches(&self, split: Split, examples: Range<u64>) -> impl Iterator<Item = Batch> {
        let end = examples.end;
        examples.step_by(self.batch_size).map(move |first| {
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
        let (motifs, predictions) = match Input::new(batch.inputs.clone(), &shape, self.device) {
            Input::Sound(input) => self.run(input),
            Input::Image(input) => self.run(input),
        };
        let [height, width] = plane(&shape);
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

    fn run<const D: usize>(&self, input: Tensor<D>) -> (Vec<f32>, Vec<Vec<usize>>) {
        let motifs = self.model.motifs(input);
        let predictions = self.outputs(motifs.clone());
        (values(motifs), predictions)
    }

    /// The output tokens that the decoder writes for one input's motifs.
    pub fn output_of(&self, motifs: &[Motif]) -> Vec<usize> {
        let shape = self.domain.input_shape();
        let [height, width] = plane(&shape);
        let channels = self.model.bottleneck.sparsity.channels();
        let mut map = vec![0.0; channels * height * width];
        for motif in motifs {
            map[(motif.channel * height + motif.row) * width + motif.column] = motif.strength;
        }
        let mut map_shape = shape;
        map_shape[0] = channels;
        let outputs = match Input::new(map, &map_shape, self.device) {
            Input::Sound(map) => self.outputs(map),
            Input::Image(map) => self.outputs(map),
        };
        outputs
            .into_iter()
            .next()
            .expect("one output for one input")
    }

    /// The output tokens that the decoder writes for motifs.
    ///
    /// # Shapes
    ///
    /// - `motifs`: `[batch, channels, spatial...]`
    pub fn outputs<const D: usize>(&self, motifs: Tensor<D>) -> Vec<Vec<usize>> {
        let vocabulary = self.domain.vocabulary();
        // One more than the longest, so that an output that is too long shows as one.
        let longest = self.domain.longest_output() + 1;
        let (start, end) = (vocabulary.start(), vocabulary.end());
        self.model.decoder.greedy(motifs, start, end, longest)
    }
}

/// The height and width of a motif map: one-dimensional ones have a height of 1.
pub fn plane(input_shape: &[usize]) -> [usize; 2] {
    match *input_shape {
        [_, length] => [1, length],
        [_, height, width] => [height, width],
        _ => panic!("expected one or two spatial dimensions, got {input_shape:?}"),
    }
}
