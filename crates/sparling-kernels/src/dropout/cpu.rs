//! Dropping values of slices.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::vector::reduce::TASK;
use crate::vector::simd::arch;

/// What is dropped, and what the rest is scaled by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drops {
    seed: [u32; 2],
    /// A position is dropped if its random number is lower.
    threshold: u32,
    scale: f32,
}

impl Drops {
    /// Of a share of the positions, below 1.
    pub(crate) fn new(share: f64, seed: [u32; 2]) -> Self {
        Self {
            seed,
            threshold: (share * 2_f64.powi(32)) as u32,
            scale: (1.0 / (1.0 - share)) as f32,
        }
    }

    /// Drops of values the first of which has this position, on this thread.
    pub(crate) fn apply(self, first: usize, values: &mut [f32]) {
        let first = first as u32; // beyond 2^32 positions repeat
        arch().dispatch(Apply {
            drops: self,
            first,
            values,
        });
    }

    /// Drops of values from position 0 on, on all threads.
    pub(super) fn apply_to_all(self, values: &mut [f32]) {
        values
            .par_chunks_mut(TASK)
            .enumerate()
            .for_each(|(task, values)| self.apply(task * TASK, values));
    }
}

struct Apply<'a> {
    drops: Drops,
    first: u32,
    values: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Drops {
            seed: [first_seed, second_seed],
            threshold,
            scale,
        } = self.drops;
        let mut position = self.first.wrapping_add(first_seed);
        for value in self.values {
            let random = mix(mix(position) ^ second_seed);
            *value = if random < threshold {
                0.0
            } else {
                *value * scale
            };
            position = position.wrapping_add(1);
        }
    }
}

/// A permutation of 32 bits in which every input bit changes every output bit about every other time:
/// shifts and odd factors as in the finaliser of MurmurHash3, the factors from Wellons' search
/// ("Prospecting for Hash Functions", 2018).
#[inline(always)]
fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x21f0_aaad);
    let x = (x ^ (x >> 15)).wrapping_mul(0xd35a_2d97);
    x ^ (x >> 15)
}
