//! Sums over slices, with enough partial sums to be vectorised and to stay accurate.

const LANES: usize = 16;

/// The sum of all values.
pub(super) fn sum(values: &[f32]) -> f32 {
    fold(values, values, |value, _| value)
}

/// The sum of the squared distances from `centre`.
pub(super) fn squares(values: &[f32], centre: f32) -> f32 {
    fold(values, values, |value, _| {
        (value - centre) * (value - centre)
    })
}

/// The sum of `left * (right - centre)`.
pub(super) fn centred_dot(left: &[f32], right: &[f32], centre: f32) -> f32 {
    fold(left, right, |left, right| left * (right - centre))
}

#[inline(always)]
fn fold(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
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
