//! Loops on slices, for whatever vectors the processor has.

pub(crate) mod correlate;
pub(crate) mod elementary;
pub(crate) mod product;
pub mod reduce;
pub mod simd;
