//! Spoken digits, one take at a time: recorded ones from a folder, or synthesised ones.
//!
//! A [`Collection`] holds every take in memory, mono and at one sample rate, whatever it came from.

pub mod folder;
pub mod resample;
pub mod synthetic;
pub mod wav;

use std::num::NonZero;
use std::{panic, thread};

/// How many digits are spoken: zero to nine.
pub const DIGITS: usize = 10;

/// Speakers with their takes of every digit.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// Samples per second of every take.
    pub sample_rate: u32,
    /// The speakers, sorted by name.
    pub speakers: Vec<Speaker>,
}

/// One speaker's takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Speaker {
    /// The name that the source gives.
    pub name: String,
    /// For each digit its takes, mono samples between -1 and 1; at least one each.
    pub takes: [Vec<Vec<f32>>; DIGITS],
}

/// As many threads as the machine runs at once.
fn available_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// What `work` makes of consecutive parts of the items, in their order: one part for each thread.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let share = items.len().div_ceil(threads).max(1);
    let work = &work;
    thread::scope(|scope| {
        let parts = items.chunks(share);
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let finished = workers.into_iter().map(|worker| worker.join());
        finished
            .map(|result| result.unwrap_or_else(|payload| panic::resume_unwind(payload)))
            .collect()
    })
}
