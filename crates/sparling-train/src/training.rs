//! The loop, a step, and what shapes both.

pub mod adam;
pub mod clip;
pub mod learner;
pub mod loss;
pub mod splitting;
pub mod trainer;
