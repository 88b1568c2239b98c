//! The digits' bitmaps, and the text files they are kept in.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::rasterise::rasterise;
use crate::error::ConfigError;
use crate::input_file;

/// How many digits there are.
const DIGITS: usize = 10;

/// The most bytes that a file of stamps may have.
const LONGEST: u64 = 1 << 20;

/// One digit's bitmap.
#[derive(Clone, PartialEq, Eq)]
pub struct Stamp {
    columns: usize,
    ink: Vec<bool>,
}

/// The bitmaps of the digits 0 to 9.
///
/// # File format
///
/// Text. Each digit has a line `digit ROWSxCOLUMNS`, then that many rows of as many characters: `#`
/// for ink, `.` for none. The sizes may differ. The digits come in any order, each once. Between
/// them, empty lines and lines that begin with `#` are skipped. [`fmt::Display`] writes the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamps {
    by_digit: Vec<Stamp>,
}

/// Why stamps cannot be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum StampsError {
    /// The file cannot be read.
    #[error("cannot read the stamps file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not in the format.
    #[error("{path}, line {line}: {problem}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it and what is expected.
        problem: String,
    },
}

impl From<StampsError> for ConfigError {
    fn from(error: StampsError) -> Self {
        Self::File {
            key: "stamps",
            source: Box::new(error),
        }
    }
}

impl Stamp {
    /// A bitmap from its rows, which must be of one length.
    pub(super) fn new(columns: usize, ink: Vec<bool>) -> Self {
        assert!(columns > 0 && !ink.is_empty() && ink.len().is_multiple_of(columns));
        Self { columns, ink }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.ink.len() / self.columns
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whether each pixel has ink, row by row.
    pub fn ink(&self) -> &[bool] {
        &self.ink
    }

    /// The share of pixels that have ink.
    pub fn ink_share(&self) -> f64 {
        self.ink.iter().filter(|&&ink| ink).count() as f64 / self.ink.len() as f64
    }
}

impl Stamps {
    /// The stamps made from the font that comes along.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Stamps> = OnceLock::new();
        EMBEDDED.get_or_init(|| Self {
            by_digit: ('0'..='9').map(rasterise).collect(),
        })
    }

    /// Reads a file of stamps.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not in the format.
    pub fn load(path: &Path) -> Result<Self, StampsError> {
        let text = input_file::read_text(path, LONGEST).map_err(|source| StampsError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|(line, problem)| StampsError::Format {
            path: path.to_owned(),
            line,
            problem,
        })
    }

    /// How many stamps there are: one per digit.
    pub(super) fn len(&self) -> usize {
        self.by_digit.len()
    }

    /// The stamps in the order of their digits.
    pub fn iter(&self) -> std::slice::Iter<'_, Stamp> {
        self.by_digit.iter()
    }

    /// The most rows or columns that any stamp has.
    pub fn longest_side(&self) -> usize {
        let sides = self.iter().map(|stamp| stamp.rows().max(stamp.columns));
        sides.max().unwrap_or(0)
    }

    /// The mean over digits of the share of pixels that have ink.
    pub fn mean_ink(&self) -> f64 {
        self.iter().map(Stamp::ink_share).sum::<f64>() / self.len() as f64
    }

    /// Reads the text format; an error is a line number and a problem.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut by_digit: Vec<Option<Stamp>> = vec![None; DIGITS];
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (digit, rows, columns) = parse_header(line).map_err(|problem| (number, problem))?;
            if by_digit[digit].is_some() {
                return Err((number, format!("digit {digit} comes twice; keep one")));
            }
            let mut ink = Vec::new();
            for row in 0..rows {
                let (line, number) = lines.next().ok_or_else(|| {
                    let problem = format!("digit {digit} has {row} of {rows} rows; add the rest");
                    (number, problem)
                })?;
                ink.extend(parse_row(line, columns).map_err(|problem| (number, problem))?);
            }
            by_digit[digit] = Some(Stamp::new(columns, ink));
        }
        let missing = by_digit.iter().position(Option::is_none);
        match missing {
            Some(digit) => Err((
                text.lines().count(),
                format!("digit {digit} is missing; add it"),
            )),
            None => Ok(Self {
                by_digit: by_digit.into_iter().flatten().collect(),
            }),
        }
    }
}

impl std::ops::Index<usize> for Stamps {
    type Output = Stamp;

    /// A digit's stamp.
    fn index(&self, digit: usize) -> &Stamp {
        &self.by_digit[digit]
    }
}

/// `digit ROWSxCOLUMNS`.
fn parse_header(line: &str) -> Result<(usize, usize, usize), String> {
    let numbers = line.split_once(' ').and_then(|(digit, size)| {
        let (rows, columns) = size.trim().split_once('x')?;
        let digit = digit.parse().ok()?;
        Some((digit, rows.parse().ok()?, columns.parse().ok()?))
    });
    match numbers {
        Some((digit, rows @ 1.., columns @ 1..)) if digit < DIGITS => Ok((digit, rows, columns)),
        _ => Err(format!(
            "`{line}` is not a digit from 0 to 9 and a size in pixels; write it like `0 12x9`"
        )),
    }
}

/// One row of `.` and `#`.
fn parse_row(line: &str, columns: usize) -> Result<Vec<bool>, String> {
    let parse_pixel = |character| match character {
        '.' => Ok(false),
        '#' => Ok(true),
        other => Err(format!("`{other}` in a bitmap; write `.` or `#`")),
    };
    let row = line
        .chars()
        .map(parse_pixel)
        .collect::<Result<Vec<_>, _>>()?;
    if row.len() == columns {
        Ok(row)
    } else {
        Err(format!(
            "`{line}` has {} pixels instead of {columns}; correct the row or the size",
            row.len()
        ))
    }
}

impl fmt::Display for Stamp {
    /// One line per row, as in the file format.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.ink.chunks_exact(self.columns) {
            let row: String = row.iter().map(|&ink| if ink { '#' } else { '.' }).collect();
            writeln!(formatter, "{row}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Stamp {}x{}\n{self}", self.rows(), self.columns)
    }
}

impl fmt::Display for Stamps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (digit, stamp) in self.iter().enumerate() {
            let (rows, columns) = (stamp.rows(), stamp.columns);
            write!(formatter, "{digit} {rows}x{columns}\n{stamp}")?;
        }
        Ok(())
    }
}
