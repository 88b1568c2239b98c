//! A folder of pictures or recordings is a domain, and what is wrong with one is said.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma};
use sparling_data::audiomnist::AugmentationConfig;
use sparling_data::folder::{
    InputConfig, PictureAugmentation, PictureConfig, RecordingConfig, SplitBy, SplitConfig, Survey,
    Surveyed, Tokens, Wishes,
};
use sparling_data::{
    Domain, DomainConfig, Example, Folder, FolderConfig, Footprint, SpectrogramConfig, Split,
};
use tempfile::TempDir;

const TRAIN: Split = Split::Train { seed: 1 };

/// How most tests hold files out.
const SPLIT: SplitConfig = SplitConfig {
    validation: 0.2,
    test: 0.2,
    by: SplitBy::Content,
};

/// A folder that goes when it is dropped.
struct Made {
    folder: TempDir,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder }
    }

    /// Forty pictures of two or three bars each, at heights that differ, with their labels and boxes.
    fn bars() -> Self {
        let made = Self::new();
        let mut lines = String::new();
        for index in 0..40 {
            let text = ["12", "121", "21"][index % 3];
            made.picture(&format!("{index:02}.png"), index as u32);
            lines += &format!(
                r#"{{"file_name": "{index:02}.png", "text": "{text}", "objects": {{"bbox": [[2, 4, 3, 8]], "categories": ["1"]}}}}"#
            );
            lines += "\n";
        }
        made.write("metadata.jsonl", &lines);
        made
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.file(name);
        let folder = path.parent().expect("it is in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        fs::write(path, contents).expect("a file can be written");
    }

    /// A picture of 24 by 16 pixels, another one for each number.
    fn picture(&self, name: &str, number: u32) {
        let picture = GrayImage::from_fn(24, 16, |x, y| {
            let bar = (2..5).contains(&x) && (4..12).contains(&y);
            let mark = x == 10 && number >> (y % 8) & 1 == 1;
            Luma([if bar || mark { 0 } else { 255 }])
        });
        let path = self.file(name);
        let folder = path.parent().expect("it is in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        picture.save(path).expect("a picture can be written");
    }

    fn labels(&self) -> String {
        fs::read_to_string(self.file("metadata.jsonl")).expect("there are labels")
    }

    /// Changes the labels.
    fn relabel(&self, change: impl FnOnce(String) -> String) {
        self.write("metadata.jsonl", change(self.labels()));
    }

    fn config(&self) -> FolderConfig {
        let mut config = FolderConfig {
            path: self.path().to_owned(),
            checksum: String::new(),
            label: "text".to_owned(),
            tokens: Tokens::Characters,
            vocabulary: vec!["1".to_owned(), "2".to_owned()],
            longest_label: 3,
            memory_mib: 1,
            split: SPLIT,
            input: InputConfig::Pictures(pictures()),
        };
        // What is wrong is for the test to find.
        let _ = config.read_from(self.path());
        config
    }

    /// The prepared domain.
    fn domain(&self) -> Folder {
        prepared(self.config())
    }

    /// What is wrong with it.
    fn error(&self) -> String {
        error_of(self.config())
    }
}

fn pictures() -> PictureConfig {
    PictureConfig {
        height: 16,
        width: 24,
        scale: Some(1.0),
        ground: 255,
        ink: 0,
        colour: false,
        augmentation: PictureAugmentation::default(),
    }
}

fn recordings() -> RecordingConfig {
    RecordingConfig {
        seconds: 1.0,
        noise: 1e-3,
        offset_db: 40.0,
        scale_db: 40.0,
        augmentation: AugmentationConfig::default(),
        spectrogram: SpectrogramConfig {
            sample_rate: 8000,
            window: 200,
            hop: 100,
            mels: 16,
            smallest_power: 1e-10,
            dynamic_range: 80.0,
        },
    }
}

fn prepared(config: FolderConfig) -> Folder {
    let domain = config.validate().expect("the configuration is valid");
    domain.prepare().expect("the folder can be read");
    domain
}

fn error_of(config: FolderConfig) -> String {
    let domain = config.validate().expect("the configuration is valid");
    let error = domain.prepare().expect_err("something is wrong");
    error.to_string()
}

fn assert_has(message: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

fn write_wav(path: &Path, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file can be written");
    for sample in samples {
        writer.write_sample(*sample).expect("a file can be written");
    }
    writer.finalize().expect("a file can be written");
}

#[test]
fn a_folder_is_a_domain() {
    let domain = Made::bars().domain();
    assert_eq!(domain.input_shape(), [1, 16, 24]);
    assert_eq!(domain.longest_output(), 3);
    let held_out = [Split::Validation, Split::Test].map(|split| domain.count(split).unwrap());
    assert!(
        held_out.iter().all(|count| (1..20).contains(count)),
        "{held_out:?}"
    );
    assert_eq!(domain.count(TRAIN), None);
    let example = domain.example(Split::Test, 0);
    assert_eq!(example.input.len(), 16 * 24);
    assert!(example.input.iter().all(|ink| [0.0, 1.0].contains(ink)));
    let expected = Footprint {
        symbol: 0,
        top: 4,
        bottom: 12,
        left: 2,
        right: 5,
    };
    assert_eq!(example.footprints, [expected]);
}

#[test]
fn each_epoch_has_every_file_once() {
    let domain = Made::bars().domain();
    let held_out = [Split::Validation, Split::Test].map(|split| domain.count(split).unwrap());
    let count = 40 - held_out.iter().sum::<u64>();
    let inputs = |range: std::ops::Range<u64>| -> Vec<Vec<u8>> {
        let examples = range.map(|index| domain.example(TRAIN, index));
        examples
            .map(|example| example.input.iter().map(|ink| *ink as u8).collect())
            .collect()
    };
    let (first, second) = (inputs(0..count), inputs(count..2 * count));
    assert_ne!(first, second, "the order is the same in each epoch");
    let sets = [first, second].map(|inputs| inputs.into_iter().collect::<BTreeSet<_>>());
    assert_eq!(sets[0].len() as u64, count);
    assert_eq!(sets[0], sets[1]);
    let validation = domain.example(Split::Validation, 0);
    let again = domain.example(Split::Validation, held_out[0]);
    assert_eq!(validation, again, "there is no end to them");
}

#[test]
fn examples_are_pure_functions_of_seed_split_and_index() {
    let made = Made::bars();
    let mut config = made.config();
    config.input = InputConfig::Pictures(PictureConfig {
        augmentation: PictureAugmentation {
            shift: 2,
            scale: 0.1,
            rotation: 5.0,
            brightness: 0.2,
            noise: 0.1,
        },
        ..pictures()
    });
    let (one, other) = (prepared(config.clone()), prepared(config));
    let examples = |domain: &Folder, seed: u64| -> Vec<Example> {
        let split = Split::Train { seed };
        (0..50).map(|index| domain.example(split, index)).collect()
    };
    assert_eq!(examples(&one, 1), examples(&other, 1));
    assert_ne!(examples(&one, 1), examples(&one, 2));
    // Nothing but training is varied.
    let plain = made.domain();
    assert_eq!(one.example(Split::Test, 0), plain.example(Split::Test, 0));
    assert_ne!(one.example(TRAIN, 0).input, plain.example(TRAIN, 0).input);
}

#[test]
fn splits_are_folders_where_there_are_some() {
    let made = Made::new();
    for (folder, count) in [("train", 9), ("val", 4), ("test", 3)] {
        let mut lines = String::from("file_name,text\n");
        for index in 0..count {
            made.picture(&format!("{folder}/{index}.png"), index);
            lines += &format!("{index}.png,12\n");
        }
        made.write(&format!("{folder}/metadata.csv"), lines);
    }
    let domain = made.domain();
    assert_eq!(domain.count(Split::Validation), Some(4));
    assert_eq!(domain.count(Split::Test), Some(3));
    assert!(domain.example(Split::Test, 0).footprints.is_empty());
}

#[test]
fn files_that_are_added_move_none() {
    let made = Made::bars();
    let tested = |domain: &Folder| -> Vec<Vec<f32>> {
        let count = domain.count(Split::Test).unwrap();
        (0..count)
            .map(|index| domain.example(Split::Test, index).input)
            .collect()
    };
    let before = tested(&made.domain());
    made.picture("99.png", 200);
    made.relabel(|labels| labels + "{\"file_name\": \"99.png\", \"text\": \"2\"}\n");
    let after = tested(&made.domain());
    assert!(before.iter().all(|input| after.contains(input)));
}

#[test]
fn pictures_of_any_size_are_fitted() {
    let made = Made::bars();
    GrayImage::from_pixel(480, 20, Luma([255]))
        .save(made.file("07.png"))
        .unwrap();
    let domain = made.domain();
    let read = domain.read_picture(&made.file("07.png")).unwrap().unwrap();
    assert_eq!(read.input, [0.0; 16 * 24]);
    assert_eq!((read.view.size, read.view.scale), ([20, 480], [0.05; 2]));
    let message = domain
        .read_picture(&made.file("none.png"))
        .unwrap()
        .unwrap_err();
    assert_has(&message.to_string(), &["none.png", "cannot be read"]);
}

#[test]
fn recordings_are_spectrograms_with_intervals() {
    let made = Made::new();
    let mut lines = String::new();
    for index in 0..30 {
        let swing = |at: i32| ((at * (5 + index) % 200) - 100) as i16 * 100;
        let samples: Vec<i16> = (0..6000).map(swing).collect();
        let name = format!("{index}.wav");
        write_wav(&made.file(&name), &samples);
        lines += &format!(
            r#"{{"file_name": "{name}", "text": "one two", "objects": {{"seconds": [[0.1, 0.25]], "categories": ["two"]}}}}"#
        );
        lines += "\n";
    }
    made.write("metadata.jsonl", &lines);
    let mut config = made.config();
    config.tokens = Tokens::Words;
    config.vocabulary = vec!["one".to_owned(), "two".to_owned()];
    config.input = InputConfig::Recordings(recordings());
    let domain = prepared(config.clone());
    assert_eq!(domain.input_shape(), [16, 1, 81]);
    let example = domain.example(Split::Validation, 0);
    assert_eq!(example.tokens, [0, 1]);
    let footprint = &example.footprints[0];
    assert_eq!(
        (footprint.symbol, footprint.left, footprint.right),
        (1, 8, 20)
    );
    assert_eq!(domain.sound(TRAIN, 3).unwrap().samples.len(), 8000);
    assert!(domain.recordings().is_some() && domain.read_picture(&made.file("0.wav")).is_none());

    write_wav(&made.file("3.wav"), &[100; 9000]);
    assert_has(
        &error_of(config.clone()),
        &["3.wav lasts 1.12 s", "domain.input.seconds = 1"],
    );
    made.write("3.wav", "no sound");
    assert_has(&error_of(config.clone()), &["3.wav is no WAV file"]);
    config.input = InputConfig::Pictures(pictures());
    assert_has(
        &error_of(config),
        &["recordings where domain.input is of pictures", "0.wav"],
    );
}

#[test]
fn no_folder_and_no_labels() {
    let made = Made::new();
    assert_has(
        &made.error(),
        &["there are no labels in", "metadata.jsonl or metadata.csv"],
    );
    made.write("metadata.jsonl", "\n");
    assert_has(&made.error(), &["has labels for no file"]);
    made.write("metadata.csv", "file_name,text\n");
    assert_has(&made.error(), &["a metadata.jsonl and a metadata.csv"]);
    let mut config = made.config();
    config.path = made.file("none");
    assert_has(&error_of(config.clone()), &["there is no folder", "none"]);
    config.path = made.file("metadata.csv");
    assert_has(&error_of(config), &["metadata.csv is not a folder"]);
}

#[test]
fn labels_without_files_and_files_without_labels() {
    let made = Made::bars();
    for index in [3, 5, 8, 9, 20] {
        fs::remove_file(made.file(&format!("{index:02}.png"))).unwrap();
    }
    let wanted = "labels whose file is missing: 03.png (metadata.jsonl, line 4), \
                  05.png (metadata.jsonl, line 6), 08.png (metadata.jsonl, line 9) and 2 more";
    assert_has(&made.error(), &[wanted, "put the files there"]);

    let made = Made::bars();
    made.picture("more/40.png", 40);
    made.write("notes.txt", "no picture");
    made.write(".hidden.png", "no picture");
    assert_has(
        &made.error(),
        &["files without a label: more/40.png; write a line"],
    );
}

#[test]
fn files_that_cannot_be_used() {
    let made = Made::bars();
    made.write("04.png", "not a picture");
    made.write("06.png", &fs::read(made.file("05.png")).unwrap()[..60]);
    let wanted = [
        "files that cannot be used: 04.png cannot be read as a picture",
        "06.png",
    ];
    assert_has(&made.error(), &wanted);

    let made = Made::bars();
    let large = fs::File::create(made.file("04.png")).unwrap();
    large.set_len(300 << 20).unwrap();
    assert_has(&made.error(), &["04.png has 300 MiB, more than 256"]);

    let made = Made::bars();
    made.relabel(|labels| labels.replace("04.png", "04.gif"));
    fs::rename(made.file("04.png"), made.file("04.gif")).unwrap();
    assert_has(
        &made.error(),
        &["of a format that is not read: 04.gif (metadata.jsonl, line 5)"],
    );

    let made = Made::bars();
    made.relabel(|labels| labels.replace("04.png", "04.wav"));
    write_wav(&made.file("04.wav"), &[0; 100]);
    assert_has(&made.error(), &["recordings among pictures: 04.wav"]);
}

#[test]
fn labels_that_cannot_be_used() {
    let change = |from: &str, to: &str| {
        let made = Made::bars();
        made.relabel(|labels| labels.replacen(from, to, 1));
        made.error()
    };
    let line = r#""file_name": "01.png", "text": "121""#;
    let with = |text: &str| line.replace("121", text);
    assert_has(
        &change(line, &with("")),
        &["files whose label is empty: 01.png (metadata.jsonl, line 2)"],
    );
    assert_has(
        &change(line, &with("1x2")),
        &[
            "`x` in 01.png (metadata.jsonl, line 2)",
            "domain.vocabulary",
        ],
    );
    assert_has(
        &change(line, &with("1212")),
        &["labels of too many tokens: 01.png", "longest_label = 3"],
    );
    assert_has(
        &change("01.png", "00.png"),
        &["two labels: 00.png (metadata.jsonl, line 1) and metadata.jsonl, line 2"],
    );
    assert_has(
        &change("01.png", "../01.png"),
        &["metadata.jsonl, line 2: `file_name` is `../01.png`"],
    );
    assert_has(
        &change(line, r#""file_name": "01.png", "text": ["1"]"#),
        &["line 2: `text` must be a text"],
    );
    assert_has(
        &change(line, r#""file_name": "01.png""#),
        &["line 2: there is no column `text` among"],
    );
    assert_has(
        &change(line, line.trim_end_matches('"')),
        &["metadata.jsonl, line 2: it is no JSON object"],
    );
}

#[test]
fn boxes_that_cannot_be_used() {
    let change = |from: &str, to: &str| {
        let made = Made::bars();
        made.relabel(|labels| labels.replacen(from, to, 1));
        made.error()
    };
    assert_has(
        &change("[[2, 4, 3, 8]]", "[[2, 40, 3, 8]]"),
        &["00.png (metadata.jsonl, line 1): the box [2, 40, 3, 8] is not within"],
    );
    assert_has(
        &change("[\"1\"]", "[\"7\"]"),
        &["`7` is not in domain.vocabulary"],
    );
    assert_has(
        &change("[\"1\"]", "[]"),
        &["line 1: `objects` has 1 boxes and 0 categories"],
    );
    assert_has(
        &change("\"bbox\"", "\"seconds\""),
        &["line 1: `objects` must be"],
    );
    assert_has(
        &change("[[2, 4, 3, 8]]", "\"left\""),
        &["line 1: `objects` must be"],
    );
}

#[test]
fn tables_of_other_programs() {
    let read = |table: &[u8]| {
        let made = Made::bars();
        fs::remove_file(made.file("metadata.jsonl")).unwrap();
        made.write("metadata.csv", table);
        made
    };
    let rows = |separator: &str| {
        let rows = (0..40).map(|index| format!("{index:02}.png{separator}\"12\"\r\n"));
        format!("file_name{separator}text\r\n{}", rows.collect::<String>())
    };
    for table in [
        rows(","),
        rows(";"),
        rows("\t"),
        format!("\u{feff}{}", rows(";")),
    ] {
        assert_eq!(
            read(table.as_bytes()).domain().example(TRAIN, 0).tokens,
            [0, 1]
        );
    }
    let error = |table: &str| read(table.as_bytes()).error();
    let row = "00.png;12";
    assert_has(
        &error(&rows(";").replace("00.png;\"12\"", "00.png;1;2")),
        &["metadata.csv, line 2: it has 3 columns"],
    );
    assert_has(
        &error(&rows("|")),
        &[
            "metadata.csv, line 1: it must name the columns",
            "file_name|text",
        ],
    );
    assert_has(
        &error(row),
        &["metadata.csv, line 1: it must name the columns", row],
    );
    let latin = rows(";")
        .replace("03.png;\"12\"", "03.png;\"?\"")
        .into_bytes();
    let latin: Vec<u8> = latin
        .into_iter()
        .map(|byte| if byte == b'?' { 0xe9 } else { byte })
        .collect();
    assert_has(
        &read(&latin).error(),
        &["metadata.csv, line 5: it is not in UTF-8"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let made = Made::bars();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.png");
    fs::copy(made.file("00.png"), made.path().join(name)).unwrap();
    assert_has(
        &made.error(),
        &["names are not in UTF-8: caf\u{fffd}.png; rename them"],
    );
}

#[test]
fn splits_that_would_be_empty() {
    let made = Made::bars();
    let mut config = made.config();
    config.split.validation = 0.0;
    let wanted = [
        "no validation examples among the 40 files",
        "domain.split.validation",
    ];
    assert_has(&error_of(config.clone()), &wanted);
    config.split = SplitConfig {
        validation: 0.999_99,
        test: 0.0,
        by: SplitBy::Name,
    };
    assert_has(&error_of(config), &["no train examples among the 40 files"]);
}

#[test]
fn data_that_has_changed() {
    let made = Made::bars();
    let config = made.config();
    // Boxes may be added and taken away.
    made.relabel(|labels| labels.replacen("[[2, 4, 3, 8]]", "[[2, 4, 3, 7]]", 1));
    prepared(config.clone());
    let changed = |change: &dyn Fn()| {
        change();
        let error = error_of(config.clone());
        assert_has(&error, &["has changed since", &config.checksum, "--data"]);
        let mut again = config.clone();
        again.read_from(made.path()).unwrap();
        assert_ne!(again.checksum, config.checksum);
        prepared(again);
    };
    changed(&|| made.picture("02.png", 77));
    made.picture("02.png", 2);
    prepared(config.clone());
    changed(&|| made.relabel(|labels| labels.replacen("\"121\"", "\"212\"", 1)));
}

#[test]
fn more_than_memory_may_take() {
    let made = Made::bars();
    let mut config = made.config();
    config.memory_mib = 0;
    assert_has(
        &error_of(config),
        &["the 40 files", "1 MiB", "domain.memory_mib = 0"],
    );
}

#[test]
fn configurations_that_cannot_be() {
    let error = |change: fn(&mut FolderConfig)| {
        let mut config = Made::bars().config();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    };
    for (message, expected) in [
        (
            error(|config| config.vocabulary.truncate(1)),
            "`vocabulary` is [1]: ",
        ),
        (
            error(|config| config.vocabulary.push("1".to_owned())),
            "`vocabulary` is [1, 2, 1]: `1`",
        ),
        (
            error(|config| config.longest_label = 0),
            "`longest_label` is 0: ",
        ),
        (
            error(|config| config.split.test = 1.0),
            "`split.test` is 1: ",
        ),
        (
            error(|config| config.split.test = 0.8),
            "`split.test` is 0.8: ",
        ),
    ] {
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn keys_have_no_defaults_and_no_strangers() {
    let config = Made::bars().config();
    let text = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<FolderConfig>(&text).unwrap(), config);
    for line in text
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with("scale ="))
    {
        let without = text.replacen(&format!("{line}\n"), "", 1);
        assert!(toml::from_str::<FolderConfig>(&without).is_err(), "{line}");
    }
    for section in ["[split]", "[input]", "[input.augmentation]"] {
        let more = text.replace(section, &format!("{section}\nstrange = 1"));
        assert!(toml::from_str::<FolderConfig>(&more).is_err(), "{section}");
    }
}

#[test]
fn a_survey_finds_what_is_there() {
    let made = Made::bars();
    made.picture("40.png", 3);
    made.relabel(|labels| labels + "{\"file_name\": \"40.png\", \"text\": \"2\"}\n");
    let survey = Survey::take(made.path(), &Wishes::default(), &SPLIT).unwrap();
    assert_eq!(
        (survey.label.as_str(), survey.tokens),
        ("text", Tokens::Characters)
    );
    assert_eq!(survey.parts.iter().sum::<usize>(), 41);
    let names: Vec<&str> = survey
        .symbols
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["1", "2"]);
    assert_eq!((survey.lengths.least, survey.lengths.most), (1.0, 3.0));
    assert_eq!((survey.boxed, survey.duplicates), (40, 1));
    let contradiction = survey.contradiction.unwrap();
    assert_has(
        &contradiction.join(" "),
        &["03.png (metadata.jsonl, line 4)", "40.png"],
    );
    let Surveyed::Pictures(pictures) = survey.content else {
        panic!("they are pictures");
    };
    assert_eq!((pictures.ground, pictures.ink, pictures.blank), (255, 0, 0));
    assert_eq!((pictures.heights.most, pictures.widths.most), (16.0, 24.0));
    assert_eq!(pictures.stroke, [8.0, 3.0]);
}

#[test]
fn a_survey_says_what_is_wrong() {
    let survey = |made: &Made, wishes: Wishes| {
        let error = Survey::take(made.path(), &wishes, &SPLIT).unwrap_err();
        error.to_string()
    };
    let made = Made::bars();
    let listed = Wishes {
        listed: vec!["1".to_owned(), "12".to_owned()],
        ..Wishes::default()
    };
    assert_has(&survey(&made, listed), &["not listed", "`2` in 02.png"]);
    made.relabel(|labels| labels.replace("\"text\"", "\"left\": 3, \"right\""));
    assert_has(
        &survey(&made, Wishes::default()),
        &["line 1: there is no column `text`", "left", "--label"],
    );
    let made = Made::bars();
    made.relabel(|labels| {
        labels
            .replace("\"121\"", "\"1\"")
            .replace("\"12\"", "\"11\"")
            .replace("\"21\"", "\"11\"")
    });
    assert_has(&survey(&made, Wishes::default()), &["consist of `1` alone"]);
}
