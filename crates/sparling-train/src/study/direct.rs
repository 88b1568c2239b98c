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
use sparling_data::{Batch, Domain, Loader, Split, batch};
use sparling_models::MotifModel;

use crate::config::RunConfig;
use crate::host::{maps, values};
use crate::metrics::{assignment, ratio};
use crate::run::trained::Trained;
use crate::training::learner::optimizer;
use crate::training::loss::cross_entropy;

/// Both models' errors on single symbols.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Direct {
    /// The density of the model that was judged.
    pub density: f64,
    /// The labelled examples after which the direct model was at its best.
    pub samples: u64,
    /// The symbols.
    pub symbols: Vec<String>,
    /// On the kind of examples trained on; for speech, of the same speakers.
    pub validation: Judged,
    /// On test examples; for speech, of other speakers.
    pub test: Judged,
}

/// Single symbols that are taken for another or missed, symbol by symbol.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// How many were shown.
    pub shown: Vec<u64>,
    /// Wrong by Sparling, its channels named by the best assignment on these examples.
    pub sparling_wrong: Vec<u64>,
    /// Wrong by the model that was shown labels.
    pub direct_wrong: Vec<u64>,
}

impl Judged {
    /// The share that is wrong of the symbols of these indices: by Sparling, and by the direct model.
    /// `None` if none was shown.
    pub fn errors(&self, symbols: impl Iterator<Item = usize> + Clone) -> Option<[f64; 2]> {
        let sum = |counts: &[u64]| symbols.clone().map(|symbol| counts[symbol]).sum();
        let shown = sum(&self.shown);
        let sparling = ratio(sum(&self.sparling_wrong), shown)?;
        Some([sparling, ratio(sum(&self.direct_wrong), shown)?])
    }

    /// As [`errors`](Self::errors), of all symbols.
    pub fn all(&self) -> Option<[f64; 2]> {
        self.errors(0..self.shown.len())
    }
}

/// How long a direct model is trained.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The labelled examples from one look at validation to the next.
    pub check_every: u64,
    /// It ends when so many checks in a row were no better than the best before.
    pub patience: u32,
    /// How many validation examples are looked at.
    pub examples: usize,
}

/// A direct model at its best, and after how many labelled examples that was.
#[derive(Debug)]
pub struct Labelled {
    model: MotifModel,
    samples: u64,
}

/// Trains a direct model on examples of a prepared domain with single symbols, until its validation
/// error stops falling. `report` hears of each check: samples, and the share that is wrong.
pub fn train(
    config: &RunConfig,
    domain: &Arc<dyn Domain>,
    device: &Device,
    schedule: Schedule,
    mut report: impl FnMut(u64, f64),
) -> Labelled {
    device.seed(config.seed);
    let mut shape = config.model(&**domain).motif_model;
    shape.channels = domain.symbols().len();
    let mut model = shape.init(device);
    let mut optimizer = optimizer(&config.training);
    let split = Split::Train { seed: config.seed };
    let batch_size = config.training.batch_size;
    let steps = (schedule.check_every as usize).div_ceil(batch_size);
    let mut loader = Loader::new(domain.clone(), split, 0, batch_size, 1);
    let mut samples = 0;
    let mut best: Option<(f64, Labelled)> = None;
    let mut worse = 0;
    loop {
        for batch in loader.by_ref().take(steps) {
            let truths = truths(&batch);
            let loss = loss_of(scores(&model, batch, &**domain, device), &truths, device);
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(config.training.learning_rate, model, gradients);
            samples += batch_size as u64;
        }
        let error = validation_error(&model.valid(), &**domain, batch_size, schedule.examples);
        report(samples, error);
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            worse = 0;
            let model = model.clone();
            best = Some((error, Labelled { model, samples }));
        } else {
            worse += 1;
        }
        match best {
            Some((least, labelled)) if worse == schedule.patience || least == 0.0 => {
                return labelled;
            }
            _ => {}
        }
    }
}

/// The share of validation's single symbols that a direct model takes for another.
fn validation_error(
    model: &MotifModel,
    domain: &dyn Domain,
    batch_size: usize,
    examples: usize,
) -> f64 {
    let device = model.devices().remove(0);
    let mut wrong = 0;
    for batch in singles(domain, Split::Validation, batch_size, examples) {
        let truths = truths(&batch);
        let scores = values(scores(model, batch, domain, &device));
        let rows = scores.chunks(domain.symbols().len()).zip(&truths);
        wrong += rows
            .filter(|(row, truth)| largest(row) != Some(**truth))
            .count();
    }
    wrong as f64 / examples as f64
}

impl Direct {
    /// Judges a run's model beside one trained by [`train`], on a prepared domain with single
    /// symbols, by so many examples of validation and of test.
    pub fn measure(
        trained: &Trained,
        direct: &Labelled,
        domain: &dyn Domain,
        examples: usize,
    ) -> Self {
        let model = direct.model.valid();
        let judge = |split| judge(trained, &model, domain, split, examples);
        Self {
            density: trained.evaluator().model.bottleneck.sparsity.density(),
            samples: direct.samples,
            symbols: domain.symbols().to_vec(),
            validation: judge(Split::Validation),
            test: judge(Split::Test),
        }
    }
}

/// Judges both models on single symbols of a split.
fn judge(
    trained: &Trained,
    direct: &MotifModel,
    domain: &dyn Domain,
    split: Split,
    examples: usize,
) -> Judged {
    let evaluator = trained.evaluator();
    let channels = evaluator.model.bottleneck.sparsity.channels();
    let symbols = domain.symbols().len();
    let mut confusion = vec![0; channels * symbols];
    let (mut shown, mut right) = (vec![0; symbols], vec![0; symbols]);
    for batch in singles(domain, split, evaluator.batch_size, examples) {
        let truths = truths(&batch);
        let input = maps(batch.inputs, domain.input_shape(), evaluator.device);
        let motifs = values(strongest(evaluator.model.motifs(input.clone())));
        let scores = values(strongest(direct.forward(input)));
        let rows = motifs.chunks(channels).zip(scores.chunks(symbols));
        for ((motifs, scores), truth) in rows.zip(truths) {
            shown[truth] += 1;
            if let Some(channel) = largest(motifs).filter(|channel| motifs[*channel] > 0.0) {
                confusion[channel * symbols + truth] += 1;
            }
            right[truth] += u64::from(largest(scores) == Some(truth));
        }
    }
    let assigned = assignment::best(&confusion, channels, symbols);
    let mut named = vec![0; symbols];
    for (channel, symbol) in assigned.iter().enumerate() {
        if let Some(symbol) = symbol {
            named[*symbol] += confusion[channel * symbols + symbol];
        }
    }
    let wrong = |right: &[u64]| {
        shown
            .iter()
            .zip(right)
            .map(|(all, right)| all - right)
            .collect()
    };
    Judged {
        sparling_wrong: wrong(&named),
        direct_wrong: wrong(&right),
        shown,
    }
}

/// The first examples of a split, in batches.
fn singles(
    domain: &dyn Domain,
    split: Split,
    batch_size: usize,
    examples: usize,
) -> impl Iterator<Item = Batch> {
    (0..examples).step_by(batch_size).map(move |first| {
        let size = batch_size.min(examples - first);
        batch(domain, split, first as u64, size)
    })
}

/// The one symbol of each example.
fn truths(batch: &Batch) -> Vec<usize> {
    batch.footprints.iter().map(|each| each[0].symbol).collect()
}

/// How strongly a direct model says each symbol.
///
/// # Shapes
///
/// - output: `[batch, symbols]`
fn scores(model: &MotifModel, batch: Batch, domain: &dyn Domain, device: &Device) -> Tensor<2> {
    strongest(model.forward(maps(batch.inputs, domain.input_shape(), device)))
}

/// The first index of the largest value.
fn largest(scores: &[f32]) -> Option<usize> {
    let scores = scores.iter().enumerate().rev();
    let largest = scores.max_by(|(_, a), (_, b)| a.total_cmp(b));
    largest.map(|(index, _)| index)
}

/// Each channel's largest value.
///
/// # Shapes
///
/// - `maps`: `[batch, channels, height, width]`
/// - output: `[batch, channels]`
fn strongest(maps: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = maps.dims();
    let maps: Tensor<3> = maps.reshape([batch, channels, height * width]);
    maps.max_dim(2).reshape([batch, channels])
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
