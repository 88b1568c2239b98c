//! What a model reads in pictures.

use std::path::Path;

use anyhow::Result;
use sparling_data::{Domain, OwnPicture};

use super::check::Odd;
use super::prediction::{FileReading, Prediction, describe};
use super::{Found, Handling, run};
use crate::evaluate::Reading;
use crate::files::picture::{self, Fit};
use crate::run::trained::Trained;

/// Reads pictures, as many as are run at once.
pub(super) fn read(
    trained: &Trained,
    handling: Handling,
    files: &[Found],
) -> Vec<Result<FileReading>> {
    let opened: Vec<Result<OwnPicture>> = files
        .iter()
        .map(|file| open(trained.domain(), handling, &file.path))
        .collect();
    let inputs = opened.iter().flatten().map(|picture| picture.input.clone());
    let mut readings = run(trained, inputs.collect()).into_iter();
    let read = opened.into_iter().zip(files).map(|(picture, file)| {
        let picture = picture?;
        let reading = readings.next().expect("one reading for each input");
        Ok(judged(trained, handling, file, &picture, reading))
    });
    let mut read: Vec<Result<FileReading>> = read.collect();
    add_confidences(trained, &mut read);
    read
}

/// A picture as an input.
///
/// # Errors
///
/// If it cannot be read, or has another size than this domain's inputs where it cannot be fitted.
pub fn open(domain: &dyn Domain, handling: Handling, file: &Path) -> Result<OwnPicture> {
    let [_, height, width] = domain.input_shape();
    let mut own = match domain.read_picture(file) {
        Some(own) => own?,
        None => {
            let fit = match domain.centres_pictures() {
                true => Fit::Centred,
                false => Fit::Exact,
            };
            picture::read(file, [height, width], domain.ink(), fit)?
        }
    };
    if handling.invert {
        let [rows, columns] = own.view.covered([height, width]);
        for plane in own.input.chunks_mut(height * width) {
            for row in rows.clone() {
                for value in &mut plane[row * width..][columns.clone()] {
                    *value = 1.0 - *value;
                }
            }
        }
    }
    Ok(own)
}

/// What was read, unless the picture cannot be one that the model knows.
fn judged(
    trained: &Trained,
    handling: Handling,
    file: &Found,
    picture: &OwnPicture,
    mut reading: Reading,
) -> FileReading {
    let domain = trained.domain();
    let [planes, height, width] = domain.input_shape();
    let view = &picture.view;
    let mut notes = Vec::new();
    if view.is_scaled() {
        let [own_height, own_width] = view.size;
        let [rows, columns] = view.covered([height, width]);
        notes.push(format!(
            "scaled from {own_width}x{own_height} to {}x{} pixels, as in training",
            columns.len(),
            rows.len()
        ));
    }
    let ground = 1.0 - domain.ink();
    let input = picture.input.chunks(height * width);
    let ink = |row: usize, column: usize| {
        let planes = input
            .clone()
            .map(|plane| (plane[row * width + column] - ground).abs());
        planes.sum::<f32>() / input.len() as f32
    };
    let odd = Odd::of(ink, view.covered([height, width]), planes > 1);
    if !handling.unchecked {
        if let Some(odd) = odd {
            notes.push(odd.note().to_owned());
        } else if reading.motifs.is_empty() {
            notes.push("nothing was found in it".to_owned());
        }
        if odd.is_some() || reading.motifs.is_empty() {
            reading.motifs.clear();
            reading.prediction.clear();
        }
    }
    let motifs = reading.motifs.iter();
    FileReading {
        prediction: Prediction {
            file: file.path.clone(),
            output: domain.vocabulary().decode(&reading.prediction),
            confidence: None,
            tokens: reading.prediction.clone(),
            source: domain
                .typeset(&reading.prediction)
                .map(|typeset| typeset.source),
            label: file.label.clone(),
            notes,
            times: Vec::new(),
            motifs: motifs
                .map(|motif| describe(trained, motif).in_picture(view))
                .collect(),
            picture: None,
        },
        size: Some(view.size),
        windows: vec![reading],
    }
}

/// How probable each output is, all of them at once.
fn add_confidences(trained: &Trained, read: &mut [Result<FileReading>]) {
    let windows = || read.iter().flatten().flat_map(|file| &file.windows);
    let motifs: Vec<_> = windows().map(|window| window.motifs.clone()).collect();
    let outputs: Vec<_> = windows().map(|window| window.prediction.clone()).collect();
    let confidences = trained.evaluator().confidences(&motifs, &outputs);
    for (file, confidence) in read.iter_mut().flatten().zip(confidences) {
        let is_read = !file.prediction.tokens.is_empty();
        file.prediction.confidence = is_read.then_some(confidence);
    }
}
