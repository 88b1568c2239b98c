//! What channels stand for, by what outputs lose without them.

use serde::{Deserialize, Serialize};

/// What each channel stands for; `None` of channels that were never active, or whose motifs made no
/// difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Names(pub Vec<Option<Name>>);

/// A channel's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Name {
    /// The output token, by its index.
    pub token: usize,
    /// The share of the channel's motifs without which that token goes.
    pub confidence: f64,
    /// How many motifs were taken away.
    pub motifs: u64,
}
