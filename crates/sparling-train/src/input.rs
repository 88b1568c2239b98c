//! Tensors to and from the device: a batch's inputs, of the rank that their domain has, and values.

use burn::tensor::{Device, Tensor, TensorData};

/// Sound or images: [`Sparling`](sparling_models::Sparling) takes either.
#[derive(Clone, Debug)]
pub enum Input {
    /// `[batch, channels, length]`
    Sound(Tensor<3>),
    /// `[batch, channels, height, width]`
    Image(Tensor<4>),
}

impl Input {
    /// Puts `values` on the device.
    ///
    /// # Shapes
    ///
    /// - values: `[batch, shape...]`, row-major
    /// - shape: `[channels, length]` or `[channels, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if the shape is neither, or holds another number of values.
    pub fn new(values: Vec<f32>, shape: &[usize], device: &Device) -> Self {
        let batch = values.len() / shape.iter().product::<usize>();
        match *shape {
            [channels, length] => {
                let data = TensorData::new(values, [batch, channels, length]);
                Self::Sound(Tensor::from_data(data, device))
            }
            [channels, height, width] => {
                let data = TensorData::new(values, [batch, channels, height, width]);
                Self::Image(Tensor::from_data(data, device))
            }
            _ => panic!("expected one or two spatial dimensions, got {shape:?}"),
        }
    }
}

/// A tensor's values, row-major.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}
