//! A training step: the whole loop's speed and each part's, beside PyTorch.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use sparling_data::{Batch, Domain, Loader, Split, batch};
use sparling_models::SparlingConfig;

use super::{Laps, median_laps, memory, run_peer};
use crate::backend::Backend;
use crate::config::RunConfig;
use crate::evaluate::Evaluator;
use crate::host::maps;
use crate::training::learner::Learner;
use crate::training::loss::Targets;

const PEER: &str = include_str!("../../peer/step.py");

/// Seconds spent on each measurement, unless a few repeats take longer.
const BUDGET: f64 = 5.0;

/// Batches after which the thresholds' moving average no longer shows where it began.
const SETTLING: usize = 60;

/// What one part of a step takes.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Milliseconds of its forward pass, or of all that it does.
    pub forward_ms: f64,
    /// Milliseconds of its backward pass.
    pub backward_ms: Option<f64>,
    /// Milliseconds that PyTorch takes for all of it.
    pub peer_ms: Option<f64>,
}

/// Everything measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where.
    pub backend: Backend,
    /// Threads on the CPU.
    pub threads: usize,
    /// Examples per step.
    pub batch_size: usize,
    /// The density that the bottleneck lets through.
    pub density: f64,
    /// Training samples per second, making them included.
    pub samples_per_s: f64,
    /// PyTorch's, without making them.
    pub peer_samples_per_s: Option<f64>,
    /// The first by the second.
    pub ratio: Option<f64>,
    /// Validation samples per second: making them, greedy decoding and the metrics.
    pub validation_samples_per_s: f64,
    /// The most memory that this process held in training, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
    /// PyTorch's.
    pub peer_peak_memory: Option<u64>,
    /// A step's parts in order, then the model's own.
    pub parts: Vec<Part>,
}

/// What PyTorch is to repeat.
#[derive(Serialize)]
struct PeerCase<'a> {
    config: &'a SparlingConfig,
    input: [usize; 3],
    batch: usize,
    time: usize,
    density: f64,
    gradient_clip_norm: Option<f64>,
    learning_rate: f64,
    budget: f64,
}

#[derive(Deserialize)]
struct PeerReport {
    samples_per_s: f64,
    peak_memory: u64,
    milliseconds: BTreeMap<String, f64>,
}

/// Measures a configuration at a density; `peer` is a Python with PyTorch.
///
/// # Errors
///
/// If the domain cannot be prepared or the peer cannot be run.
pub fn run(
    config: &RunConfig,
    density: f64,
    backend: Backend,
    peer: Option<&str>,
) -> Result<Report> {
    let domain: Arc<dyn Domain> = Arc::from(config.build_domain()?);
    domain.prepare()?;
    let device = backend.device().autodiff();
    let mut learner = Learner::new(config, &*domain, device.clone());
    learner.model.bottleneck.sparsity.set_density(density)?;
    let batch_size = config.training.batch_size;
    let rate = config.training.learning_rate;
    let split = Split::Train { seed: config.seed };

    let mut loader = Loader::new(domain.clone(), split, 0, batch_size, 1);
    let [step] = median_laps(2.0 * BUDGET, || {
        let mut laps = Laps::new(&device);
        let batch = loader.next().expect("the loader is endless");
        let loss = learner.loss(batch, &*domain);
        let gradients = learner.gradients(&loss);
        learner.update(gradients, rate);
        [laps.lap()]
    });
    drop(loader);
    let peak_memory = memory::peak();

    let mut indices = (0..).step_by(batch_size);
    let mut make = || {
        let first = indices.next().expect("there is always a next");
        batch(&*domain, split, first, batch_size)
    };
    let mut parts = step_parts(&mut learner, &*domain, &mut make, rate);
    let example = make();
    let time = longest(&example) + 1;
    parts.extend(model_parts(&learner, &*domain, example, BUDGET));

    let mut report = Report {
        backend,
        threads: rayon::current_num_threads(),
        batch_size,
        density,
        samples_per_s: batch_size as f64 / step,
        peer_samples_per_s: None,
        ratio: None,
        validation_samples_per_s: validation_speed(&learner, &*domain, config),
        peak_memory,
        peer_peak_memory: None,
        parts,
    };
    if let Some(python) = peer {
        let case = PeerCase {
            config: &config.model(&*domain),
            input: domain.input_shape(),
            batch: batch_size,
            time,
            density,
            gradient_clip_norm: config.training.gradient_clip_norm,
            learning_rate: rate,
            budget: BUDGET,
        };
        report.beside(run_peer(python, PEER, backend, &case)?);
    }
    Ok(report)
}

impl Report {
    fn beside(&mut self, peer: PeerReport) {
        self.peer_samples_per_s = Some(peer.samples_per_s);
        self.ratio = Some(self.samples_per_s / peer.samples_per_s);
        self.peer_peak_memory = Some(peer.peak_memory);
        for part in &mut self.parts {
            part.peer_ms = peer.milliseconds.get(part.name).copied();
        }
    }
}

/// What every step consists of, one after the other.
fn step_parts(
    learner: &mut Learner,
    domain: &dyn Domain,
    make: &mut dyn FnMut() -> Batch,
    rate: f64,
) -> Vec<Part> {
    let device = learner.device().clone();
    let [data, forward, backward, update] = median_laps(2.0 * BUDGET, || {
        let mut laps = Laps::new(&device);
        let batch = make();
        let data = laps.lap();
        let loss = learner.loss(batch, domain);
        let forward = laps.lap();
        let gradients = learner.gradients(&loss);
        let backward = laps.lap();
        learner.update(gradients, rate);
        [data, forward, backward, laps.lap()]
    });
    vec![
        Part::new("data, one thread", data, None),
        Part::new("model and loss", forward, Some(backward)),
        Part::new("clipping and Adam", update, None),
    ]
}

/// The model's parts, each alone, in `budget` seconds each.
pub(super) fn model_parts(
    learner: &Learner,
    domain: &dyn Domain,
    batch: Batch,
    budget: f64,
) -> Vec<Part> {
    let (model, device) = (&learner.model, learner.device());
    let targets = Targets::new(&batch.tokens, domain.vocabulary(), device);
    let input = maps(batch.inputs, domain.input_shape(), device);
    let features = leaf(model.motif_model.forward(input.clone()));
    for _ in 0..SETTLING {
        model.bottleneck.forward(features.clone().detach());
    }
    let motifs = leaf(model.bottleneck.forward(features.clone()));
    let memory = leaf(model.decoder.encode(motifs.clone()));
    vec![
        part("motif model", budget, device, || {
            model.motif_model.forward(input.clone())
        }),
        part("bottleneck", budget, device, || {
            model.bottleneck.forward(features.clone())
        }),
        part("encoder", budget, device, || {
            model.decoder.encode(motifs.clone())
        }),
        part("decoder", budget, device, || {
            model.decoder.decode(memory.clone(), targets.read.clone())
        }),
    ]
}

fn part<const D: usize>(
    name: &'static str,
    budget: f64,
    device: &Device,
    forward: impl Fn() -> Tensor<D>,
) -> Part {
    let [forward, backward] = median_laps(budget, || {
        let mut laps = Laps::new(device);
        let output = forward();
        let forward = laps.lap();
        black_box(output.sum().backward());
        [forward, laps.lap()]
    });
    Part::new(name, forward, Some(backward))
}

impl Part {
    fn new(name: &'static str, forward: f64, backward: Option<f64>) -> Self {
        Self {
            name,
            forward_ms: forward * 1e3,
            backward_ms: backward.map(|seconds| seconds * 1e3),
            peer_ms: None,
        }
    }
}

/// The same values, as if they were an input whose gradient is asked for.
fn leaf<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.detach().require_grad()
}

fn longest(batch: &Batch) -> usize {
    batch.tokens.iter().map(Vec::len).max().unwrap_or(0)
}

fn validation_speed(learner: &Learner, domain: &dyn Domain, config: &RunConfig) -> f64 {
    use burn::module::Module;
    let validation = &config.validation;
    let examples = validation.batch_size.min(validation.examples);
    let device = learner.device().clone().inner();
    let evaluator = Evaluator {
        model: &learner.model.valid(),
        domain,
        device: &device,
        batch_size: examples,
        supports: None,
    };
    let examples = evaluator.available(Split::Validation, examples);
    let [seconds] = median_laps(BUDGET, || {
        let mut laps = Laps::new(&device);
        black_box(evaluator.evaluate(Split::Validation, examples));
        [laps.lap()]
    });
    examples as f64 / seconds
}
