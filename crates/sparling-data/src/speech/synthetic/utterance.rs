//! One take, from the score to samples.

use super::draw::{Draw, amplitude};
use super::glottis::Glottis;
use super::resonator::Resonator;
use super::score::{Noise, Score};
use super::tract::resonate;
use super::voice::Voice;
use crate::seed::Stream;
use crate::speech::DIGITS;
use crate::speech::wav::SAMPLE_RATES;

/// The root mean square of a vowel before levels are set, about.
const VOWEL: f64 = 0.5;

/// The sample rate at which noise has the amplitude that levels say, in Hz.
const REFERENCE_RATE: f64 = 8000.0;

/// What is below this is silence, in dB of the peak.
const SILENCE: f64 = -50.0;

/// How much silence is left at either end, in seconds.
const MARGIN: f64 = 0.003;

impl Voice {
    /// One take of a digit: mono samples between -1 and 1.
    ///
    /// It takes 0.25 to 0.9 seconds, less where a sample rate far below 8000 Hz leaves nothing of an
    /// s at the start or at the end.
    ///
    /// # Panics
    ///
    /// If the digit is not one, or for a sample rate below 4000 or above 192,000 Hz.
    pub fn say(&self, digit: usize, take: u16, sample_rate: u32) -> Vec<f32> {
        assert!(digit < DIGITS, "{digit} is not a digit");
        assert!(
            SAMPLE_RATES.contains(&sample_rate),
            "cannot speak at {sample_rate} Hz"
        );
        let mut stream = self.stream((digit as u32 + 1) << 16 | u32::from(take));
        let score = Score::draw(self, digit, &mut stream);
        let mut sound = speak(self, &score, sample_rate, &mut stream);
        record(&mut sound, self.colour);
        finish(&sound, score.peak, sample_rate.into())
    }
}

/// What comes out of the mouth.
fn speak(voice: &Voice, score: &Score, sample_rate: u32, stream: &mut Stream) -> Vec<f64> {
    let rate = f64::from(sample_rate);
    let samples = (score.duration * rate).ceil() as usize;
    // The same density per Hz, of which there are more at a higher rate.
    let white = (rate / REFERENCE_RATE).sqrt();
    let glottis = Glottis::draw(voice, score, samples, rate, white, stream);
    let mut sound = glottis.excitation;
    resonate(&mut sound, voice, score, sample_rate);
    for noise in &score.noises {
        add(&mut sound, noise, voice, &glottis.gate, rate, stream);
    }
    sound
}

/// Adds the noise of a narrow passage, which hardly passes the vocal tract behind it.
fn add(
    sound: &mut [f64],
    noise: &Noise,
    voice: &Voice,
    gate: &[f64],
    rate: f64,
    stream: &mut Stream,
) {
    let mut poles: Vec<(Resonator, f64)> = (noise.poles.iter())
        .map(|pole| (pole.frequency * voice.noise_scale, pole))
        .filter(|&(frequency, _)| frequency < 0.5 * rate)
        .map(|(frequency, pole)| {
            let resonator = Resonator::for_noise(frequency, pole.bandwidth, rate);
            (resonator, VOWEL * amplitude(pole.level))
        })
        .collect();
    let strength = noise.strength.render(rate, sound.len());
    let (start, end) = noise.strength.span();
    let range = (start * rate) as usize..((end * rate).ceil() as usize).min(sound.len());
    for index in range {
        let white = stream.white();
        let output = |(resonator, gain): &mut (Resonator, f64)| *gain * resonator.next(white);
        let coloured: f64 = poles.iter_mut().map(output).sum();
        sound[index] += strength[index] * gate[index] * coloured;
    }
}

/// What a microphone, and the filter that every recording passes before it is sampled, do.
fn record(sound: &mut [f64], colour: f64) {
    /// How close to half the sample rate the filter sets in: below 1.
    const STEEPNESS: f64 = 0.8;
    let (mut heard, mut coloured, mut filtered) = (0.0, 0.0, 0.0);
    for sample in sound {
        let now = (*sample + colour * heard) / (1.0 + colour);
        filtered = (now + coloured) * (1.0 + STEEPNESS) / 2.0 - STEEPNESS * filtered;
        (heard, coloured) = (*sample, now);
        *sample = filtered;
    }
}

/// Scales to the peak and leaves little silence at either end, into which the sound fades.
fn finish(sound: &[f64], peak: f64, rate: f64) -> Vec<f32> {
    let loudest = sound
        .iter()
        .fold(0.0, |most: f64, sample| most.max(sample.abs()));
    let threshold = loudest * amplitude(SILENCE);
    let heard = |sample: &f64| sample.abs() > threshold;
    let margin = (MARGIN * rate) as usize;
    let start = sound.iter().position(heard).unwrap_or(0);
    let end = sound.iter().rposition(heard).unwrap_or(0) + 1;
    let kept = &sound[start.saturating_sub(margin)..(end + margin).min(sound.len())];
    let fade = |index: usize| {
        let to_the_end = index.min(kept.len() - 1 - index);
        (to_the_end as f64 / margin as f64).min(1.0)
    };
    let gain = peak / loudest;
    (kept.iter().enumerate())
        .map(|(index, sample)| (gain * fade(index) * sample) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    #[test]
    fn vowels_have_the_level_that_noise_refers_to() {
        let level = |number: u16| {
            let mut stream = Stream::new(Split::Test, number.into());
            let voice = Voice::new(0, number);
            let score = Score::draw(&voice, 9, &mut stream);
            let sound = speak(&voice, &score, 8000, &mut stream);
            let vowel = &sound[sound.len() * 4 / 10..sound.len() * 5 / 10];
            let squares: f64 = vowel.iter().map(|sample| sample * sample).sum();
            (squares / vowel.len() as f64).sqrt()
        };
        let mut levels: Vec<f64> = (0..99).map(level).collect();
        levels.sort_by(f64::total_cmp);
        let median = levels[49];
        assert!((0.7..1.4).contains(&(median / VOWEL)), "{median}");
    }

    #[test]
    fn recording_keeps_low_frequencies_and_loses_the_highest() {
        let gain = |colour: f64, step: fn(usize) -> f64| {
            let mut sound: Vec<f64> = (0..200).map(step).collect();
            record(&mut sound, colour);
            sound[199].abs()
        };
        for colour in [-0.3, 0.0, 0.2] {
            assert!((gain(colour, |_| 1.0) - 1.0).abs() < 1e-9);
            assert!(gain(colour, |index| if index % 2 == 0 { 1.0 } else { -1.0 }) < 1e-9);
        }
    }
}
