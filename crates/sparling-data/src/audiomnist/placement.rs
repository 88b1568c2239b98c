//! When the digits of a recording are spoken.

use crate::seed::Stream;

/// Start times of takes of these lengths, in their order, without overlap and within `total`.
///
/// Distributed as independent uniform start times that are drawn again until nothing overlaps and
/// the last take fits, given the takes' order: taking the takes out of the recording leaves the
/// points where they were, which are then uniform in what is left. So nothing need be drawn again.
///
/// # Panics
///
/// If the takes are longer than `total` together.
pub(super) fn starts(lengths: &[usize], total: usize, stream: &mut Stream) -> Vec<usize> {
    let left = total
        .checked_sub(lengths.iter().sum())
        .expect("the takes fit together");
    let mut gaps: Vec<usize> = lengths
        .iter()
        .map(|_| stream.below(left as u64 + 1) as usize)
        .collect();
    gaps.sort_unstable();
    let mut before = 0;
    gaps.into_iter()
        .zip(lengths)
        .map(|(gap, length)| {
            let start = gap + before;
            before += length;
            start
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    #[test]
    fn nothing_overlaps_and_all_fits() {
        for index in 0..2000 {
            let mut stream = Stream::new(Split::Test, index);
            let lengths: Vec<usize> = (0..stream.below(8) + 1)
                .map(|_| stream.below(500) as usize + 1)
                .collect();
            let total = lengths.iter().sum::<usize>() + stream.below(300) as usize;
            let starts = starts(&lengths, total, &mut stream);
            let ends = starts
                .iter()
                .zip(&lengths)
                .map(|(start, length)| start + length);
            let next = starts.iter().skip(1).copied().chain([total]);
            assert!(ends.zip(next).all(|(end, next)| end <= next), "{starts:?}");
        }
    }

    #[test]
    fn a_full_recording_has_one_way() {
        let mut stream = Stream::new(Split::Test, 0);
        assert_eq!(starts(&[3, 4, 5], 12, &mut stream), [0, 3, 7]);
    }

    #[test]
    fn as_if_drawn_again_until_it_fits() {
        // Two takes of 30 in 100: by rejection, the mean of the first start.
        let mut stream = Stream::new(Split::Test, 1);
        let mut rejected = Vec::new();
        while rejected.len() < 20_000 {
            let mut starts = [0, 0].map(|_: i32| stream.below(71) as i64);
            starts.sort_unstable();
            if starts[1] - starts[0] >= 30 {
                rejected.push(starts[0] as f64);
            }
        }
        let direct = (0..20_000).map(|_| starts(&[30, 30], 100, &mut stream)[0] as f64);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let (rejected, direct) = (mean(rejected), mean(direct.collect()));
        assert!((rejected - direct).abs() < 0.4, "{rejected} and {direct}");
    }
}
