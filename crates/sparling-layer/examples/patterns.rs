//! The bottleneck inside a small classifier of your own: which patterns occur in a noisy sequence?
//!
//! The labels say which patterns occur, never where. The model finds that out because it must
//! answer from ever fewer activations: the density is cut whenever the accuracy allows it.
//!
//! ```text
//! cargo run --release -p sparling-layer --example patterns
//! ```

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::loss::BinaryCrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig1d};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation};
use sparling_layer::{SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig};

const CLASSES: usize = 4;
const LENGTH: usize = 128;
const WIDTH: usize = 7;
const PATTERNS: [[f32; WIDTH]; CLASSES] = [
    [1.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0],
    [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0],
    [-1.0, 0.0, 1.0, 2.0, 1.0, 0.0, -1.0],
    [1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0],
];
const STEPS: usize = 4000;
/// A tenth above one activation per pattern: each occurs once, in half of the sequences.
const LAST_DENSITY: f64 = 1.1 * 0.5 / LENGTH as f64;

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
        let sparsity = SpatialSparsityConfig::new(CLASSES, 0.5);
        Self {
            conv: conv.with_padding(PaddingConfig1d::Same).init(device),
            to_motifs: Conv1dConfig::new(32, CLASSES, 1).init(device),
            bottleneck: SparseBottleneckConfig::new(sparsity).init(device),
            head: LinearConfig::new(CLASSES, CLASSES).init(device),
        }
    }

    /// From `[batch, 1, length]` to motifs of the same length, `[batch, classes, length]`.
    fn motifs(&self, signal: Tensor<3>) -> Tensor<3> {
        let features = activation::relu(self.conv.forward(signal));
        self.bottleneck.forward(self.to_motifs.forward(features))
    }

    /// One logit for each pattern, from nothing but the sum of each motif's activations.
    fn forward(&self, signal: Tensor<3>) -> Tensor<2> {
        let sums = self.motifs(signal).sum_dim(2); // [batch, classes, 1]
        self.head.forward(sums.squeeze_dim(2))
    }
}

struct Batch {
    signal: Tensor<3>,
    labels: Tensor<2, Int>,
    planted: Vec<Vec<(usize, usize)>>, // the pattern and where it starts
}

fn batch(size: usize, device: &Device) -> Batch {
    let draws = Tensor::random([2 * size * CLASSES], Distribution::Default, device);
    let draws = values(draws);
    let mut signal = vec![0.0; size * LENGTH];
    let mut labels = vec![0; size * CLASSES];
    let mut planted = vec![Vec::new(); size];
    let occur = |(_, draw): &(usize, &[f32])| draw[0] < 0.5;
    for (index, draw) in draws.chunks(2).enumerate().filter(occur) {
        let (sequence, class) = (index / CLASSES, index % CLASSES);
        let start = (draw[1] * (LENGTH - WIDTH) as f32) as usize;
        for (offset, value) in PATTERNS[class].iter().enumerate() {
            signal[sequence * LENGTH + start + offset] += value;
        }
        labels[index] = 1;
        planted[sequence].push((class, start));
    }
    let signal = Tensor::from_data(TensorData::new(signal, [size, 1, LENGTH]), device);
    Batch {
        signal: signal.random_like(Distribution::Normal(0.0, 0.2)) + signal,
        labels: Tensor::<2, Int>::from_data(TensorData::new(labels, [size, CLASSES]), device),
        planted,
    }
}

/// The share of sequences answered rightly for every pattern, in evaluation mode.
fn accuracy(model: &Finder) -> f32 {
    let (model, batch) = (model.valid(), batch(512, &Device::default()));
    let answers = model.forward(batch.signal).greater_scalar(0.0).int();
    let right = answers.equal(batch.labels).all_dim(1);
    right.float().mean().into_scalar()
}

fn main() -> Result<(), sparling_layer::DensityError> {
    let device = Device::default().autodiff();
    device.seed(1);
    let mut model = Finder::new(&device);
    let mut adam = AdamConfig::new().init();
    let loss = BinaryCrossEntropyLossConfig::new().with_logits(true);
    println!("accuracy before training: {:.3}", accuracy(&model));

    for step in 1..=STEPS {
        let batch = batch(32, &device);
        let logits = model.forward(batch.signal);
        let loss = loss.init(&device).forward(logits, batch.labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = adam.step(1e-2, model, gradients);

        let density = model.bottleneck.sparsity.density();
        if step % 100 == 0 && density > LAST_DENSITY {
            let accuracy = accuracy(&model);
            println!("step {step:>4}  density {density:.4}  accuracy {accuracy:.3}");
            // The paper's Algorithm 1 has a target that starts at 1 and falls slowly.
            if accuracy > 0.9 {
                let next = (0.75 * density).max(LAST_DENSITY);
                model.bottleneck.sparsity.set_density(next)?;
            }
        }
    }

    println!("accuracy after training: {:.3}", accuracy(&model));
    let test = batch(200, &device.inner());
    let motifs = values(model.valid().motifs(test.signal).flatten(0, 2));
    let left = motifs.iter().filter(|value| **value > 0.0).count();
    let planted = test.planted.iter().flatten().count();
    let all = motifs.len();
    println!("{left} of {all} activations are left, for {planted} patterns");
    let sequences = motifs.chunks(CLASSES * LENGTH);
    for (sequence, planted) in sequences.zip(&test.planted).take(5) {
        let active = (0..sequence.len()).filter(|index| sequence[*index] > 0.0);
        let found = active.map(|index| (index / LENGTH, index % LENGTH));
        let found: Vec<_> = found.collect();
        println!("patterns {planted:?}  motifs {found:?}");
    }
    Ok(())
}

fn values(tensor: Tensor<1>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}
