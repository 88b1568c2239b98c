//! Sums over slices, with enough partial sums to be vectorised and to stay accurate: what kernels on
//! the CPU are made of. They are inlined, so that a caller compiled for wide vectors gets them too.

use rayon::prelude::*;

const LANES: usize = 16;

/// How many values a task of one pass over memory takes: enough that waking a thread for it pays.
pub(crate) const TASK: usize = 1 << 14;

/// How many items of so many values each a thread should take at least, so that waking it pays.
pub fn items_per_thread(values: usize) -> usize {
    const VALUES: usize = 1 << 16;
    (VALUES / values.max(1)).max(1)
}

/// Adds parts of sums to them.
pub(crate) fn add(sums: &mut [f32], parts: &[f32]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum += part;
    }
}

/// The sum of all values.
#[inline(always)]
pub fn sum(values: &[f32]) -> f32 {
    fold(values, values, |value, _| value)
}

/// The sum of the squared distances from `centre`.
#[inline(always)]
pub fn squares(values: &[f32], centre: f32) -> f32 {
    fold(values, values, |value, _| {
        (value - centre) * (value - centre)
    })
}

/// The sum of `left * (right - centre)`.
#[inline(always)]
pub fn centred_dot(left: &[f32], right: &[f32], centre: f32) -> f32 {
    fold(left, right, |left, right| left * (right - centre))
}

/// The mean and the biased variance of each channel of `[batch, channels, plane]`.
pub fn statistics(values: &[f32], channels: usize, plane: usize) -> (Vec<f32>, Vec<f32>) {
    (0..channels)
        .into_par_iter()
        .with_min_len(items_per_thread(values.len() / channels.max(1)))
        .map(|channel| {
            let planes = || planes(values, channel, channels, plane);
            let count = planes().map(<[f32]>::len).sum::<usize>() as f64;
            let mean = planes().map(|plane| f64::from(sum(plane))).sum::<f64>() / count;
            let mean = mean as f32;
            let squares = planes()
                .map(|plane| f64::from(squares(plane, mean)))
                .sum::<f64>();
            (mean, (squares / count) as f32)
        })
        .unzip()
}

/// The planes of one channel of `[batch, channels, plane]`, in the batch's order.
pub fn planes(
    values: &[f32],
    channel: usize,
    channels: usize,
    plane: usize,
) -> impl Iterator<Item = &[f32]> + Clone {
    values.chunks_exact(plane).skip(channel).step_by(channels)
}

/// The sum of a term over two slices of the same length.
#[inline(always)]
pub fn fold(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (lefts, left) = left.as_chunks::<LANES>();
    let (rights, right) = right.as_chunks::<LANES>();
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += term(*left, *right);
        }
    }
    let rest: f32 = left
        .iter()
        .zip(right)
        .map(|(left, right)| term(*left, *right))
        .sum();
    sums.iter().sum::<f32>() + rest
}
