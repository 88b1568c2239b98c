//! What recordings have in common.

use std::collections::BTreeSet;

use super::Spread;
use crate::folder::listing::Entry;
use crate::speech::wav;

/// A recording that is nowhere louder than this has nothing in it.
const SILENT: f32 = 1e-3;

/// What recordings have in common.
#[derive(Clone, Debug)]
pub struct RecordingSurvey {
    /// How long they are.
    pub seconds: Spread,
    /// Their samples a second.
    pub sample_rates: BTreeSet<u32>,
    /// How many are silent.
    pub silent: usize,
}

/// One recording.
pub(super) struct Heard {
    seconds: f64,
    sample_rate: u32,
    loudest: f32,
}

pub(super) fn listen(entry: &Entry) -> Result<Heard, String> {
    let (samples, sample_rate) =
        wav::read(&entry.path).map_err(|error| error.problem.to_string())?;
    let loudness = samples.iter().map(|sample| sample.abs());
    Ok(Heard {
        seconds: samples.len() as f64 / f64::from(sample_rate),
        sample_rate,
        loudest: loudness.fold(0.0, f32::max),
    })
}

impl RecordingSurvey {
    pub(super) fn new(recordings: &[Heard]) -> Self {
        let silent = recordings.iter().filter(|heard| heard.loudest < SILENT);
        Self {
            seconds: Spread::of(recordings.iter().map(|heard| heard.seconds)),
            sample_rates: recordings.iter().map(|heard| heard.sample_rate).collect(),
            silent: silent.count(),
        }
    }
}
