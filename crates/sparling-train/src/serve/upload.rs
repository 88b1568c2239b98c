//! Pictures and recordings that a page sends, as inputs.

use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use image::ImageReader;
use sparling_data::speech::{resample, wav};
use sparling_data::{Domain, Recordings};

use crate::reading::{Handling, open_picture};

/// The pixels of a picture at most: one of few bytes may unpack to more than there is memory.
const MOST_PIXELS: u64 = 4_000_000;

/// Reads what was sent as a picture or a recording, whichever the domain's inputs are made of.
///
/// # Errors
///
/// If it is something else, or larger than the model's inputs.
pub(super) fn read(domain: &dyn Domain, body: &[u8]) -> Result<Vec<f32>> {
    ensure!(!body.is_empty(), "the request has no body: send the file");
    // Readers take files, some of other crates.
    let mut file =
        tempfile::NamedTempFile::new().context("cannot make a file for what was sent")?;
    file.write_all(body)
        .and_then(|()| file.flush())
        .context("cannot keep what was sent")?;
    let path = file.path();
    let read = match domain.recordings() {
        Some(recordings) => recording(recordings, path),
        None => pixels(body)
            .and_then(|()| open_picture(domain, Handling::default(), path))
            .map(|own| own.input),
    };
    // Whoever sent it knows no path of this machine.
    let named = |error: anyhow::Error| {
        let message = format!("{error:#}");
        anyhow::anyhow!(message.replace(&path.display().to_string(), "the file"))
    };
    read.map_err(named)
}

/// Checks a picture's size before it is unpacked.
fn pixels(body: &[u8]) -> Result<()> {
    let reader = ImageReader::new(Cursor::new(body)).with_guessed_format()?;
    let size = reader.into_dimensions();
    let (width, height) = size.context("the file is no picture that can be read: send a PNG")?;
    ensure!(
        u64::from(width) * u64::from(height) <= MOST_PIXELS,
        "the file is {width}x{height} pixels, more than {MOST_PIXELS} in all: scale it first"
    );
    Ok(())
}

fn recording(recordings: &dyn Recordings, path: &Path) -> Result<Vec<f32>> {
    let (samples, recorded_at) = wav::read(path)?;
    let rate = f64::from(recordings.sample_rate());
    let longest = recordings.samples() as f64 / rate;
    let seconds = samples.len() as f64 / f64::from(recorded_at);
    ensure!(
        seconds <= longest,
        "the recording lasts {seconds:.1} s, but this model reads {longest:.1} s at once: cut it first"
    );
    let mut samples = resample::resample(&samples, recorded_at, recordings.sample_rate());
    // Rounding may add one.
    samples.truncate(recordings.samples());
    Ok(recordings.input(&recordings.window(&samples, 0)))
}
