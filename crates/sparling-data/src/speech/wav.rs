//! Recordings in WAV files.
//!
//! Files of any origin are read: chunks may come in any order and length, and nothing that a header
//! says is believed before the file bears it out. Programs that write to a pipe cannot know a length when
//! they write the header: sizes of 0xFFFFFFFF, of 0x7FFFF000 and up, and of 0 where samples follow, stand for
//! all that is left of the file.

mod header;

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use hound::WavReader;

use header::{Header, Numbers};

/// How many samples a second of a recording may have.
pub const SAMPLE_RATES: RangeInclusive<u32> = 4_000..=192_000;

/// The most frames that are read: 23 minutes at 48,000 a second.
pub const MOST_FRAMES: u64 = 1 << 26;

/// The most bytes of samples that are read.
const MOST_BYTES: u64 = 1 << 28;

/// A recording, as the mean of its channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// From -1 to 1.
    pub samples: Vec<f32>,
    /// How many samples a second has.
    pub sample_rate: u32,
    /// Whether the file ends within a frame, which is left out: what was recorded may be longer.
    pub cut: bool,
}

/// A file that cannot be read as a recording.
#[derive(Debug, thiserror::Error)]
#[error("{path} {problem}")]
#[non_exhaustive]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// Why not, and what to do.
    pub problem: WavProblem,
}

/// Why a file cannot be read as a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavProblem {
    /// The system does not give its contents.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is something else, or damaged.
    #[error("is no WAV file: {0}; make one of it, as `ffmpeg -i RECORDING OUTPUT.wav` does")]
    NotWav(&'static str),
    /// It ends too soon.
    #[error("is cut off: it says it has {announced} bytes, but there are {present}; copy it anew")]
    Truncated {
        /// How many bytes it would have, as far as it says.
        announced: u64,
        /// How many bytes it has.
        present: u64,
    },
    /// Its samples are encoded in a way that is not understood.
    #[error(
        "holds {0}, which is not supported; convert it, as \
         `ffmpeg -i RECORDING -c:a pcm_s16le OUTPUT.wav` does"
    )]
    Encoding(String),
    /// Its sample rate is not among [`SAMPLE_RATES`].
    #[error(
        "has {0} samples per second, which is not between 4000 and 192000; resample it, as \
         `ffmpeg -i RECORDING -ar 48000 OUTPUT.wav` does"
    )]
    SampleRate(u32),
    /// It has no samples.
    #[error("holds no samples; record it again")]
    Empty,
    /// It is longer than anything that is read.
    #[error("has {0} frames, more than {MOST_FRAMES}; cut it into shorter recordings")]
    TooLong(u64),
    /// A sample is no number.
    #[error("has {value} for a sample at frame {frame}; record or export it again")]
    NotFinite {
        /// Which frame, from 0.
        frame: usize,
        /// The sample: infinite, or not a number.
        value: f64,
    },
}

/// Reads a recording: 8, 16, 24 or 32-bit integers or 32-bit floats, in any number of channels.
///
/// Gives the mean of the channels, clipped to the range from -1 to 1, and how many samples a second
/// has.
///
/// # Errors
///
/// If the file cannot be read, is no whole WAV file, or holds what is not supported; see
/// [`WavProblem`].
pub fn read(path: &Path) -> Result<(Vec<f32>, u32), WavError> {
    let recording = read_recording(path)?;
    Ok((recording.samples, recording.sample_rate))
}

/// As [`read`], with what is to be told about the file.
///
/// # Errors
///
/// As [`read`].
pub fn read_recording(path: &Path) -> Result<Recording, WavError> {
    open(path).and_then(decode).map_err(|problem| WavError {
        path: path.to_owned(),
        problem,
    })
}

/// Opens a file and finds out its length in bytes.
fn open(path: &Path) -> Result<(BufReader<File>, u64), WavProblem> {
    let metadata = fs::metadata(path)?;
    // Opening a pipe would wait for somebody to write to it.
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file").into());
    }
    Ok((BufReader::new(File::open(path)?), metadata.len()))
}

fn decode((mut file, length): (BufReader<File>, u64)) -> Result<Recording, WavProblem> {
    let header = Header::read(&mut file, length)?;
    if !SAMPLE_RATES.contains(&header.sample_rate) {
        return Err(WavProblem::SampleRate(header.sample_rate));
    }
    if header.data_length == 0 {
        return Err(WavProblem::Empty);
    }
    let frames = header.frames();
    if frames > MOST_FRAMES || u64::from(header.data_length) > MOST_BYTES {
        return Err(WavProblem::TooLong(frames));
    }
    // hound asks for a few bytes at a time, which only memory answers fast.
    let mut bytes = header.plain();
    file.take(u64::from(header.data_length))
        .read_to_end(&mut bytes)?;
    let reader = WavReader::new(Cursor::new(bytes)).map_err(problem)?;
    let channels = usize::from(header.channels);
    let samples = match header.numbers {
        Numbers::Integers { bits } => {
            let full_scale = f64::from(1_u32 << (bits - 1));
            let samples = reader.into_samples::<i32>();
            mix(
                samples.map(|sample| Ok(f64::from(sample?) / full_scale)),
                channels,
            )
        }
        Numbers::Floats => {
            let samples = reader.into_samples::<f32>();
            mix(samples.map(|sample| sample.map(f64::from)), channels)
        }
    };
    Ok(Recording {
        samples: samples?,
        sample_rate: header.sample_rate,
        cut: header.cut,
    })
}

/// The mean of each frame's samples, clipped.
fn mix(
    samples: impl Iterator<Item = hound::Result<f64>>,
    channels: usize,
) -> Result<Vec<f32>, WavProblem> {
    let mut mixed = Vec::with_capacity(samples.size_hint().0 / channels);
    let (mut sum, mut heard) = (0.0, 0);
    for sample in samples {
        let value = sample.map_err(problem)?;
        if !value.is_finite() {
            let frame = mixed.len();
            return Err(WavProblem::NotFinite { frame, value });
        }
        sum += value;
        heard += 1;
        if heard == channels {
            mixed.push((sum / channels as f64).clamp(-1.0, 1.0) as f32);
            (sum, heard) = (0.0, 0);
        }
    }
    Ok(mixed)
}

fn problem(error: hound::Error) -> WavProblem {
    match error {
        hound::Error::IoError(error) => WavProblem::Read(error),
        hound::Error::FormatError(reason) => WavProblem::NotWav(reason),
        other => WavProblem::Encoding(other.to_string()),
    }
}
