//! Whether this project's kernels stand in for compositions of Burn's operators on Flex.
//!
//! They compute the same, faster. Without them Flex runs what every other backend runs, which is how
//! the two are compared.

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
