//! Selection on the CPU.
//!
//! One pass over the values counts those above a bracket and collects those inside. The counts
//! prove whether the value asked for is among the collected, which are few where the bracket is
//! good. A bracket comes from the last batch, else from a sample, and at last holds everything.

use std::mem;

use rayon::prelude::*;

use super::margin;

/// Values looked at together: where none of them reaches the bracket, none is looked at again.
const LANES: usize = 64;

/// Values scanned by one thread at a time.
const PIECE: usize = 1 << 16;

/// Fewer values are not worth a second thread.
const PARALLEL_FROM: usize = 1 << 15;

/// Values in the sample that a bracket is guessed from.
const SAMPLE: usize = 2048;

/// Groups of fewer values are collected whole instead of sampled.
const SAMPLED_FROM: usize = 2 * SAMPLE;

/// The values from `low` to `high`, both included. NaN is above any bracket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bracket {
    pub low: f32,
    pub high: f32,
}

/// What a group's selection found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// The k-th smallest value.
    pub kth: f32,
    /// What should hold the k-th smallest value of a similar batch.
    pub next: Bracket,
    /// Whether the bracket that was given did not hold it.
    pub missed: bool,
}

/// Values that are ranked together.
pub(super) type Group<'a> = Vec<&'a [f32]>;

/// What one pass learnt of a group.
#[derive(Default)]
struct Scan {
    /// How many values are above the bracket.
    above: usize,
    /// The values inside.
    inside: Vec<f32>,
}

/// The `k`-th smallest value of each group, counting from 1; all groups have the same size.
///
/// `expected` has a bracket for each group; an empty one stands for none.
pub(super) fn select(groups: &[Group<'_>], k: usize, expected: &[Bracket]) -> Vec<Found> {
    let size = groups.first().map_or(0, |group| length(group));
    let rank = rank_from_top(size, k);
    let guess = |group: usize| Bracket::from_sample(&groups[group], size, rank);
    let known = |group: usize| expected[group].low <= expected[group].high;

    let mut found = vec![None; groups.len()];
    let mut missing: Vec<usize> = (0..groups.len()).collect();
    let mut attempt = |missing: &mut Vec<usize>, brackets: &[Bracket], missed: bool| {
        let scans = scan_groups(groups, missing, brackets, size);
        let tried = mem::take(missing).into_iter().zip(brackets);
        for ((group, bracket), scan) in tried.zip(scans) {
            found[group] = scan.settle(*bracket, size, rank, missed && known(group));
            if found[group].is_none() {
                missing.push(group);
            }
        }
    };
    let first = |group: &usize| {
        if known(*group) {
            expected[*group]
        } else {
            guess(*group)
        }
    };
    let brackets: Vec<Bracket> = missing.iter().map(first).collect();
    attempt(&mut missing, &brackets, false);
    // Where the bracket was a guess already, another would be the same.
    let second = |group: &usize| {
        if known(*group) {
            guess(*group)
        } else {
            Bracket::EVERYTHING
        }
    };
    let brackets: Vec<Bracket> = missing.iter().map(second).collect();
    attempt(&mut missing, &brackets, true);
    let brackets = vec![Bracket::EVERYTHING; missing.len()];
    attempt(&mut missing, &brackets, true);
    found
        .into_iter()
        .map(|found| found.expect("a bracket of everything holds every value"))
        .collect()
}

/// The `count` largest values of each group, in no particular order.
pub(super) fn largest(groups: &[Group<'_>], count: usize) -> Vec<Vec<f32>> {
    let size = groups.first().map_or(0, |group| length(group));
    let found = select(groups, size - count + 1, &vec![Bracket::NONE; groups.len()]);
    let brackets: Vec<Bracket> = found
        .iter()
        .map(|found| Bracket {
            low: found.kth,
            high: f32::INFINITY,
        })
        .collect();
    let all: Vec<usize> = (0..groups.len()).collect();
    let scans = scan_groups(groups, &all, &brackets, size);
    let scans = scans.into_iter().zip(&brackets);
    scans
        .map(|(scan, bracket)| {
            let mut largest = vec![f32::NAN; scan.above.min(count)];
            largest.extend(scan.inside.iter().filter(|value| **value > bracket.low));
            // The rest are equal to the smallest of them.
            largest.resize(count, bracket.low);
            largest
        })
        .collect()
}

fn length(group: &[&[f32]]) -> usize {
    group.iter().map(|slice| slice.len()).sum()
}

fn rank_from_top(size: usize, k: usize) -> usize {
    assert!((1..=size).contains(&k), "k must be in 1..={size}, got {k}");
    size - k + 1
}

/// Scans some of the groups, each by its own bracket.
fn scan_groups(
    groups: &[Group<'_>],
    chosen: &[usize],
    brackets: &[Bracket],
    size: usize,
) -> Vec<Scan> {
    let mut pieces: Vec<(usize, &[f32])> = Vec::new();
    for (index, group) in chosen.iter().enumerate() {
        let slices = groups[*group].iter();
        pieces.extend(slices.flat_map(|slice| slice.chunks(PIECE).map(|piece| (index, piece))));
    }
    let scan = |&(index, piece): &(usize, &[f32])| Scan::of(piece, brackets[index]);
    let scans: Vec<Scan> = if chosen.len() * size < PARALLEL_FROM {
        pieces.iter().map(scan).collect()
    } else {
        pieces.par_iter().map(scan).collect()
    };
    let mut merged: Vec<Scan> = chosen.iter().map(|_| Scan::default()).collect();
    for ((index, _), scan) in pieces.into_iter().zip(scans) {
        merged[index].above += scan.above;
        merged[index].inside.extend(scan.inside);
    }
    merged
}

impl Bracket {
    const NONE: Self = Self {
        low: 1.0,
        high: 0.0,
    };

    const EVERYTHING: Self = Self {
        low: f32::NEG_INFINITY,
        high: f32::INFINITY,
    };

    /// A bracket likely to hold the value of a rank, counted from the top.
    fn from_sample(group: &[&[f32]], size: usize, rank: usize) -> Self {
        if size < SAMPLED_FROM {
            return Self::EVERYTHING;
        }
        let mut sample = sample(group, size);
        let share = rank as f64 / size as f64;
        let expected = share * SAMPLE as f64;
        let deviation = (expected * (1.0 - share)).sqrt();
        let margin = 4.0 * deviation + 8.0;
        let mut at = |position: f64, outside: f32| {
            if (0.0..SAMPLE as f64).contains(&position) {
                *sample
                    .select_nth_unstable_by(position as usize, descending)
                    .1
            } else {
                outside
            }
        };
        Self {
            low: at(expected + margin, f32::NEG_INFINITY),
            high: at(expected - margin, f32::INFINITY),
        }
        .without_nan()
    }

    /// With all there is in the direction of a limit that is NaN.
    fn without_nan(self) -> Self {
        let or = |value: f32, other: f32| if value.is_nan() { other } else { value };
        Self {
            low: or(self.low, f32::NEG_INFINITY),
            high: or(self.high, f32::INFINITY),
        }
    }
}

/// Larger values first; NaN last if its sign is set, first otherwise.
fn descending(a: &f32, b: &f32) -> std::cmp::Ordering {
    b.total_cmp(a)
}

/// Values spread over a group, one from each of [`SAMPLE`] stretches of equal length.
fn sample(group: &[&[f32]], size: usize) -> Vec<f32> {
    let stretch = size / SAMPLE;
    let mut slices = group.iter();
    let mut slice: &[f32] = &[];
    let mut passed = 0; // values before this slice
    (0..SAMPLE)
        .map(|index| {
            // Where in its stretch is as good as random, so that no pattern in the image coincides.
            let jitter = (index as u32).wrapping_mul(0x9E37_79B9) >> 16;
            let position = index * stretch + jitter as usize % stretch;
            while position >= passed + slice.len() {
                passed += slice.len();
                slice = slices.next().expect("a position is below the size");
            }
            slice[position - passed]
        })
        .collect()
}

impl Scan {
    fn of(values: &[f32], bracket: Bracket) -> Self {
        let mut scan = Self::default();
        let (chunks, rest) = values.as_chunks::<LANES>();
        for chunk in chunks {
            // Counted like this, NaN reaches every bracket.
            let below = chunk.iter().map(|value| u32::from(*value < bracket.low));
            if below.sum::<u32>() < LANES as u32 {
                scan.look(chunk, bracket);
            }
        }
        scan.look(rest, bracket);
        scan
    }

    /// Counts and collects among at most [`LANES`] values, without a branch for each.
    fn look(&mut self, values: &[f32], bracket: Bracket) {
        let mut kept = [0.0; LANES];
        let mut count = 0;
        let mut not_above = 0;
        for value in values {
            kept[count] = *value;
            count += usize::from(*value >= bracket.low && *value <= bracket.high);
            not_above += usize::from(*value <= bracket.high);
        }
        self.above += values.len() - not_above;
        self.inside.extend_from_slice(&kept[..count]);
    }

    /// The value of a rank, counted from the top, if the bracket holds it.
    fn settle(mut self, bracket: Bracket, size: usize, rank: usize, missed: bool) -> Option<Found> {
        if rank <= self.above && bracket.high == f32::INFINITY {
            // Only NaN is above infinity.
            return Some(Found {
                kth: f32::NAN,
                next: Bracket::EVERYTHING,
                missed,
            });
        }
        let position = rank.checked_sub(self.above + 1)?;
        if position >= self.inside.len() {
            return None;
        }
        let (larger, kth, smaller) = self.inside.select_nth_unstable_by(position, descending);
        let kth = *kth;
        let margin = margin(size, rank);
        let high = if rank <= margin {
            f32::INFINITY
        } else if margin <= larger.len() {
            let position = larger.len() - margin;
            *larger.select_nth_unstable_by(position, descending).1
        } else {
            kth + 2.0 * (bracket.high - kth)
        };
        let low = if rank + margin > size {
            f32::NEG_INFINITY
        } else if margin <= smaller.len() {
            *smaller.select_nth_unstable_by(margin - 1, descending).1
        } else {
            kth - 2.0 * (kth - bracket.low)
        };
        Some(Found {
            kth: kth + 0.0, // -0 and 0 are equal: 0 stands for both
            next: Bracket { low, high }.without_nan(),
            missed,
        })
    }
}
