//! The two halves of a SPARLING model for [Burn](https://burn.dev), and the whole.
//!
//! [`MotifModel`] is the paper's `g`, a residual convolutional net that keeps the input's size;
//! [`Decoder`] is its `h`, which reads the sparse motifs and writes tokens; [`Sparling`] joins
//! them through the bottleneck of `sparling-layer`.

mod conv;
pub mod decoder;
mod dropout;
#[cfg(feature = "flex")]
mod elementary;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod kernel;
mod linear;
pub mod motif;
pub mod offsets;
#[cfg(feature = "flex")]
mod product;
pub mod residual;
#[cfg(feature = "flex")]
pub mod simd;
pub mod sparling;
pub mod split;

pub use decoder::{Decoder, DecoderConfig, Positions, RowLstmStart};
pub use motif::{MotifModel, MotifModelConfig};
pub use offsets::Offsets;
pub use sparling::{Sparling, SparlingConfig};
pub use split::Split;
