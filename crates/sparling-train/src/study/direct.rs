//! What labels of the motifs would give (paper, Appendix E).
//!
//! Sparling finds its symbols without having been shown one. Here a motif model of the same shape is
//! shown single symbols with their names (*direct*), and both are judged on such inputs: by the
//! channel that is the strongest anywhere.

use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sparling_data::{Domain, Loader, Split};
use sparling_models::MotifModel;

use crate::config::RunConfig;
use crate::evaluate::Evaluator;
use crate::input::{Input, values};
use crate::metrics::assignment;
use crate::run::trained::Trained;
use crate::training::learner::optimizer;
use crate::training::loss::cross_entropy;

/// Both models' errors on single symbols.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Direct {
    /// The density of the model that was judged.
    pub density: f64,
    /// The labelled examples that the direct model was trained on.
    pub samples: u64,
    /// On the kind of examples trained on; for speech, of the same speakers.
    pub validation: Errors,
    /// On test examples; for speech, of other speakers.
    pub test: Errors,
    /// How many examples of each.
    pub examples: usize,
}

/// The share of single symbols that are taken for another or missed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// By Sparling, its channels named by the best assignment on these examples.
    pub sparling: f64,
    /// By the model that was shown labels.
    pub direct: f64,
}

/// Trains a direct model on `samples` examples of a prepared domain with single symbols.
pub fn train(
    config: &RunConfig,
    domain: &Arc<dyn Domain>,
    device: &Device,
    samples: u64,
) -> MotifModel {
    device.seed(config.seed);
    let mut shape = config.model(&**domain).motif_model;
    shape.channels = domain.symbols().len();
    let mut model = shape.init(device);
    let mut optimizer = optimizer(&config.training);
    let split = Split::Train { seed: config.seed };
    let batch_size = config.training.batch_size;
    let loader = Loader::new(domain.clone(), split, 0, batch_size, 1);
    for batch in loader.take(samples as usize / batch_size) {
        let symbols: Vec<usize> = batch.footprints.iter().map(|each| each[0].symbol).collect();
        let scores = match Input::new(batch.inputs, &domain.input_shape(), device) {
            Input::Sound(input) => strongest(model.forward(input)),
            Input::Image(input) => strongest(model.forward(input)),
        };
        let loss = loss_of(scores, &symbols, device);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(config.training.learning_rate, model, gradients);
    }
    model
}

impl Direct {
    /// Judges a run's model beside one trained by [`train`], on a prepared domain with single
    /// symbols.
    pub fn measure(
        trained: &Trained,
        direct: &MotifModel,
        domain: &dyn Domain,
        samples: u64,
        examples: usize,
    ) -> Self {
        let of_run = trained.evaluator();
        let evaluator = Evaluator { domain, ..of_run };
        let direct = direct.valid();
        let errors = |split: Split| {
            let channels = of_run.model.bottleneck.sparsity.channels();
            let symbols = domain.symbols().len();
            let mut confusion = vec![0; channels * symbols];
            let mut right = 0;
            for batch in evaluator.batches(split, 0..examples as u64) {
                let (motifs, scores) =
                    match Input::new(batch.inputs, &domain.input_shape(), evaluator.device) {
                        Input::Sound(input) => judge(&of_run, &direct, input),
                        Input::Image(input) => judge(&of_run, &direct, input),
                    };
                for (index, footprints) in batch.footprints.iter().enumerate() {
                    let truth = footprints[0].symbol;
                    if let Some(channel) = largest(&motifs[index * channels..][..channels]) {
                        confusion[channel * symbols + truth] += 1;
                    }
                    let named = largest_of_any(&scores[index * symbols..][..symbols]);
                    right += u64::from(named == Some(truth));
                }
            }
            let assigned = assignment::best(&confusion, channels, symbols);
            let matched = assignment::matched(&confusion, symbols, &assigned);
            let [sparling, direct] =
                [matched, right].map(|right| 1.0 - right as f64 / examples as f64);
            Errors { sparling, direct }
        };
        Self {
            density: of_run.model.bottleneck.sparsity.density(),
            samples,
            validation: errors(Split::Validation),
            test: errors(Split::Test),
            examples,
        }
    }
}

/// What each channel of either model says where it is the strongest, row-major `[batch, channels]`.
fn judge<const D: usize>(
    evaluator: &Evaluator,
    direct: &MotifModel,
    input: Tensor<D>,
) -> (Vec<f32>, Vec<f32>) {
    let motifs = strongest(evaluator.model.motifs(input.clone()));
    (values(motifs), values(strongest(direct.forward(input))))
}

/// The channel of the strongest activation; none if nothing is active.
fn largest(strengths: &[f32]) -> Option<usize> {
    largest_of_any(strengths).filter(|channel| strengths[*channel] > 0.0)
}

fn largest_of_any(scores: &[f32]) -> Option<usize> {
    let scores = scores.iter().enumerate();
    let largest = scores.max_by(|(_, a), (_, b)| a.total_cmp(b));
    largest.map(|(index, _)| index)
}

/// Each channel's largest value.
///
/// # Shapes
///
/// - `maps`: `[batch, channels, spatial...]`
/// - output: `[batch, channels]`
fn strongest<const D: usize>(maps: Tensor<D>) -> Tensor<2> {
    let dims = maps.dims();
    let plane = dims[2..].iter().product();
    let maps: Tensor<3> = maps.reshape([dims[0], dims[1], plane]);
    maps.max_dim(2).reshape([dims[0], dims[1]])
}

/// The mean cross-entropy of scores `[batch, symbols]`, in nats.
fn loss_of(scores: Tensor<2>, truths: &[usize], device: &Device) -> Tensor<1> {
    let [batch, symbols] = scores.dims();
    let mut weights = vec![0.0; batch * symbols];
    for (row, truth) in truths.iter().enumerate() {
        weights[row * symbols + truth] = 1.0 / batch as f32;
    }
    let weights = TensorData::new(weights, [batch, symbols]);
    cross_entropy(scores, Tensor::from_data(weights, device))
}
