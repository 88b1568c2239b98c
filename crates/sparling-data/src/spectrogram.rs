//! Log-mel spectrograms: what the model for speech hears (paper, section 5.1).
//!
//! A [`Spectrogram`] turns a wave, mono samples, into decibels `[mels, frames]`, row-major: one row
//! for each band of frequencies, the lowest first, and in it one column for each frame. It is used
//! on its own:
//!
//! ```
//! use sparling_data::SpectrogramConfig;
//!
//! // The paper's: 64 bands from 0 to 4 kHz, about 43 frames per second.
//! let config = SpectrogramConfig {
//!     sample_rate: 8000,
//!     window: 375,
//!     hop: 187,
//!     mels: 64,
//!     smallest_power: 1e-10,
//!     dynamic_range: 80.0,
//! };
//! let spectrogram = config.build()?;
//! let second: Vec<f32> = (0..8000).map(|sample| (0.3 * sample as f32).sin()).collect();
//! let log_mel = spectrogram.log_mel(&second);
//! assert_eq!(log_mel.len(), 64 * spectrogram.frames(second.len()));
//! # Ok::<(), sparling_data::ConfigError>(())
//! ```
//!
//! # Definition
//!
//! With `x` the wave, `N` the window and `H` the hop in samples, all divisions rounded down:
//!
//! 1. Frame `t` is centred at sample `tH`. It has a frequency `k` for each `0 <= k <= N/2`, with
//!    the power `P[k, t] = |sum_n w[n] x[tH + n - N/2] exp(-2 pi i k n / N)|^2` over `0 <= n < N`,
//!    where `w[n] = (1 - cos(2 pi n / N)) / 2` is the periodic Hann window: `(N/4)^2` for a sine of
//!    amplitude 1. The wave is mirrored at its first and last sample (which are not repeated), as
//!    often as it takes to fill `N/2` samples on either side; with those it holds
//!    `1 + (samples + 2 (N/2) - N) / H` frames.
//! 2. Band `m` sums `weight[k, m] P[k, t]`. The weight is a triangle over the frequency in Hz: 1 at
//!    the band's centre, 0 at those of its neighbours. The centres and the two ends, 0 Hz and half
//!    the sample rate, are evenly spaced in mel (HTK's): `mel = 2595 log10(1 + Hz / 700)`.
//!    The `N/2 + 1` frequencies count as evenly spaced from 0 Hz to half the sample rate.
//! 3. In decibels that is `10 log10(max(power, smallest_power))`.
//! 4. Last, everything more than `dynamic_range` dB below the largest value of the whole
//!    spectrogram is raised to that.
//!
//! In step 2, the frequencies of an odd window do not quite reach half the sample rate: the last is
//! `sample_rate / 2N` below it, 11 Hz in the paper. The paper's code, which leaves this to
//! torchaudio, spreads them as if they did, and so do we.
//!
//! Where bands are narrower than the spacing of frequencies, some may hold none. They are silent.
//!
//! # In torchaudio's terms
//!
//! All of the above is what these two make together, for waves of more than `N/2` samples (PyTorch
//! mirrors only once):
//!
//! ```python
//! MelSpectrogram(sample_rate, n_fft=window, hop_length=hop, n_mels=mels)
//! AmplitudeToDB("power", top_db=dynamic_range)
//! ```
//!
//! Their defaults are meant by it: `power=2`, `center`, `pad_mode="reflect"`, `norm=None` and
//! `mel_scale="htk"`, and 1e-10 is the smallest power. [`Spectrogram::filterbank`] is
//! `melscale_fbanks`.

mod config;
mod mel;

pub use config::SpectrogramConfig;

use std::f64::consts::TAU;
use std::fmt;
use std::iter::zip;
use std::sync::Arc;

use realfft::RealToComplex;

use mel::Band;

/// Makes log-mel spectrograms, from several threads at once if need be; made by
/// [`SpectrogramConfig::build`].
///
/// It computes in double precision. Single precision, PyTorch's too, is off by about 0.001 dB in
/// the quiet bands of a loud frame.
#[derive(Clone)]
pub struct Spectrogram {
    config: SpectrogramConfig,
    window: Vec<f64>,
    bands: Vec<Band>,
    fourier: Arc<dyn RealToComplex<f64>>,
}

impl Spectrogram {
    /// The number of frames in a wave of so many samples: `1 + samples / hop` if the window is
    /// even, `1 + (samples - 1) / hop` if it is odd, and at least 1.
    pub fn frames(&self, samples: usize) -> usize {
        let last_centre = samples.saturating_sub(self.window.len() % 2);
        1 + last_centre / self.config.hop
    }

    /// The frame whose centre is nearest to a sample, the later of two.
    ///
    /// The wave is taken to go on: close to its end, this may be the number of
    /// [frames](Self::frames) and so one more than the last of them.
    pub fn frame_at(&self, sample: usize) -> usize {
        (sample + self.config.hop / 2) / self.config.hop
    }

    /// The weights of the frequencies in the bands.
    ///
    /// # Shapes
    ///
    /// - output: `[window / 2 + 1, mels]`
    pub fn filterbank(&self) -> Vec<f32> {
        let mels = self.bands.len();
        let mut filterbank = vec![0.0; self.fourier.complex_len() * mels];
        for (mel, band) in self.bands.iter().enumerate() {
            for (frequency, weight) in band.weights() {
                filterbank[frequency * mels + mel] = weight as f32;
            }
        }
        filterbank
    }

    /// The log-mel spectrogram of a wave, in dB.
    ///
    /// Any wave will do. An empty one is silence: one frame of the smallest power. A sample that is
    /// NaN or infinite is never passed over: there are such values in the output too.
    ///
    /// # Shapes
    ///
    /// - output: `[mels, frames]`, the number of frames as given by [`Spectrogram::frames`]
    pub fn log_mel(&self, wave: &[f32]) -> Vec<f32> {
        let frames = self.frames(wave.len());
        let padded = self.padded(wave);
        let mut log_mel = vec![0.0; self.bands.len() * frames];
        let mut windowed = self.fourier.make_input_vec();
        let mut spectrum = self.fourier.make_output_vec();
        let mut scratch = self.fourier.make_scratch_vec();
        let mut powers = vec![0.0; spectrum.len()];
        let spans = padded.windows(self.window.len()).step_by(self.config.hop);
        for (frame, samples) in spans.enumerate() {
            for (windowed, (weight, sample)) in zip(&mut windowed, zip(&self.window, samples)) {
                *windowed = weight * f64::from(*sample);
            }
            self.fourier
                .process_with_scratch(&mut windowed, &mut spectrum, &mut scratch)
                .expect("the plan made these buffers");
            for (power, value) in zip(&mut powers, &spectrum) {
                *power = value.norm_sqr();
            }
            let column = log_mel.iter_mut().skip(frame).step_by(frames);
            for (value, band) in zip(column, &self.bands) {
                let power = at_least(band.power(&powers), self.config.smallest_power);
                *value = (10.0 * power.log10()) as f32;
            }
        }
        let largest = log_mel.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let floor = largest - self.config.dynamic_range as f32;
        for value in &mut log_mel {
            *value = at_least(*value, floor);
        }
        log_mel
    }

    /// The wave with half a window's reflection on either side, or silence just long enough for
    /// one frame.
    fn padded(&self, wave: &[f32]) -> Vec<f32> {
        if wave.is_empty() {
            return vec![0.0; self.window.len()];
        }
        let reach = self.window.len() / 2;
        let mut padded = Vec::with_capacity(wave.len() + 2 * reach);
        padded.extend((1..=reach).rev().map(|before| mirrored(wave, before)));
        padded.extend_from_slice(wave);
        padded.extend((0..reach).map(|after| mirrored(wave, wave.len() + after)));
        padded
    }
}

impl fmt::Debug for Spectrogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Spectrogram")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// One period of `(1 - cos) / 2`, from 0.
fn hann(length: usize) -> Vec<f64> {
    let turn = |sample: usize| TAU * sample as f64 / length as f64;
    (0..length)
        .map(|sample| 0.5 - 0.5 * turn(sample).cos())
        .collect()
}

/// The wave's value so many samples before or after its first, where it is mirrored at both ends.
fn mirrored(wave: &[f32], distance: usize) -> f32 {
    let period = 2 * (wave.len() - 1);
    let forwards = distance % period.max(1);
    wave[forwards.min(period - forwards)]
}

/// The larger one; unlike `f32::max`, NaN if the value is.
fn at_least<T: PartialOrd>(value: T, least: T) -> T {
    if value < least { least } else { value }
}
