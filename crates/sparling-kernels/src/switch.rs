//! Whether kernels stand in for their twins: for tests, which compare the two in whole models.
//!
//! They compute the same but for dropout, which draws other random numbers.

use std::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(true);

/// Whether they do, in this process; as it begins, they do.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Decides whether they do, from the next forward pass on.
pub fn set(on: bool) {
    ON.store(on, Ordering::Relaxed);
}
