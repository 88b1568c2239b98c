//! In which order training goes through its examples.

use crate::seed::{Split, Stream};

/// How often halves are mixed into each other.
const ROUNDS: usize = 6;

/// Which of `count` examples comes at an index in training: each once in every `count` of them, in another
/// order each time.
///
/// # Panics
///
/// If there are no examples.
pub(super) fn shuffled(seed: u64, index: u64, count: u64) -> u64 {
    assert!(count > 0, "there is nothing to choose from");
    let (epoch, position) = (index / count, index % count);
    Shuffle::new(seed, epoch, count).place(position)
}

/// A permutation that is computed place by place: a Feistel network over the next power of 4, gone
/// through again where it leads beyond the end.
struct Shuffle {
    count: u64,
    half_bits: u32,
    keys: [u64; ROUNDS],
}

impl Shuffle {
    fn new(seed: u64, epoch: u64, count: u64) -> Self {
        // Far from the streams that vary the examples.
        let mut stream = Stream::new(Split::Train { seed }, u64::MAX - epoch);
        Self {
            count,
            half_bits: (u64::BITS - (count - 1).leading_zeros()).div_ceil(2).max(1),
            keys: [(); ROUNDS].map(|()| stream.bits()),
        }
    }

    fn place(&self, position: u64) -> u64 {
        let mut place = self.mixed(position);
        while place >= self.count {
            place = self.mixed(place);
        }
        place
    }

    fn mixed(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (scattered(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// Scatters a value's bits (the finaliser of MurmurHash3).
fn scattered(value: u64) -> u64 {
    let value = (value ^ (value >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let value = (value ^ (value >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ (value >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_epoch_has_every_example_once() {
        for count in [1, 2, 3, 4, 5, 16, 17, 100, 1000] {
            for epoch in 0..3 {
                let indices = epoch * count..(epoch + 1) * count;
                let mut places: Vec<u64> = indices.map(|index| shuffled(7, index, count)).collect();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..count), "{count}");
            }
        }
    }

    #[test]
    fn orders_differ_by_epoch_and_seed() {
        let order = |seed: u64, epoch: u64| -> Vec<u64> {
            let indices = 100 * epoch..100 * (epoch + 1);
            indices.map(|index| shuffled(seed, index, 100)).collect()
        };
        let orders = [order(1, 0), order(1, 1), order(2, 0)];
        for (index, one) in orders.iter().enumerate() {
            for other in &orders[..index] {
                let same = one.iter().zip(other).filter(|(one, other)| one == other);
                // One on average.
                assert!(same.count() < 8);
            }
        }
    }

    #[test]
    fn every_example_comes_everywhere() {
        let (count, epochs) = (10, 5000);
        let mut first = [0_u32; 10];
        for epoch in 0..epochs {
            first[shuffled(1, epoch * count, count) as usize] += 1;
        }
        // Five standard deviations of a count around 500.
        assert!(
            first.iter().all(|times| times.abs_diff(500) < 107),
            "{first:?}"
        );
    }
}
