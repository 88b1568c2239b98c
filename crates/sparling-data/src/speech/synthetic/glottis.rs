//! The voice's source: pulses of air, and breath.

use std::f64::consts::PI;

use super::draw::{Draw, amplitude};
use super::score::Score;
use super::track::Track;
use super::voice::Voice;
use crate::seed::Stream;

/// The share of breath and other noise that a closed glottis lets through in voiced sounds.
const CLOSED: f64 = 0.35;

/// What comes out of the glottis during one take.
#[derive(Clone, Debug)]
pub(super) struct Glottis {
    /// The excitation of the vocal tract: the change of the flow of air, and breath.
    pub(super) excitation: Vec<f64>,
    /// By how much the glottis weakens other noise at each moment: 1 when open.
    pub(super) gate: Vec<f64>,
}

impl Glottis {
    /// `noise` is the amplitude of white noise that has the same loudness at every sample rate.
    pub(super) fn draw(
        voice: &Voice,
        score: &Score,
        samples: usize,
        sample_rate: f64,
        noise: f64,
        stream: &mut Stream,
    ) -> Self {
        let render = |track: &Track| track.render(sample_rate, samples);
        let [pitch, loudness] = [&score.pitch, &score.loudness].map(render);
        let [voicing, aspiration] = [&score.voicing, &score.aspiration].map(render);
        let breath = amplitude(voice.breath + stream.between(-3.0, 3.0));
        let tilt = voice.tilt * stream.factor(0.2);
        let memory = libm::exp(-2.0 * PI * tilt / sample_rate);
        let open_quotient = voice.open_quotient * stream.factor(0.1);
        let mut pulses = Pulses::new(voice, open_quotient);
        let mut tilted = 0.0;
        let mut glottis = Self {
            excitation: Vec::with_capacity(samples),
            gate: Vec::with_capacity(samples),
        };
        for index in 0..samples {
            let (voicing, aspiration) = (voicing[index], aspiration[index]);
            let change = pulses.next(sample_rate / pitch[index], stream);
            tilted = change + memory * (tilted - change);
            let closed = f64::from(u8::from(!pulses.open()));
            let gate = 1.0 - (1.0 - CLOSED) * voicing.min(1.0) * closed;
            let air = (breath * voicing + aspiration) * gate * noise * stream.white();
            glottis
                .excitation
                .push(loudness[index] * (voicing * tilted + air));
            glottis.gate.push(gate);
        }
        glottis
    }
}

/// Pulses of the shape `x^2 - x^3` over the time that the glottis is open (Klatt and Klatt 1990).
struct Pulses<'a> {
    voice: &'a Voice,
    open_quotient: f64,
    /// In samples since the period began.
    at: f64,
    /// In samples.
    period: f64,
    /// How long the glottis is open, in samples.
    open: f64,
    strength: f64,
    /// The flow at the last sample.
    flow: f64,
}

impl<'a> Pulses<'a> {
    fn new(voice: &'a Voice, open_quotient: f64) -> Self {
        Self {
            voice,
            open_quotient,
            at: 0.0,
            period: 0.0,
            open: 0.0,
            strength: 0.0,
            flow: 0.0,
        }
    }

    /// The change of flow since the last sample, at its strongest about -1; `period` is in samples
    /// and counts from the next pulse on.
    fn next(&mut self, period: f64, stream: &mut Stream) -> f64 {
        self.at += 1.0;
        if self.at >= self.period {
            self.at -= self.period;
            self.period = period * stream.factor(self.voice.jitter);
            self.open = self.period * self.open_quotient;
            self.strength = stream.factor(self.voice.shimmer);
        }
        // Differences of the flow instead of its derivative: the derivative jumps at the closure,
        // and sampling a jump folds its high frequencies back as a rough, inharmonic noise.
        let part = self.at / self.open;
        let flow = if self.open() {
            self.strength * self.open * part * part * (1.0 - part)
        } else {
            0.0
        };
        let change = flow - self.flow;
        self.flow = flow;
        change
    }

    /// Whether the glottis is open.
    fn open(&self) -> bool {
        self.at < self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    #[test]
    fn pulses_have_their_period_and_no_mean() {
        let mut stream = Stream::new(Split::Test, 0);
        let voice = Voice::new(0, 0);
        let mut pulses = Pulses::new(&voice, 0.6);
        let period = 61.5;
        let (mut flow, mut openings, mut was_open, mut open) = (0.0, 0, false, 0);
        for _ in 0..61_500 {
            let change = pulses.next(period, &mut stream);
            assert!((-1.1..0.4).contains(&change), "{change}");
            flow += change;
            openings += u32::from(pulses.open() && !was_open);
            open += u32::from(pulses.open());
            was_open = pulses.open();
        }
        assert!(openings.abs_diff(1000) <= 3, "{openings}");
        assert!((f64::from(open) / 61_500.0 - 0.6).abs() < 0.01, "{open}");
        assert!((0.0..period).contains(&flow), "{flow}");
    }
}
