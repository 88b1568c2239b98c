//! What every domain offers.

use std::ops::Range;

use crate::error::ConfigError;
use crate::example::{Example, Sound, Typeset};
use crate::seed::Split;
use crate::vocab::Vocabulary;

/// A source of labelled examples, each a pure function of (split, index).
///
/// The seed is inside [`Split::Train`]: validation and test are the same for every training seed,
/// as in the paper.
pub trait Domain: Send + Sync {
    /// The name on the command line, such as `digitcircle`.
    fn name(&self) -> &'static str;
    /// The shape of one input, `[channels, spatial...]`.
    fn input_shape(&self) -> Vec<usize>;
    /// The output tokens.
    fn vocabulary(&self) -> &Vocabulary;
    /// The names of the symbols that have footprints, by symbol index.
    fn symbols(&self) -> &[String];
    /// How many motif channels the paper gives this domain.
    fn channels(&self) -> usize;
    /// The density at which there is exactly one activation per symbol.
    fn minimum_density(&self) -> f64;
    /// The most tokens an output has, without start and end.
    fn longest_output(&self) -> usize;
    /// Loads what examples are made from, if that is anything.
    ///
    /// # Errors
    ///
    /// If it is missing or cannot be used.
    fn prepare(&self) -> Result<(), ConfigError> {
        Ok(())
    }
    /// What a reader of results must know about the examples.
    fn note(&self) -> Option<&str> {
        None
    }
    /// Makes one example.
    ///
    /// # Panics
    ///
    /// If [`prepare`](Self::prepare) was not called.
    fn example(&self, split: Split, index: u64) -> Example;
    /// The value of ink in an input that is a picture; the ground is 1 minus that.
    fn ink(&self) -> f32 {
        1.0
    }
    /// The symbols that are tokens of the same number and may stand in each other's place.
    fn exchangeable(&self) -> Range<usize> {
        0..0
    }
    /// The output whose tokens are these, once one of them has become another.
    fn rearranged(&self, tokens: Vec<usize>) -> Vec<usize> {
        tokens
    }
    /// Whether tokens are an output that this domain could have, where not all are.
    fn is_well_formed(&self, _tokens: &[usize]) -> Option<bool> {
        None
    }
    /// Output tokens as people write and see them, if they are well formed.
    fn typeset(&self, _tokens: &[usize]) -> Option<Typeset> {
        None
    }
    /// What an example sounds like, if it is a recording.
    fn sound(&self, _split: Split, _index: u64) -> Option<Sound> {
        None
    }
}
