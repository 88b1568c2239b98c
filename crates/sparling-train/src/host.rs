//! Reading tensors back from the device.

use burn::tensor::Tensor;

/// A tensor's values, row-major.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec();
    values.expect("data converted to f32 reads as f32")
}
