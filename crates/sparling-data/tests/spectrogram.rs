//! The spectrogram, against its definition and by its properties.

use std::f64::consts::TAU;

use sparling_data::{Spectrogram, SpectrogramConfig};

/// 1,500 samples at 8 kHz, in 1/32768: a chirp over a vowel, noise that gets quieter, a pause.
const WAVE: &str = include_str!("data/spectrogram_wave.txt");

/// Its log-mel spectrogram, one row for each band. Made from the definition in Python: every
/// Fourier coefficient is an exactly rounded sum (`math.fsum`) of double precision products.
const LOG_MEL: &str = include_str!("data/spectrogram_log_mel.txt");

const PAPER: SpectrogramConfig = SpectrogramConfig {
    sample_rate: 8000,
    window: 375,
    hop: 187,
    mels: 64,
    smallest_power: 1e-10,
    dynamic_range: 80.0,
};

fn paper() -> Spectrogram {
    PAPER.build().expect("it is valid")
}

/// The paper's, but without a floor.
fn unlimited() -> SpectrogramConfig {
    SpectrogramConfig {
        dynamic_range: f64::INFINITY,
        ..PAPER
    }
}

fn wave() -> Vec<f32> {
    let samples = WAVE.split_whitespace();
    samples
        .map(|sample| f32::from(sample.parse::<i16>().expect("samples are integers")) / 32768.0)
        .collect()
}

fn tone(hertz: f64, amplitude: f64, samples: usize) -> Vec<f32> {
    let turn = |sample: usize| TAU * hertz * sample as f64 / 8000.0;
    (0..samples)
        .map(|sample| (amplitude * turn(sample).sin()) as f32)
        .collect()
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let differences = left
        .iter()
        .zip(right)
        .map(|(one, other)| (one - other).abs());
    differences.fold(0.0, f32::max)
}

#[test]
fn it_equals_the_definition() {
    let values = LOG_MEL.split_whitespace();
    let expected: Vec<f32> = values.map(|value| value.parse().unwrap()).collect();
    let difference = largest_difference(&paper().log_mel(&wave()), &expected);
    assert!(difference < 1e-5, "{difference} dB");
}

#[test]
fn every_frame_of_torchaudio_is_there_and_no_other() {
    let odd = paper();
    let even = SpectrogramConfig {
        window: 400,
        hop: 200,
        ..PAPER
    };
    let even = even.build().unwrap();
    let frames = [0, 1, 187, 188, 374, 375, 8000, 12_345, 120_000].map(|n| odd.frames(n));
    assert_eq!(frames, [1, 1, 1, 2, 2, 3, 43, 67, 642]);
    let frames = [0, 1, 199, 200, 201, 400].map(|n| even.frames(n));
    assert_eq!(frames, [1, 1, 1, 2, 2, 3]);
    for spectrogram in [odd, even] {
        for samples in [0, 1, 2, 100, 187, 188, 400, 1000] {
            let log_mel = spectrogram.log_mel(&vec![0.5; samples]);
            assert_eq!(log_mel.len(), 64 * spectrogram.frames(samples));
        }
    }
}

#[test]
fn a_sample_belongs_to_the_nearest_frame() {
    let spectrogram = paper();
    let nearest = [0, 93, 94, 187, 280, 281, 119_999].map(|sample| spectrogram.frame_at(sample));
    assert_eq!(nearest, [0, 0, 1, 1, 1, 2, 642]);
}

#[test]
fn a_click_is_loudest_in_its_frame() {
    let spectrogram = paper();
    for sample in [0, 500, 2000, 3333, 7900] {
        let mut wave = vec![0.0; 8000];
        wave[sample] = 1.0;
        let log_mel = spectrogram.log_mel(&wave);
        for band in log_mel.chunks_exact(spectrogram.frames(wave.len())) {
            let frame = spectrogram.frame_at(sample);
            assert!(band.iter().all(|value| *value <= band[frame]), "{sample}");
        }
    }
}

#[test]
fn a_tone_is_loudest_in_its_band() {
    let spectrogram = paper();
    let highest_mel = 2595.0 * (1.0_f64 + 4000.0 / 700.0).log10();
    // Lower bands are narrower than what the window can tell apart.
    for band in 20..64 {
        let mel = highest_mel * f64::from(band + 1) / 65.0;
        let hertz = 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0);
        let wave = tone(hertz, 0.5, 4000);
        let frames = spectrogram.frames(wave.len());
        let log_mel = spectrogram.log_mel(&wave);
        for frame in 2..frames - 2 {
            let at = |band: usize| log_mel[band * frames + frame];
            let loudest = (0..64).max_by(|a, b| at(*a).total_cmp(&at(*b)));
            assert_eq!(loudest, Some(band as usize), "{hertz} Hz");
        }
    }
}

#[test]
fn power_is_that_of_the_window() {
    // A tone on a frequency that one band alone gives full weight.
    let config = SpectrogramConfig {
        window: 256,
        hop: 128,
        mels: 1,
        ..unlimited()
    };
    let spectrogram = config.build().unwrap();
    let filterbank = spectrogram.filterbank();
    let amplitude = 0.25;
    let log_mel = spectrogram.log_mel(&tone(8000.0 * 40.0 / 256.0, amplitude, 1280));
    // Hann spreads a tone over three frequencies, with a quarter of the power on either side.
    let spread = filterbank[40] + 0.25 * (filterbank[39] + filterbank[41]);
    let expected = 20.0 * (amplitude as f32 * 64.0).log10() + 10.0 * spread.log10();
    assert!(
        (log_mel[5] - expected).abs() < 1e-3,
        "{} {expected}",
        log_mel[5]
    );
}

#[test]
fn silence_is_flat() {
    let spectrogram = paper();
    for samples in [0, 1, 100, 8000] {
        let log_mel = spectrogram.log_mel(&vec![0.0; samples]);
        assert!(log_mel.iter().all(|value| *value == -100.0));
    }
}

#[test]
fn a_louder_wave_is_as_much_louder_everywhere() {
    let quiet = wave();
    let config = SpectrogramConfig {
        smallest_power: 1e-30,
        ..unlimited()
    };
    let spectrogram = config.build().unwrap();
    let before = spectrogram.log_mel(&quiet);
    for factor in [0.125_f32, 3.0, 1000.0] {
        let louder: Vec<f32> = quiet.iter().map(|sample| factor * sample).collect();
        let shift = 20.0 * factor.log10();
        let expected: Vec<f32> = before.iter().map(|value| value + shift).collect();
        let difference = largest_difference(&spectrogram.log_mel(&louder), &expected);
        assert!(difference < 1e-3, "times {factor}: {difference} dB");
    }
}

#[test]
fn the_floor_is_the_dynamic_range_below_the_largest() {
    let free = unlimited().build().unwrap().log_mel(&wave());
    let largest = free.iter().copied().fold(f32::MIN, f32::max);
    for range in [80.0_f32, 20.0, 1.0] {
        let config = SpectrogramConfig {
            dynamic_range: f64::from(range),
            ..PAPER
        };
        let expected: Vec<f32> = free
            .iter()
            .map(|value| value.max(largest - range))
            .collect();
        let floored = expected
            .iter()
            .zip(&free)
            .filter(|(one, other)| one != other);
        assert!(floored.count() > 0);
        assert_eq!(config.build().unwrap().log_mel(&wave()), expected);
    }
}

#[test]
fn a_short_wave_is_mirrored_until_the_window_is_full() {
    let config = SpectrogramConfig {
        hop: 98,
        ..unlimited()
    };
    let spectrogram = config.build().unwrap();
    let short = &wave()[200..250];
    // What mirroring goes on to: there and back again takes 98 samples, a hop.
    let period: Vec<f32> = short
        .iter()
        .chain(short[1..49].iter().rev())
        .copied()
        .collect();
    let long: Vec<f32> = period.iter().copied().cycle().take(981).collect();
    let frames = spectrogram.frames(long.len());
    let expected: Vec<f32> = (0..64)
        .map(|band| spectrogram.log_mel(&long)[band * frames + 5])
        .collect();
    let difference = largest_difference(&spectrogram.log_mel(short), &expected);
    assert!(difference < 1e-5, "{difference} dB");
}

#[test]
fn a_broken_sample_shows() {
    let spectrogram = paper();
    for broken in [f32::NAN, f32::INFINITY] {
        let mut wave = wave();
        wave[700] = broken;
        let log_mel = spectrogram.log_mel(&wave);
        assert!(log_mel.iter().any(|value| !value.is_finite()));
    }
}

#[test]
fn threads_share_one() {
    let (spectrogram, wave) = (paper(), wave());
    let expected = spectrogram.log_mel(&wave);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| spectrogram.log_mel(&wave)))
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}
