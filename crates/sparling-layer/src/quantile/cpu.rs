//! Selection on the CPU.
//!
//! One pass over the values counts those above a bracket and collects those inside. The counts
//! prove whether the value asked for is among the collected, which are few where the bracket is
//! good. A bracket comes from the last batch, else from a sample, and at last holds everything;
//! its lower end rises on the way, as soon as enough larger values are collected.

use rayon::prelude::*;

use super::state::margin;

/// Values looked at together: where none of them reaches the bracket, none is looked at again.
const LANES: usize = 64;

/// The same among those.
const FEW: usize = 16;

/// Values scanned by one thread at a time.
const PIECE: usize = 1 << 16;

/// Fewer values are not worth a second thread.
const PARALLEL_FROM: usize = 1 << 18;

/// Values in the sample that a bracket is guessed from.
const SAMPLE: usize = 2048;

/// Where only one value in so many matters, a rising floor is soon as good as a bracket.
const SPARSE: usize = 128;

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

/// The `k`-th smallest value of each group, counting from 1; all groups have the same size.
///
/// `expected` has a bracket for each group; an empty one stands for none.
pub(super) fn select(groups: &[Group<'_>], k: usize, expected: &[Bracket]) -> Vec<Found> {
    let wanted = Wanted::new(groups, k);
    for_each_group(groups, |index, group| wanted.select(group, expected[index]))
}

/// The `count` largest values of each group, in no particular order.
pub(super) fn largest(groups: &[Group<'_>], count: usize) -> Vec<Vec<f32>> {
    let size = groups.first().map_or(0, |group| length(group));
    let wanted = Wanted::new(groups, size - count + 1);
    for_each_group(groups, |_, group| {
        let kth = wanted.select(group, Bracket::NONE).kth;
        let bracket = Bracket {
            low: kth,
            high: f32::INFINITY,
        };
        let scan = wanted.scan(group, bracket);
        let mut largest = vec![f32::NAN; scan.above.min(count)];
        largest.extend(scan.inside.iter().filter(|value| **value > kth));
        // The rest are equal to the smallest of them.
        largest.resize(count, kth);
        largest
    })
}

/// Calls with each group and its index, on as many threads as there is work for.
fn for_each_group<'a, T: Send>(
    groups: &[Group<'a>],
    call: impl Fn(usize, &Group<'a>) -> T + Sync,
) -> Vec<T> {
    let values: usize = groups.iter().map(|group| length(group)).sum();
    let call = |(index, group)| call(index, group);
    if values < PARALLEL_FROM {
        groups.iter().enumerate().map(call).collect()
    } else {
        groups.par_iter().enumerate().map(call).collect()
    }
}

fn length(group: &[&[f32]]) -> usize {
    group.iter().map(|slice| slice.len()).sum()
}

/// The value that is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    /// The values in a group.
    size: usize,
    /// Its rank, counted from the top.
    rank: usize,
    /// How many ranks the next bracket reaches to either side of it.
    margin: usize,
}

impl Wanted {
    fn new(groups: &[Group<'_>], k: usize) -> Self {
        let size = groups.first().map_or(0, |group| length(group));
        assert!((1..=size).contains(&k), "k must be in 1..={size}, got {k}");
        let rank = size - k + 1;
        Self {
            size,
            rank,
            margin: margin(size, rank),
        }
    }

    fn select(self, group: &[&[f32]], expected: Bracket) -> Found {
        let known = expected.low <= expected.high;
        let search = |bracket: Bracket| self.settle(self.scan(group, bracket), bracket);
        let found = known.then(|| search(expected)).flatten();
        let missed = known && found.is_none();
        let (kth, next) = found
            .or_else(|| search(self.guess(group)))
            .or_else(|| search(Bracket::EVERYTHING))
            .expect("a bracket of everything holds every value");
        Found { kth, next, missed }
    }

    /// A bracket likely to hold the value.
    fn guess(self, group: &[&[f32]]) -> Bracket {
        if self.size < 2 * SAMPLE || self.enough() < self.size / SPARSE {
            return Bracket::EVERYTHING;
        }
        let mut sample = sample(group, self.size);
        let share = self.rank as f64 / self.size as f64;
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
        Bracket {
            low: at(expected + margin, f32::NEG_INFINITY),
            high: at(expected - margin, f32::INFINITY),
        }
        .without_nan()
    }

    /// How many of the largest values there are of interest.
    fn enough(self) -> usize {
        self.rank + self.margin
    }

    fn scan(self, group: &[&[f32]], bracket: Bracket) -> Scan {
        let scan = || Scan::new(bracket, self.enough());
        if self.size < 2 * PIECE {
            return group.iter().fold(scan(), |scan, slice| scan.over(slice));
        }
        let pieces: Vec<&[f32]> = group.iter().flat_map(|slice| slice.chunks(PIECE)).collect();
        pieces
            .into_par_iter()
            .fold(scan, Scan::over)
            .reduce(scan, Scan::merge)
    }

    /// The value and the next bracket, if this bracket holds the value.
    fn settle(self, mut scan: Scan, bracket: Bracket) -> Option<(f32, Bracket)> {
        let Self { size, rank, margin } = self;
        if rank <= scan.above && bracket.high == f32::INFINITY {
            // Only NaN is above infinity.
            return Some((f32::NAN, Bracket::EVERYTHING));
        }
        let position = rank.checked_sub(scan.above + 1)?;
        if position >= scan.inside.len() {
            return None;
        }
        let (larger, kth, smaller) = scan.inside.select_nth_unstable_by(position, descending);
        let kth = *kth;
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
        let kth = kth + 0.0; // -0 and 0 are equal: 0 stands for both
        Some((kth, Bracket { low, high }.without_nan()))
    }
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

/// What a pass learnt so far.
struct Scan {
    /// Smaller values do not matter.
    floor: f32,
    /// The bracket's upper end.
    high: f32,
    /// How many of the largest values matter.
    enough: usize,
    /// How many values are above the bracket.
    above: usize,
    /// The values inside that matter.
    inside: Vec<f32>,
}

impl Scan {
    fn new(bracket: Bracket, enough: usize) -> Self {
        Self {
            floor: bracket.low,
            high: bracket.high,
            enough,
            above: 0,
            inside: Vec::new(),
        }
    }

    fn over(mut self, values: &[f32]) -> Self {
        let (chunks, rest) = values.as_chunks::<LANES>();
        for chunk in chunks {
            if all_below(chunk, self.floor) {
                continue;
            }
            for few in chunk.as_chunks::<FEW>().0 {
                if !all_below(few, self.floor) {
                    self.look(few);
                }
            }
            self.raise_floor();
        }
        for few in rest.chunks(FEW) {
            self.look(few);
        }
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.above += other.above;
        self.inside.extend(other.inside);
        self
    }

    /// Counts and collects among at most [`FEW`] values, without a branch for each.
    fn look(&mut self, values: &[f32]) {
        let (mut above, mut below) = (0, 0);
        for value in values {
            above += u32::from(!self.is_at_most_high(*value));
            below += u32::from(*value < self.floor);
        }
        self.above += above as usize;
        if (above + below) as usize == values.len() {
            return;
        }
        let mut kept = [0.0; FEW];
        let mut count = 0;
        for value in values {
            kept[count % FEW] = *value;
            count += usize::from(*value >= self.floor && self.is_at_most_high(*value));
        }
        self.inside.extend_from_slice(&kept[..count]);
    }

    /// NaN is above any bracket.
    #[inline(always)]
    fn is_at_most_high(&self, value: f32) -> bool {
        value <= self.high
    }

    /// Forgets what cannot matter any more, once it is as much as what can.
    fn raise_floor(&mut self) {
        if self.inside.len() < 2 * self.enough + LANES {
            return;
        }
        let last = self.enough - 1;
        let (_, smallest, _) = self.inside.select_nth_unstable_by(last, descending);
        // Values equal to the smallest are as good as it.
        self.floor = smallest.next_up();
        self.inside.truncate(self.enough);
    }
}

/// Whether all values are below a floor; NaN is below none.
#[inline(always)]
fn all_below<const N: usize>(values: &[f32; N], floor: f32) -> bool {
    let below = values.iter().map(|value| u32::from(*value < floor));
    below.sum::<u32>() == N as u32
}
