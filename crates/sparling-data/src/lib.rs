//! The domains of the SPARLING paper, and folders of one's own: labelled examples as pure functions of
//! (split, index).
//!
//! This crate knows neither models nor tensors. A [`Domain`] makes one [`Example`] at a time, in
//! plain vectors; a [`Loader`] makes batches of them in background threads, in the same order
//! whatever the number of threads. Every example also carries the [`Footprint`]s of its symbols,
//! which only evaluation may look at.
//!
//! A new domain is one new file, here or in a crate of one's own: a type that implements
//! [`DomainConfig`], and the [`Domain`] that it makes.

pub mod domain;
pub mod error;
pub mod example;
pub mod seed;
pub mod vocab;

pub mod loader;

pub mod digitcircle;
pub mod font;

pub mod latexocr;

pub mod spectrogram;

pub mod audiomnist;
pub mod speech;

pub mod folder;

pub mod input_file;
mod parallel;
pub mod picture_file;

pub use audiomnist::{AudioMnist, AudioMnistConfig};
pub use digitcircle::{DigitCircle, DigitCircleConfig};
pub use domain::{Domain, DomainConfig, Recordings};
pub use error::ConfigError;
pub use example::{Example, Footprint, OwnPicture, Sound, Typeset, View};
pub use folder::{Folder, FolderConfig};
pub use latexocr::{LatexOcr, LatexOcrConfig};
pub use loader::{Batch, Loader, batch};
pub use seed::Split;
pub use spectrogram::{Spectrogram, SpectrogramConfig};
pub use vocab::Vocabulary;
