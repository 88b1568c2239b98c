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

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::Tensor;
use rayon::prelude::*;
use sparling_kernels::autodiff::track;
use sparling_kernels::flex::{self, FlexFloat, Values, tensor, vector};
use sparling_kernels::vector::reduce::{self, items_per_thread, planes};

use crate::batch_norm::BatchNorm;
use crate::spatial::SpatialSparsity;

/// Values looked at together for one that is not zero.
const LANES: usize = 64;

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
    if !flex::takes(input)
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
        let [_, channels, plane] = values.shape().dims();
        let values = Values::new(values);
        let (mut rows, variance) = reduce::statistics(values.get(), channels, plane);
        rows.extend(variance);
        tensor(rows, [2, channels])
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
            [values, normalisation, thresholds].map(Values::new);
        let [_, _, scale, shift] = rows(normalisation.get(), channels);
        let thresholds = thresholds.get();
        let values = values.get();
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
        tensor(output, shape)
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
        let nodes = [values.node(), gamma.node(), beta.node()];
        let inputs = [values, gamma, beta, normalisation, thresholds];
        let [values, gamma, beta, normalisation, thresholds] =
            inputs.map(|tensor| tensor.into_primitive());
        let kept = [values.clone(), normalisation.clone()];
        let output =
            Flex::normalised_excess(values, gamma, beta, normalisation, thresholds, epsilon);
        let keep = |output: &FlexFloat| {
            let [values, normalisation] = kept;
            ([values, normalisation, output.clone()], epsilon)
        };
        track::<C, Flex, _, _>(nodes, output, keep, excess_gradients)
    }
}

/// Of values, gamma and beta, from the values, the normalisation and the output.
fn excess_gradients(
    ([values, normalisation, output], epsilon): ([FlexFloat; 3], f64),
    grad: FlexFloat,
    [values_wanted, ..]: [bool; 3],
) -> [Option<FlexFloat>; 3] {
    let shape = values.shape();
    let [_, channels, plane] = shape.dims();
    let [values, normalisation, output, grad] =
        [values, normalisation, output, grad].map(Values::new);
    let [mean, variance, scale, _] = rows(normalisation.get(), channels);
    let excess = Excess {
        values: values.get(),
        output: output.get(),
        grad: grad.get(),
        mean,
        variance,
        scale,
        epsilon: epsilon as f32,
        plane,
    };
    let (beta, gamma) = excess.channel_gradients();
    let input = values_wanted.then(|| tensor(excess.input_gradient(&beta, &gamma), shape));
    [input, Some(vector(gamma)), Some(vector(beta))]
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
