//! What every domain offers.

use std::fmt::Debug;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dyn_clone::DynClone;

use crate::error::ConfigError;
use crate::example::{Example, OwnPicture, Sound, Typeset};
use crate::seed::Split;
use crate::vocab::Vocabulary;

/// A source of labelled examples, each a pure function of (split, index).
///
/// The seed is inside [`Split::Train`]: validation and test are the same for every training seed,
/// as in the paper.
pub trait Domain: Send + Sync {
    /// The shape of one input, `[channels, height, width]`. A sequence, such as sound, has height 1.
    fn input_shape(&self) -> [usize; 3];
    /// The output tokens.
    fn vocabulary(&self) -> &Vocabulary;
    /// The names of the symbols that have footprints, by symbol index; unless they are others, the
    /// tokens.
    fn symbols(&self) -> &[String] {
        self.vocabulary().names()
    }
    /// The symbol that an output token writes, if it writes one: unless a domain says otherwise, the one
    /// of its name.
    fn symbol_of(&self, token: usize) -> Option<usize> {
        let name = self.vocabulary().names().get(token)?;
        self.symbols().iter().position(|symbol| symbol == name)
    }
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
    /// How many examples a split has, once it is prepared; `None` where there is no end to them.
    fn count(&self, _split: Split) -> Option<u64> {
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
    /// The tokens of a label; `None` if it is none of an output that this domain could have. Unless a
    /// domain says otherwise there are spaces between them.
    fn tokens_of(&self, label: &str) -> Option<Vec<usize>> {
        let names = label.split_whitespace();
        names.map(|name| self.vocabulary().id(name)).collect()
    }
    /// The column of a folder's metadata that has the labels, where there is one.
    fn label(&self) -> Option<&str> {
        None
    }
    /// Whether pictures of another size can be put into the middle of an input, or cut around it.
    fn centres_pictures(&self) -> bool {
        false
    }
    /// Reads a picture of the user's as an input, where this domain knows how; `None` if pictures have
    /// to be of the input's size and black on white.
    fn read_picture(&self, _file: &Path) -> Option<Result<OwnPicture, ConfigError>> {
        None
    }
    /// How recordings become inputs, if inputs are made of recordings.
    fn recordings(&self) -> Option<&dyn Recordings> {
        None
    }
    /// What an example sounds like, if it is a recording.
    fn sound(&self, _split: Split, _index: u64) -> Option<Sound> {
        None
    }
    /// Whether test examples come from elsewhere than validation's, as held-out speakers do.
    fn test_differs(&self) -> bool {
        false
    }
}

/// How recordings of one's own become inputs.
pub trait Recordings {
    /// Samples a second.
    fn sample_rate(&self) -> u32;
    /// The samples of an input; recordings may be shorter.
    fn samples(&self) -> usize;
    /// The samples from one position of the motif map to the next.
    fn hop(&self) -> usize;
    /// The loudest that counts as silence, where samples lie between -1 and 1.
    fn silence(&self) -> f64;
    /// Whether the output is the symbols in their order, so that a longer recording can be read in
    /// parts.
    fn is_list(&self) -> bool;
    /// A recording of at most [`samples`](Self::samples) as examples are made: filled up with silence,
    /// and with their noise, which `index` decides.
    fn window(&self, recording: &[f32], index: u64) -> Vec<f32>;
    /// The input for a [`window`](Self::window).
    fn input(&self, window: &[f32]) -> Vec<f32>;
}

/// A domain's section of an experiment file, whose `name` says which domain it is.
///
/// A crate of one's own adds a domain by implementing this for a type under
/// `#[typetag::serde(name = "...")]`; whatever program it is linked into can then train it.
#[typetag::serde(tag = "name")]
pub trait DomainConfig: DynClone + Debug + Send + Sync {
    /// Checks every value and makes the domain.
    ///
    /// # Errors
    ///
    /// Names the key, the value and what would do.
    fn build(&self) -> Result<Box<dyn Domain>, ConfigError>;
    /// The domain with one symbol in each example, and so one footprint, where there is such a one.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    fn single(&self) -> Result<Option<Box<dyn Domain>>, ConfigError> {
        Ok(None)
    }
    /// The files and folders that examples are made from, where there are any.
    fn sources(&mut self) -> Vec<&mut PathBuf> {
        Vec::new()
    }
    /// Takes what examples are made from from a folder of the user's.
    ///
    /// # Errors
    ///
    /// If this domain makes its examples itself.
    fn read_from(&mut self, folder: &Path) -> Result<(), ConfigError> {
        let advice = "this domain makes its examples itself; leave it out";
        Err(ConfigError::value("--data", folder.display(), advice))
    }
}

dyn_clone::clone_trait_object!(DomainConfig);
