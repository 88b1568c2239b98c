//! The paper's Algorithm 1 under burn-train's `Learner`, which owns the model.
//!
//! Which of four patterns is somewhere in a noisy sequence? The density is cut whenever validation is
//! accurate enough, until there is one activation for each sequence. `Learner` takes the model and hands
//! it back at the end, so that the density is set through the layer's handle; and it asks after each
//! epoch's validation whether to stop, which is when Algorithm 1 decides. So the annealing is its
//! early-stopping strategy.
//!
//! ```text
//! cargo run --release --manifest-path crates/sparling-layer/examples/learner/Cargo.toml
//! ```

use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig1d};
use burn::optim::AdamConfig;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation};
use burn::train::logger::InMemoryMetricLogger;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use burn::train::metric::{AccuracyMetric, Metric};
use burn::train::{
    ClassificationOutput, EarlyStoppingStrategy, InferenceStep, Learner, SupervisedTraining,
    TrainOutput, TrainStep,
};
use sparling_layer::annealing::{AnnealConfig, Annealer, Decision};
use sparling_layer::{
    DensityHandle, SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig,
};

const CLASSES: usize = 4;
const LENGTH: usize = 64;
const WIDTH: usize = 7;
const PATTERNS: [[f32; WIDTH]; CLASSES] = [
    [1.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0],
    [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0],
    [-1.0, 0.0, 1.0, 2.0, 1.0, 0.0, -1.0],
    [1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0],
];
/// Sequences of an epoch, and as many to validate on.
const SEQUENCES: usize = 512;
const MOST_EPOCHS: usize = 100;
const FIRST_DENSITY: f64 = 0.5;
/// One activation for each sequence.
const LAST_DENSITY: f64 = 1.0 / (CLASSES * LENGTH) as f64;

#[derive(Module, Debug)]
struct Finder {
    conv: Conv1d,
    to_motifs: Conv1d,
    bottleneck: SparseBottleneck,
    head: Linear,
}

impl Finder {
    fn new(device: &Device) -> Self {
        let conv = Conv1dConfig::new(1, 32, WIDTH);
        let sparsity = SpatialSparsityConfig::new(CLASSES, FIRST_DENSITY);
        Self {
            conv: conv.with_padding(PaddingConfig1d::Same).init(device),
            to_motifs: Conv1dConfig::new(32, CLASSES, 1).init(device),
            bottleneck: SparseBottleneckConfig::new(sparsity).init(device),
            head: LinearConfig::new(CLASSES, CLASSES).init(device),
        }
    }

    fn classify(&self, batch: Batch) -> ClassificationOutput {
        let features = activation::relu(self.conv.forward(batch.signal));
        let motifs = self.bottleneck.forward(self.to_motifs.forward(features));
        let sums = motifs.sum_dim(2).squeeze_dim(2); // [batch, classes]
        let logits = self.head.forward(sums);
        let loss = CrossEntropyLossConfig::new().init(&logits.device());
        let loss = loss.forward(logits.clone(), batch.classes.clone());
        ClassificationOutput::new(loss, logits, batch.classes)
    }
}

impl TrainStep for Finder {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Finder {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}

/// Algorithm 1, told of each validation.
#[derive(Clone)]
struct Annealing {
    annealer: Annealer,
    density: DensityHandle,
}

impl EarlyStoppingStrategy for Annealing {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let name = AccuracyMetric::new().name();
        let percent = store.find_metric(&name, epoch, Aggregate::Mean, &Split::Valid);
        let accuracy = percent.expect("accuracy is measured in validation") / 100.0;
        match self.annealer.check((epoch * SEQUENCES) as u64, accuracy) {
            Decision::Keep => false,
            Decision::Cut { from, to } => {
                println!("epoch {epoch:>2}  accuracy {accuracy:.3}  density {from:.4} -> {to:.4}");
                self.density.set(to).expect("a cut density is above 0");
                false
            }
            Decision::Finish { .. } => true,
        }
    }
}

/// `signal` is `[batch, 1, length]`, `classes` `[batch]`.
#[derive(Clone, Debug)]
struct Batch {
    signal: Tensor<3>,
    classes: Tensor<1, Int>,
}

/// Makes sequences of their numbers: each a pattern in fresh noise.
struct Planter;

impl Batcher<usize, Batch> for Planter {
    fn batch(&self, numbers: Vec<usize>, device: &Device) -> Batch {
        let size = numbers.len();
        let mut signal = vec![0.0; size * LENGTH];
        for (sequence, number) in signal.chunks_mut(LENGTH).zip(&numbers) {
            let start = number * 31 % (LENGTH - WIDTH);
            sequence[start..start + WIDTH].copy_from_slice(&PATTERNS[number % CLASSES]);
        }
        let classes: Vec<i64> = numbers
            .iter()
            .map(|number| (number % CLASSES) as i64)
            .collect();
        let signal = Tensor::from_data(TensorData::new(signal, [size, 1, LENGTH]), device);
        Batch {
            signal: signal.random_like(Distribution::Normal(0.0, 0.2)) + signal,
            classes: Tensor::from_data(TensorData::new(classes, [size]), device),
        }
    }
}

fn sequences() -> Arc<dyn DataLoader<Batch>> {
    DataLoaderBuilder::new(Planter)
        .batch_size(32)
        .shuffle(1)
        .build(InMemDataset::new((0..SEQUENCES).collect()))
}

fn main() {
    let device = Device::default().autodiff();
    device.seed(1);
    let model = Finder::new(&device);
    let density = model.bottleneck.sparsity.density_handle();
    let config = AnnealConfig {
        initial_density: FIRST_DENSITY,
        initial_target: 1.0,
        target_decay_per_sample: 1e-5,
        density_update: 0.5,
        check_every_samples: SEQUENCES as u64,
        minimum_density: LAST_DENSITY,
    };
    let annealing = Annealing {
        annealer: Annealer::new(config).expect("the configuration is valid"),
        density: density.clone(),
    };

    // It writes no file: metrics stay in memory.
    let training = SupervisedTraining::new(std::env::temp_dir(), sequences(), sequences())
        .metric_valid_numeric(AccuracyMetric::new())
        .with_metric_logger(InMemoryMetricLogger::new())
        .with_application_logger(None)
        .early_stopping(annealing)
        .num_epochs(MOST_EPOCHS);
    let trained = training.launch(Learner::new(model, AdamConfig::new().init(), 1e-2));

    let reached = trained.model.bottleneck.sparsity.density();
    println!(
        "density {reached}, of which the handle says {}",
        density.get()
    );
    assert!(trained.error.is_none(), "training failed");
    assert_eq!(reached, density.get(), "the handle is the trained model's");
    assert!(
        reached < 2.0 * LAST_DENSITY,
        "the density fell to {reached}, not to {LAST_DENSITY}"
    );
}
