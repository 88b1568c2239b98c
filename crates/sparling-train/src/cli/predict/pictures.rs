//! What a model reads in pictures.

use std::path::PathBuf;

use anyhow::Result;

use super::{Prediction, describe, run};
use crate::evaluate::plane;
use crate::model::Trained;
use crate::picture;
use crate::report::examples::{self, ExamplePicture};

pub(super) fn read(trained: &Trained, files: &[PathBuf]) -> Result<Vec<Vec<f32>>> {
    let size = plane(&trained.domain().input_shape());
    let inputs = files.iter().map(|file| picture::read(file, size));
    Ok(inputs.collect::<Result<_, _>>()?)
}

pub(super) fn predict(
    trained: &Trained,
    files: &[PathBuf],
    inputs: Vec<Vec<f32>>,
    picture: impl Fn(usize) -> PathBuf,
) -> Result<Vec<Prediction>> {
    let shape = trained.domain().input_shape();
    let readings = run(trained, inputs);
    let numbered = files.iter().zip(readings).enumerate();
    numbered
        .map(|(index, (file, reading))| {
            let output = trained.domain().vocabulary().decode(&reading.prediction);
            let picture = picture(index);
            let example = ExamplePicture {
                motifs: &reading.motifs,
                prediction: Some(&output),
                ..ExamplePicture::new(&reading.input, &shape)
            };
            examples::draw(&picture, &[example])?;
            let motifs = reading.motifs.iter();
            Ok(Prediction {
                file: file.clone(),
                motifs: motifs.map(|motif| describe(trained, motif, None)).collect(),
                tokens: reading.prediction,
                times: Vec::new(),
                output,
                picture,
            })
        })
        .collect()
}
