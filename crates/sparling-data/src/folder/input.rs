//! What turns files into inputs: pictures or recordings.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::labels::Objects;
use super::listing::Media;
use super::picture::{Canvas, PictureConfig};
use super::recording::{Ear, RecordingConfig};
use crate::domain::Recordings;
use crate::error::ConfigError;
use crate::example::{Footprint, View};
use crate::seed::{Split, Stream};

/// How files become inputs, as an experiment file gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InputConfig {
    /// The files are pictures.
    Pictures(PictureConfig),
    /// The files are recordings.
    Recordings(RecordingConfig),
}

/// What makes inputs of files; made by [`InputConfig::build`].
#[derive(Debug)]
pub(super) enum FrontEnd {
    Pictures(Canvas),
    Recordings(Ear),
}

/// A file, decoded.
#[derive(Debug)]
pub(super) enum Content {
    /// A canvas's ink, and where on it the picture is.
    Picture(Vec<u8>, View),
    /// Samples at the inputs' rate.
    Recording(Vec<i16>),
}

impl InputConfig {
    /// Checks the configuration.
    pub(super) fn build(&self) -> Result<FrontEnd, ConfigError> {
        Ok(match self {
            Self::Pictures(config) => FrontEnd::Pictures(config.build()?),
            Self::Recordings(config) => FrontEnd::Recordings(config.build()?),
        })
    }
}

impl FrontEnd {
    /// Which files it makes inputs of.
    pub(super) fn media(&self) -> Media {
        match self {
            Self::Pictures(_) => Media::Pictures,
            Self::Recordings(_) => Media::Recordings,
        }
    }

    /// `[1, height, width]`, of colours `[3, height, width]`, or `[mels, 1, frames]`.
    pub(super) fn input_shape(&self) -> [usize; 3] {
        match self {
            Self::Pictures(canvas) => {
                let [height, width] = canvas.size();
                [canvas.planes(), height, width]
            }
            Self::Recordings(ear) => {
                let [mels, frames] = ear.shape();
                [mels, 1, frames]
            }
        }
    }

    /// The most bytes that one file takes once it is decoded.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Pictures(canvas) => canvas.planes() * canvas.size().iter().product::<usize>(),
            Self::Recordings(ear) => ear.samples() * size_of::<i16>(),
        }
    }

    /// Decodes a file with these contents.
    pub(super) fn read(&self, path: &Path, contents: &[u8]) -> Result<Content, String> {
        Ok(match self {
            Self::Pictures(canvas) => {
                let (ink, view) = canvas.read(contents)?;
                Content::Picture(ink, view)
            }
            Self::Recordings(ear) => Content::Recording(ear.read(path)?),
        })
    }

    /// The footprints in a file, of its symbols' numbers.
    pub(super) fn footprints(
        &self,
        content: &Content,
        objects: &Objects,
        symbols: &[usize],
    ) -> Result<Vec<Footprint>, String> {
        let (key, boxes) = match self {
            Self::Pictures(_) => ("bbox", objects.bbox.len()),
            Self::Recordings(_) => ("seconds", objects.seconds.len()),
        };
        if boxes != symbols.len() {
            return Err(format!(
                "`objects` has no `{key}` for each of its categories"
            ));
        }
        match (self, content) {
            (Self::Pictures(canvas), Content::Picture(_, view)) => {
                let boxes = symbols.iter().zip(&objects.bbox);
                boxes
                    .map(|(symbol, bbox)| canvas.footprint(*symbol, *bbox, view))
                    .collect()
            }
            (Self::Recordings(ear), Content::Recording(samples)) => {
                let intervals = symbols.iter().zip(&objects.seconds);
                intervals
                    .map(|(symbol, ends)| ear.footprint(*symbol, *ends, samples.len()))
                    .collect()
            }
            _ => unreachable!("contents were decoded by the same front end"),
        }
    }

    /// An example's input and footprints, varied in training.
    pub(super) fn example(
        &self,
        content: &Content,
        footprints: &[Footprint],
        split: Split,
        index: u64,
    ) -> (Vec<f32>, Vec<Footprint>) {
        match (self, content) {
            (Self::Pictures(canvas), Content::Picture(ink, _)) => {
                let mut stream = Stream::new(split, index);
                let varied = matches!(split, Split::Train { .. }).then_some(&mut stream);
                canvas.example(ink, footprints, varied)
            }
            (Self::Recordings(ear), Content::Recording(samples)) => {
                let (window, footprints) = ear.example(samples, footprints, split, index);
                (ear.input(&window), footprints)
            }
            _ => unreachable!("contents were decoded by the same front end"),
        }
    }
}
