//! Which vector instructions the kernels use.

use std::sync::LazyLock;

use pulp::Arch;
#[cfg(target_arch = "x86_64")]
use pulp::x86::V3;

/// Limits the instructions to those that a lesser processor has: `avx2`, or `none` for no vectors.
/// Sums are then rounded as they would be there, which tests and comparisons of machines want.
pub const LIMIT: &str = "SPARLING_SIMD";

/// The best there is on this processor, or what [`LIMIT`] allows.
pub fn arch() -> Arch {
    static ARCH: LazyLock<Arch> = LazyLock::new(choose);
    *ARCH
}

fn choose() -> Arch {
    match std::env::var(LIMIT).as_deref() {
        Ok("none") => Arch::Scalar,
        #[cfg(target_arch = "x86_64")]
        Ok("avx2") => V3::try_new().map_or(Arch::Scalar, Arch::V3),
        _ => Arch::new(),
    }
}
