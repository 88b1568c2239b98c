//! Files of inputs, and how files are written.

pub(crate) mod atomic;
pub mod picture;
pub mod sound;
