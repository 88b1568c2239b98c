//! Recordings read from files of all sorts, and folders of them.

use std::fs;
use std::path::{Path, PathBuf};

use hound::SampleFormat::{Float, Int};
use hound::{SampleFormat, WavSpec, WavWriter};
use sparling_data::speech::folder::{self, FolderError};
use sparling_data::speech::wav::{self, WavProblem};
use sparling_data::speech::{Collection, DIGITS};
use tempfile::TempDir;

fn spec(channels: u16, sample_rate: u32, bits: u16, format: SampleFormat) -> WavSpec {
    WavSpec {
        channels,
        sample_rate,
        bits_per_sample: bits,
        sample_format: format,
    }
}

fn write<S: hound::Sample + Copy>(path: &Path, spec: WavSpec, samples: &[S]) {
    let mut writer = WavWriter::create(path, spec).expect("the test can set itself up");
    for &sample in samples {
        writer.write_sample(sample).expect("the sample fits");
    }
    writer.finalize().expect("the test can set itself up");
}

/// A recording at 8 kHz of so many samples.
fn write_take(path: &Path, length: usize) {
    write(path, spec(1, 8_000, 16, Int), &vec![1_000_i16; length]);
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("the test can set itself up")
}

/// The bytes of a file whose `fmt ` chunk says this, with these bytes of samples.
fn bytes(tag: u16, channels: u16, sample_rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let frame_bytes = channels * (bits / 8);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0");
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(sample_rate.to_le_bytes());
    bytes.extend((sample_rate * u32::from(frame_bytes)).to_le_bytes());
    bytes.extend(frame_bytes.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// Four samples at 8 kHz, of 16 bits each.
fn plain() -> Vec<u8> {
    bytes(1, 1, 8_000, 16, &[0, 0x40, 0, 0xc0, 0, 0, 0xff, 0x7f])
}

/// What is wrong with a file of these bytes, without the path that it must begin with.
fn problem(bytes: &[u8]) -> String {
    let folder = temporary();
    let path = folder.path().join("take.wav");
    fs::write(&path, bytes).expect("the test can set itself up");
    let message = wav::read(&path).expect_err("the file is wrong").to_string();
    let start = format!("{} ", path.display());
    let problem = message
        .strip_prefix(&start)
        .expect("errors begin with the path");
    problem.to_owned()
}

#[test]
fn integers_of_every_size_are_read() {
    let folder = temporary();
    let path = folder.path().join("take.wav");
    for bits in [8, 16, 24, 32_u16] {
        let full = 1_i64 << (bits - 1);
        let values = [0, 1, -1, full / 2, -full / 4, full - 1, -full].map(|value| value as i32);
        write(&path, spec(1, 16_000, bits, Int), &values);
        let (samples, rate) = wav::read(&path).unwrap();
        let expected = values.map(|value| (f64::from(value) / full as f64) as f32);
        assert_eq!((samples, rate), (expected.to_vec(), 16_000), "{bits} bits");
    }
}

#[test]
fn floats_are_read_and_clipped() {
    let folder = temporary();
    let path = folder.path().join("take.wav");
    let values = [0.0, 1e-30, -0.3, 1.0, -1.0, 1.5, -7e30_f32];
    write(&path, spec(1, 44_100, 32, Float), &values);
    let expected = vec![0.0, 1e-30, -0.3, 1.0, -1.0, 1.0, -1.0];
    assert_eq!(wav::read(&path).unwrap(), (expected, 44_100));
}

#[test]
fn channels_are_averaged() {
    let folder = temporary();
    let path = folder.path().join("take.wav");
    let full = [3 * 8192, 0, 0, -8192, -8192, -8192, 32767, -32768, 1_i16];
    write(&path, spec(3, 8_000, 16, Int), &full);
    assert_eq!(wav::read(&path).unwrap().0, [0.25, -0.25, 0.0]);
    let values: Vec<f32> = (0..2 * 40).map(|index| index as f32 / 64.0).collect();
    write(&path, spec(40, 8_000, 32, Float), &values);
    assert_eq!(wav::read(&path).unwrap().0, [19.5 / 64.0, 59.5 / 64.0]);
}

#[test]
fn other_chunks_do_not_matter() {
    let plain = plain();
    let odd: &[u8] = b"LIST\x03\0\0\0abc\0";
    let fact: &[u8] = b"fact\x0c\0\0\0eight bytes?";
    let (start, rest) = plain.split_at(12);
    let (format, data) = rest.split_at(24);
    let around = [start, odd, fact, format, odd, data, odd, b"trailing"].concat();
    let folder = temporary();
    let path = folder.path().join("take.wav");
    for bytes in [&plain, &around] {
        fs::write(&path, bytes).unwrap();
        let (samples, rate) = wav::read(&path).unwrap();
        assert_eq!(samples, [0.5, -0.5, 0.0, 32767.0 / 32768.0]);
        assert_eq!(rate, 8_000);
    }
}

/// A second of the same recording: as FFmpeg and others write it to a pipe, cut off within a frame, and of 24
/// bits in 32.
#[test]
fn files_whose_sizes_are_none_are_read_to_the_end() {
    let read = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults");
        wav::read_recording(&folder.join(name)).expect("it can be read")
    };
    let piped = read("ffmpeg_pipe.wav");
    assert_eq!((piped.samples.len(), piped.sample_rate), (16_000, 8_000));
    assert!(!piped.cut && piped.samples.iter().any(|sample| *sample != 0.0));
    assert_eq!(read("stream_zero_sizes.wav"), piped);
    let cut = read("truncated_mid_frame.wav");
    assert_eq!(cut.samples, piped.samples[..15_999]);
    assert!(cut.cut);
    assert_eq!(read("pcm24_in_32.wav"), piped);
}

#[test]
fn an_empty_recording_is_not_filled_with_what_follows() {
    let empty = bytes(1, 1, 8_000, 16, &[]);
    let followed = [empty, b"LIST\x04\0\0\0abcd".to_vec()].concat();
    assert!(problem(&followed).starts_with("holds no samples"));
}

/// Gigabytes in a file that takes no room.
#[test]
fn recordings_of_hours_are_refused_before_they_are_read() {
    let folder = temporary();
    let path = folder.path().join("take.wav");
    let mut bytes = plain();
    bytes[40..44].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(44 + (1 << 30)).unwrap();
    let error = wav::read(&path).unwrap_err().to_string();
    assert!(error.contains("536870912 frames, more than"), "{error}");
}

#[test]
fn what_is_no_wav_file_is_an_error() {
    for text in [
        "",
        "RIFF",
        "These are not the sounds that you are looking for.\n",
    ] {
        let problem = problem(text.as_bytes());
        assert!(problem.starts_with("is no WAV file: it "), "{problem}");
        assert!(problem.contains("ffmpeg"), "{problem}");
    }
    let plain = plain();
    let headless = [&plain[..12], &plain[36..]].concat();
    assert!(problem(&headless).contains("before their format"));
    assert!(problem(&bytes(1, 0, 8_000, 16, &[0; 8])).contains("no channels"));
    let mut short = plain.clone();
    short[16] = 14;
    assert!(problem(&short).contains("too short"));
    let mut other = plain;
    other[36..40].copy_from_slice(b"nada");
    assert!(problem(&other).contains("no `data` chunk"));
}

#[test]
fn a_file_that_is_cut_off_is_an_error_wherever_it_is_cut() {
    let plain = plain();
    for length in 12..plain.len() {
        let problem = problem(&plain[..length]);
        let present = format!("but there are {length}; copy it anew");
        assert!(
            problem.starts_with("is cut off: it says it has "),
            "{problem}"
        );
        assert!(problem.contains(&present), "{problem}");
    }
}

#[test]
fn two_gigabytes_that_are_not_there_are_an_error() {
    let mut bytes = plain();
    // One byte more would say that the length was not known.
    bytes[40..44].copy_from_slice(&0x7fff_efff_u32.to_le_bytes());
    let expected = "is cut off: it says it has 2147479595 bytes, but there are 52; copy it anew";
    assert_eq!(problem(&bytes), expected);
}

#[test]
fn encodings_that_are_not_supported_are_named() {
    for (tag, bits, name) in [
        (1, 40, "40-bit integers"),
        (3, 64, "64-bit floats"),
        (2, 8, "ADPCM"),
        (6, 8, "A-law"),
        (7, 8, "mu-law"),
        (0x55, 8, "MP3"),
        (0x1234, 16, "format 0x1234"),
    ] {
        let problem = problem(&bytes(tag, 1, 8_000, bits, &[0; 40]));
        let start = format!("holds {name}, which is not supported; convert it");
        assert!(problem.starts_with(&start), "{problem}");
    }
    let mut padded = bytes(1, 1, 8_000, 32, &[0; 40]);
    padded[34] = 24;
    assert!(problem(&padded).starts_with("holds 24-bit samples in 4 bytes per frame of 1 "));
}

#[test]
fn samples_and_rates_that_cannot_be_used_are_errors() {
    assert!(problem(&bytes(1, 1, 8_000, 16, &[])).starts_with("holds no samples"));
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let data: Vec<u8> = [0.5, value]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let problem = problem(&bytes(3, 1, 8_000, 32, &data));
        assert!(problem.ends_with("for a sample at frame 1; record or export it again"));
    }
    for rate in [0, 1, 3_999, 192_001, 2_000_000_000] {
        let problem = problem(&bytes(1, 1, rate, 16, &[0; 4]));
        let start = format!("has {rate} samples per second, which is not between");
        assert!(problem.starts_with(&start), "{problem}");
    }
}

#[test]
fn what_is_no_file_is_an_error() {
    let folder = temporary();
    let missing = wav::read(&folder.path().join("none.wav")).unwrap_err();
    assert!(matches!(missing.problem, WavProblem::Read(_)), "{missing}");
    let error = wav::read(folder.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("cannot be read: it is not a file")
    );
    if cfg!(unix) {
        let endless = wav::read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(
            endless.to_string(),
            "/dev/zero cannot be read: it is not a file"
        );
    }
}

#[test]
fn whatever_a_header_says_is_read_or_refused() {
    let folder = temporary();
    let path = folder.path().join("take.wav");
    write(&path, spec(2, 48_000, 24, Int), &[1_i32; 8]);
    let extensible = fs::read(&path).unwrap();
    for original in [plain(), extensible] {
        for at in 0..original.len() {
            for value in [0, 1, 2, 3, 7, 8, 16, 17, 32, 64, 127, 128, 254, 255] {
                let mut bytes = original.clone();
                bytes[at] = value;
                fs::write(&path, &bytes).unwrap();
                if let Ok((samples, rate)) = wav::read(&path) {
                    assert!(samples.len() <= bytes.len() && wav::SAMPLE_RATES.contains(&rate));
                }
            }
        }
    }
}

/// Two takes of each digit by each speaker, the first numbered 9 and the second 10; the digit and
/// the take are in their lengths.
fn write_collection(speakers: &[&str], path: impl Fn(usize, &str, u32) -> PathBuf) {
    for speaker in speakers {
        for digit in 0..DIGITS {
            for take in [9, 10] {
                let path = path(digit, speaker, take);
                let folder = path.parent().expect("a recording is in a folder");
                fs::create_dir_all(folder).expect("the test can set itself up");
                write_take(&path, 100 * (digit + 1) + take as usize);
            }
        }
    }
}

fn assert_complete(collection: &Collection, names: &[&str]) {
    assert_eq!(collection.sample_rate, 8_000);
    let found: Vec<&str> = collection
        .speakers
        .iter()
        .map(|speaker| &*speaker.name)
        .collect();
    assert_eq!(found, names);
    for speaker in &collection.speakers {
        for (digit, takes) in speaker.takes.iter().enumerate() {
            let lengths: Vec<usize> = takes.iter().map(Vec::len).collect();
            assert_eq!(lengths, [9, 10].map(|take| 100 * (digit + 1) + take));
            assert!(
                takes
                    .iter()
                    .flatten()
                    .all(|&sample| sample == 1_000.0 / 32_768.0)
            );
        }
    }
}

#[test]
fn both_layouts_are_understood() {
    let audiomnist = temporary();
    write_collection(&["01", "02", "60"], |digit, speaker, take| {
        let folder = audiomnist.path().join("data").join(speaker);
        folder.join(format!("{digit}_{speaker}_{take}.wav"))
    });
    fs::write(audiomnist.path().join("data/audioMNIST_meta.txt"), "{}").unwrap();
    // Not this speaker's.
    write_take(&audiomnist.path().join("data/01/3_02_0.wav"), 10);
    let fsdd = temporary();
    write_collection(&["ada", "van_gogh"], |digit, speaker, take| {
        fsdd.path()
            .join(format!("recordings/{digit}_{speaker}_{take}.wav"))
    });
    fs::write(fsdd.path().join("recordings/README.md"), "Takes.").unwrap();
    for (root, inside, names) in [
        (&audiomnist, "data", &["01", "02", "60"][..]),
        (&fsdd, "recordings", &["ada", "van_gogh"]),
    ] {
        for folder in [root.path().to_owned(), root.path().join(inside)] {
            assert_complete(&Collection::load(&folder, 8_000).unwrap(), names);
            assert_eq!(folder::list(&folder).unwrap().len(), names.len() * 20);
        }
    }
}

#[test]
fn takes_are_resampled() {
    let folder = temporary();
    write_collection(&["ada"], |digit, speaker, take| {
        folder.path().join(format!("{digit}_{speaker}_{take}.wav"))
    });
    let path = folder.path().join("4_ada_11.wav");
    write(&path, spec(2, 48_000, 16, Int), &[0_i16; 2 * 6_000]);
    let collection = Collection::load(folder.path(), 16_000).unwrap();
    assert_eq!(collection.sample_rate, 16_000);
    let lengths = |digit: usize| collection.speakers[0].takes[digit].iter().map(Vec::len);
    assert!(lengths(4).eq([1_018, 1_020, 2_000]));
    assert!(lengths(5).eq([1_218, 1_220]));
}

#[test]
fn folders_that_cannot_be_used_are_errors() {
    let folder = temporary();
    let load = |name: &str| Collection::load(&folder.path().join(name), 8_000).unwrap_err();
    assert!(matches!(load("none"), FolderError::Missing { .. }));
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(load("file"), FolderError::NotAFolder { .. }));
    fs::write(folder.path().join("song.wav"), "").unwrap();
    let empty = load(".").to_string();
    assert!(empty.contains("data/01/7_01_0.wav"), "{empty}");
    assert!(empty.contains("recordings/7_jackson_0.wav"), "{empty}");
    for digit in 0..9 {
        write_take(&folder.path().join(format!("{digit}_ada_0.wav")), 10);
    }
    let missing = load(".").to_string();
    assert!(missing.contains("speaker ada in "), "{missing}");
    assert!(missing.contains("no recording of a 9"), "{missing}");
    fs::write(folder.path().join("9_ada_0.wav"), "nine").unwrap();
    let error = load(".");
    assert!(matches!(error, FolderError::Wav(_)));
    assert!(
        error.to_string().contains("9_ada_0.wav is no WAV file"),
        "{error}"
    );
}
