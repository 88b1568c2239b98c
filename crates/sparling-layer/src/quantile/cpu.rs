//! Selection on slices.

use std::cmp::Ordering;

/// Orders as `torch.kthvalue` does: NaN above everything, -0 equal to +0.
fn order(a: &f32, b: &f32) -> Ordering {
    a.partial_cmp(b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The `k`-th smallest of `values`, counting from 1.
pub(super) fn kth(mut values: Vec<f32>, k: usize) -> f32 {
    assert!(
        (1..=values.len()).contains(&k),
        "k must be in 1..={}, got {k}",
        values.len()
    );
    *values.select_nth_unstable_by(k - 1, order).1
}

/// The values of each channel of `[batch, channels, spatial...]`, in the batch's order.
pub(super) fn channels(values: &[f32], batch: usize, channels: usize) -> Vec<Vec<f32>> {
    let plane = values.len() / (batch * channels).max(1);
    (0..channels)
        .map(|channel| {
            let mut gathered = Vec::with_capacity(batch * plane);
            for example in 0..batch {
                let start = (example * channels + channel) * plane;
                gathered.extend_from_slice(&values[start..start + plane]);
            }
            gathered
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_the_largest_value() {
        let values = vec![f32::NAN, 1.0, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(kth(values.clone(), 1), f32::NEG_INFINITY);
        assert_eq!(kth(values.clone(), 3), f32::INFINITY);
        assert!(kth(values, 4).is_nan());
    }

    #[test]
    fn channels_are_gathered_across_the_batch() {
        // Two examples, two channels, planes of two.
        let values = [1.0, 5.0, 10.0, 20.0, 3.0, 4.0, 40.0, 30.0];
        assert_eq!(
            channels(&values, 2, 2),
            [[1.0, 5.0, 3.0, 4.0], [10.0, 20.0, 40.0, 30.0]]
        );
    }

    #[test]
    #[should_panic(expected = "k must be in 1..=2")]
    fn a_rank_beyond_the_values_panics() {
        kth(vec![1.0, 2.0], 3);
    }
}
