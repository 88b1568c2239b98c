//! The loop, a step, and what shapes both.

pub(crate) mod adam;
pub(crate) mod clip;
pub mod learner;
pub(crate) mod loss;
pub(crate) mod splitting;
pub(crate) mod trainer;
