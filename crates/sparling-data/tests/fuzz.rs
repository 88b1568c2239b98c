//! Whatever bytes a file holds, it is read or refused: never a panic, and never more memory than it may take.
//!
//! Cases are drawn anew in each run; `PROPTEST_CASES` sets how many.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use image::{GrayImage, ImageFormat};
use proptest::collection::vec;
use proptest::prelude::*;
use sparling_data::LatexOcr;
use sparling_data::LatexOcrConfig;
use sparling_data::digitcircle::Stamps;
use sparling_data::folder::{SplitBy, SplitConfig, Survey, Wishes};
use sparling_data::speech::wav;
use sparling_data::{input_file, picture_file};

/// A change of some bytes: where, what instead, and how many of the old ones go.
type Change = (prop::sample::Index, Vec<u8>, usize);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..6),
        Just(vec![0xff; 4]),
        Just(vec![0; 4]),
        Just(vec![0xff, 0xff, 0xff, 0x7f]),
    ];
    vec((any::<prop::sample::Index>(), bytes, 0..6_usize), 0..6)
}

fn changed(whole: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for (at, with, dropped) in changes {
        let at = at.index(bytes.len() + 1);
        let end = (at + dropped).min(bytes.len());
        bytes.splice(at..end, with.iter().copied());
    }
    bytes
}

/// A file of that name in a folder of the test's own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("it can be written");
    (folder, path)
}

static WAV: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults/pcm24_in_32.wav");
    fs::read(path).expect("it is there")[..400].to_vec()
});

static FORMULAS: LazyLock<LatexOcr> = LazyLock::new(|| {
    let config: LatexOcrConfig =
        toml::from_str(include_str!("data/latexocr-paper.toml")).expect("every key is there");
    config.validate().expect("it is the paper's")
});

static PNGS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let grey = GrayImage::from_fn(5, 4, |x, y| image::Luma([(40 * x + y) as u8]));
    let grey = image::DynamicImage::from(grey);
    let pictures = [grey.clone(), grey.to_rgba8().into(), grey.to_rgb16().into()];
    pictures
        .into_iter()
        .map(|picture| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            picture
                .write_to(&mut bytes, ImageFormat::Png)
                .expect("it can be encoded");
            bytes.into_inner()
        })
        .collect()
});

/// The checksums of all chunks made right, so that what is in them is looked at.
fn with_checksums(mut png: Vec<u8>) -> Vec<u8> {
    let mut at = 8;
    while let Some(length) = png.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let Some(named) = png.get(at + 4..at + 8 + length) else {
            break;
        };
        let checksum = crc32fast::hash(named).to_be_bytes();
        match png.get_mut(at + 8 + length..at + 12 + length) {
            Some(place) => place.copy_from_slice(&checksum),
            None => break,
        }
        at += 12 + length;
    }
    png
}

const METADATA: &str = "file_name,text\na.png,1 2\nb.png,2 1\nc.png,1 1\n";
const LINES: &str = "{\"file_name\": \"a.png\", \"text\": \"12\", \"objects\": {\"bbox\": [[0, 0, 1, 1]], \
                     \"categories\": [\"1\"]}}\n{\"file_name\": \"b.png\", \"text\": \"21\"}\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn recordings(changes in changes(), length in 0..400_usize) {
        let (_folder, path) = file("take.wav", &changed(&WAV[..length], &changes));
        if let Ok((samples, rate)) = wav::read(&path) {
            prop_assert!(samples.len() <= 500 && wav::SAMPLE_RATES.contains(&rate));
            prop_assert!(samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        }
    }

    #[test]
    fn pictures(changes in changes(), which in 0..3_usize, right in any::<bool>()) {
        let bytes = changed(&PNGS[which], &changes);
        let bytes = if right { with_checksums(bytes) } else { bytes };
        if let Ok(picture) = picture_file::decode(&bytes) {
            let pixels = u64::from(picture.width()) * u64::from(picture.height());
            prop_assert!(pixels <= picture_file::MOST_PIXELS);
        }
    }

    #[test]
    fn stamps(changes in changes()) {
        let whole = Stamps::embedded().to_string();
        let (_folder, path) = file("stamps.txt", &changed(whole.as_bytes(), &changes));
        if let Ok(stamps) = Stamps::load(&path) {
            let again = stamps.to_string();
            let (_folder, path) = file("stamps.txt", again.as_bytes());
            prop_assert_eq!(Stamps::load(&path).expect("it was just written"), stamps);
        }
    }

    #[test]
    fn formulas(tokens in vec(0..40_usize, 0..40)) {
        let alphabet = FORMULAS.alphabet();
        if let Some(formula) = alphabet.parse(&tokens) {
            prop_assert_eq!(alphabet.tokens(&formula), tokens);
        }
    }

    #[test]
    fn texts(bytes in vec(any::<u8>(), 0..60)) {
        let (_folder, path) = file("text", &bytes);
        let text = input_file::read_text(&path, 50);
        prop_assert_eq!(text.is_ok(), bytes.len() <= 50 && String::from_utf8(bytes).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn metadata_of_folders(changes in changes(), json in any::<bool>()) {
        let (name, whole) = match json {
            true => ("metadata.jsonl", LINES),
            false => ("metadata.csv", METADATA),
        };
        let (folder, _) = file(name, &changed(whole.as_bytes(), &changes));
        for picture in ["a.png", "b.png", "c.png"] {
            fs::write(folder.path().join(picture), &PNGS[0]).expect("it can be written");
        }
        let split = SplitConfig { validation: 0.2, test: 0.2, by: SplitBy::Name };
        // Whatever it says, it says it without a panic.
        let _ = Survey::take(folder.path(), &Wishes::default(), &split);
    }
}
