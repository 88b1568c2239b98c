//! Competition between channels, in training.

use burn::tensor::{Bool, Distribution, Tensor};
use serde::{Deserialize, Serialize};

/// Lets only the strongest activation of each neighbourhood through, in some training examples (not
/// in the paper).
///
/// Several channels that are active together can stand for a symbol between them, and then two of
/// them may stand for the same one. Where only the strongest is let through, the decoder has to read
/// each symbol from one activation of one channel, which is the code that is wanted in the end. In
/// the other examples the channels that lose still get gradients, and so find symbols of their own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Competition {
    /// How likely each example is to be one in which channels compete, in `(0, 1]`.
    pub share: f64,
    /// How far a neighbourhood reaches to either side along each axis, in positions.
    pub radius: usize,
    /// The density from which on, downwards, channels compete, in `(0, 1]`.
    pub from_density: f64,
    /// Pushes down the activations that lose; `None` leaves them.
    #[serde(default)]
    pub inhibition: Option<Inhibition>,
}

/// A penalty on the activations that lose, in all examples: their share of the strength of all.
///
/// Channels that know one symbol by different looks are all active at it, and near the lowest density
/// take activations from symbols that are then missed. The penalty makes them give way to the
/// strongest. The layer's `forward_with_penalty` returns it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibition {
    /// The penalty's weight in the loss, above 0.
    pub weight: f64,
    /// The density from which on, downwards, there is a penalty, in `(0, 1]`. Where it lets through many
    /// more activations than there are symbols, they move to where there is none.
    pub from_density: f64,
}

impl Competition {
    /// The activations without those that lost, in a random share of the examples, and the penalty at
    /// this density.
    ///
    /// # Shapes
    ///
    /// - activations: `[batch, channels, spatial...]`
    /// - output: the same, and `[1]`
    pub(crate) fn apply<const D: usize>(
        &self,
        activations: Tensor<D>,
        density: f64,
    ) -> (Tensor<D>, Option<Tensor<1>>) {
        let lost = losers(activations.clone().without_autodiff(), self.radius);
        let mut each = [1; D];
        each[0] = activations.dims()[0];
        let uniform = Distribution::Uniform(0.0, 1.0);
        let chance = Tensor::<D>::random(each, uniform, &lost.device());
        let competing = chance.lower_scalar(self.share).expand(lost.shape());
        let acting = self
            .inhibition
            .filter(|inhibition| density <= inhibition.from_density);
        let penalty = acting.map(|inhibition| {
            let strength = activations.clone().detach().sum();
            let won = lost.clone().bool_not();
            let wasted = activations.clone().mask_fill(won, 0.0).sum();
            wasted / strength.clamp_min(f32::MIN_POSITIVE) * inhibition.weight
        });
        (
            activations.mask_fill(lost.bool_and(competing), 0.0),
            penalty,
        )
    }

    pub(crate) fn validate(&self) {
        let share = |name: &str, value: f64| {
            assert!(
                value > 0.0 && value <= 1.0,
                "competition.{name} must be above 0 and at most 1, got {value}"
            );
        };
        share("share", self.share);
        share("from_density", self.from_density);
        if let Some(Inhibition {
            weight,
            from_density,
        }) = self.inhibition
        {
            share("inhibition.from_density", from_density);
            assert!(
                weight > 0.0 && weight.is_finite(),
                "competition.inhibition.weight must be finite and above 0, got {weight}"
            );
        }
    }
}

/// The activations that are the strongest of their neighbourhood, over all channels and `radius`
/// positions to either side along each spatial axis; zero elsewhere.
///
/// # Shapes
///
/// - activations: `[batch, channels, spatial...]`, none negative
/// - output: the same
pub fn winners<const D: usize>(activations: Tensor<D>, radius: usize) -> Tensor<D> {
    let lost = losers(activations.clone(), radius);
    activations.mask_fill(lost, 0.0)
}

fn losers<const D: usize>(activations: Tensor<D>, radius: usize) -> Tensor<D, Bool> {
    let mut strongest = activations.clone().max_dim(1);
    for axis in 2..D {
        strongest = spread(strongest, axis, radius);
    }
    activations
        .clone()
        .lower(strongest.expand(activations.shape()))
}

/// The maximum over `radius` positions to either side; values are not negative.
fn spread<const D: usize>(values: Tensor<D>, axis: usize, radius: usize) -> Tensor<D> {
    let length = values.dims()[axis];
    let mut largest = values.clone();
    for offset in 1..=radius.min(length - 1) {
        let mut gap = values.dims();
        gap[axis] = offset;
        let gap = Tensor::zeros(gap, &values.device());
        let ahead = values.clone().narrow(axis, offset, length - offset);
        let behind = values.clone().narrow(axis, 0, length - offset);
        largest = largest.max_pair(Tensor::cat(vec![ahead, gap.clone()], axis));
        largest = largest.max_pair(Tensor::cat(vec![gap, behind], axis));
    }
    largest
}
