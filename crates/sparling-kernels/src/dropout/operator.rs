//! The operator on Burn's Flex backend, and its gradient.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use super::Drops;
use crate::autodiff::track;
use crate::flex::{FlexFloat, owned};

/// Dropout with a seed of its own.
#[backend_extension(Flex, Autodiff)]
pub(super) trait DropValues: Backend {
    /// Zero where a value is dropped, and the scaled value elsewhere.
    fn drop_values(input: FloatTensor<Self>, drops: Drops) -> FloatTensor<Self>;
}

impl DropValues for Flex {
    fn drop_values(input: FlexFloat, drops: Drops) -> FlexFloat {
        let mut output = owned(input);
        drops.apply_to_all(output.storage_mut());
        output
    }
}

impl<C: CheckpointStrategy> DropValues for Autodiff<Flex, C> {
    fn drop_values(input: FloatTensor<Self>, drops: Drops) -> FloatTensor<Self> {
        let nodes = [input.node()];
        let output = Flex::drop_values(input.into_primitive(), drops);
        track::<C, Flex, _, _>(
            nodes,
            output,
            |_| drops,
            |drops, grad, _| [Some(Flex::drop_values(grad, drops))],
        )
    }
}
