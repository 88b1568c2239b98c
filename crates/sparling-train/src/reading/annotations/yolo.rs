//! YOLO's format: for each picture a text file with a line for each box.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Annotation;
use crate::files::atomic;

/// Writes `labels/` and `data.yaml`. The boxes are relative to the picture's size: the symbol's number,
/// the middle from the left and from the top, width and height.
pub(super) fn write(
    annotations: &[Annotation],
    symbols: &[String],
    folder: &Path,
) -> Result<PathBuf> {
    let mut files: BTreeMap<PathBuf, &Annotation> = BTreeMap::new();
    for annotation in annotations {
        let path = folder.join("labels").join(relative(&annotation.file_name));
        let path = path.with_extension("txt");
        if let Some(other) = files.insert(path, annotation) {
            let [one, other] = [&other.file_name, &annotation.file_name];
            ensure!(
                false,
                "{one} and {other} would have the same file of labels in YOLO's format: rename one of them"
            );
        }
    }
    for (path, annotation) in &files {
        let folder = path.parent().unwrap_or(folder);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        atomic::write(path, lines(annotation, symbols).as_bytes())?;
    }
    let mut yaml = String::from(
        "# Put the pictures into images/, as their names are in labels/.\npath: .\ntrain: images\nval: \
         images\nnames:\n",
    );
    for (index, symbol) in symbols.iter().enumerate() {
        // A JSON text is one of YAML, too.
        let _ = writeln!(yaml, "  {index}: {}", serde_json::to_string(symbol)?);
    }
    let path = folder.join("data.yaml");
    atomic::write(&path, yaml.as_bytes())?;
    Ok(path)
}

/// Of a file that was named by its path, the last part.
fn relative(name: &str) -> PathBuf {
    let path = Path::new(name);
    let is_within = path
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    match is_within {
        true => path.to_owned(),
        false => path.file_name().unwrap_or_default().into(),
    }
}

fn lines(annotation: &Annotation, symbols: &[String]) -> String {
    let [width, height] =
        [annotation.width, annotation.height].map(|side| side.unwrap_or(1).max(1) as f64);
    let mut lines = String::new();
    let objects = &annotation.objects;
    for ([left, top, own_width, own_height], category) in
        objects.bbox.iter().zip(&objects.categories)
    {
        let Some(symbol) = symbols.iter().position(|symbol| symbol == category) else {
            continue;
        };
        let x = (left + own_width / 2.0) / width;
        let y = (top + own_height / 2.0) / height;
        let [own_width, own_height] = [own_width / width, own_height / height];
        let _ = writeln!(
            lines,
            "{symbol} {x:.6} {y:.6} {own_width:.6} {own_height:.6}"
        );
    }
    lines
}
