//! What a model reads in pictures.

use std::path::PathBuf;

use anyhow::Result;

use super::{Prediction, describe, run};
use crate::files::picture::{self, Fit};
use crate::report::examples::{self, ExamplePicture};
use crate::run::trained::Trained;

pub(super) fn read(trained: &Trained, files: &[PathBuf]) -> Result<Vec<Vec<f32>>> {
    let own = files.iter().map(|file| trained.domain().read_picture(file));
    if let Some(inputs) = own.collect::<Option<Result<Vec<_>, _>>>() {
        return Ok(inputs?);
    }
    let fit = match trained.domain().centres_pictures() {
        true => Fit::Centred,
        false => Fit::Exact,
    };
    let [_, height, width] = trained.domain().input_shape();
    let ink = trained.domain().ink();
    let inputs = files
        .iter()
        .map(|file| picture::read(file, [height, width], ink, fit));
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
                supports: trained.supports(),
                prediction: Some(&output),
                ..ExamplePicture::new(&reading.input, shape)
            };
            // Beside the input what was read in it, where that can be drawn.
            let typeset = trained.domain().typeset(&reading.prediction);
            let beside = typeset.as_ref().map(|typeset| ExamplePicture {
                prediction: Some(&typeset.source),
                ..ExamplePicture::new(&typeset.input, shape)
            });
            let drawn: Vec<_> = [example].into_iter().chain(beside).collect();
            examples::draw(&picture, &drawn)?;
            let motifs = reading.motifs.iter();
            Ok(Prediction {
                file: file.clone(),
                motifs: motifs.map(|motif| describe(trained, motif, None)).collect(),
                tokens: reading.prediction,
                source: typeset.map(|typeset| typeset.source),
                times: Vec::new(),
                output,
                picture,
            })
        })
        .collect()
}
