//! What is written down about the files: `metadata.jsonl` or `metadata.csv`.
//!
//! The format is that of Hugging Face's `imagefolder` and `audiofolder`: a line for each file, which it
//! names as `file_name`, relative to where the metadata is; another column has the label.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::FolderError;
use crate::input_file;

/// The columns that labels are looked for in, where nobody says which.
const USUAL: [&str; 3] = ["text", "transcription", "label"];

/// What else there is in a line beside the label.
const OTHERS: [&str; 2] = ["file_name", "objects"];

/// What separates columns in files of that name.
const SEPARATORS: [u8; 3] = *b",;\t";

/// The most bytes that metadata may have.
const LONGEST: u64 = 1 << 28;

/// A file's line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Which line of the metadata, from 1.
    pub number: u64,
    /// Its columns.
    pub columns: Map<String, Value>,
}

/// Metadata of one folder.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// The file.
    pub path: PathBuf,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Where the symbols of a file are, and which they are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Objects {
    /// In a picture: left, top, width and height, in pixels.
    #[serde(default)]
    pub bbox: Vec<[f64; 4]>,
    /// In a recording: start and end, in seconds.
    #[serde(default)]
    pub seconds: Vec<[f64; 2]>,
    /// The symbols' names.
    #[serde(default)]
    pub categories: Vec<Value>,
}

impl Metadata {
    /// Reads a folder's metadata, if it has any.
    pub(super) fn find(folder: &Path) -> Result<Option<Self>, FolderError> {
        let paths = ["metadata.jsonl", "metadata.csv"].map(|name| folder.join(name));
        let there = paths.each_ref().map(|path| path.exists());
        let [json, csv] = paths;
        match there {
            [false, false] => Ok(None),
            [true, true] => Err(FolderError::TwoLabelFiles {
                path: folder.to_owned(),
            }),
            [true, false] => Ok(Some(Self {
                lines: read_json(&json)?,
                path: json,
            })),
            [false, true] => Ok(Some(Self {
                lines: read_csv(&csv)?,
                path: csv,
            })),
        }
    }

    /// The column that has the labels, as far as the first line tells.
    pub(super) fn guess_label(&self) -> Result<Option<String>, FolderError> {
        let Some(first) = self.lines.first() else {
            return Ok(None);
        };
        let usual = USUAL.iter().find(|name| first.columns.contains_key(**name));
        if let Some(name) = usual {
            return Ok(Some((*name).to_owned()));
        }
        let mut others = first.others();
        match (others.next(), others.next()) {
            (Some(only), None) => Ok(Some(only.clone())),
            _ => Err(self.error(first, first.no_column("text"))),
        }
    }

    pub(super) fn error(&self, line: &Line, problem: String) -> FolderError {
        FolderError::Line {
            path: self.path.clone(),
            line: line.number,
            problem,
        }
    }
}

impl Line {
    /// A column's text; numbers are taken as they are written.
    pub(super) fn text(&self, column: &str) -> Result<String, String> {
        match self.columns.get(column) {
            Some(Value::String(text)) => Ok(text.trim().to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Null) => Ok(String::new()),
            Some(other) => Err(format!("`{column}` must be a text, but is {other}")),
            None => Err(self.no_column(column)),
        }
    }

    /// Where the symbols are, if it says so; in a table of text that is JSON, too.
    pub(super) fn objects(&self) -> Result<Option<Objects>, String> {
        let wrong = |error: serde_json::Error| {
            format!(
                "`objects` must be {{\"bbox\": [[x, y, width, height], ..], \"categories\": [..]}} or, of a \
                 recording, have \"seconds\": [[start, end], ..] instead: {error}"
            )
        };
        let objects: Objects = match self.columns.get("objects") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(wrong)?,
            Some(value) => Objects::deserialize(value).map_err(wrong)?,
        };
        let boxes = objects.bbox.len() + objects.seconds.len();
        match (boxes, objects.categories.len()) {
            (0, _) => Ok(None),
            (boxes, names) if boxes != names => Err(format!(
                "`objects` has {boxes} boxes and {names} categories; give each box the symbol that is in it"
            )),
            _ => Ok(Some(objects)),
        }
    }

    /// The names of the columns that may have the label.
    fn others(&self) -> impl Iterator<Item = &String> {
        let names = self.columns.keys();
        names.filter(|name| !OTHERS.contains(&name.as_str()))
    }

    fn no_column(&self, wanted: &str) -> String {
        let names: Vec<&str> = self.columns.keys().map(String::as_str).collect();
        let advice = match wanted {
            "file_name" => "call the one with the files' names so",
            _ => "name the one with the labels (`sparling init --label NAME`, or domain.label)",
        };
        format!(
            "there is no column `{wanted}` among {}; {advice}",
            names.join(", ")
        )
    }
}

impl Objects {
    /// The symbols' names; a number is the symbol of that name.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.categories.iter().map(|category| match category {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        })
    }
}

/// The whole file, without a byte order mark.
fn read_text(path: &Path) -> Result<String, FolderError> {
    let bytes = input_file::read(path, LONGEST).map_err(|source| FolderError::Read {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        FolderError::Line {
            path: path.to_owned(),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64,
            problem: "it is not in UTF-8; save the file as UTF-8".to_owned(),
        }
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

fn read_json(path: &Path) -> Result<Vec<Line>, FolderError> {
    let text = read_text(path)?;
    let lines = text.lines().zip(1..);
    let filled = lines.filter(|(line, _)| !line.trim().is_empty());
    filled
        .map(|(line, number)| match serde_json::from_str(line) {
            Ok(columns) => Ok(Line { number, columns }),
            Err(error) => Err(FolderError::Line {
                path: path.to_owned(),
                line: number,
                problem: format!(
                    "it is no JSON object ({error}); write one a line, such as \
                     {{\"file_name\": \"0001.png\", \"text\": \"3017\"}}"
                ),
            }),
        })
        .collect()
}

/// Reads a table whose first line names the columns, between which are commas, semicolons or tabs.
fn read_csv(path: &Path) -> Result<Vec<Line>, FolderError> {
    // Else lines are counted wrongly.
    let text = read_text(path)?.replace("\r\n", "\n");
    let header = text.lines().next().unwrap_or_default();
    let separator = SEPARATORS
        .into_iter()
        .find(|separator| {
            let mut names = header.split(char::from(*separator));
            names.any(|name| name.trim_matches([' ', '"']) == "file_name")
        })
        .filter(|_| header.trim() != "file_name");
    let Some(separator) = separator else {
        return Err(FolderError::Line {
            path: path.to_owned(),
            line: 1,
            problem: format!(
                "it must name the columns, `file_name` and that of the labels, with commas, semicolons or tabs \
                 between them, but is `{header}`"
            ),
        });
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::Headers)
        .from_reader(text.as_bytes());
    let wrong = |error: csv::Error| FolderError::Line {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        problem: problem(&error),
    };
    let names = reader.headers().map_err(wrong)?.clone();
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let number = record.position().map_or(1, csv::Position::line);
        let columns = names.iter().zip(&record);
        let columns = columns.map(|(name, value)| (name.to_owned(), Value::from(value)));
        lines.push(Line {
            number,
            columns: columns.collect(),
        });
    }
    Ok(lines)
}

fn problem(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!(
            "it has {len} columns, but the first line names {expected_len}; put labels that hold a separator \
             between quotes"
        ),
        other => format!("{other:?}"),
    }
}
