//! What is asked of trained runs, and runs side by side.

pub(crate) mod binning;
pub(crate) mod blanking;
pub(crate) mod causality;
pub(crate) mod channels;
pub(crate) mod direct;
pub(crate) mod effects;
pub mod experiment;
pub mod explain;
pub(crate) mod intervene;
pub(crate) mod names;
pub(crate) mod portrait;
pub(crate) mod runs;
pub(crate) mod supports;
pub(crate) mod trust;
