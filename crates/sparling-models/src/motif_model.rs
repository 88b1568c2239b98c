//! The motif model `g`, up to the bottleneck: a residual convolutional net that keeps the input's
//! size and sees a window around each position (paper, section 5.1).

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::conv;
use crate::residual::ResidualUnit;

/// Configures a [`MotifModel`].
#[derive(Config, Debug, PartialEq)]
pub struct MotifModelConfig {
    /// The channels of the input.
    pub inputs: usize,
    /// The dimensions that convolutions span: 2 for images, 1 for sequences, whose height is 1.
    pub dimensions: usize,
    /// The channels of the hidden layers.
    pub width: usize,
    /// The number of residual units; each widens the window by 4.
    pub units: usize,
    /// The number of motif channels.
    pub channels: usize,
}

/// Maps an input to one feature map per motif, of the same spatial size.
#[derive(Module, Debug)]
pub struct MotifModel {
    /// 1x1 convolution from the input.
    pub conv_in: Conv2d,
    /// The residual units.
    pub units: Vec<ResidualUnit>,
    /// 1x1 convolution to the motif channels.
    pub conv_out: Conv2d,
}

impl MotifModelConfig {
    /// Initialises the model, as PyTorch initialises convolutions.
    ///
    /// # Panics
    ///
    /// Panics if `dimensions` is neither 1 nor 2.
    pub fn init(&self, device: &Device) -> MotifModel {
        let kernel = match self.dimensions {
            1 => [1, 3],
            2 => [3, 3],
            other => panic!("dimensions must be 1 or 2, got {other}"),
        };
        MotifModel {
            conv_in: Conv2dConfig::new([self.inputs, self.width], [1, 1]).init(device),
            units: (0..self.units)
                .map(|_| ResidualUnit::new(self.width, kernel, device))
                .collect(),
            conv_out: Conv2dConfig::new([self.width, self.channels], [1, 1]).init(device),
        }
    }

    /// The side of the window that one output position depends on.
    pub fn window(&self) -> usize {
        1 + 4 * self.units
    }
}

impl MotifModel {
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, height, width]`
    /// - output: `[batch, channels, height, width]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.detect(self.features(input))
    }

    /// The last layer alone.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, features, height, width]`, of [`features`](Self::features)
    /// - output: `[batch, channels, height, width]`
    pub fn detect(&self, features: Tensor<4>) -> Tensor<4> {
        conv(&self.conv_out, features)
    }

    /// What the motifs are detected in: the output of the last residual unit.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, height, width]`
    /// - output: `[batch, features, height, width]`
    pub fn features(&self, input: Tensor<4>) -> Tensor<4> {
        let mut hidden = conv(&self.conv_in, input);
        for unit in &self.units {
            hidden = unit.forward(hidden);
        }
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_sequences_keep_their_size() {
        let device = Device::default();
        let image = MotifModelConfig::new(1, 2, 4, 1, 3).init(&device);
        let output = image.forward(Tensor::ones([2, 1, 9, 7], &device));
        assert_eq!(output.dims(), [2, 3, 9, 7]);
        let sound = MotifModelConfig::new(6, 1, 4, 1, 3).init(&device);
        let output = sound.forward(Tensor::ones([2, 6, 1, 11], &device));
        assert_eq!(output.dims(), [2, 3, 1, 11]);
    }

    /// Rows computed together share roundings, so that beyond the window this much may change.
    const ROUNDING: f32 = 1e-5;

    #[test]
    fn an_output_depends_on_its_window_alone() {
        let device = Device::default();
        // Wide enough that no chain of ReLUs blocks every path to the window's border.
        let config = MotifModelConfig::new(1, 2, 16, 2, 3);
        let reach = config.window() / 2;
        let model = config.init(&device);
        let base = Tensor::<4>::zeros([1, 1, 21, 21], &device);
        let spike = base.clone().slice_fill([0..1, 0..1, 10..11, 10..11], 1.0);
        let difference = (model.forward(base) - model.forward(spike))
            .abs()
            .sum_dim(1);
        let values = difference
            .into_data_as::<f32>()
            .try_into_vec::<f32>()
            .unwrap();
        let furthest = (0..values.len())
            .filter(|index| values[*index] > ROUNDING)
            .map(|index| (index / 21).abs_diff(10).max((index % 21).abs_diff(10)))
            .max();
        assert_eq!(furthest, Some(reach));
    }
}
