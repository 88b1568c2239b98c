//! AudioMNISTSequence (paper, section 5.1): recordings of several spoken digits, to be written down.
//!
//! A recording holds a few digits, each one take of one speaker, at random times without overlap,
//! and a little noise. The input is its log-mel [spectrogram](crate::spectrogram), one channel per
//! mel band and one position per frame. The output is the digits in their order, or something
//! computed from them (see [`Task`]).
//!
//! Takes come from a [`Collection`]: the user's recordings, or voices that are
//! [synthesised](crate::speech::synthetic). Training and validation hear some of the speakers and
//! the test split hears the others, so that testing is on voices never trained on.

mod augment;
mod config;
mod noise;
mod placement;
mod voices;

use std::ops::Range;
use std::sync::OnceLock;

pub use augment::AugmentationConfig;
pub use config::{AudioMnistConfig, SpeechConfig, Task, TestSpeakers};
pub(crate) use noise::Noise;

use crate::domain::{Domain, Recordings};
use crate::error::ConfigError;
use crate::example::{Example, Footprint, Sound};
use crate::seed::{Split, Stream};
use crate::spectrogram::Spectrogram;
use crate::speech::{Collection, DIGITS};
use crate::vocab::Vocabulary;
use voices::Voices;

/// How often takes are drawn again when they are too long together.
const REDRAWS: usize = 50;

/// The AudioMNISTSequence domain; made by [`AudioMnistConfig::validate`].
#[derive(Debug)]
pub struct AudioMnist {
    config: AudioMnistConfig,
    spectrogram: Spectrogram,
    /// The length of a recording.
    samples: usize,
    noise: Noise,
    vocabulary: Vocabulary,
    voices: OnceLock<Voices>,
}

/// A recording, and what is said in it when.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The samples, between -1 and 1 but where noise is added to the loudest.
    pub samples: Vec<f32>,
    /// The digits in their order.
    pub spoken: Vec<Spoken>,
}

/// A digit in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Which digit.
    pub digit: usize,
    /// Its first sample.
    pub start: usize,
    /// One past its last sample.
    pub end: usize,
}

impl AudioMnist {
    /// The front end.
    pub fn spectrogram(&self) -> &Spectrogram {
        &self.spectrogram
    }

    /// Makes one recording.
    ///
    /// # Panics
    ///
    /// Unless [`prepare`](Domain::prepare) has loaded the voices.
    pub fn recording(&self, split: Split, index: u64) -> Recording {
        let mut stream = Stream::new(split, index);
        let (fewest, most) = (self.config.minimum_digits, self.config.maximum_digits);
        let count = stream.integer(fewest.into()..i64::from(most) + 1) as usize;
        let digits: Vec<usize> = (0..count)
            .map(|_| stream.below(DIGITS as u64) as usize)
            .collect();
        let takes = self.draw_takes(split, &digits, &mut stream);
        let lengths: Vec<usize> = takes.iter().map(Vec::len).collect();
        let starts = placement::starts(&lengths, self.samples, &mut stream);

        let mut samples = vec![0.0; self.samples];
        let mut spoken = Vec::with_capacity(count);
        for ((digit, take), start) in digits.into_iter().zip(takes).zip(starts) {
            let end = start + take.len();
            samples[start..end].copy_from_slice(&take);
            spoken.push(Spoken { digit, start, end });
        }
        self.noise.add(&mut samples, self.config.noise, &mut stream);
        self.augmentation(split)
            .add_noise(&self.noise, &mut samples, &mut stream);
        Recording { samples, spoken }
    }

    /// A take of each digit, short enough to fit into a recording together.
    fn draw_takes(&self, split: Split, digits: &[usize], stream: &mut Stream) -> Vec<Vec<f32>> {
        let voices = self
            .voices
            .get()
            .expect("prepared before examples are made");
        let augmentation = self.augmentation(split);
        for _ in 0..REDRAWS {
            let takes: Vec<Vec<f32>> = digits
                .iter()
                .map(|&digit| augmentation.vary(voices.draw(split, digit, stream), stream))
                .collect();
            if takes.iter().map(Vec::len).sum::<usize>() <= self.samples {
                return takes;
            }
        }
        // Checked to fit when the voices were loaded.
        let shortest = |&digit: &usize| voices.shortest(split, digit).to_vec();
        digits.iter().map(shortest).collect()
    }

    fn augmentation(&self, split: Split) -> AugmentationConfig {
        match split {
            Split::Train { .. } => self.config.augmentation.clone(),
            Split::Validation | Split::Test => AugmentationConfig::default(),
        }
    }

    fn footprint(&self, spoken: &Spoken) -> Footprint {
        let hop = self.config.spectrogram.hop;
        let frames = self.spectrogram.frames(self.samples);
        let left = (spoken.start / hop).min(frames - 1);
        Footprint {
            symbol: spoken.digit,
            top: 0,
            bottom: 1,
            left,
            right: spoken.end.div_ceil(hop).clamp(left + 1, frames),
        }
    }
}

impl Domain for AudioMnist {
    fn input_shape(&self) -> [usize; 3] {
        let frames = self.spectrogram.frames(self.samples);
        [self.config.spectrogram.mels, 1, frames]
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn exchangeable(&self) -> Range<usize> {
        match self.config.task {
            Task::List => 0..self.vocabulary.names().len(),
            // Another digit changes the tokens of the result, and not in its own place.
            _ => 0..0,
        }
    }

    fn longest_output(&self) -> usize {
        self.config.task.longest_output(self.config.maximum_digits)
    }

    fn prepare(&self) -> Result<(), ConfigError> {
        if self.voices.get().is_none() {
            let collection = self.config.collection()?;
            let voices = Voices::split(collection, &self.config, self.samples)?;
            // Whoever came first has loaded the same.
            let _ = self.voices.set(voices);
        }
        Ok(())
    }

    fn note(&self) -> Option<&str> {
        match self.config.speech {
            SpeechConfig::Synthetic { .. } => Some("synthetic voices"),
            SpeechConfig::Folder { .. } => None,
        }
    }

    fn example(&self, split: Split, index: u64) -> Example {
        let recording = self.recording(split, index);
        let digits: Vec<usize> = recording.spoken.iter().map(|spoken| spoken.digit).collect();
        Example {
            input: self.input(&recording.samples),
            tokens: self.config.task.output(&digits),
            footprints: recording
                .spoken
                .iter()
                .map(|spoken| self.footprint(spoken))
                .collect(),
        }
    }

    fn recordings(&self) -> Option<&dyn Recordings> {
        Some(self)
    }

    fn test_differs(&self) -> bool {
        true
    }

    fn sound(&self, split: Split, index: u64) -> Option<Sound> {
        Some(Sound {
            samples: self.recording(split, index).samples,
            sample_rate: self.config.spectrogram.sample_rate,
        })
    }
}

impl Recordings for AudioMnist {
    fn sample_rate(&self) -> u32 {
        self.config.spectrogram.sample_rate
    }

    fn samples(&self) -> usize {
        self.samples
    }

    fn hop(&self) -> usize {
        self.config.spectrogram.hop
    }

    fn silence(&self) -> f64 {
        self.config.noise
    }

    fn is_list(&self) -> bool {
        self.config.task == Task::List
    }

    fn window(&self, recording: &[f32], index: u64) -> Vec<f32> {
        let mut samples = vec![0.0; self.samples];
        samples[..recording.len()].copy_from_slice(recording);
        let mut stream = Stream::new(Split::Test, index);
        self.noise.add(&mut samples, self.config.noise, &mut stream);
        samples
    }

    /// `[mels, frames]`: decibels, shifted and scaled as configured.
    fn input(&self, window: &[f32]) -> Vec<f32> {
        let (offset, scale) = (self.config.offset_db, self.config.scale_db);
        let mut input = self.spectrogram.log_mel(window);
        for value in &mut input {
            *value = (*value + offset) / scale;
        }
        input
    }
}
