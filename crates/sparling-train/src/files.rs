//! Files of inputs, and how files are written.

pub mod atomic;
pub mod picture;
pub mod sound;
