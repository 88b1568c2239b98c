//! AudioMNISTSequence as its users see it.

use std::sync::LazyLock;

use sparling_data::audiomnist::{SpeechConfig, TestSpeakers};
use sparling_data::{AudioMnist, AudioMnistConfig, Domain, Recordings, Split};

const TRAIN: Split = Split::Train { seed: 1 };

fn config() -> AudioMnistConfig {
    let text = include_str!("data/audiomnist-small.toml");
    AudioMnistConfig {
        speech: SpeechConfig::Synthetic {
            speakers: 8,
            takes: 2,
            seed: 1,
        },
        test_speakers: TestSpeakers::Share(0.25),
        ..toml::from_str(text).expect("every key is there")
    }
}

fn prepared(config: AudioMnistConfig) -> AudioMnist {
    let domain = config.validate().expect("the configuration is valid");
    domain.prepare().expect("voices can be synthesised");
    domain
}

/// Why no voices can be loaded.
fn refusal(config: AudioMnistConfig) -> String {
    let domain = config.validate().expect("the configuration is valid");
    domain.prepare().expect_err("nothing to load").to_string()
}

static DOMAIN: LazyLock<AudioMnist> = LazyLock::new(|| prepared(config()));

/// The root mean square of some samples.
fn level(samples: &[f32]) -> f32 {
    let squares: f32 = samples.iter().map(|sample| sample * sample).sum();
    (squares / samples.len() as f32).sqrt()
}

#[test]
fn examples_have_their_shape_and_are_repeated_exactly() {
    let frames = DOMAIN.input_shape()[2];
    for index in 0..50 {
        let example = DOMAIN.example(TRAIN, index);
        assert_eq!(example.input.len(), 64 * frames);
        assert!((3..=5).contains(&example.tokens.len()));
        let symbols: Vec<usize> = example.footprints.iter().map(|it| it.symbol).collect();
        assert_eq!(symbols, example.tokens);
        assert!(example.footprints.iter().all(|it| it.right <= frames));
        let ordered = example.footprints.windows(2);
        assert!(ordered.clone().all(|pair| pair[0].left < pair[1].left));
        assert_eq!(example, prepared_again().example(TRAIN, index));
    }
}

fn prepared_again() -> &'static AudioMnist {
    static AGAIN: LazyLock<AudioMnist> = LazyLock::new(|| prepared(config()));
    &AGAIN
}

#[test]
fn what_is_spoken_is_loud_and_the_rest_is_noise() {
    for index in 0..50 {
        let recording = DOMAIN.recording(Split::Test, index);
        let mut rest = recording.samples.clone();
        for spoken in &recording.spoken {
            assert!(level(&recording.samples[spoken.start..spoken.end]) > 0.01);
            rest[spoken.start..spoken.end].fill(0.0);
        }
        let loudest = rest
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        assert!(loudest <= 1.0 / 1024.0 + 1e-6, "{loudest}");
    }
}

#[test]
fn inputs_are_scaled_decibels() {
    let recording = DOMAIN.recording(Split::Validation, 3);
    let decibels = DOMAIN.spectrogram().log_mel(&recording.samples);
    let input = DOMAIN.example(Split::Validation, 3).input;
    for (input, decibels) in input.iter().zip(decibels) {
        assert_eq!(*input, (decibels + 40.0) / 40.0);
    }
    let sound = DOMAIN.sound(Split::Validation, 3).unwrap();
    assert_eq!(
        (sound.samples, sound.sample_rate),
        (recording.samples, 8000)
    );
}

#[test]
fn augmentation_changes_training_alone() {
    let mut config = config();
    config.augmentation.speed = 0.1;
    config.augmentation.level_db = 6.0;
    config.augmentation.noise = 0.01;
    let augmented = prepared(config);
    for split in [Split::Validation, Split::Test] {
        assert_eq!(augmented.example(split, 0), DOMAIN.example(split, 0));
    }
    assert_ne!(augmented.example(TRAIN, 0), DOMAIN.example(TRAIN, 0));
}

#[test]
fn a_window_is_filled_up() {
    let short = vec![0.25; 1000];
    let window = DOMAIN.window(&short, 0);
    assert_eq!(window.len(), DOMAIN.samples());
    assert!(level(&window[..1000]) > 0.2 && level(&window[1000..]) < 0.001);
}

#[test]
fn digits_that_cannot_fit_are_refused() {
    let mut config = config();
    config.seconds = 0.5;
    let error = refusal(config);
    assert!(error.contains("`seconds` is 0.5"), "{error}");
}

#[test]
fn crowded_recordings_are_made_of_short_takes() {
    // Five takes hardly ever fit by chance into the shortest recording that always has room.
    let domain = (200..400)
        .map(|hundredths| {
            let mut config = config();
            config.seconds = f64::from(hundredths) / 100.0;
            config.minimum_digits = 5;
            config.validate().unwrap()
        })
        .find(|domain| domain.prepare().is_ok())
        .unwrap();
    for index in 0..100 {
        let recording = domain.recording(TRAIN, index);
        assert_eq!(recording.spoken.len(), 5);
        let mut spoken = recording.spoken.windows(2);
        assert!(spoken.all(|pair| pair[0].end <= pair[1].start));
    }
}

#[test]
fn an_unknown_folder_is_named() {
    let mut config = config();
    config.speech = SpeechConfig::Folder {
        path: "no/such/folder".into(),
    };
    let error = refusal(config);
    assert!(error.contains("no/such/folder"), "{error}");
}
