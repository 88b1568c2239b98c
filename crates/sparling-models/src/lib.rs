//! The two halves of a SPARLING model for [Burn](https://burn.dev), and the whole.
//!
//! In reading order: [`Sparling`] joins both halves through the bottleneck of `sparling-layer`.
//! [`MotifModel`] is the paper's `g`, a net of [`residual`] units that keeps the input's size;
//! [`Decoder`] is its `h`, which reads the sparse motifs and writes tokens. [`offsets`] moves the
//! motifs in between, [`channel_split`] edits a trained model, [`pytorch`] exchanges weights with
//! the same models there.

pub mod sparling;

pub mod motif_model;
pub mod residual;

pub mod decoder;

pub mod offsets;

mod layers;

pub mod channel_split;
pub mod pytorch;

pub use channel_split::ChannelSplit;
pub use decoder::{Decoder, DecoderConfig, Positions, RowLstmStart};
pub use motif_model::{MotifModel, MotifModelConfig};
pub use offsets::Offsets;
pub use sparling::{Sparling, SparlingConfig};
