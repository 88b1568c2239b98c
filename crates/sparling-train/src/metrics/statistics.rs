//! Medians, and means with how sure they are.

use sparling_data::Split;
use sparling_data::seed::Stream;

/// How often values are drawn anew for an interval.
const RESAMPLES: usize = 10_000;

/// So few values are shown with their range: a bootstrap of them says little.
const FEW: usize = 5;

/// A mean over seeds, with what it is the mean of.
#[derive(Clone, Debug, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// The 95 % bootstrap interval of the mean; of fewer than five values, their range.
    pub interval: [f64; 2],
    /// The values.
    pub values: Vec<f64>,
}

impl Mean {
    /// The mean of some values, `None` of none.
    ///
    /// The interval is the middle 95 % of the means of resamples with replacement (the percentile
    /// bootstrap), always the same for the same values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        if count < FEW {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            return Some(Self {
                mean,
                interval: [least, most],
                values: values.to_vec(),
            });
        }
        let mut stream = Stream::new(Split::Test, count as u64);
        let mut means: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let drawn = (0..count).map(|_| values[stream.below(count as u64) as usize]);
                drawn.sum::<f64>() / count as f64
            })
            .collect();
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[((RESAMPLES - 1) as f64 * share).round() as usize];
        Some(Self {
            mean,
            interval: [at(0.025), at(0.975)],
            values: values.to_vec(),
        })
    }
}

/// The median, of an even number the larger of the two in the middle. There must be some.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_the_mean_and_shrink_with_the_values() {
        assert_eq!(Mean::of(&[]), None);
        let one = Mean::of(&[0.3]).unwrap();
        assert_eq!(one.interval, [one.mean, one.mean]);
        let width = |values: &[f64]| {
            let Mean { mean, interval, .. } = Mean::of(values).unwrap();
            assert!(interval[0] <= mean && mean <= interval[1]);
            interval[1] - interval[0]
        };
        let few = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(width(&few), 3.0);
        let many = few.repeat(16);
        assert!(width(&many) < width(&few.repeat(2)) / 2.0);
        // A normal mean's interval is 1.96 deviations of it to either side.
        let expected = 2.0 * 1.96 * 1.25_f64.sqrt() / 8.0;
        assert!((width(&many) - expected).abs() < 0.05 * expected);
    }
}
