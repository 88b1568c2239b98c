//! What a model hears in recordings of any length.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use sparling_data::audiomnist::{AudioMnist, AudioMnistConfig, Task};
use sparling_data::speech::{resample, wav};

use super::{Prediction, TokenTime, describe, run, symbol_of};
use crate::evaluate::Reading;
use crate::files::sound::{align, cut};
use crate::report::examples::{self, ExamplePicture};
use crate::run::trained::Trained;

/// The windows that are drawn at most.
const DRAWN: usize = 24;

/// The recordings at the model's sample rate.
pub(super) fn read(config: &AudioMnistConfig, files: &[PathBuf]) -> Result<Vec<Vec<f32>>> {
    let rate = config.spectrogram.sample_rate;
    let recordings = files.iter().map(|file| {
        let (samples, recorded_at) = wav::read(file)?;
        let samples = resample::resample(&samples, recorded_at, rate);
        let seconds = samples.len() as f64 / f64::from(rate);
        ensure!(
            config.task == Task::List || seconds <= config.seconds,
            "{} lasts {seconds:.1} s, but this model computes with the digits of at most {} s: cut \
             it first",
            file.display(),
            config.seconds
        );
        Ok(samples)
    });
    recordings.collect()
}

pub(super) fn predict(
    trained: &Trained,
    config: &AudioMnistConfig,
    files: &[PathBuf],
    recordings: Vec<Vec<f32>>,
    picture: impl Fn(usize) -> PathBuf,
) -> Result<Vec<Prediction>> {
    let domain = config.clone().validate()?;
    let numbered = files.iter().zip(recordings).enumerate();
    numbered
        .map(|(index, (file, samples))| hear(trained, &domain, file, &samples, picture(index)))
        .collect()
}

/// What is heard in a recording that fits one window.
pub(super) fn read_window(
    trained: &Trained,
    config: &AudioMnistConfig,
    files: &[PathBuf],
) -> Result<Vec<Reading>> {
    let domain = config.clone().validate()?;
    let mut windows = Vec::new();
    for (file, samples) in files.iter().zip(read(config, files)?) {
        ensure!(
            samples.len() <= domain.samples(),
            "{} is longer than the {} s that this model reads at once: cut it first",
            file.display(),
            config.seconds
        );
        windows.extend(read_windows(trained, &domain, &samples));
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
    domain: &AudioMnist,
    file: &Path,
    samples: &[f32],
    picture: PathBuf,
) -> Result<Prediction> {
    let rate = domain.config().spectrogram.sample_rate;
    let vocabulary = trained.domain().vocabulary();
    let windows = read_windows(trained, domain, samples);
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
        let seconds = |column: usize| {
            let sample = samples.start + column * domain.config().spectrogram.hop;
            sample as f64 / f64::from(rate)
        };
        if domain.config().task == Task::List {
            let symbols: Vec<Option<usize>> = motifs
                .iter()
                .map(|motif| symbol_of(trained, motif.channel))
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
fn read_windows(trained: &Trained, domain: &AudioMnist, samples: &[f32]) -> Vec<Window> {
    let config = domain.config();
    let quiet = config.spectrogram.sample_rate as usize / 20;
    let pieces = cut(samples, domain.samples(), quiet);
    let inputs = pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| domain.input(&domain.window(&samples[piece.clone()], index as u64)));
    let readings = run(trained, inputs.collect());
    pieces
        .into_iter()
        .zip(readings)
        .map(|(piece, mut reading)| {
            let loudest = samples[piece.clone()]
                .iter()
                .fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
            if f64::from(loudest) <= config.noise {
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
            ..ExamplePicture::new(&window.reading.input, &shape)
        })
        .collect();
    examples::draw(path, &examples)
}
