//! The kernels of [`super`].

use cubecl::prelude::*;

use super::{CAPACITY, QUERIES, UNITS};
use crate::quantile::state::COLUMNS;

const NEGATIVE_INFINITY: u32 = 0xff80_0000;
const INFINITY: u32 = 0x7f80_0000;

/// An integer in the order of the floats: the zeros equal, NaN last.
#[cube]
fn to_key(bits: u32) -> u32 {
    let magnitude = bits & 0x7fff_ffff;
    let key = select(bits >= 0x8000_0000, bits ^ 0xffff_ffff, bits | 0x8000_0000);
    let key = select(magnitude == 0, 0x8000_0000, key);
    select(magnitude > INFINITY, 0xffff_ffff, key)
}

/// The float of a key, as bits.
#[cube]
fn from_key(key: u32) -> u32 {
    select(key >= 0x8000_0000, key ^ 0x8000_0000, key ^ 0xffff_ffff)
}

/// Where in memory a unit's value is, by its position among those that its cubes share: a plane, or,
/// if `flat`, all values of the group.
#[cube]
fn locate(position: u32, plane: u32, #[comptime] flat: bool) -> u32 {
    if comptime![flat] {
        ((position / plane) * CUBE_COUNT_Y + CUBE_POS_Y) * plane + position % plane
    } else {
        (CUBE_POS_Z * CUBE_COUNT_Y + CUBE_POS_Y) * plane + position
    }
}

/// Counts what is above each group's bracket and collects what is inside.
///
/// Cubes: pieces of `shared` values, groups, planes of a group unless `flat`.
#[cube(launch_unchecked)]
pub(super) fn filter(
    values: &[u32],
    state: &[u32],
    counts: &[Atomic<u32>],
    inside: &mut [u32],
    plane: u32,
    shared: u32,
    #[comptime] flat: bool,
) {
    let group = CUBE_POS_Y;
    let row = (group * COLUMNS as u32) as usize;
    let low = to_key(state[row + 1]);
    let high = to_key(state[row + 2]);
    // An empty bracket stands for none: nothing need be looked at.
    let end = select(low <= high, shared, 0);

    let above_all = Shared::<[Atomic<u32>]>::new_slice(1usize);
    if UNIT_POS == 0 {
        above_all[0].store(0);
    }
    sync_cube();
    let mut above = 0u32;
    let mut position = CUBE_POS_X * CUBE_DIM + UNIT_POS;
    while position < end {
        let key = to_key(values[locate(position, plane, flat) as usize]);
        if key > high {
            above += 1;
        } else if key >= low {
            let index = counts[(2 * group + 1) as usize].fetch_add(1);
            if index < CAPACITY as u32 {
                inside[(group * CAPACITY as u32 + index) as usize] = key;
            }
        }
        position += CUBE_COUNT_X * CUBE_DIM;
    }
    if above > 0 {
        above_all[0].fetch_add(above);
    }
    sync_cube();
    if UNIT_POS == 0 {
        let above = above_all[0].load();
        if above > 0 {
            counts[(2 * group) as usize].fetch_add(above);
        }
    }
}

/// Finds the digit in which a rank from the top falls, of a histogram of keys; one unit a digit.
///
/// `answer` becomes the digit and the rank among the keys with that digit.
#[cube]
fn find_digit(count: u32, rank: u32, sums: &mut Shared<[u32]>, answer: &mut Shared<[u32]>) {
    // The sum over this digit and all larger, in eight doublings.
    sums[UNIT_POS as usize] = count;
    let mut reach = 1u32;
    while reach < UNITS {
        sync_cube();
        let other = UNIT_POS + reach;
        let more = select(other < UNITS, sums[min(other, UNITS - 1) as usize], 0);
        sync_cube();
        sums[UNIT_POS as usize] += more;
        reach *= 2;
    }
    sync_cube();
    let sum = sums[UNIT_POS as usize];
    if rank > sum - count && rank <= sum {
        answer[0] = UNIT_POS;
        answer[1] = rank - (sum - count);
    }
    sync_cube();
}

/// The key of a rank from the top among those collected.
#[cube]
fn select_inside(
    keys: &[u32],
    start: u32,
    length: u32,
    rank: u32,
    bins: &Shared<[Atomic<u32>]>,
    sums: &mut Shared<[u32]>,
    answer: &mut Shared<[u32]>,
) -> u32 {
    let mut prefix = 0u32;
    let mut remaining = rank;
    #[unroll]
    for round in 0..4u32 {
        let shift = 24 - 8 * round;
        bins[UNIT_POS as usize].store(0);
        sync_cube();
        let mut position = UNIT_POS;
        while position < length {
            let key = keys[(start + position) as usize];
            // The digits above this one; a shift by 32 is not defined.
            let matches = (key >> shift) >> 8 == (prefix >> shift) >> 8;
            if matches {
                bins[((key >> shift) & 255) as usize].fetch_add(1);
            }
            position += UNITS;
        }
        sync_cube();
        let count = bins[UNIT_POS as usize].load();
        find_digit(count, remaining, sums, answer);
        prefix |= answer[0] << shift;
        remaining = answer[1];
        sync_cube();
    }
    prefix
}

/// Writes a group's answer and next bracket if its bracket held the answer; else prepares the search
/// among all values.
///
/// Cubes: groups.
#[cube(launch_unchecked)]
pub(super) fn settle(
    state: &[u32],
    counts: &[u32],
    inside: &[u32],
    output: &mut [u32],
    missed: &mut [u32],
    queries: &mut [u32],
    histograms: &mut [u32],
    rank: u32,
    rank_low: u32,
    rank_high: u32,
) {
    let bins = Shared::<[Atomic<u32>]>::new_slice(UNITS as usize);
    let mut sums = Shared::<[u32]>::new_slice(UNITS as usize);
    let mut answer = Shared::<[u32]>::new_slice(2usize);
    let group = CUBE_POS_X;
    let row = (group * COLUMNS as u32) as usize;
    let low = state[row + 1];
    let high = state[row + 2];
    let known = to_key(low) <= to_key(high);
    let above = counts[(2 * group) as usize];
    let collected = counts[(2 * group + 1) as usize];
    let held = known && above < rank && rank <= above + collected && collected <= CAPACITY as u32;

    // Without an answer inside the searches find nothing, and what they return is not used.
    let length = select(held, collected, 0);
    let start = group * CAPACITY as u32;
    let key = select_inside(
        inside,
        start,
        length,
        rank - above,
        &bins,
        &mut sums,
        &mut answer,
    );
    let low_is_inside = rank_low > 0 && rank_low <= above + collected;
    let low_key = select_inside(
        inside,
        start,
        length,
        select(low_is_inside, rank_low - above, 1),
        &bins,
        &mut sums,
        &mut answer,
    );
    let high_is_inside = rank_high > above;
    let high_key = select_inside(
        inside,
        start,
        length,
        select(high_is_inside, rank_high - above, 1),
        &bins,
        &mut sums,
        &mut answer,
    );

    if UNIT_POS == 0 {
        missed[group as usize] = select(held, 0, 1);
        let misses = f32::reinterpret(state[row + 3]);
        if held {
            let kth = f32::reinterpret(from_key(key));
            // Where the bracket does not reach as far as it should, the next does so twice.
            let wider_low = u32::reinterpret(kth - 2.0 * (kth - f32::reinterpret(low)));
            let wider_high = u32::reinterpret(kth + 2.0 * (f32::reinterpret(high) - kth));
            let next_low = select(low_is_inside, from_key(low_key), wider_low);
            let next_high = select(high_is_inside, from_key(high_key), wider_high);
            output[row] = from_key(key);
            output[row + 1] = select(rank_low == 0, NEGATIVE_INFINITY, next_low);
            output[row + 2] = select(rank_high == 0, INFINITY, next_high);
            output[row + 3] = u32::reinterpret(misses);
        } else {
            output[row + 3] = u32::reinterpret(misses + select(known, 1.0f32, 0.0f32));
            let query = (group * 2 * QUERIES) as usize;
            queries[query] = 0;
            queries[query + 1] = rank;
            queries[query + 2] = 0;
            queries[query + 3] = rank_low;
            queries[query + 4] = 0;
            queries[query + 5] = rank_high;
        }
    }
    #[unroll]
    for query in 0..QUERIES {
        histograms[((group * QUERIES + query) * UNITS + UNIT_POS) as usize] = 0;
    }
}

/// Counts, for each query of a missed group, the digits at `shift` of the keys that agree with the
/// query in all digits above.
///
/// Cubes: pieces of `shared` values, groups, planes of a group unless `flat`.
#[cube(launch_unchecked)]
pub(super) fn histogram(
    values: &[u32],
    missed: &[u32],
    queries: &[u32],
    histograms: &[Atomic<u32>],
    plane: u32,
    shared: u32,
    shift: u32,
    #[comptime] flat: bool,
) {
    let bins = Shared::<[Atomic<u32>]>::new_slice((QUERIES * UNITS) as usize);
    let group = CUBE_POS_Y;
    #[unroll]
    for query in 0..QUERIES {
        bins[(query * UNITS + UNIT_POS) as usize].store(0);
    }
    sync_cube();
    let end = select(missed[group as usize] == 1, shared, 0);
    let query = (group * 2 * QUERIES) as usize;
    let first = (queries[query] >> shift) >> 8;
    let second = (queries[query + 2] >> shift) >> 8;
    let third = (queries[query + 4] >> shift) >> 8;
    let mut position = CUBE_POS_X * CUBE_DIM + UNIT_POS;
    while position < end {
        let key = to_key(values[locate(position, plane, flat) as usize]);
        let digit = (key >> shift) & 255;
        let prefix = (key >> shift) >> 8;
        if prefix == first {
            bins[digit as usize].fetch_add(1);
        }
        // At first all queries agree, and one histogram does for them.
        if shift < 24 {
            if prefix == second {
                bins[(UNITS + digit) as usize].fetch_add(1);
            }
            if prefix == third {
                bins[(2 * UNITS + digit) as usize].fetch_add(1);
            }
        }
        position += CUBE_COUNT_X * CUBE_DIM;
    }
    sync_cube();
    #[unroll]
    for query in 0..QUERIES {
        let count = bins[(query * UNITS + UNIT_POS) as usize].load();
        if count > 0 {
            let index = (group * QUERIES + query) * UNITS + UNIT_POS;
            histograms[index as usize].fetch_add(count);
        }
    }
}

/// Fixes the digit at `shift` of each query of a missed group; after the last, writes its row.
///
/// Cubes: groups.
#[cube(launch_unchecked)]
pub(super) fn descend(
    missed: &[u32],
    histograms: &mut [u32],
    queries: &mut [u32],
    output: &mut [u32],
    shift: u32,
) {
    let mut sums = Shared::<[u32]>::new_slice(UNITS as usize);
    let mut answer = Shared::<[u32]>::new_slice(2usize);
    let group = CUBE_POS_X;
    let is_missed = missed[group as usize] == 1;
    let row = (group * COLUMNS as u32) as usize;
    // The counts of all queries before any is cleared: the first round has one histogram for all.
    let base = group * QUERIES * UNITS + UNIT_POS;
    let first = histograms[base as usize];
    let second = histograms[(base + UNITS) as usize];
    let third = histograms[(base + 2 * UNITS) as usize];
    #[unroll]
    for query in 0..QUERIES {
        histograms[(base + query * UNITS) as usize] = 0;
        let own = select(query == 0, first, select(query == 1, second, third));
        let count = select(shift == 24, first, own);
        let place = ((group * QUERIES + query) * 2) as usize;
        let rank = queries[place + 1];
        if UNIT_POS == 0 {
            answer[0] = 0;
            answer[1] = 0;
        }
        sync_cube();
        find_digit(count, rank, &mut sums, &mut answer);
        if UNIT_POS == 0 && is_missed {
            let key = queries[place] | (answer[0] << shift);
            queries[place] = key;
            queries[place + 1] = answer[1];
            if shift == 0 {
                let value = from_key(key);
                // A query for rank 0 is for what lies beyond all values.
                let unbounded = select(query == 1, NEGATIVE_INFINITY, INFINITY);
                output[row + query as usize] = select(rank == 0, unbounded, value);
            }
        }
        sync_cube();
    }
}

/// Fills each row with the group's answer.
///
/// Cubes: pieces of a row, groups.
#[cube(launch_unchecked)]
pub(super) fn fill_with_answer(state: &[u32], output: &mut [u32], count: u32) {
    let position = CUBE_POS_X * CUBE_DIM + UNIT_POS;
    if position < count {
        let index = CUBE_POS_Y * count + position;
        output[index as usize] = state[(CUBE_POS_Y * COLUMNS as u32) as usize];
    }
}

/// Collects the values larger than the group's answer.
///
/// Cubes: pieces of `shared` values, groups, planes of a group unless `flat`.
#[cube(launch_unchecked)]
pub(super) fn collect_larger(
    values: &[u32],
    state: &[u32],
    counts: &[Atomic<u32>],
    output: &mut [u32],
    plane: u32,
    shared: u32,
    count: u32,
    #[comptime] flat: bool,
) {
    let group = CUBE_POS_Y;
    let answer = to_key(state[(group * COLUMNS as u32) as usize]);
    let mut position = CUBE_POS_X * CUBE_DIM + UNIT_POS;
    while position < shared {
        let value = values[locate(position, plane, flat) as usize];
        if to_key(value) > answer {
            let index = counts[group as usize].fetch_add(1);
            output[(group * count + index) as usize] = value;
        }
        position += CUBE_COUNT_X * CUBE_DIM;
    }
}
