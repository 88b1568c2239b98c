//! Putting an operator on the autodiff graph.

use std::fmt::Debug;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

/// The gradients of `N` inputs from what was kept of the forward pass and the output's gradient.
/// Only those that are wanted need be there.
pub type GradientsOf<B, S, const N: usize> =
    fn(S, FloatTensor<B>, [bool; N]) -> [Option<FloatTensor<B>>; N];

/// The output, as a function of its inputs' nodes. `keep` is called if any of them is tracked.
pub fn track<C, B: Backend, S, const N: usize>(
    inputs: [NodeGuard; N],
    output: FloatTensor<B>,
    keep: impl FnOnce(&FloatTensor<B>) -> S,
    gradients: GradientsOf<B, S, N>,
) -> FloatTensor<Autodiff<B, C>>
where
    C: CheckpointStrategy,
    S: Clone + Send + Debug + 'static,
{
    let prepared = Operator(gradients).prepare::<C>(inputs);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let kept = keep(&output);
            prepared.finish(kept, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

struct Operator<B: Backend, S, const N: usize>(GradientsOf<B, S, N>);

impl<B: Backend, S, const N: usize> Debug for Operator<B, S, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Operator")
    }
}

impl<B, S, const N: usize> Backward<B, N> for Operator<B, S, N>
where
    B: Backend,
    S: Clone + Send + Debug + 'static,
{
    type State = S;

    fn backward(self, ops: Ops<S, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let output = gradients.consume::<B>(&ops.node);
        let found = (self.0)(ops.state, output, wanted);
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let Some((node, gradient)) = node.zip(gradient) {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}
