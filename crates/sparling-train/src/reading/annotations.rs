//! What was found in files, in formats that other tools read.
//!
//! Each file is a line of JSON, in the layout of Hugging Face's `imagefolder`, so that `train folder` takes it,
//! too. The other formats are made from these lines.

mod coco;
mod table;
mod yolo;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::Found;
use super::prediction::{FileReading, PredictedMotif};

/// A format of annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `coco.json`: images, categories and boxes, as COCO's tools and most labelling tools read them.
    Coco,
    /// `labels/` with a text file for each picture, and `data.yaml`, as YOLO's trainers read them.
    Yolo,
    /// `metadata.jsonl`: a line for each file, as `train folder` and Hugging Face's loaders read it.
    Jsonl,
    /// `annotations.csv`: a line for each symbol found.
    Csv,
}

/// What was found in one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// The file's name within the folder that was annotated.
    pub file_name: String,
    /// What was read, as a label is written.
    pub text: String,
    /// How probable the decoder takes this very reading to be.
    pub confidence: Option<f64>,
    /// A picture's width, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// A picture's height, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<usize>,
    /// What one has to know about the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The symbols found.
    pub objects: Objects,
}

/// Symbols, each a place in all of these lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    /// In a picture: left, top, width and height, in pixels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bbox: Vec<[f64; 4]>,
    /// In a recording: start and end, in seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seconds: Vec<[f64; 2]>,
    /// The symbols' names.
    pub categories: Vec<String>,
    /// The activation of each.
    pub strength: Vec<f32>,
    /// How sure it is that the channel stands for the symbol.
    pub confidence: Vec<Option<f64>>,
    /// The channel that marked it.
    pub channel: Vec<String>,
}

impl Annotation {
    /// What was found in a file; `text` is its reading as a label is written.
    pub fn of(file: &Found, reading: &FileReading, text: String) -> Self {
        let prediction = &reading.prediction;
        let mut objects = Objects::default();
        for motif in distinct(&prediction.motifs) {
            objects
                .bbox
                .extend(motif.bbox.map(|sides| sides.map(tenths)));
            objects
                .seconds
                .extend(motif.interval.map(|ends| ends.map(thousandths)));
            objects.categories.extend(motif.symbol.clone());
            objects.strength.push(motif.strength);
            objects.confidence.push(motif.confidence);
            objects.channel.push(motif.name.clone());
        }
        let [height, width] = [0, 1].map(|axis| reading.size.map(|size| size[axis]));
        Self {
            file_name: file.name.clone(),
            text,
            confidence: prediction.confidence,
            width,
            height,
            notes: prediction.notes.clone(),
            objects,
        }
    }
}

fn tenths(pixels: f64) -> f64 {
    (10.0 * pixels).round() / 10.0
}

fn thousandths(seconds: f64) -> f64 {
    (1000.0 * seconds).round() / 1000.0
}

/// One motif of each symbol: the strongest first, none that lies in a stronger one's box, and none whose
/// channel stands for nothing; in reading order, from the left.
fn distinct(motifs: &[PredictedMotif]) -> Vec<&PredictedMotif> {
    let mut by_strength: Vec<&PredictedMotif> = motifs
        .iter()
        .filter(|motif| motif.symbol.is_some())
        .collect();
    by_strength.sort_by(|one, other| other.strength.total_cmp(&one.strength));
    let mut kept: Vec<&PredictedMotif> = Vec::new();
    for motif in by_strength {
        if !kept.iter().any(|stronger| stronger.covers(motif)) {
            kept.push(motif);
        }
    }
    kept.sort_by_key(|motif| (motif.column, motif.row));
    kept
}

impl PredictedMotif {
    /// Whether the middle of what the other one's channel looks at lies in what this one's does.
    fn covers(&self, other: &Self) -> bool {
        let within = |at: f64, start: f64, end: f64| (start..end).contains(&at);
        let in_picture = || {
            let ([left, top, width, height], [x, y]) = (self.bbox?, other.point?);
            Some(within(x, left, left + width) && within(y, top, top + height))
        };
        let in_recording = || {
            let ([start, end], [from, to]) = (self.interval?, other.interval?);
            Some(within((from + to) / 2.0, start, end))
        };
        in_picture().or_else(in_recording).unwrap_or(false)
    }
}

impl Format {
    /// Refuses what cannot be written of recordings.
    ///
    /// # Errors
    ///
    /// If the format is one of pictures.
    pub fn check(self, is_of_recordings: bool) -> Result<()> {
        let is_of_pictures = matches!(self, Self::Coco | Self::Yolo);
        ensure!(
            !(is_of_pictures && is_of_recordings),
            "--format {self:?} has boxes in pictures, but this model reads recordings: take jsonl or csv"
        );
        Ok(())
    }

    /// Writes annotations into a folder, and says into which file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(
        self,
        annotations: &[Annotation],
        symbols: &[String],
        folder: &Path,
    ) -> Result<PathBuf> {
        match self {
            Self::Coco => coco::write(annotations, symbols, &folder.join("coco.json")),
            Self::Yolo => yolo::write(annotations, symbols, folder),
            Self::Jsonl => table::write_lines(annotations, &folder.join("metadata.jsonl")),
            Self::Csv => table::write(annotations, &folder.join("annotations.csv")),
        }
    }
}

#[cfg(test)]
mod tests;
