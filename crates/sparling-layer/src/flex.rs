//! Reading Flex's tensors in place.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;

/// The same values, row-major without gaps.
pub(crate) fn contiguous(tensor: FloatTensor<Flex>) -> FloatTensor<Flex> {
    if tensor.is_contiguous() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The values of a contiguous tensor of f32.
pub(crate) fn slice(tensor: &FloatTensor<Flex>) -> &[f32] {
    tensor
        .as_slice()
        .expect("made contiguous, and known to be f32 before dispatch")
}
