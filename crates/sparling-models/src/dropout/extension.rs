//! The operator on Burn's Flex backend, and its gradient.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};

use super::Drops;
use crate::flex::FlexFloat;

/// Dropout with a seed of its own.
#[backend_extension(Flex, Autodiff)]
pub(super) trait DropValues: Backend {
    /// Zero where a value is dropped, and the scaled value elsewhere.
    fn drop_values(input: FloatTensor<Self>, drops: Drops) -> FloatTensor<Self>;
}

impl DropValues for Flex {
    fn drop_values(input: FlexFloat, drops: Drops) -> FlexFloat {
        // In place, unless others hold the values too.
        let mut output = FlexFloat::from_data(input.into_data());
        drops.apply_to_all(output.storage_mut());
        output
    }
}

impl<C: CheckpointStrategy> DropValues for Autodiff<Flex, C> {
    fn drop_values(input: FloatTensor<Self>, drops: Drops) -> FloatTensor<Self> {
        let prepared = DropBackward
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful();
        let output = Flex::drop_values(input.into_primitive(), drops);
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish(drops, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct DropBackward;

impl Backward<Flex, 1> for DropBackward {
    type State = Drops;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [node] = ops.parents;
        if let Some(node) = node {
            gradients.register::<Flex>(node.id, Flex::drop_values(gradient, ops.state));
        }
    }
}
