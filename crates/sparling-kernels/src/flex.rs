//! Tensors of Burn's Flex backend as slices.

use burn::backend::tensor::FloatTensor;
use burn::backend::{DispatchDevice, Flex};
use burn::tensor::{DType, Shape, Tensor, TensorData};

use crate::switch;

/// Flex's tensors of floats.
pub type FlexFloat = FloatTensor<Flex>;

/// Whether kernels for Flex take this tensor.
pub fn takes<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device().inner();
    switch::is_on()
        && tensor.dtype() == DType::F32
        && matches!(device.as_dispatch(), DispatchDevice::Flex(_))
}

/// A tensor's values, row-major.
pub struct Values(FlexFloat);

impl Values {
    /// Copies the values if they lie otherwise.
    pub fn new(tensor: FlexFloat) -> Self {
        Self(if tensor.is_contiguous() {
            tensor
        } else {
            tensor.to_contiguous()
        })
    }

    /// In place.
    ///
    /// # Panics
    ///
    /// Panics if they are not f32: check before dispatch.
    pub fn get(&self) -> &[f32] {
        self.0
            .as_slice()
            .expect("made contiguous, and checked to be f32 before dispatch")
    }
}

/// A tensor of these values.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexFloat {
    FlexFloat::from_data(TensorData::new(values, shape))
}

/// A tensor of one axis.
pub fn vector(values: Vec<f32>) -> FlexFloat {
    let length = values.len();
    tensor(values, [length])
}

/// The same values in memory that is theirs alone: no copy, unless others hold it too.
pub(crate) fn owned(tensor: FlexFloat) -> FlexFloat {
    FlexFloat::from_data(tensor.into_data())
}
