//! Batch norm and the sparsity layer in three passes over the input, on Flex in training.
//!
//! One pass takes the statistics and one the quantile, of the input itself: normalisation by a
//! positive scale keeps the order within a channel, so that the quantile normalised is the
//! normalised quantile, bit for bit. The last pass writes `relu(scale * x + shift - t)`; nothing in
//! between is stored. Backward, the output's own zeros say where the gradient is zero too: sums
//! over it touch the few positions that are not, and only what batch norm spreads over all
//! positions is computed for all.
//!
//! Whatever is not covered takes the operators one by one, the twin that this is tested against.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, DispatchDevice, Flex, TensorMetadata,
    backend_extension,
};
use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;

use crate::batch_norm::BatchNorm;
use crate::flex::{contiguous, slice};
use crate::kernels;
use crate::reduce::{self, items_per_thread, planes};
use crate::spatial::SpatialSparsity;

/// Values looked at together for one that is not zero.
const LANES: usize = 64;

type FlexFloat = FloatTensor<Flex>;

/// The two layers' forward in training, if this module covers it for them and the input.
///
/// # Shapes
///
/// - `input`: `[batch, channels, spatial...]`
/// - output: the same
pub(crate) fn forward<const D: usize>(
    norm: &BatchNorm,
    sparsity: &SpatialSparsity,
    input: &Tensor<D>,
) -> Option<Tensor<D>> {
    let device = input.device();
    let on_flex = matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Flex(_)
    );
    if !on_flex
        || !kernels::are_enabled()
        || input.dtype() != DType::F32
        || !norm.is_training(&device)
        || !sparsity.follows_each_batch_by_channel()
    {
        return None;
    }
    let (gamma, beta) = (norm.gamma(&device), norm.beta(&device));
    if gamma.clone().lower_elem(0.0).any().into_scalar::<bool>() {
        // The order turns round.
        return None;
    }

    let dims = input.dims();
    let plane: usize = dims[2..].iter().product();
    let values = input.clone().reshape([dims[0], dims[1], plane]);
    let plain = values.clone().without_autodiff();
    let [mean, variance] = statistics(plain.clone());
    norm.observe(mean.clone(), variance.clone(), dims[0] * plane);

    let scale =
        gamma.clone().without_autodiff() / variance.clone().add_scalar(norm.epsilon()).sqrt();
    let shift = beta.clone().without_autodiff() - scale.clone() * mean.clone();
    sparsity.follow(plain, |quantile| quantile * scale.clone() + shift.clone());
    let thresholds = sparsity.thresholds.value_sync().to_device(&device).detach();

    let output = Dispatch::normalised_excess(
        values.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        Tensor::stack::<2>(vec![mean, variance, scale, shift], 0).into_dispatch(),
        thresholds.into_dispatch(),
        norm.epsilon(),
    );
    Some(Tensor::<3>::from_dispatch(output).reshape(dims))
}

/// Each channel's mean and biased variance.
fn statistics(values: Tensor<3>) -> [Tensor<1>; 2] {
    let channels = values.dims()[1];
    let rows = Dispatch::channel_statistics(values.into_dispatch());
    let rows = Tensor::<2>::from_dispatch(rows);
    [0, 1].map(|row| {
        rows.clone()
            .slice([row..row + 1, 0..channels])
            .reshape([channels])
    })
}

/// What the layer needs beyond Burn's operators.
#[backend_extension(Flex, Autodiff)]
trait SparseForward: Backend {
    /// # Shapes
    ///
    /// - `values`: `[batch, channels, plane]`
    /// - output: `[2, channels]`, mean and biased variance
    fn channel_statistics(values: FloatTensor<Self>) -> FloatTensor<Self>;

    /// `relu(scale * x + shift - t)`; its gradient goes through the batch's statistics, too.
    ///
    /// # Shapes
    ///
    /// - `values`: `[batch, channels, plane]`
    /// - `gamma`, `beta`, `thresholds`: `[channels]`
    /// - `normalisation`: `[4, channels]`, mean, biased variance, scale and shift
    /// - output: as `values`
    fn normalised_excess(
        values: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        normalisation: FloatTensor<Self>,
        thresholds: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl SparseForward for Flex {
    fn channel_statistics(values: FlexFloat) -> FlexFloat {
        let values = contiguous(values);
        let [_, channels, plane] = values.shape().dims();
        let (mut rows, variance) = reduce::statistics(slice(&values), channels, plane);
        rows.extend(variance);
        FlexFloat::from_data(TensorData::new(rows, [2, channels]))
    }

    fn normalised_excess(
        values: FlexFloat,
        _gamma: FlexFloat,
        _beta: FlexFloat,
        normalisation: FlexFloat,
        thresholds: FlexFloat,
        _epsilon: f64,
    ) -> FlexFloat {
        let shape = values.shape();
        let [_, channels, plane] = shape.dims();
        let [values, normalisation, thresholds] =
            [values, normalisation, thresholds].map(contiguous);
        let [_, _, scale, shift] = rows(slice(&normalisation), channels);
        let thresholds = slice(&thresholds);
        let values = slice(&values);
        let mut output = vec![0.0; values.len()];
        let planes = output.par_chunks_mut(plane).zip(values.par_chunks(plane));
        let planes = planes.enumerate().with_min_len(items_per_thread(plane));
        planes.for_each(|(index, (output, values))| {
            let channel = index % channels;
            let (scale, shift, threshold) = (scale[channel], shift[channel], thresholds[channel]);
            for (output, value) in output.iter_mut().zip(values) {
                *output = (value * scale + shift - threshold).max(0.0);
            }
        });
        FlexFloat::from_data(TensorData::new(output, shape))
    }
}

impl<C: CheckpointStrategy> SparseForward for Autodiff<Flex, C> {
    fn channel_statistics(values: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::from_inner(Flex::channel_statistics(values.into_primitive()))
    }

    fn normalised_excess(
        values: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        normalisation: FloatTensor<Self>,
        thresholds: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let parents = [values.node(), gamma.node(), beta.node()];
        let prepared = ExcessBackward
            .prepare::<C>(parents)
            .compute_bound()
            .stateful();
        let kept = (
            values.primitive().clone(),
            normalisation.primitive().clone(),
        );
        let output = Flex::normalised_excess(
            values.into_primitive(),
            gamma.into_primitive(),
            beta.into_primitive(),
            normalisation.into_primitive(),
            thresholds.into_primitive(),
            epsilon,
        );
        match prepared {
            OpsKind::Tracked(prepared) => {
                let state = ExcessState {
                    values: kept.0,
                    normalisation: kept.1,
                    output: output.clone(),
                    epsilon,
                };
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct ExcessBackward;

#[derive(Clone, Debug)]
struct ExcessState {
    values: FlexFloat,
    normalisation: FlexFloat,
    output: FlexFloat,
    epsilon: f64,
}

impl Backward<Flex, 3> for ExcessBackward {
    type State = ExcessState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let ExcessState {
            values,
            normalisation,
            output,
            epsilon,
        } = ops.state;
        let shape = values.shape();
        let [_, channels, plane] = shape.dims();
        let grad = gradients.consume::<Flex>(&ops.node);
        let [values, normalisation, output, grad] =
            [values, normalisation, output, grad].map(contiguous);
        let [mean, variance, scale, _] = rows(slice(&normalisation), channels);
        let excess = Excess {
            values: slice(&values),
            output: slice(&output),
            grad: slice(&grad),
            mean,
            variance,
            scale,
            epsilon: epsilon as f32,
            plane,
        };
        let (beta, gamma) = excess.channel_gradients();
        let [values_node, gamma_node, beta_node] = ops.parents;
        if let Some(node) = values_node {
            let input = excess.input_gradient(&beta, &gamma);
            let input = FlexFloat::from_data(TensorData::new(input, shape));
            gradients.register::<Flex>(node.id, input);
        }
        for (node, gradient) in [(gamma_node, gamma), (beta_node, beta)] {
            if let Some(node) = node {
                let gradient = FlexFloat::from_data(TensorData::new(gradient, [channels]));
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// What the backward pass reads; the first three are `[batch, channels, plane]`.
struct Excess<'a> {
    values: &'a [f32],
    output: &'a [f32],
    grad: &'a [f32],
    mean: &'a [f32],
    variance: &'a [f32],
    scale: &'a [f32],
    epsilon: f32,
    plane: usize,
}

impl Excess<'_> {
    fn channels(&self) -> usize {
        self.mean.len()
    }

    fn inverse_deviation(&self, channel: usize) -> f32 {
        1.0 / (self.variance[channel] + self.epsilon).sqrt()
    }

    /// The gradients of offset and scale.
    fn channel_gradients(&self) -> (Vec<f32>, Vec<f32>) {
        (0..self.channels())
            .into_par_iter()
            .with_min_len(items_per_thread(self.values.len() / self.channels()))
            .map(|channel| {
                let of = |values| planes(values, channel, self.channels(), self.plane);
                let (mut sum, mut product) = (0.0_f64, 0.0_f64);
                for ((values, output), grad) in
                    of(self.values).zip(of(self.output)).zip(of(self.grad))
                {
                    for_each_active(output, |index| {
                        sum += f64::from(grad[index]);
                        product += f64::from(grad[index] * (values[index] - self.mean[channel]));
                    });
                }
                let inverse = f64::from(self.inverse_deviation(channel));
                (sum as f32, (product * inverse) as f32)
            })
            .unzip()
    }

    /// The gradient of the values, given those of offset and scale.
    fn input_gradient(&self, beta: &[f32], gamma: &[f32]) -> Vec<f32> {
        let channels = self.channels();
        let count = (self.values.len() / channels) as f32;
        let mut gradient = vec![0.0; self.values.len()];
        let planes = gradient.par_chunks_mut(self.plane).enumerate();
        let planes = planes.with_min_len(items_per_thread(self.plane));
        planes.for_each(|(index, gradient)| {
            let channel = index % channels;
            let range = index * self.plane..(index + 1) * self.plane;
            let values = &self.values[range.clone()];
            let grad = &self.grad[range.clone()];
            let (scale, mean) = (self.scale[channel], self.mean[channel]);
            let offset = beta[channel] / count;
            let slope = gamma[channel] / count * self.inverse_deviation(channel);
            for (gradient, value) in gradient.iter_mut().zip(values) {
                *gradient = -scale * (offset + (value - mean) * slope);
            }
            for_each_active(&self.output[range], |index| {
                gradient[index] += scale * grad[index];
            });
        });
        gradient
    }
}

/// Calls with the index of every value above zero.
fn for_each_active(output: &[f32], mut call: impl FnMut(usize)) {
    for (chunk, values) in output.chunks(LANES).enumerate() {
        let active = values.iter().map(|value| u32::from(*value > 0.0));
        if active.sum::<u32>() > 0 {
            let indices = (chunk * LANES..).zip(values);
            for (index, _) in indices.filter(|(_, value)| **value > 0.0) {
                call(index);
            }
        }
    }
}

/// The rows of a `[4, channels]` matrix.
fn rows(values: &[f32], channels: usize) -> [&[f32]; 4] {
    [0, 1, 2, 3].map(|row| &values[row * channels..(row + 1) * channels])
}
