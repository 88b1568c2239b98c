//! What was found in one file, as it is printed and written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use sparling_data::View;

use crate::evaluate::Reading;
use crate::metrics::Motif;
use crate::metrics::channel::channel_name;
use crate::report::examples::{self, ExamplePicture};
use crate::run::trained::Trained;

/// The windows of a recording that are drawn at most.
const DRAWN: usize = 24;

/// What was found in one file.
#[derive(Debug)]
pub struct FileReading {
    /// What is printed of it.
    pub prediction: Prediction,
    /// A picture's own height and width.
    pub size: Option<[usize; 2]>,
    /// What the model made of it: of a picture at once, of a recording window by window.
    pub windows: Vec<Reading>,
}

/// What was read in one file.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// The file.
    pub file: PathBuf,
    /// The output, a space between tokens; empty where nothing was found.
    pub output: String,
    /// How probable the decoder takes this very output to be, given the motifs.
    pub confidence: Option<f64>,
    /// The output's tokens.
    pub tokens: Vec<usize>,
    /// The output as people write it, where that is something else and the tokens are well formed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What metadata says is in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What one has to know about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// In a recording, when each token was said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TokenTime>,
    /// Every activation.
    pub motifs: Vec<PredictedMotif>,
    /// Where it is drawn, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<PathBuf>,
}

/// An output token in a recording.
#[derive(Clone, Debug, Serialize)]
pub struct TokenTime {
    /// The token's name.
    pub token: String,
    /// When the motif that stands for it is, in seconds; that is within the word.
    pub seconds: Option<f64>,
}

/// One activation.
#[derive(Clone, Debug, Serialize)]
pub struct PredictedMotif {
    /// Its channel.
    pub channel: usize,
    /// The channel's name: a letter, or several.
    pub name: String,
    /// What the channel stands for: the symbol that outputs lose without its motifs.
    pub symbol: Option<String>,
    /// The share of the channel's motifs without which that symbol went, in validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Its row in the input.
    pub row: usize,
    /// Its column in the input; in a recording its frame.
    pub column: usize,
    /// In a recording, when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The activation.
    pub strength: f32,
    /// What its channel looks at around it, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<PredictedBox>,
    /// In a picture, the middle of what its channel looks at, in the picture's own pixels: from the left and
    /// from the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// In a picture, what its channel looks at, in the picture's own pixels: left, top, width and height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f64; 4]>,
    /// In a recording, what its channel listens to, in seconds: start and end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
}

/// A part of the input, half-open; in a recording frames are columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictedBox {
    /// First row.
    pub top: usize,
    /// One past the last row.
    pub bottom: usize,
    /// First column.
    pub left: usize,
    /// One past the last column.
    pub right: usize,
}

#[cfg(test)]
impl Prediction {
    pub(super) fn of(label: Option<&str>, tokens: Vec<usize>) -> Self {
        Self {
            file: PathBuf::new(),
            output: String::new(),
            confidence: None,
            tokens,
            source: None,
            label: label.map(str::to_owned),
            notes: Vec::new(),
            times: Vec::new(),
            motifs: Vec::new(),
            picture: None,
        }
    }
}

/// A motif with what its channel stands for.
pub fn describe(trained: &Trained, motif: &Motif) -> PredictedMotif {
    let symbol = trained.symbol_of(motif.channel);
    PredictedMotif {
        channel: motif.channel,
        name: channel_name(motif.channel),
        symbol: symbol.map(|symbol| trained.domain().symbols()[symbol].clone()),
        confidence: trained.name_of(motif.channel).map(|name| name.confidence),
        row: motif.row,
        column: motif.column,
        seconds: None,
        strength: motif.strength,
        support: support_of(trained, motif),
        point: None,
        bbox: None,
        interval: None,
    }
}

fn support_of(trained: &Trained, motif: &Motif) -> Option<PredictedBox> {
    let support = trained.supports()?.of(motif)?;
    let [_, height, width] = trained.domain().input_shape();
    let [rows, columns] = support.around(motif, [height, width]);
    Some(PredictedBox {
        top: rows.start,
        bottom: rows.end,
        left: columns.start,
        right: columns.end,
    })
}

impl PredictedMotif {
    /// What its channel looks at; its own position, where that was not measured.
    fn part(&self) -> PredictedBox {
        self.support.clone().unwrap_or(PredictedBox {
            top: self.row,
            bottom: self.row + 1,
            left: self.column,
            right: self.column + 1,
        })
    }

    pub(super) fn in_picture(mut self, view: &View) -> Self {
        let part = self.part();
        let middle = |start: usize, end: usize| (start + end) as f64 / 2.0;
        let place = [middle(part.top, part.bottom), middle(part.left, part.right)];
        self.point = Some(view.point(place));
        self.bbox = Some(view.bbox(&(part.top..part.bottom), &(part.left..part.right)));
        self
    }

    /// `at` says when a column is, in seconds.
    pub(super) fn in_recording(mut self, at: impl Fn(f64) -> f64) -> Self {
        let part = self.part();
        self.seconds = Some(at(self.column as f64));
        self.interval = Some([part.left, part.right].map(|frame| at(frame as f64)));
        self
    }

    /// What it stands for, as people read it.
    pub fn stands_for(&self) -> &str {
        self.symbol.as_deref().unwrap_or("nothing")
    }

    /// Its channel with what that stands for, its place, and its strength.
    pub fn lines(&self) -> [String; 3] {
        [
            format!("{} \u{201c}{}\u{201d}", self.name, self.stands_for()),
            format!("row {}, column {}", self.row, self.column),
            format!("strength {:.2}", self.strength),
        ]
    }

    /// As one would write it for `intervene`, with what its channel stands for.
    pub fn named_place(&self) -> String {
        let place = format!("{}@{},{}", self.name, self.row, self.column);
        format!("{place} ({})", self.stands_for())
    }
}

impl FileReading {
    /// Draws the input with its motifs, and beside it what was read, where that can be drawn.
    ///
    /// # Errors
    ///
    /// If the picture cannot be written.
    pub fn draw(&mut self, trained: &Trained, path: &Path) -> Result<()> {
        let domain = trained.domain();
        let shape = domain.input_shape();
        let drawn = &self.windows[..self.windows.len().min(DRAWN)];
        let outputs: Vec<String> = drawn
            .iter()
            .map(|window| domain.vocabulary().decode(&window.prediction))
            .collect();
        let inputs = drawn
            .iter()
            .zip(&outputs)
            .map(|(window, output)| ExamplePicture {
                motifs: &window.motifs,
                supports: trained.supports(),
                prediction: Some(output),
                ..ExamplePicture::new(&window.input, shape)
            });
        let typeset = domain.typeset(&self.prediction.tokens);
        let beside = typeset.as_ref().map(|typeset| ExamplePicture {
            prediction: Some(&typeset.source),
            ..ExamplePicture::new(&typeset.input, shape)
        });
        let all: Vec<_> = inputs.chain(beside).collect();
        examples::draw(path, &all)?;
        self.prediction.picture = Some(path.to_owned());
        Ok(())
    }
}

/// Names of what is made of files, no two alike.
#[derive(Debug, Default)]
pub struct FileNames(HashMap<String, usize>);

impl FileNames {
    /// A name that no other file got, such as `7-motifs.png`.
    pub fn next(&mut self, file: &Path, what: &str, ending: &str) -> String {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let before = self.0.entry(stem.to_string()).or_default();
        *before += 1;
        match *before {
            1 => format!("{stem}-{what}.{ending}"),
            number => format!("{stem}-{what}-{number}.{ending}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let mut names = FileNames::default();
        let mut next = |file: &str| names.next(Path::new(file), "motifs", "png");
        assert_eq!(next("a/7.png"), "7-motifs.png");
        assert_eq!(next("b/7.png"), "7-motifs-2.png");
        assert_eq!(next("8.jpg"), "8-motifs.png");
    }
}
