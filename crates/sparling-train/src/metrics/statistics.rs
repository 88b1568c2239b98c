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

/// Spearman's rank correlation of two figures over runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RankCorrelation {
    /// From -1 to 1.
    pub rho: f64,
    /// Its 95 % bootstrap interval.
    pub interval: [f64; 2],
}

impl RankCorrelation {
    /// Of pairs; `None` of fewer than five, or if one of the two figures is the same in all of them.
    ///
    /// Resamples in which a figure is the same everywhere have no correlation and are left out.
    pub fn of(pairs: &[[f64; 2]]) -> Option<Self> {
        let count = pairs.len();
        let rho = spearman(pairs).filter(|_| count >= FEW)?;
        let mut stream = Stream::new(Split::Test, count as u64);
        let resamples = (0..RESAMPLES).filter_map(|_| {
            let drawn = (0..count).map(|_| pairs[stream.below(count as u64) as usize]);
            spearman(&drawn.collect::<Vec<_>>())
        });
        let mut resamples: Vec<f64> = resamples.collect();
        resamples.sort_by(f64::total_cmp);
        let last = resamples.len().checked_sub(1)?;
        let at = |share: f64| resamples[(last as f64 * share).round() as usize];
        Some(Self {
            rho,
            interval: [at(0.025), at(0.975)],
        })
    }
}

/// The correlation of ranks.
fn spearman(pairs: &[[f64; 2]]) -> Option<f64> {
    let [one, other] = [0, 1].map(|side| ranks(pairs.iter().map(|pair| pair[side]).collect()));
    let middle = (pairs.len() as f64 + 1.0) / 2.0;
    let product = |one: &[f64], other: &[f64]| -> f64 {
        let pairs = one.iter().zip(other);
        pairs.map(|(x, y)| (x - middle) * (y - middle)).sum()
    };
    let spread = product(&one, &one) * product(&other, &other);
    (spread > 0.0).then(|| product(&one, &other) / spread.sqrt())
}

/// The rank of each value, from 1; equal values share the mean of theirs.
fn ranks(values: Vec<f64>) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
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
    fn ranks_correlate_whatever_the_scale() {
        let rising = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0].map(|value: f64| [value, value.ln()]);
        let correlation = RankCorrelation::of(&rising).unwrap();
        assert!((correlation.rho - 1.0).abs() < 1e-12);
        assert_eq!(correlation.interval.map(f64::round), [1.0, 1.0]);
        let falling = rising.map(|[x, y]| [x, -y]);
        assert!((RankCorrelation::of(&falling).unwrap().rho + 1.0).abs() < 1e-12);
        // Ties share their ranks: 1.5, 1.5, 3 beside 1, 2, 3.
        let tied = spearman(&[[0.0, 1.0], [0.0, 2.0], [5.0, 3.0]]).unwrap();
        assert!((tied - 0.75_f64.sqrt()).abs() < 1e-12);
        assert_eq!(RankCorrelation::of(&rising[..4]), None);
        assert_eq!(RankCorrelation::of(&[[1.0, 2.0]; 9]), None);
    }

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
