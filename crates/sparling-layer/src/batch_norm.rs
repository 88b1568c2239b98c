//! Batch normalisation with PyTorch's running statistics, affine or not.

use burn::config::Config;
use burn::module::{Flag, Module, Param, RunningState};
use burn::nn::Initializer;
use burn::tensor::module::{batch_norm, batch_norm_train};
use burn::tensor::{Device, Tensor, assert_shape};

/// Configures a [`BatchNorm`] layer.
#[derive(Config, Debug, PartialEq)]
pub struct BatchNormConfig {
    /// The number of channels.
    pub channels: usize,
    /// Whether a scale and an offset per channel are learnt.
    #[config(default = true)]
    pub affine: bool,
    /// Added to the variance, for numerical stability.
    #[config(default = 1e-5)]
    pub epsilon: f64,
    /// The weight of the newest batch in the running statistics.
    #[config(default = 0.1)]
    pub momentum: f64,
}

/// Normalises each channel over batch and space.
///
/// It differs from [`burn::nn::BatchNorm`] in two things: the running variance is the unbiased
/// one, as PyTorch's, and scale and offset can be left out.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// The learnt scale, `[channels]`.
    pub gamma: Option<Param<Tensor<1>>>,
    /// The learnt offset, `[channels]`.
    pub beta: Option<Param<Tensor<1>>>,
    /// Whether training behaviour is enabled.
    pub training: Param<Flag>,
    /// The running mean, `[channels]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running variance, `[channels]`.
    pub running_var: RunningState<Tensor<1>>,
    #[module(skip)]
    channels: usize,
    #[module(skip)]
    momentum: f64,
    #[module(skip)]
    epsilon: f64,
}

impl BatchNormConfig {
    /// Initialises the layer with mean 0, variance 1, scale 1 and offset 0.
    pub fn init(&self, device: &Device) -> BatchNorm {
        assert!(self.channels > 0, "channels must be greater than zero");
        let shape = [self.channels];
        BatchNorm {
            gamma: self.affine.then(|| Initializer::Ones.init(shape, device)),
            beta: self.affine.then(|| Initializer::Zeros.init(shape, device)),
            training: Param::from_bool(true),
            running_mean: RunningState::new(Tensor::zeros(shape, device)),
            running_var: RunningState::new(Tensor::ones(shape, device)),
            channels: self.channels,
            momentum: self.momentum,
            epsilon: self.epsilon,
        }
    }
}

impl BatchNorm {
    /// Normalises by the batch's own statistics in training mode, by the running ones otherwise.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`
    /// - output: the same
    ///
    /// # Panics
    ///
    /// Panics if the second axis is not `channels`.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let channels = self.channels;
        assert_shape!(input, [_, channels, ..]);
        let device = input.device();
        let (gamma, beta) = (self.gamma(&device), self.beta(&device));
        if !self.is_training(&device) {
            let mean = self.running_mean.value_sync().to_device(&device);
            let variance = self.running_var.value_sync().to_device(&device);
            return batch_norm(input, gamma, beta, mean, variance, self.epsilon);
        }
        let count = input.shape().num_elements() / channels;
        let result = batch_norm_train(input, gamma, beta, self.epsilon);
        self.observe(result.mean, result.variance, count);
        result.output
    }

    /// Whether an input on this device is normalised by its own statistics.
    pub fn is_training(&self, device: &Device) -> bool {
        device.is_autodiff() && self.training.is_enabled()
    }

    /// Moves the running statistics towards those of a batch: its mean and biased variance over
    /// `count` values per channel. [`forward`](Self::forward) does so itself; operators that fuse
    /// the normalisation with what follows call this.
    pub fn observe(&self, mean: Tensor<1>, variance: Tensor<1>, count: usize) {
        // PyTorch keeps the unbiased variance in the running statistics.
        let unbiased = count as f64 / (count.max(2) - 1) as f64;
        self.average(&self.running_mean, mean);
        self.average(&self.running_var, variance.mul_scalar(unbiased));
    }

    /// What is added to the variance.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    fn average(&self, running: &RunningState<Tensor<1>>, batch: Tensor<1>) {
        let kept = running.value_sync().mul_scalar(1.0 - self.momentum);
        running.update((kept + batch.detach().mul_scalar(self.momentum)).detach());
    }

    /// The scale of each channel, 1 where none is learnt.
    pub fn gamma(&self, device: &Device) -> Tensor<1> {
        match &self.gamma {
            Some(gamma) => gamma.val(),
            None => Tensor::ones([self.channels], device),
        }
    }

    /// The offset of each channel, 0 where none is learnt.
    pub fn beta(&self, device: &Device) -> Tensor<1> {
        match &self.beta {
            Some(beta) => beta.val(),
            None => Tensor::zeros([self.channels], device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_affine_there_is_nothing_to_learn() {
        let device = Device::default().autodiff();
        let layer = BatchNormConfig::new(2).with_affine(false).init(&device);
        assert_eq!(layer.num_params(), 4, "only the running statistics");
    }

    #[test]
    fn the_running_variance_is_unbiased() {
        let device = Device::default().autodiff();
        let layer = BatchNormConfig::new(1).with_momentum(1.0).init(&device);
        layer.forward(Tensor::<2>::from_floats([[1.0], [3.0]], &device));
        assert_eq!(layer.running_var.value_sync().into_scalar::<f32>(), 2.0);
        assert_eq!(layer.running_mean.value_sync().into_scalar::<f32>(), 2.0);
    }
}
