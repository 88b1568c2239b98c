//! Whether this project's kernels stand in for compositions of Burn's operators.
//!
//! They compute the same, faster, but for dropout, which draws other random numbers. Without them every
//! backend runs the same compositions, which is how the two are compared. The order statistic has no
//! composition, and so is always its own kernel.

use std::sync::atomic::{AtomicBool, Ordering};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Whether they do, in this process; as it begins, they do.
pub fn are_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Decides whether they do, from the next forward pass on.
pub fn enable(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}
