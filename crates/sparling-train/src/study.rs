//! What is asked of trained runs, and runs side by side.

pub mod binning;
pub mod causality;
pub mod channels;
pub mod direct;
pub mod experiment;
pub mod intervene;
pub mod names;
pub mod runs;
pub mod supports;
