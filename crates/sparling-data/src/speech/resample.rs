//! Changes of sample rate.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// The fewest samples in a block at the lower rate, and so in the filter. With that many it passes
/// what is below 0.93 of the lower rate's half as it is and nothing above that half.
const BLOCK: usize = 256;

/// Brings recordings from one sample rate to another.
///
/// What the lower rate cannot hold is filtered out. Times stay as they are: the filter's delay is
/// taken off, and samples beyond both ends count as zero.
#[derive(Debug)]
pub(super) struct Resampler {
    source_hz: u32,
    to_hz: u32,
    /// None where the rates agree.
    fft: Option<Fft<f32>>,
}

impl Resampler {
    /// Prepares for two sample rates, in samples per second.
    ///
    /// # Panics
    ///
    /// If one of them is zero.
    pub(super) fn new(source_hz: u32, to_hz: u32) -> Self {
        assert!(source_hz > 0 && to_hz > 0, "sample rates are above zero");
        Self {
            source_hz,
            to_hz,
            fft: (source_hz != to_hz).then(|| plan(source_hz, to_hz)),
        }
    }

    /// The sample rate that recordings are brought from.
    pub(super) fn source_hz(&self) -> u32 {
        self.source_hz
    }

    /// Resamples a recording, to `round(samples.len() * to_hz / source_hz)` samples.
    ///
    /// What was resampled before has no influence.
    pub(super) fn resample(&mut self, samples: &[f32]) -> Vec<f32> {
        let length = self.resampled_length(samples.len());
        match &mut self.fft {
            Some(fft) if length > 0 => {
                let input = InterleavedSlice::new(samples, 1, samples.len())
                    .expect("a slice is as long as it is");
                let output = fft
                    .process_all(&input, samples.len(), None)
                    .expect("the buffers are made to measure");
                let mut output = output.take_data();
                output.resize(length, 0.0);
                output
            }
            Some(_) => Vec::new(),
            None => samples.to_vec(),
        }
    }

    /// How many samples there will be, rounded half up.
    fn resampled_length(&self, length: usize) -> usize {
        let (from, to) = (u128::from(self.source_hz), u128::from(self.to_hz));
        ((2 * length as u128 * to + from) / (2 * from)) as usize
    }
}

/// Resamples a recording, to `round(samples.len() * to_hz / source_hz)` samples.
///
/// # Panics
///
/// If a sample rate is zero.
pub fn resample(samples: &[f32], source_hz: u32, to_hz: u32) -> Vec<f32> {
    Resampler::new(source_hz, to_hz).resample(samples)
}

/// Blocks of the same time at both rates, of an even number of samples each: half of that is the
/// filter's delay, which then is a whole number of samples too.
fn plan(source_hz: u32, to_hz: u32) -> Fft<f32> {
    let common = greatest_common_divisor(source_hz, to_hz);
    let shorter = (source_hz.min(to_hz) / common) as usize;
    let blocks = BLOCK.div_ceil(shorter).next_multiple_of(2);
    Fft::new_custom(
        source_hz as usize,
        to_hz as usize,
        blocks * (source_hz / common) as usize,
        1,
        1,
        WindowFunction::BlackmanHarris,
        FixedSync::Both,
    )
    .expect("rates and block are above zero")
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const RATES: [u32; 6] = [48_000, 44_100, 22_050, 16_000, 11_025, 4_000];

    fn tone(frequency: f64, sample_rate: u32) -> Vec<f32> {
        let step = TAU * frequency / f64::from(sample_rate);
        (0..sample_rate)
            .map(|index| (0.5 * (step * f64::from(index)).sin()) as f32)
            .collect()
    }

    /// The level of the middle half, in decibels of `tone`'s.
    fn decibels(samples: &[f32]) -> f64 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let power: f64 = middle.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        10.0 * (power / middle.len() as f64 / 0.125).max(1e-30).log10()
    }

    #[test]
    fn lengths_are_rounded() {
        for (source_hz, to_hz) in [
            (48_000, 8_000),
            (44_100, 8_000),
            (11_025, 8_000),
            (4_000, 8_000),
        ] {
            let mut resampler = Resampler::new(source_hz, to_hz);
            for length in (0..40).chain([1_000, 1_763, 1_764, 1_765, 5_000]) {
                let exact = length as f64 * f64::from(to_hz) / f64::from(source_hz);
                let resampled = resampler.resample(&vec![0.5; length]);
                assert_eq!(
                    resampled.len(),
                    exact.round() as usize,
                    "{length} at {source_hz}"
                );
                assert!(resampled.iter().all(|sample| sample.is_finite()));
            }
        }
    }

    #[test]
    fn equal_rates_change_nothing() {
        let samples = [0.1, -0.7, 1.0];
        assert_eq!(resample(&samples, 8_000, 8_000), samples);
    }

    #[test]
    fn a_resampler_forgets() {
        let noise: Vec<f32> = (0..5_000_u32)
            .map(|index| ((index * index) % 17) as f32 / 17.0)
            .collect();
        let mut resampler = Resampler::new(44_100, 8_000);
        let first = resampler.resample(&noise[..3_000]);
        resampler.resample(&noise);
        assert_eq!(resampler.resample(&noise[..3_000]), first);
        assert_eq!(resample(&noise[..3_000], 44_100, 8_000), first);
    }

    #[test]
    fn rates_without_a_common_divisor_will_do() {
        let resampled = resample(&[0.25; 44_101], 44_101, 8_000);
        assert_eq!(resampled.len(), 8_000);
        let middle = resampled[4_000];
        assert!((middle - 0.25).abs() < 1e-3, "{middle}");
    }

    #[test]
    fn resampling_keeps_tones() {
        for rate in RATES {
            for frequency in [60.0, 440.0, 1_000.0, 1_800.0, 3_000.0, 3_600.0] {
                if frequency > 0.9 * f64::from(rate.min(8_000)) / 2.0 {
                    continue;
                }
                let resampled = resample(&tone(frequency, rate), rate, 8_000);
                assert_eq!(resampled.len(), 8_000);
                let level = decibels(&resampled);
                assert!(level.abs() < 0.1, "{frequency} Hz from {rate}: {level} dB");
                // The same tone at the same time, so the difference is what went wrong.
                let expected = tone(frequency, 8_000);
                let wrong: Vec<f32> = resampled.iter().zip(expected).map(|(a, b)| a - b).collect();
                let level = decibels(&wrong);
                assert!(
                    level < -60.0,
                    "{frequency} Hz from {rate}: {level} dB are wrong"
                );
            }
        }
    }

    #[test]
    fn resampling_removes_what_does_not_fit() {
        for rate in RATES {
            for frequency in [4_100.0, 5_000.0, 7_000.0, 12_000.0, 20_000.0] {
                if frequency < f64::from(rate) / 2.0 {
                    let level = decibels(&resample(&tone(frequency, rate), rate, 8_000));
                    assert!(level < -40.0, "{frequency} Hz from {rate}: {level} dB");
                }
            }
        }
    }

    #[test]
    fn resampling_keeps_times() {
        for rate in RATES {
            for at in [0, 1, rate / 7, rate / 3, rate - 2] {
                let mut click = vec![0.0; rate as usize];
                click[at as usize] = 1.0;
                let resampled = resample(&click, rate, 8_000);
                let loudest = (0..8_000).max_by(|&a, &b| resampled[a].total_cmp(&resampled[b]));
                let expected = f64::from(at) * 8_000.0 / f64::from(rate);
                let error = loudest.unwrap() as f64 - expected;
                assert!(error.abs() <= 1.0, "{at} from {rate}: {error} samples");
            }
        }
    }
}
