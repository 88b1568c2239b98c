//! COCO's object detection format, with a score beside each box.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::Annotation;
use crate::files::atomic;

#[derive(Serialize)]
struct Coco<'a> {
    info: Info,
    images: Vec<Image<'a>>,
    categories: Vec<Category<'a>>,
    annotations: Vec<Found>,
}

#[derive(Serialize)]
struct Info {
    description: &'static str,
}

#[derive(Serialize)]
struct Image<'a> {
    id: usize,
    file_name: &'a str,
    width: usize,
    height: usize,
    /// What was read in it; COCO's own tools leave it alone.
    text: &'a str,
}

#[derive(Serialize)]
struct Category<'a> {
    id: usize,
    name: &'a str,
}

#[derive(Serialize)]
struct Found {
    id: usize,
    image_id: usize,
    category_id: usize,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    score: f32,
}

/// Numbers count from 1, as in COCO's own files; the score of a box is its motif's strength.
pub(super) fn write(
    annotations: &[Annotation],
    symbols: &[String],
    path: &Path,
) -> Result<PathBuf> {
    let images = annotations.iter().enumerate().map(|(index, of)| Image {
        id: index + 1,
        file_name: &of.file_name,
        width: of.width.unwrap_or(0),
        height: of.height.unwrap_or(0),
        text: &of.text,
    });
    let categories = symbols.iter().enumerate();
    let mut coco = Coco {
        info: Info {
            description: "found by sparling; scores are activations, not probabilities",
        },
        images: images.collect(),
        categories: categories
            .map(|(index, name)| Category {
                id: index + 1,
                name,
            })
            .collect(),
        annotations: Vec::new(),
    };
    for (index, annotation) in annotations.iter().enumerate() {
        let objects = &annotation.objects;
        let boxes = objects.bbox.iter().zip(&objects.categories);
        for ((bbox, category), strength) in boxes.zip(&objects.strength) {
            let symbol = symbols.iter().position(|symbol| symbol == category);
            coco.annotations.push(Found {
                id: coco.annotations.len() + 1,
                image_id: index + 1,
                category_id: symbol.map_or(0, |symbol| symbol + 1),
                bbox: *bbox,
                area: bbox[2] * bbox[3],
                iscrowd: 0,
                score: *strength,
            });
        }
    }
    atomic::write(path, &serde_json::to_vec(&coco)?)?;
    Ok(path.to_owned())
}
