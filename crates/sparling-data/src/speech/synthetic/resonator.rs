//! Second-order resonators, of which formants are made.

use std::f64::consts::PI;

/// A digital resonator (Klatt 1980, section I.C).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resonator {
    /// The input's weight, and those of the last output and of the one before.
    weights: [f64; 3],
    last: f64,
    before_last: f64,
}

impl Resonator {
    /// Moves the resonance, in Hz; a constant signal passes unchanged.
    pub(super) fn tune(&mut self, frequency: f64, bandwidth: f64, sample_rate: f64) {
        let [last, before_last] = feedback(frequency, bandwidth, sample_rate);
        self.weights = [1.0 - last - before_last, last, before_last];
    }

    /// A resonator at rest that makes noise of variance 1 from white noise of variance 1.
    pub(super) fn for_noise(frequency: f64, bandwidth: f64, sample_rate: f64) -> Self {
        let [last, before_last] = feedback(frequency, bandwidth, sample_rate);
        // The stationary variance of a second-order autoregressive process, solved for the input.
        let rest = 1.0 - before_last;
        let variance = (1.0 + before_last) * (rest * rest - last * last) / rest;
        Self {
            weights: [variance.sqrt(), last, before_last],
            ..Self::default()
        }
    }

    /// The output for the next input.
    #[inline]
    pub(super) fn next(&mut self, input: f64) -> f64 {
        let [now, last, before_last] = self.weights;
        let output = now * input + before_last * self.before_last + last * self.last;
        self.before_last = self.last;
        self.last = output;
        output
    }
}

/// The weights of the last output and of the one before.
fn feedback(frequency: f64, bandwidth: f64, sample_rate: f64) -> [f64; 2] {
    let radius = libm::exp(-PI * bandwidth / sample_rate);
    let cosine = libm::cos(2.0 * PI * frequency / sample_rate);
    [2.0 * radius * cosine, -radius * radius]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Split, Stream};
    use crate::speech::synthetic::draw::Draw;

    const RATE: f64 = 8000.0;

    /// The gain for a sine, once the resonator has settled.
    fn gain(resonator: Resonator, frequency: f64) -> f64 {
        let mut resonator = resonator;
        let output = |index: i32| {
            let phase = 2.0 * PI * frequency / RATE * f64::from(index);
            resonator.next(libm::sin(phase))
        };
        let settled = (0..8000).map(output).skip(4000);
        settled.fold(0.0, |most, sample| sample.abs().max(most))
    }

    #[test]
    fn the_peak_is_at_the_frequency_and_as_wide_as_the_bandwidth() {
        let mut resonator = Resonator::default();
        resonator.tune(1000.0, 100.0, RATE);
        let peak = gain(resonator, 1000.0);
        assert!((9.0..12.0).contains(&peak), "{peak}");
        for side in [950.0, 1050.0] {
            let share = gain(resonator, side) / peak;
            assert!((share * share - 0.5).abs() < 0.06, "{side} Hz: {share}");
        }
    }

    #[test]
    fn a_constant_passes_unchanged() {
        let mut resonator = Resonator::default();
        resonator.tune(500.0, 60.0, RATE);
        let last = (0..4000).map(|_| resonator.next(0.7)).last().unwrap();
        assert!((last - 0.7).abs() < 1e-9);
    }

    #[test]
    fn noise_keeps_its_variance() {
        let mut stream = Stream::new(Split::Test, 1);
        for (frequency, bandwidth) in [(300.0, 200.0), (2100.0, 300.0), (3700.0, 800.0)] {
            let mut resonator = Resonator::for_noise(frequency, bandwidth, RATE);
            let outputs = (0..200_000).map(|_| resonator.next(stream.white()));
            let variance = outputs.map(|sample| sample * sample).sum::<f64>() / 200_000.0;
            assert!((variance - 1.0).abs() < 0.05, "{frequency} Hz: {variance}");
        }
    }
}
