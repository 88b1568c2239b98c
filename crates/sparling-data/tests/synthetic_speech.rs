//! Synthesised voices as a whole.

use std::collections::HashSet;
use std::f32::consts::PI;
use std::sync::LazyLock;

use sparling_data::speech::synthetic::{SyntheticConfig, Voice};
use sparling_data::speech::{Collection, DIGITS, Speaker};

const RATE: u32 = 8000;
const TAKES: u16 = 3;
const SEED: u64 = 1;

static VOICES: LazyLock<Collection> = LazyLock::new(|| {
    let config = SyntheticConfig {
        sample_rate: RATE,
        speakers: 60,
        takes: TAKES,
        seed: SEED,
    };
    config.build().expect("the configuration is valid")
});

/// Every take with its digit.
fn takes(speakers: &[Speaker]) -> impl Iterator<Item = (usize, &[f32])> {
    let digits = speakers
        .iter()
        .flat_map(|speaker| speaker.takes.iter().enumerate());
    digits.flat_map(|(digit, takes)| takes.iter().map(move |take| (digit, take.as_slice())))
}

fn seconds(take: &[f32]) -> f64 {
    take.len() as f64 / f64::from(RATE)
}

fn peak(take: &[f32]) -> f32 {
    take.iter().fold(0.0, |most, sample| most.max(sample.abs()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn takes_are_pinned() {
    // FNV-1a over 16-bit samples.
    let fingerprint = |digit, take| {
        let samples = Voice::new(SEED, 7).say(digit, take, RATE);
        let quantised = samples
            .iter()
            .map(|sample| (sample * 32_767.0).round() as i16);
        quantised.fold(0xcbf2_9ce4_8422_2325, |hash: u64, sample| {
            (hash ^ u64::from(sample as u16)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    assert_eq!(
        [fingerprint(0, 0), fingerprint(6, 1), fingerprint(8, 2)],
        [
            3_256_397_510_686_954_910,
            18_337_662_280_906_097_441,
            8_674_707_668_591_918_191
        ],
        "voices changed: results are no longer comparable with those of earlier versions"
    );
}

#[test]
fn takes_are_pure_functions_of_seed_speaker_digit_and_take() {
    for number in [0, 31, 59] {
        let voice = Voice::new(SEED, number);
        let speaker = &VOICES.speakers[usize::from(number)];
        assert_eq!(speaker.name, format!("synthetic-{number:02}"));
        for (digit, takes) in speaker.takes.iter().enumerate() {
            for (index, take) in (0..TAKES).zip(takes) {
                assert_eq!(take, &voice.say(digit, index, RATE));
            }
        }
        assert_ne!(voice.say(1, 0, RATE), Voice::new(2, number).say(1, 0, RATE));
    }
}

#[test]
fn every_speaker_says_every_digit_differently_each_time() {
    assert_eq!(VOICES.speakers.len(), 60);
    assert!(VOICES.speakers.is_sorted_by_key(|speaker| &speaker.name));
    let bits = |take: &[f32]| -> Vec<u32> { take.iter().map(|sample| sample.to_bits()).collect() };
    let distinct: HashSet<Vec<u32>> = takes(&VOICES.speakers)
        .map(|(_, take)| bits(take))
        .collect();
    assert_eq!(distinct.len(), 60 * DIGITS * usize::from(TAKES));
    for speaker in &VOICES.speakers {
        for takes in &speaker.takes {
            assert_eq!(takes.len(), usize::from(TAKES));
            let lengths: HashSet<usize> = takes.iter().map(Vec::len).collect();
            assert!(lengths.len() > 1, "{} keeps time too well", speaker.name);
        }
    }
}

#[test]
fn samples_are_in_range() {
    let mut peaks = Vec::new();
    for (digit, take) in takes(&VOICES.speakers) {
        assert!(take.iter().all(|sample| sample.is_finite()));
        let level = 20.0 * f64::from(peak(take)).log10();
        assert!((-12.2..-0.99).contains(&level), "{digit}: {level} dBFS");
        peaks.push(level);
    }
    assert!((median(peaks) + 6.5).abs() < 1.0);
}

#[test]
fn durations_are_those_of_words() {
    let mut all = Vec::new();
    for (digit, take) in takes(&VOICES.speakers) {
        let seconds = seconds(take);
        assert!((0.25..=0.9).contains(&seconds), "{digit}: {seconds} s");
        all.push(seconds);
    }
    let median = median(all);
    assert!((0.4..0.55).contains(&median), "{median} s");
}

#[test]
fn takes_begin_and_end_softly_but_soon() {
    for (digit, take) in takes(&VOICES.speakers) {
        let peak = peak(take);
        for edge in [&take[..4], &take[take.len() - 4..]] {
            assert!(
                edge.iter().all(|sample| sample.abs() < 0.005 * peak),
                "{digit}: {edge:?}"
            );
        }
        // 50 dB below the peak is silence, and a little more where the ends fade.
        let heard = |sample: &f32| sample.abs() > 0.003 * peak;
        let before = take.iter().position(heard).unwrap();
        let after = take.iter().rev().position(heard).unwrap();
        for silence in [before, after] {
            assert!(silence < RATE as usize / 100, "{digit}: {silence} samples");
        }
    }
}

/// The pitch in the middle of a take, in Hz: the lag at which it resembles itself most.
fn pitch(take: &[f32]) -> f64 {
    let middle = &take[take.len() * 3 / 10..take.len() * 6 / 10];
    let resemblance = |lag: usize| {
        let pairs = middle.iter().zip(&middle[lag..]);
        let (mut product, mut one, mut other) = (0.0, 0.0, 0.0);
        for (first, second) in pairs {
            product += first * second;
            one += first * first;
            other += second * second;
        }
        product / (one * other).sqrt()
    };
    let lags: Vec<f32> = (0..130).map(resemblance).collect();
    let best = lags[18..].iter().copied().fold(0.0, f32::max);
    // Multiples of the period resemble it almost as well: the first peak counts.
    let lag = (18..129)
        .find(|&lag| {
            let here = lags[lag];
            here > 0.9 * best && here >= lags[lag - 1] && here >= lags[lag + 1]
        })
        .expect("the best lag is a peak");
    f64::from(RATE) / lag as f64
}

#[test]
fn voiced_digits_have_the_speakers_pitch() {
    let mut spoken = Vec::new();
    for (number, speaker) in (0..).zip(&VOICES.speakers) {
        // "zero", "one" and "nine" are voiced in the middle.
        let voiced = [0, 1, 9].map(|digit| speaker.takes[digit].iter().map(|take| pitch(take)));
        let heard = median(voiced.into_iter().flatten().collect());
        let asked = Voice::new(SEED, number).pitch();
        let ratio = heard / asked;
        assert!(
            (0.88..1.14).contains(&ratio),
            "{}: {heard} of {asked} Hz",
            speaker.name
        );
        spoken.push(heard);
    }
    let (low, high) = (
        spoken.iter().copied().fold(f64::MAX, f64::min),
        spoken.iter().copied().fold(0.0, f64::max),
    );
    assert!(low < 110.0 && high > 220.0, "{low} to {high} Hz");
}

#[test]
fn words_keep_their_length_at_higher_sample_rates() {
    let voice = Voice::new(SEED, 3);
    for digit in 0..DIGITS {
        let length = seconds(&voice.say(digit, 0, RATE));
        for rate in [11_025, 16_000, 44_100, 192_000] {
            let take = voice.say(digit, 0, rate);
            // Other noise, and so a slightly different moment at which it is heard.
            let difference = take.len() as f64 / f64::from(rate) - length;
            assert!(
                difference.abs() < 0.02,
                "{digit} at {rate} Hz: {difference} s"
            );
            assert!(take.iter().all(|sample| sample.abs() <= 0.9));
        }
        // Hardly anything of an s is left at the lowest rate, but the vowels are.
        let take = voice.say(digit, 0, 4000);
        assert!((0.08..=length + 0.02).contains(&(take.len() as f64 / 4000.0)));
        assert!(take.iter().all(|sample| sample.abs() <= 0.9));
    }
}

const SLICES: usize = 8;
const BANDS: usize = 16;
const WINDOW: usize = 128;

/// Cosines and sines of every second frequency of a window, two for each band.
static WAVES: LazyLock<Vec<[f32; 2 * WINDOW]>> = LazyLock::new(|| {
    let wave = |frequency: usize| {
        std::array::from_fn(|index| {
            let at = (index % WINDOW) as f32;
            let hann = 0.5 - 0.5 * (2.0 * PI * at / WINDOW as f32).cos();
            let phase = 2.0 * PI * (2 * frequency + 1) as f32 * at / WINDOW as f32;
            hann * if index < WINDOW {
                phase.cos()
            } else {
                phase.sin()
            }
        })
    };
    (0..2 * BANDS).map(wave).collect()
});

/// Logarithms of the energy in each band of each slice of a take, whatever its level and length.
fn features(take: &[f32]) -> Vec<f32> {
    let mut energies = vec![0.0_f32; SLICES * BANDS];
    let windows = take.len() / WINDOW * 2 - 1;
    for (index, window) in take
        .windows(WINDOW)
        .step_by(WINDOW / 2)
        .enumerate()
        .take(windows)
    {
        let slice = index * SLICES / windows;
        for (frequency, wave) in WAVES.iter().enumerate() {
            let along = |wave: &[f32]| -> f32 { window.iter().zip(wave).map(|(a, b)| a * b).sum() };
            let (real, imaginary) = (along(&wave[..WINDOW]), along(&wave[WINDOW..]));
            let energy = real * real + imaginary * imaginary;
            energies[slice * BANDS + frequency / 2] += energy;
        }
    }
    let floor = 1e-5 * energies.iter().copied().fold(0.0, f32::max);
    let logarithms: Vec<f32> = energies
        .iter()
        .map(|energy| (energy + floor).ln())
        .collect();
    let mean = logarithms.iter().sum::<f32>() / logarithms.len() as f32;
    logarithms
        .iter()
        .map(|logarithm| logarithm - mean)
        .collect()
}

/// The share of the last 20 speakers' takes whose digit is that of the nearest centroid of the
/// first 40 speakers' takes.
fn recognised(features: impl Fn(&[f32]) -> Vec<f32>) -> f64 {
    let (known, unknown) = VOICES.speakers.split_at(40);
    let count = (known.len() * usize::from(TAKES)) as f32;
    let mut centroids: [Vec<f32>; DIGITS] = Default::default();
    for (digit, take) in takes(known) {
        let features = features(take);
        centroids[digit].resize(features.len(), 0.0);
        for (sum, feature) in centroids[digit].iter_mut().zip(features) {
            *sum += feature / count;
        }
    }
    let right = takes(unknown).filter(|&(digit, take)| {
        let features = features(take);
        let distance = |centroid: &Vec<f32>| -> f32 {
            let pairs = centroid.iter().zip(&features);
            pairs
                .map(|(one, other)| (one - other) * (one - other))
                .sum()
        };
        let distances = centroids.each_ref().map(distance);
        let nearest =
            (0..DIGITS).min_by(|&one, &other| distances[one].total_cmp(&distances[other]));
        nearest == Some(digit)
    });
    right.count() as f64 / (unknown.len() * DIGITS * usize::from(TAKES)) as f64
}

#[test]
fn words_of_unknown_speakers_are_recognised_by_their_spectrum() {
    let share = recognised(features);
    assert!(share >= 0.9, "{share}");
}

#[test]
fn words_are_not_recognised_by_their_duration() {
    let share = recognised(|take| vec![seconds(take) as f32]);
    assert!(share <= 0.5, "{share}");
}

#[test]
#[should_panic(expected = "10 is not a digit")]
fn only_digits_are_said() {
    Voice::new(SEED, 0).say(10, 0, RATE);
}
