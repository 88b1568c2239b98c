//! Re-embedding and max pooling on slices, at a cost that follows the motifs.
//!
//! Where no motif is active the embedding is zero, bias aside, so that of all such positions of a
//! window the first stands for the rest. Each example is one task; sums over the batch are taken in
//! its order, so that results do not depend on how tasks are scheduled.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::shape::PoolShape;
use crate::vector::reduce::add;
use crate::vector::simd::arch;

/// Features computed together.
const LANES: usize = 16;

/// The gradients of a loss.
pub(super) struct PoolGradient {
    /// `[batch, channels, height, width]`
    pub(super) motifs: Vec<f32>,
    /// `[features, channels]`
    pub(super) weight: Vec<f32>,
}

impl PoolShape {
    fn area(&self) -> usize {
        self.window[0] * self.window[1]
    }

    fn example(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The length of an example's pooled embedding.
    fn pooled_example(&self) -> usize {
        let [_, rows, columns, features] = self.pooled();
        rows * columns * features
    }

    /// Where each line of the cell's window lies in an example, with the channel and the line's
    /// first position in the window.
    fn lines(&self, cell: usize) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        let Self {
            channels,
            height,
            width,
            window,
            ..
        } = *self;
        let [_, columns] = self.cells();
        let (row, column) = (cell / columns * window[0], cell % columns * window[1]);
        (0..channels).flat_map(move |channel| {
            (0..window[0]).map(move |line| {
                let from = (channel * height + row + line) * width + column;
                (channel, line * window[1], from..from + window[1])
            })
        })
    }
}

/// The largest embedding of each window, with the bias, `[batch, cells, features]`.
pub(super) fn forward(shape: &PoolShape, motifs: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let packed = pack(shape, weight);
    let mut pooled = vec![0.0; shape.batch * shape.pooled_example()];
    pooled
        .par_chunks_exact_mut(shape.pooled_example())
        .zip(motifs.par_chunks_exact(shape.example()))
        .for_each_init(
            || Window::new(shape),
            |window, (pooled, example)| {
                for (cell, pooled) in pooled.chunks_exact_mut(shape.features).enumerate() {
                    window.gather(shape, example, cell);
                    window.pool(&packed, |feature, best, _| {
                        pooled[feature] = best + bias[feature];
                    });
                }
            },
        );
    pooled
}

/// What flows back from the gradient of the output, `[batch, cells, features]`: to the first of
/// equal maxima in row-major order, as in PyTorch.
pub(super) fn backward(
    shape: &PoolShape,
    motifs: &[f32],
    weight: &[f32],
    output_grad: &[f32],
) -> PoolGradient {
    let packed = pack(shape, weight);
    let mut gradient = PoolGradient {
        motifs: vec![0.0; motifs.len()],
        weight: vec![0.0; weight.len()],
    };
    let partial: Vec<Vec<f32>> = gradient
        .motifs
        .par_chunks_exact_mut(shape.example())
        .zip(motifs.par_chunks_exact(shape.example()))
        .zip(output_grad.par_chunks_exact(shape.pooled_example()))
        .map_init(
            || Window::new(shape),
            |window, ((motif_grad, example), output_grad)| {
                let mut weight_grad = vec![0.0; weight.len()];
                for (cell, output_grad) in output_grad.chunks_exact(shape.features).enumerate() {
                    window.gather(shape, example, cell);
                    window.pool_backward(&packed, weight, output_grad, &mut weight_grad);
                    window.scatter_gradient(shape, motif_grad, cell);
                }
                weight_grad
            },
        )
        .collect();
    for partial in partial {
        add(&mut gradient.weight, &partial);
    }
    gradient
}

/// Groups `[features, channels]` by [`LANES`] features, those missing zero: per group, a row per
/// channel.
fn pack(shape: &PoolShape, weight: &[f32]) -> Vec<Vec<[f32; LANES]>> {
    let group = |first: usize| {
        let row = |channel: usize| {
            std::array::from_fn(|lane| {
                let feature = first + lane;
                if feature < shape.features {
                    weight[feature * shape.channels + channel]
                } else {
                    0.0
                }
            })
        };
        (0..shape.channels).map(row).collect()
    };
    (0..shape.features).step_by(LANES).map(group).collect()
}

/// One window of one example, and what is known of it.
struct Window {
    channels: usize,
    features: usize,
    /// The motifs, `[area, channels]`.
    values: Vec<f32>,
    /// Whether any of them is active.
    active: bool,
    /// In row-major order, the positions where a maximum can be, and which terms are theirs.
    candidates: Vec<(usize, Range<usize>)>,
    /// The active motifs of all candidates, by channel.
    terms: Vec<(usize, f32)>,
    /// The gradient of `values`; zero between windows.
    gradient: Vec<f32>,
}

impl Window {
    fn new(shape: &PoolShape) -> Self {
        let values = vec![0.0; shape.area() * shape.channels];
        Self {
            channels: shape.channels,
            features: shape.features,
            gradient: values.clone(),
            values,
            active: false,
            candidates: Vec::with_capacity(shape.area()),
            terms: Vec::new(),
        }
    }

    /// Takes a cell's window from an example `[channels, height, width]`.
    fn gather(&mut self, shape: &PoolShape, example: &[f32], cell: usize) {
        if self.active {
            self.values.fill(0.0);
            self.active = false;
        }
        for (channel, first, line) in shape.lines(cell) {
            let line = &example[line];
            if line.iter().all(|value| *value == 0.0) {
                continue;
            }
            self.active = true;
            for (position, value) in line.iter().enumerate() {
                self.values[(first + position) * self.channels + channel] = *value;
            }
        }
        self.find_candidates();
    }

    fn find_candidates(&mut self) {
        self.candidates.clear();
        self.terms.clear();
        if !self.active {
            self.candidates.push((0, 0..0));
            return;
        }
        let mut has_empty = false;
        for (position, values) in self.values.chunks_exact(self.channels).enumerate() {
            let first = self.terms.len();
            let active = values
                .iter()
                .enumerate()
                .filter(|(_, value)| **value != 0.0);
            self.terms
                .extend(active.map(|(channel, value)| (channel, *value)));
            let empty = self.terms.len() == first;
            if !(empty && has_empty) {
                self.candidates.push((position, first..self.terms.len()));
            }
            has_empty |= empty;
        }
    }

    /// Tells `tell` each feature's maximum and its position. NaN is larger than any number.
    fn pool(&self, packed: &[Vec<[f32; LANES]>], mut tell: impl FnMut(usize, f32, usize)) {
        for (group, rows) in packed.iter().enumerate() {
            let window = self;
            let (best, winners) = arch().dispatch(PoolGroup { window, rows });
            let first = group * LANES;
            for lane in 0..LANES.min(self.features - first) {
                tell(first + lane, best[lane], winners[lane] as usize);
            }
        }
    }

    /// Adds to `weight_grad` and to the window's own gradient what flows back from `output_grad`,
    /// one value per feature.
    fn pool_backward(
        &mut self,
        packed: &[Vec<[f32; LANES]>],
        weight: &[f32],
        output_grad: &[f32],
        weight_grad: &mut [f32],
    ) {
        let channels = self.channels;
        let mut gradient = std::mem::take(&mut self.gradient);
        self.pool(packed, |feature, _, winner| {
            let slope = output_grad[feature];
            let at = winner * channels..(winner + 1) * channels;
            let row = feature * channels..(feature + 1) * channels;
            for (gradient, weight) in gradient[at.clone()].iter_mut().zip(&weight[row.clone()]) {
                *gradient += slope * weight;
            }
            if self.active {
                for (gradient, value) in weight_grad[row].iter_mut().zip(&self.values[at]) {
                    *gradient += slope * value;
                }
            }
        });
        self.gradient = gradient;
    }

    /// Moves the window's gradient into the example's.
    fn scatter_gradient(&mut self, shape: &PoolShape, example: &mut [f32], cell: usize) {
        let [_, columns] = shape.cells();
        let [rows_of_window, columns_of_window] = shape.window;
        let row = cell / columns * rows_of_window;
        let column = cell % columns * columns_of_window;
        for (position, _) in &self.candidates {
            let row = row + position / columns_of_window;
            let column = column + position % columns_of_window;
            let gradients = &mut self.gradient[position * self.channels..][..self.channels];
            for (channel, gradient) in gradients.iter_mut().enumerate() {
                example[(channel * shape.height + row) * shape.width + column] = *gradient;
                *gradient = 0.0;
            }
        }
    }
}

/// One group of features in one window.
struct PoolGroup<'a> {
    window: &'a Window,
    /// The weights, a row per channel.
    rows: &'a [[f32; LANES]],
}

impl WithSimd for PoolGroup<'_> {
    /// The maxima and their positions.
    type Output = ([f32; LANES], [u32; LANES]);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Self::Output {
        let mut best = [f32::NEG_INFINITY; LANES];
        let mut winners = [0; LANES];
        for (position, terms) in &self.window.candidates {
            let mut embedded = [0.0; LANES];
            for (channel, value) in &self.window.terms[terms.clone()] {
                for (embedded, weight) in embedded.iter_mut().zip(&self.rows[*channel]) {
                    *embedded += value * weight;
                }
            }
            let position = *position as u32;
            for lane in 0..LANES {
                let larger = embedded[lane] > best[lane] || embedded[lane].is_nan();
                best[lane] = if larger { embedded[lane] } else { best[lane] };
                winners[lane] = if larger { position } else { winners[lane] };
            }
        }
        (best, winners)
    }
}
