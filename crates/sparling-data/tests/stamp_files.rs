//! Stamps read from files.

use std::error::Error;
use std::path::Path;

use sparling_data::digitcircle::Stamps;
use sparling_data::{ConfigError, DigitCircleConfig, Domain, Split};

/// The bitmaps of the font, as a file.
const EMBEDDED: &str = include_str!("data/embedded_stamps.txt");

fn small() -> DigitCircleConfig {
    let text = include_str!("data/digitcircle-small.toml");
    toml::from_str(text).expect("every key is there")
}

fn write(directory: &Path, text: &str) -> std::path::PathBuf {
    let path = directory.join("stamps.txt");
    std::fs::write(&path, text).expect("the test can set itself up");
    path
}

/// The error of loading this text, without the path that it must begin with.
fn error(text: &str) -> String {
    let directory = tempfile::tempdir().expect("the test can set itself up");
    let path = write(directory.path(), text);
    let message = Stamps::load(&path)
        .expect_err("the text is wrong")
        .to_string();
    let start = format!("{}, line ", path.display());
    message
        .strip_prefix(&start)
        .expect("errors begin with path and line")
        .to_owned()
}

#[test]
fn a_file_gives_back_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), EMBEDDED);
    assert_eq!(&Stamps::load(&path).unwrap(), Stamps::embedded());
}

#[test]
fn comments_order_sizes_and_line_ends_do_not_matter() {
    let mut text = String::from("# Stamps whose ink reaches the edge.\r\n\r\n");
    for digit in (0..10).rev() {
        let columns = 3 + digit;
        let row = "#".repeat(columns);
        text += &format!("{digit} 2x{columns}\r\n{row}\r\n{row}\r\n");
    }
    let directory = tempfile::tempdir().unwrap();
    let stamps = Stamps::load(&write(directory.path(), &text)).unwrap();
    for (digit, stamp) in stamps.iter().enumerate() {
        assert_eq!((stamp.rows(), stamp.columns()), (2, 3 + digit));
        assert_eq!(stamp.ink_share(), 1.0);
    }
    assert_eq!(stamps.longest_side(), 12);
}

#[test]
fn errors_name_the_line_and_the_problem() {
    let header = "0 12x9";
    for wrong in [
        "zero 12x9",
        "10 12x9",
        "0 12",
        "0 0x9",
        "0 12x0",
        "0 -1x9",
        "0",
    ] {
        assert_eq!(
            error(&EMBEDDED.replacen(header, wrong, 1)),
            format!(
                "1: `{wrong}` is not a digit from 0 to 9 and a size in pixels; \
                 write it like `0 12x9`"
            )
        );
    }
    assert_eq!(
        error(&EMBEDDED.replacen(".........", "....x....", 1)),
        "2: `x` in a bitmap; write `.` or `#`"
    );
    assert_eq!(
        error(&EMBEDDED.replacen(".........", "........", 1)),
        "2: `........` has 8 pixels instead of 9; correct the row or the size"
    );
    let twice = format!("{EMBEDDED}0 1x1\n#\n");
    assert_eq!(error(&twice), "131: digit 0 comes twice; keep one");
    assert_eq!(
        error("3 4x1\n.\n#\n"),
        "1: digit 3 has 2 of 4 rows; add the rest"
    );
    assert_eq!(error("3 1x1\n#\n"), "2: digit 0 is missing; add it");
    assert_eq!(error(""), "0: digit 0 is missing; add it");
}

#[test]
fn a_missing_file_is_an_error_of_the_configuration() {
    let config = DigitCircleConfig {
        stamps: Some("no/such/stamps.txt".into()),
        ..small()
    };
    let error = config.validate().unwrap_err();
    assert!(matches!(error, ConfigError::File { key: "stamps", .. }));
    let source = error.source().unwrap();
    assert_eq!(
        source.to_string(),
        "cannot read the stamps file no/such/stamps.txt"
    );
    assert!(source.source().is_some());
}

#[test]
fn a_file_with_the_fonts_stamps_makes_the_same_examples() {
    let directory = tempfile::tempdir().unwrap();
    let config = DigitCircleConfig {
        stamps: Some(write(directory.path(), EMBEDDED)),
        ..small()
    };
    let from_file = config.validate().unwrap();
    let from_font = small().validate().unwrap();
    for index in 0..20 {
        assert_eq!(
            from_file.example(Split::Test, index),
            from_font.example(Split::Test, index)
        );
    }
}
