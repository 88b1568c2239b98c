//! Annotations as lines: of JSON, or of a table.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Annotation;
use crate::files::atomic;

/// The table's columns.
const COLUMNS: [&str; 14] = [
    "file_name",
    "text",
    "confidence",
    "symbol",
    "channel",
    "symbol_confidence",
    "strength",
    "left",
    "top",
    "width",
    "height",
    "start",
    "end",
    "notes",
];

/// A line for each file.
pub(super) fn write_lines(annotations: &[Annotation], path: &Path) -> Result<PathBuf> {
    let mut lines = Vec::new();
    for annotation in annotations {
        serde_json::to_writer(&mut lines, annotation)?;
        lines.push(b'\n');
    }
    atomic::write(path, &lines)?;
    Ok(path.to_owned())
}

/// A line for each symbol found, and one for each file in which none was.
pub(super) fn write(annotations: &[Annotation], path: &Path) -> Result<PathBuf> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for annotation in annotations {
        let count = annotation.objects.categories.len();
        for index in 0..count.max(1) {
            table.write_record(row(annotation, index))?;
        }
    }
    atomic::write(path, &table.into_inner()?)?;
    Ok(path.to_owned())
}

fn row(annotation: &Annotation, index: usize) -> [String; COLUMNS.len()] {
    let objects = &annotation.objects;
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    let text = |names: &[String]| names.get(index).cloned().unwrap_or_default();
    let side = |side: usize| number(objects.bbox.get(index).map(|sides| sides[side]));
    let end = |end: usize| number(objects.seconds.get(index).map(|ends| ends[end]));
    [
        annotation.file_name.clone(),
        annotation.text.clone(),
        number(annotation.confidence),
        text(&objects.categories),
        text(&objects.channel),
        number(objects.confidence.get(index).copied().flatten()),
        number(objects.strength.get(index).copied().map(f64::from)),
        side(0),
        side(1),
        side(2),
        side(3),
        end(0),
        end(1),
        annotation.notes.join("; "),
    ]
}
