//! Residual units with pre-activation (He et al., 2016), the building block of the motif model.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use sparling_kernels::conv::{Norm, norm_relu_conv, norm_relu_conv_by};
use sparling_layer::{BatchNorm, BatchNormConfig};

use crate::layers::filters;

/// Two times batch norm, ReLU and convolution, added to the input.
#[derive(Module, Debug)]
pub struct ResidualUnit {
    /// Normalisation before the first convolution.
    pub norm1: BatchNorm,
    /// First convolution.
    pub conv1: Conv2d,
    /// Normalisation before the second convolution.
    pub norm2: BatchNorm,
    /// Second convolution.
    pub conv2: Conv2d,
}

impl ResidualUnit {
    /// A unit of `width` channels whose convolutions have the `kernel` and keep the size.
    pub fn new(width: usize, kernel: [usize; 2], device: &Device) -> Self {
        let norm = BatchNormConfig::new(width);
        let conv = Conv2dConfig::new([width, width], kernel).with_padding(PaddingConfig2d::Same);
        Self {
            norm1: norm.init(device),
            conv1: conv.init(device),
            norm2: norm.init(device),
            conv2: conv.init(device),
        }
    }

    /// # Shapes
    ///
    /// - `input`: `[batch, width, height, width]`
    /// - output: the same
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let hidden = activated(&self.norm1, &self.conv1, input.clone());
        let hidden = activated(&self.norm2, &self.conv2, hidden);
        input + hidden
    }
}

/// Batch norm, ReLU and a convolution that keeps the spatial size.
///
/// # Shapes
///
/// - `input`: `[batch, inputs, height, width]`
/// - output: `[batch, outputs, height, width]`
fn activated(norm: &BatchNorm, conv: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    let device = input.device();
    let parameters = Norm {
        gamma: norm.gamma(&device),
        beta: norm.beta(&device),
        epsilon: norm.epsilon(),
    };
    if !norm.is_training(&device) {
        let statistics = [&norm.running_mean, &norm.running_var]
            .map(|running| running.value_sync().to_device(&device));
        return norm_relu_conv_by(input, parameters, statistics, filters(conv));
    }
    let [batch, _, height, width] = input.dims();
    let (output, [mean, variance]) = norm_relu_conv(input, parameters, filters(conv));
    norm.observe(mean, variance, batch * height * width);
    output
}
