//! The motif model `g`, up to the bottleneck: a residual convolutional net that keeps the input's
//! size and sees a window around each position (paper, section 5.1).

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Shape, Tensor};

use crate::layers::conv;
use crate::residual::ResidualUnit;

/// Configures a [`MotifModel`].
#[derive(Config, Debug, PartialEq)]
pub struct MotifModelConfig {
    /// The channels of the input.
    pub inputs: usize,
    /// The spatial dimensions of the input: 1 for sound, 2 for images.
    pub dimensions: usize,
    /// The channels of the hidden layers.
    pub width: usize,
    /// The number of residual units; each widens the window by 4.
    pub units: usize,
    /// The number of motif channels.
    pub channels: usize,
}

/// Maps an input to one feature map per motif, of the same spatial size.
///
/// One-dimensional input is taken as an image of height 1.
#[derive(Module, Debug)]
pub struct MotifModel {
    /// 1x1 convolution from the input.
    pub conv_in: Conv2d,
    /// The residual units.
    pub units: Vec<ResidualUnit>,
    /// 1x1 convolution to the motif channels.
    pub conv_out: Conv2d,
    #[module(skip)]
    dimensions: usize,
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
            dimensions: self.dimensions,
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
    /// - `input`: `[batch, inputs, height, width]`, or `[batch, inputs, length]`
    /// - output: `[batch, channels, height, width]`, or `[batch, channels, length]`
    ///
    /// # Panics
    ///
    /// Panics if the input's rank does not fit the configured dimensions.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.detect(self.features(input))
    }

    /// The last layer alone.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, features, height, width]`, of [`features`](Self::features)
    /// - output: as [`forward`](Self::forward)
    pub fn detect<const D: usize>(&self, features: Tensor<4>) -> Tensor<D> {
        let output = conv(&self.conv_out, features); // [batch, channels, height, width]
        let [batch, channels, height, width] = output.dims();
        let shape: &[usize] = match D {
            3 => &[batch, channels, width],
            _ => &[batch, channels, height, width],
        };
        output.reshape(Shape::from(shape))
    }

    /// What the motifs are detected in: the output of the last residual unit.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, inputs, height, width]`, or `[batch, inputs, length]`
    /// - output: `[batch, features, height, width]`, with a height of 1 in the second case
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn features<const D: usize>(&self, input: Tensor<D>) -> Tensor<4> {
        assert_eq!(
            D,
            self.dimensions + 2,
            "expected {} spatial dimensions",
            self.dimensions
        );
        let dims = input.dims();
        let height = if D == 4 { dims[2] } else { 1 };
        let width = dims[D - 1];
        let image = input.reshape([dims[0], dims[1], height, width]);

        let mut hidden = conv(&self.conv_in, image);
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
    fn one_and_two_dimensions_keep_their_size() {
        let device = Device::default();
        let image = MotifModelConfig::new(1, 2, 4, 1, 3).init(&device);
        let output = image.forward(Tensor::<4>::ones([2, 1, 9, 7], &device));
        assert_eq!(output.dims(), [2, 3, 9, 7]);
        let sound = MotifModelConfig::new(6, 1, 4, 1, 3).init(&device);
        let output = sound.forward(Tensor::<3>::ones([2, 6, 11], &device));
        assert_eq!(output.dims(), [2, 3, 11]);
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
