//! What a model hears in recordings of any length.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use sparling_data::Recordings;
use sparling_data::speech::{resample, wav};

use super::{Prediction, TokenTime, describe, run};
use crate::evaluate::Reading;
use crate::files::sound::{align, cut};
use crate::report::examples::{self, ExamplePicture};
use crate::run::trained::Trained;

/// The windows that are drawn at most.
const DRAWN: usize = 24;

/// The recordings at the model's sample rate.
pub(super) fn read(front_end: &dyn Recordings, files: &[PathBuf]) -> Result<Vec<Vec<f32>>> {
    let rate = front_end.sample_rate();
    let recordings = files.iter().map(|file| {
        let (samples, recorded_at) = wav::read(file)?;
        let samples = resample::resample(&samples, recorded_at, rate);
        ensure!(
            front_end.is_list() || samples.len() <= front_end.samples(),
            "{} lasts {:.1} s, but this model computes with the symbols of at most {} s: cut it first",
            file.display(),
            seconds(front_end, samples.len()),
            seconds(front_end, front_end.samples()),
        );
        Ok(samples)
    });
    recordings.collect()
}

fn seconds(front_end: &dyn Recordings, samples: usize) -> f64 {
    samples as f64 / f64::from(front_end.sample_rate())
}

pub(super) fn predict(
    trained: &Trained,
    front_end: &dyn Recordings,
    files: &[PathBuf],
    recordings: Vec<Vec<f32>>,
    picture: impl Fn(usize) -> PathBuf,
) -> Result<Vec<Prediction>> {
    let numbered = files.iter().zip(recordings).enumerate();
    numbered
        .map(|(index, (file, samples))| hear(trained, front_end, file, &samples, picture(index)))
        .collect()
}

/// What is heard in a recording that fits one window.
pub(super) fn read_window(
    trained: &Trained,
    front_end: &dyn Recordings,
    files: &[PathBuf],
) -> Result<Vec<Reading>> {
    let mut windows = Vec::new();
    for (file, samples) in files.iter().zip(read(front_end, files)?) {
        ensure!(
            samples.len() <= front_end.samples(),
            "{} is longer than the {} s that this model reads at once: cut it first",
            file.display(),
            seconds(front_end, front_end.samples()),
        );
        windows.extend(read_windows(trained, front_end, &samples));
    }
    Ok(windows.into_iter().map(|window| window.reading).collect())
}

/// A window of a recording.
struct Window {
    samples: Range<usize>,
    reading: Reading,
}

fn hear(
    trained: &Trained,
    front_end: &dyn Recordings,
    file: &Path,
    samples: &[f32],
    picture: PathBuf,
) -> Result<Prediction> {
    let vocabulary = trained.domain().vocabulary();
    let windows = read_windows(trained, front_end, samples);
    let mut prediction = Prediction {
        file: file.to_owned(),
        output: String::new(),
        tokens: Vec::new(),
        source: None,
        times: Vec::new(),
        motifs: Vec::new(),
        picture,
    };
    for Window { samples, reading } in &windows {
        let mut motifs = reading.motifs.clone();
        motifs.sort_by_key(|motif| motif.column);
        let seconds = |column: usize| seconds(front_end, samples.start + column * front_end.hop());
        if front_end.is_list() {
            let symbols: Vec<Option<usize>> = motifs
                .iter()
                .map(|motif| trained.symbol_of(motif.channel))
                .collect();
            let aligned = align(&reading.prediction, &symbols);
            let tokens = reading.prediction.iter().zip(aligned);
            prediction
                .times
                .extend(tokens.map(|(token, motif)| TokenTime {
                    token: vocabulary.decode(&[*token]),
                    seconds: motif.map(|motif| seconds(motifs[motif].column)),
                }));
        }
        prediction.tokens.extend(&reading.prediction);
        let described = motifs
            .iter()
            .map(|motif| describe(trained, motif, Some(seconds(motif.column))));
        prediction.motifs.extend(described);
    }
    prediction.output = vocabulary.decode(&prediction.tokens);
    draw(trained, &windows, &prediction.picture)?;
    Ok(prediction)
}

/// Reads a recording in windows. A window that is not louder than the noise that the model is used
/// to holds nothing.
fn read_windows(trained: &Trained, front_end: &dyn Recordings, samples: &[f32]) -> Vec<Window> {
    let quiet = front_end.sample_rate() as usize / 20;
    let pieces = cut(samples, front_end.samples(), quiet);
    let inputs = pieces.iter().enumerate().map(|(index, piece)| {
        front_end.input(&front_end.window(&samples[piece.clone()], index as u64))
    });
    let readings = run(trained, inputs.collect());
    pieces
        .into_iter()
        .zip(readings)
        .map(|(piece, mut reading)| {
            let loudest = samples[piece.clone()]
                .iter()
                .fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
            if f64::from(loudest) <= front_end.silence() {
                reading.prediction.clear();
                reading.motifs.clear();
            }
            Window {
                samples: piece,
                reading,
            }
        })
        .collect()
}

fn draw(trained: &Trained, windows: &[Window], path: &Path) -> Result<()> {
    let shape = trained.domain().input_shape();
    let vocabulary = trained.domain().vocabulary();
    let drawn = &windows[..windows.len().min(DRAWN)];
    let outputs: Vec<String> = drawn
        .iter()
        .map(|window| vocabulary.decode(&window.reading.prediction))
        .collect();
    let examples: Vec<ExamplePicture<'_>> = drawn
        .iter()
        .zip(&outputs)
        .map(|(window, output)| ExamplePicture {
            motifs: &window.reading.motifs,
            supports: trained.supports(),
            prediction: Some(output),
            ..ExamplePicture::new(&window.reading.input, shape)
        })
        .collect();
    examples::draw(path, &examples)
}
