//! Tensors of Burn's Flex backend as slices, for the kernels that are this crate's own.

use burn::backend::tensor::FloatTensor;
use burn::backend::{DispatchDevice, Flex};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use sparling_layer::kernels;

pub(crate) type FlexFloat = FloatTensor<Flex>;

/// Whether the kernels take this tensor.
pub(crate) fn on_flex<const D: usize>(tensor: &Tensor<D>) -> bool {
    kernels::are_enabled()
        && tensor.dtype() == DType::F32
        && matches!(
            tensor.device().inner().as_dispatch(),
            DispatchDevice::Flex(_)
        )
}

/// A tensor's values, row-major.
pub(crate) struct Values(FlexFloat);

impl Values {
    pub(crate) fn new(tensor: FlexFloat) -> Self {
        Self(if tensor.is_contiguous() {
            tensor
        } else {
            tensor.to_contiguous()
        })
    }

    pub(crate) fn get(&self) -> &[f32] {
        self.0
            .as_slice()
            .expect("made contiguous, and checked to be f32 before dispatch")
    }
}

pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexFloat {
    FlexFloat::from_data(TensorData::new(values, shape))
}

pub(crate) fn vector(values: Vec<f32>) -> FlexFloat {
    let length = values.len();
    tensor(values, [length])
}
