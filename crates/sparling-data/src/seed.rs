//! Randomness as a pure function of (split, index).

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Which examples: those of one training seed, or one of the two fixed sets for evaluation.
///
/// The paper trains on seeds 1 to 9, validates on seed -1 and tests on seed -2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Split {
    /// Training examples.
    Train {
        /// The training seed.
        seed: u64,
    },
    /// What annealing looks at during training.
    Validation,
    /// What the results are reported on.
    Test,
}

/// A stream of random numbers, and the few ways of drawing from it that domains need.
///
/// The generator (xoshiro256++) and every draw are spelled out, so that examples stay the same
/// across versions of dependencies, platforms and compilers.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl Stream {
    /// The stream of one example. Streams of different examples are independent.
    pub fn new(split: Split, index: u64) -> Self {
        let (kind, seed) = match split {
            Split::Train { seed } => (1, seed),
            Split::Validation => (2, 0),
            Split::Test => (3, 0),
        };
        // Within a split this is a bijection of the index: two examples never share a state.
        let mut state = mix(mix(mix(kind) ^ seed) ^ index);
        let mut bytes = [0; 32];
        for word in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(GOLDEN_GAMMA);
            word.copy_from_slice(&mix(state).to_le_bytes());
        }
        Self {
            generator: Xoshiro256PlusPlus::from_seed(bytes),
        }
    }

    /// 64 fair bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `0..count` without bias (Lemire's multiplication with rejection).
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    pub fn below(&mut self, count: u64) -> u64 {
        assert!(count > 0, "cannot draw from an empty range");
        // The first 2^64 mod count low parts would come up once too often.
        let excess = count.wrapping_neg() % count;
        loop {
            let product = u128::from(self.bits()) * u128::from(count);
            if product as u64 >= excess {
                return (product >> 64) as u64;
            }
        }
    }

    /// Uniform in `low..high` without bias.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    pub fn integer(&mut self, range: std::ops::Range<i64>) -> i64 {
        assert!(range.start < range.end, "cannot draw from {range:?}");
        let width = range.end.wrapping_sub(range.start) as u64;
        range.start.wrapping_add(self.below(width) as i64)
    }

    /// 64 independent bits, each set with the same probability, exact to 2^-64.
    ///
    /// Every bit compares its own uniform number with the probability, binary digit by binary
    /// digit, all 64 at once; a comparison is settled by the first digit that differs, so about
    /// eight words are drawn for 64 bits.
    #[inline]
    pub fn flips(&mut self, probability: Probability) -> u64 {
        if probability.certain {
            return u64::MAX;
        }
        let mut set = 0;
        let mut open = u64::MAX;
        let mut digits = probability.digits;
        // No digits left: the number is at or above the probability.
        while open != 0 && digits != 0 {
            let drawn = self.bits();
            if digits >> 63 == 1 {
                set |= open & !drawn;
                open &= drawn;
            } else {
                open &= !drawn;
            }
            digits <<= 1;
        }
        set
    }
}

/// A probability as 64 binary digits, for [`Stream::flips`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probability {
    digits: u64,
    certain: bool,
}

impl Probability {
    /// From a number between 0 and 1; `None` for any other.
    pub fn new(probability: f64) -> Option<Self> {
        let scale = (1u128 << 64) as f64;
        (0.0..=1.0).contains(&probability).then_some(Self {
            digits: (probability * scale) as u64,
            certain: probability == 1.0,
        })
    }
}

/// SplitMix64's increment: 2^64 divided by the golden ratio, made odd.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output function after one increment: a bijection that scatters its input.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(GOLDEN_GAMMA);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: Split = Split::Train { seed: 1 };

    #[test]
    fn streams_are_pinned() {
        let first = |split, index| Stream::new(split, index).bits();
        assert_eq!(first(TRAIN, 0), 10_008_268_925_214_574_073);
        assert_eq!(first(Split::Validation, 7), 16_937_428_595_605_640_657);
    }

    #[test]
    fn streams_of_different_examples_differ() {
        let seeds = (0..30).map(|seed| Split::Train { seed });
        let splits = seeds.chain([Split::Validation, Split::Test]);
        let firsts =
            splits.flat_map(|split| (0..1000).map(move |index| Stream::new(split, index).bits()));
        let distinct: std::collections::HashSet<u64> = firsts.collect();
        assert_eq!(distinct.len(), 32_000);
    }

    #[test]
    fn neighbouring_streams_are_uncorrelated() {
        let examples = 20_000;
        let differing: u32 = (0..examples)
            .map(|index| {
                let (one, next) = (Stream::new(TRAIN, index), Stream::new(TRAIN, index + 1));
                (one.clone().bits() ^ next.clone().bits()).count_ones()
            })
            .sum();
        let share = f64::from(differing) / (64.0 * examples as f64);
        assert!((share - 0.5).abs() < 0.002, "{share}");
    }

    #[test]
    fn integers_are_uniform_and_in_range() {
        let mut stream = Stream::new(Split::Test, 0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[(stream.integer(-3..4) + 3) as usize] += 1;
        }
        // Five standard deviations of a count around 10,000.
        assert!(
            counts.iter().all(|&n| n.abs_diff(10_000) < 470),
            "{counts:?}"
        );
        assert_eq!(stream.below(1), 0);
    }

    #[test]
    #[should_panic(expected = "empty range")]
    fn an_empty_range_cannot_be_drawn_from() {
        Stream::new(Split::Test, 0).below(0);
    }

    #[test]
    fn units_are_uniform_and_in_range() {
        let mut stream = Stream::new(Split::Test, 1);
        let units: Vec<f64> = (0..100_000).map(|_| stream.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / units.len() as f64;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
    }

    #[test]
    fn flips_have_their_probability() {
        let mut stream = Stream::new(Split::Test, 2);
        for probability in [0.0, 1e-3, 0.05, 0.125, 0.3, 0.5, 0.95, 1.0] {
            let exact = Probability::new(probability).unwrap();
            let words = 20_000;
            let set: u32 = (0..words).map(|_| stream.flips(exact).count_ones()).sum();
            let count = 64.0 * f64::from(words);
            let deviation = (probability * (1.0 - probability) / count).sqrt();
            let share = f64::from(set) / count;
            assert!(
                (share - probability).abs() <= 5.0 * deviation,
                "{share} instead of {probability}"
            );
        }
    }

    #[test]
    fn flips_are_independent_of_their_place() {
        let mut stream = Stream::new(Split::Test, 3);
        let tenth = Probability::new(0.1).unwrap();
        let mut by_bit = [0_u32; 64];
        let mut pairs = 0;
        for _ in 0..20_000 {
            let flips = stream.flips(tenth);
            pairs += (flips & (flips >> 1)).count_ones();
            for (bit, count) in by_bit.iter_mut().enumerate() {
                *count += (flips >> bit & 1) as u32;
            }
        }
        assert!(by_bit.iter().all(|&n| n.abs_diff(2000) < 220), "{by_bit:?}");
        // 63 pairs of neighbours, both set with probability 0.01.
        let share = f64::from(pairs) / (63.0 * 20_000.0);
        assert!((share - 0.01).abs() < 5e-4, "{share}");
    }

    #[test]
    fn probabilities_are_checked() {
        for bad in [-1e-9, 1.0 + 1e-9, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::new(bad), None);
        }
    }
}
