//! Burn's operators made faster, each beside its twin: the same by Burn's own operators.
//!
//! An operator takes tensors, on any backend and with or without autodiff. On backends that a
//! kernel is for the kernel runs, on all others the twin, which is also what the kernel is tested
//! against, with its gradients. The README has the table of what runs where and what it gains.
//!
//! In the order in which a step of training runs them: [`conv`], [`embed_max`], [`recurrence`],
//! [`linear`], [`attention`], [`dropout`], [`layer_norm`], [`adam`]. In each, `cpu` is the kernel
//! for Flex, Burn's CPU backend, on plain slices, `cube` the one for GPUs, and `operator` what
//! makes them operators of Burn. Underneath are the loops of [`vector`], [`flex`], which reads
//! Flex's tensors, and [`autodiff`], which puts an operator on the autodiff graph.

pub mod adam;
pub mod attention;
pub mod conv;
pub mod dropout;
pub mod embed_max;
pub mod layer_norm;
pub mod linear;
pub mod recurrence;

#[cfg(any(feature = "flex", feature = "cube"))]
pub mod autodiff;
#[cfg(feature = "flex")]
pub mod flex;
#[doc(hidden)]
pub mod switch;
#[cfg(feature = "flex")]
pub mod vector;
