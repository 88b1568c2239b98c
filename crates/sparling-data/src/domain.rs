//! What every domain offers.

use crate::example::Example;
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
    /// Makes one example.
    fn example(&self, split: Split, index: u64) -> Example;
}
