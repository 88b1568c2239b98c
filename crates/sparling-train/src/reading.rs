//! What a model makes of files of one's own: pictures, or recordings of any length.
//!
//! [`find`] lists the files, [`Reader`] reads them one after the other, and says of each what it holds, or
//! why it cannot be read. [`annotations`] writes what was found for other tools.

mod agreement;
pub mod annotations;
mod check;
mod find;
mod journal;
mod pictures;
mod prediction;
mod recordings;

use std::path::Path;

use anyhow::Result;
use clap::Args;
use sparling_data::Batch;

use crate::evaluate::Reading;
use crate::run::trained::Trained;

pub use agreement::Agreement;
pub use find::{Found, find};
pub use journal::Journal;
pub use pictures::open as open_picture;
pub use prediction::{FileNames, FileReading, PredictedMotif, Prediction, describe};

/// What to do with pictures that do not look like those the model knows.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Handling {
    /// Swap ink and ground: pictures are the other way round than those the model knows.
    #[arg(long)]
    pub invert: bool,
    /// Read pictures that look blank or the wrong way round, too, and write what the model makes of them.
    #[arg(long)]
    pub unchecked: bool,
}

/// Reads files with a model.
pub struct Reader<'a> {
    trained: &'a Trained,
    handling: Handling,
}

impl<'a> Reader<'a> {
    /// A reader that uses this model.
    pub fn new(trained: &'a Trained, handling: Handling) -> Self {
        Self { trained, handling }
    }

    /// Reads files and hands over each with what was found in it, or why it could not be read.
    ///
    /// # Errors
    ///
    /// What `each` returns.
    pub fn read(
        &self,
        files: &[Found],
        mut each: impl FnMut(&Found, Result<FileReading>) -> Result<()>,
    ) -> Result<()> {
        if let Some(front_end) = self.trained.domain().recordings() {
            for file in files {
                each(file, recordings::read(self.trained, front_end, file))?;
            }
            return Ok(());
        }
        for files in files.chunks(self.trained.evaluator().batch_size) {
            let readings = pictures::read(self.trained, self.handling, files);
            for (file, reading) in files.iter().zip(readings) {
                each(file, reading)?;
            }
        }
        Ok(())
    }
}

/// What a model reads in one file: a picture, or a recording that is no longer than those it was
/// trained on.
///
/// # Errors
///
/// If the file cannot be read.
pub fn read_one(trained: &Trained, file: &Path) -> Result<Reading> {
    let reading = match trained.domain().recordings() {
        Some(front_end) => recordings::read_window(trained, front_end, file)?,
        None => {
            let input = pictures::open(trained.domain(), Handling::default(), file)?.input;
            run(trained, vec![input])
        }
    };
    let reading = reading.into_iter().next();
    Ok(reading.expect("one reading for one file"))
}

/// Runs the model on inputs that nobody knows the truth of.
fn run(trained: &Trained, inputs: Vec<Vec<f32>>) -> Vec<Reading> {
    let evaluator = trained.evaluator();
    let batches = inputs.chunks(evaluator.batch_size);
    batches
        .flat_map(|inputs| {
            evaluator.read(Batch {
                first_index: 0,
                inputs: inputs.concat(),
                tokens: vec![Vec::new(); inputs.len()],
                footprints: vec![Vec::new(); inputs.len()],
            })
        })
        .collect()
}
