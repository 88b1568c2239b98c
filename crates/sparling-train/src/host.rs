//! Values from the host to the device, and back.

use burn::tensor::{Device, Tensor, TensorData};

/// Puts the inputs of some examples, or maps of their motifs, on the device.
///
/// # Shapes
///
/// - values: `[batch, shape...]`, row-major
/// - shape: `[channels, height, width]`
/// - output: `[batch, channels, height, width]`
///
/// # Panics
///
/// Panics if the values are not those of a whole number of examples.
pub fn maps(values: Vec<f32>, shape: [usize; 3], device: &Device) -> Tensor<4> {
    let [channels, height, width] = shape;
    let batch = values.len() / (channels * height * width);
    let data = TensorData::new(values, [batch, channels, height, width]);
    Tensor::from_data(data, device)
}

/// A tensor's values, row-major.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}
