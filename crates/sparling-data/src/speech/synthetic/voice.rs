//! What makes one virtual speaker sound different from another.

use super::draw::Draw;
use super::phone::Phone;
use super::word::{WORDS, Word};
use crate::seed::{Split, Stream};
use crate::speech::DIGITS;

/// Set apart from the streams that other domains draw from with the same seed ("speech" in ASCII).
const SALT: u64 = 0x7370_6565_6368;

/// A man's pitch, in Hz (Peterson and Barney 1952, rounded).
const MALE_PITCH: f64 = 120.0;

/// The formants of a man's relaxed vocal tract are odd multiples of this, in Hz: that of a tube of
/// 17.5 cm, closed at one end.
const TUBE: f64 = 500.0;

/// The most formants that a voice has, however high the sample rate.
const MOST_FORMANTS: usize = 8;

/// A virtual speaker.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    seed: u64,
    number: u16,
    /// The mean pitch, in Hz.
    pitch: f64,
    /// How far pitch moves in a word, in semitones.
    pub(super) span: f64,
    /// The probability that pitch rises at the end.
    pub(super) rising: f64,
    /// The relative deviation of one period of the glottis from what intonation asks for.
    pub(super) jitter: f64,
    /// The relative deviation of one pulse's strength.
    pub(super) shimmer: f64,
    /// The share of a period during which the glottis is open.
    pub(super) open_quotient: f64,
    /// Above this, in Hz, pulses lose another 6 dB per octave.
    pub(super) tilt: f64,
    /// The breath that goes with pulses, in dB of these.
    pub(super) breath: f64,
    /// How much higher than a man's the formants are, as a factor.
    tract: f64,
    /// The first four formants' own factors.
    formants: [f64; 4],
    /// How far vowels are spread around the neutral one, as a factor.
    spread: f64,
    /// Factors for the formants of each phone.
    accent: [[f64; 3]; Phone::COUNT],
    /// Factors for the first four bandwidths, and so the inverse of the formants' gains.
    bandwidths: [f64; 4],
    /// A factor for the frequencies of noise.
    pub(super) noise_scale: f64,
    /// The level of noise, in dB.
    pub(super) noise_level: f64,
    /// A factor for durations.
    pub(super) tempo: f64,
    /// What the microphone does: the last sample's weight when it is added to each sample.
    pub(super) colour: f64,
    /// Which way of saying each digit is this voice's.
    habits: [usize; DIGITS],
}

impl Voice {
    /// The speaker of that number among those of a seed.
    pub fn new(seed: u64, number: u16) -> Self {
        let mut stream = stream(seed, number, 0);
        // In Peterson and Barney's tables women's formants are 1.16 times men's on average and
        // children's 1.35 times.
        let tract = stream.between(0.92, 1.3);
        let size = libm::log(tract);
        Self {
            seed,
            number,
            // A woman's is then 195 Hz and a child's 280 Hz.
            pitch: MALE_PITCH * libm::exp(3.2 * size) * stream.factor(0.18),
            span: stream.between(2.0, 6.0),
            rising: stream.between(0.0, 0.4),
            jitter: stream.between(0.003, 0.012),
            shimmer: stream.between(0.01, 0.06),
            open_quotient: stream.between(0.45, 0.75),
            tilt: libm::exp(stream.between(libm::log(700.0), libm::log(3500.0))),
            breath: stream.between(-42.0, -26.0),
            tract,
            formants: std::array::from_fn(|_| stream.factor(0.05)),
            spread: stream.between(0.87, 1.1),
            accent: std::array::from_fn(|_| {
                [0.05, 0.05, 0.025].map(|spread| stream.factor(spread))
            }),
            bandwidths: std::array::from_fn(|_| stream.between(0.75, 1.5)),
            noise_scale: libm::exp(0.3 * size) * stream.factor(0.06),
            noise_level: stream.between(-4.0, 4.0),
            tempo: stream.between(0.75, 1.3),
            colour: stream.between(-0.35, 0.25),
            habits: std::array::from_fn(|digit| stream.below(WORDS[digit].len() as u64) as usize),
        }
    }

    /// The mean pitch, in Hz; takes vary around it.
    pub fn pitch(&self) -> f64 {
        self.pitch
    }

    /// What decides one take, of a key above 0.
    pub(super) fn stream(&self, key: u32) -> Stream {
        stream(self.seed, self.number, key)
    }

    /// The phones of a digit, as this voice says it.
    pub(super) fn word(&self, digit: usize) -> &'static Word {
        WORDS[digit][self.habits[digit]]
    }

    /// The first three formants that are a man's in a phone, in Hz.
    pub(super) fn place(&self, phone: Phone, formants: [f64; 3]) -> [f64; 3] {
        let accent = self.accent[phone as usize];
        std::array::from_fn(|index| {
            let centre = TUBE * (2 * index + 1) as f64;
            let spread = centre + self.spread * (formants[index] - centre);
            spread * self.tract * self.formants[index] * accent[index]
        })
    }

    /// The bandwidths that are a man's, in Hz.
    pub(super) fn widen(&self, bandwidths: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|index| bandwidths[index] * self.bandwidths[index])
    }

    /// The (frequency, bandwidth) of the formants below a frequency, in Hz, when relaxed.
    pub(super) fn relaxed(&self, limit: f64) -> Vec<(f64, f64)> {
        let formant = |index: usize| {
            // Above the fourth, formants hardly differ between speakers of one size.
            let own = self.formants.get(index).unwrap_or(&1.0);
            let frequency = TUBE * (2 * index + 1) as f64 * self.tract * own;
            let width = self.bandwidths.get(index).unwrap_or(&1.0);
            (frequency, 0.07 * frequency * width)
        };
        (0..MOST_FORMANTS)
            .map(formant)
            .take_while(|&(frequency, _)| frequency < limit)
            .collect()
    }
}

/// The stream of a voice, with key 0, or of one of its takes.
fn stream(seed: u64, number: u16, key: u32) -> Stream {
    let seed = seed ^ SALT;
    Stream::new(
        Split::Train { seed },
        u64::from(number) << 32 | u64::from(key),
    )
}
