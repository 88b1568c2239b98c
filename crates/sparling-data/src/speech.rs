//! Spoken digits, one take at a time: recorded ones from a folder, or synthesised ones.
//!
//! A [`Collection`] holds every take in memory, mono and at one sample rate, whatever it came from.

pub mod folder;
pub mod resample;
pub mod synthetic;
pub mod wav;

/// How many digits are spoken: zero to nine.
pub const DIGITS: usize = 10;

/// Speakers with their takes of every digit.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// Samples per second of every take.
    pub sample_rate: u32,
    /// The speakers, sorted by name.
    pub speakers: Vec<Speaker>,
}

/// One speaker's takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Speaker {
    /// The name that the source gives.
    pub name: String,
    /// For each digit its takes, mono samples between -1 and 1; at least one each.
    pub takes: [Vec<Vec<f32>>; DIGITS],
}
