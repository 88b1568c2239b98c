//! The same work on many items, shared out over threads.

use std::num::NonZero;
use std::{panic, thread};

/// As many threads as the machine runs at once.
pub(crate) fn available_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// What `work` makes of consecutive parts of the items, in their order: one part for each thread.
pub(crate) fn in_parallel<T: Sync, R: Send>(
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
