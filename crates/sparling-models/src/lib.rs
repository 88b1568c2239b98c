//! The two halves of a SPARLING model for [Burn](https://burn.dev), and the whole.
//!
//! In reading order: [`Sparling`] joins both halves through the bottleneck of `sparling-layer`.
//! [`MotifModel`] is the paper's `g`, a net of residual units that keeps the input's size;
//! [`Decoder`] is its `h`, which reads the sparse motifs and writes tokens. [`Offsets`] move the
//! motifs in between, a [`ChannelSplit`] edits a trained model, [`pytorch`] exchanges weights with
//! the same models there.

mod sparling;

mod motif_model;
mod residual;

pub mod decoder;

mod offsets;

mod layers;

mod channel_split;
pub mod pytorch;

pub use channel_split::ChannelSplit;
pub use decoder::{Decoder, DecoderConfig, Positions, RowLstmStart};
pub use motif_model::{MotifModel, MotifModelConfig};
pub use offsets::Offsets;
pub use sparling::{Sparling, SparlingConfig};
