//! What a model hears in recordings of any length.

use std::ops::Range;
use std::path::Path;

use anyhow::{Result, ensure};
use sparling_data::Recordings;
use sparling_data::speech::{resample, wav};

use super::prediction::{FileReading, Prediction, TokenTime, describe};
use super::{Found, run};
use crate::evaluate::Reading;
use crate::files::sound::{align, cut};
use crate::metrics::Motif;
use crate::run::trained::Trained;

/// The recording at the model's sample rate, and what is to be told about its file.
fn open(front_end: &dyn Recordings, file: &Path) -> Result<(Vec<f32>, Option<&'static str>)> {
    let rate = front_end.sample_rate();
    let recording = wav::read_recording(file)?;
    let cut = "it ends within a frame: what was recorded may be longer";
    let note = recording.cut.then_some(cut);
    let samples = resample::resample(&recording.samples, recording.sample_rate, rate);
    ensure!(
        front_end.is_list() || samples.len() <= front_end.samples(),
        "{} lasts {:.1} s, but this model computes with the symbols of at most {} s: cut it first",
        file.display(),
        seconds(front_end, samples.len()),
        seconds(front_end, front_end.samples()),
    );
    Ok((samples, note))
}

fn seconds(front_end: &dyn Recordings, samples: usize) -> f64 {
    samples as f64 / f64::from(front_end.sample_rate())
}

/// What is heard in a recording that fits one window.
pub(super) fn read_window(
    trained: &Trained,
    front_end: &dyn Recordings,
    file: &Path,
) -> Result<Vec<Reading>> {
    let (samples, _) = open(front_end, file)?;
    ensure!(
        samples.len() <= front_end.samples(),
        "{} is longer than the {} s that this model reads at once: cut it first",
        file.display(),
        seconds(front_end, front_end.samples()),
    );
    let windows = read_windows(trained, front_end, &samples);
    Ok(windows.into_iter().map(|window| window.reading).collect())
}

/// A window of a recording.
struct Window {
    samples: Range<usize>,
    reading: Reading,
}

/// Reads a recording, window by window.
pub(super) fn read(
    trained: &Trained,
    front_end: &dyn Recordings,
    file: &Found,
) -> Result<FileReading> {
    let (samples, note) = open(front_end, &file.path)?;
    let vocabulary = trained.domain().vocabulary();
    let windows = read_windows(trained, front_end, &samples);
    let mut prediction = Prediction {
        file: file.path.clone(),
        output: String::new(),
        confidence: None,
        tokens: Vec::new(),
        source: None,
        label: file.label.clone(),
        notes: note.into_iter().map(str::to_owned).collect(),
        times: Vec::new(),
        motifs: Vec::new(),
        picture: None,
    };
    for Window { samples, reading } in &windows {
        let at = |column: f64| {
            let samples = samples.start as f64 + column * front_end.hop() as f64;
            samples / f64::from(front_end.sample_rate())
        };
        let mut motifs = reading.motifs.clone();
        motifs.sort_by_key(|motif| motif.column);
        if front_end.is_list() {
            let times = times(trained, &motifs, &reading.prediction, at);
            prediction.times.extend(times);
        }
        prediction.tokens.extend(&reading.prediction);
        let described = motifs
            .iter()
            .map(|motif| describe(trained, motif).in_recording(at));
        prediction.motifs.extend(described);
    }
    if prediction.tokens.is_empty() {
        prediction.notes.push("nothing was found in it".to_owned());
    } else {
        prediction.confidence = Some(confidence(trained, &windows));
    }
    prediction.output = vocabulary.decode(&prediction.tokens);
    Ok(FileReading {
        prediction,
        size: None,
        windows: windows.into_iter().map(|window| window.reading).collect(),
    })
}

/// When each token was said.
fn times(
    trained: &Trained,
    motifs: &[Motif],
    tokens: &[usize],
    at: impl Fn(f64) -> f64,
) -> Vec<TokenTime> {
    let vocabulary = trained.domain().vocabulary();
    let symbols: Vec<Option<usize>> = motifs
        .iter()
        .map(|motif| trained.symbol_of(motif.channel))
        .collect();
    let aligned = align(tokens, &symbols);
    let aligned = tokens.iter().zip(aligned);
    aligned
        .map(|(token, motif)| TokenTime {
            token: vocabulary.decode(&[*token]),
            seconds: motif.map(|motif| at(motifs[motif].column as f64)),
        })
        .collect()
}

/// How probable the outputs of all windows are together.
fn confidence(trained: &Trained, windows: &[Window]) -> f64 {
    let read = || {
        let readings = windows.iter().map(|window| &window.reading);
        readings.filter(|reading| !reading.prediction.is_empty())
    };
    let motifs: Vec<_> = read().map(|reading| reading.motifs.clone()).collect();
    let outputs: Vec<_> = read().map(|reading| reading.prediction.clone()).collect();
    let confidences = trained.evaluator().confidences(&motifs, &outputs);
    confidences.iter().product()
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
            if loudest(&samples[piece.clone()]) <= front_end.silence() {
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

/// How far samples are from their mean at most: a device may add a constant to what it hears.
fn loudest(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().copied().map(f64::from).sum();
    let mean = sum / samples.len().max(1) as f64;
    let distances = samples
        .iter()
        .map(|sample| (f64::from(*sample) - mean).abs());
    distances.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of nothing, a tenth of full scale above zero.
    #[test]
    fn a_constant_is_silence() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/dc_offset_silence.wav"
        );
        let (samples, _) = wav::read(Path::new(path)).unwrap();
        assert!(samples.iter().all(|sample| *sample > 0.05));
        assert!(loudest(&samples) < 1e-3);
        assert_eq!(loudest(&[]), 0.0);
        assert_eq!(loudest(&[0.0, 1.0]), 0.5);
    }
}
