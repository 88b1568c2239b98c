//! Makes a data set in which only colour tells symbols from the rest, of one of bright pictures on black: each
//! picture in red, and over it two others of the same folder, one in green and one in blue.
//!
//! ```text
//! cargo run --release -p sparling-data --example coloured -- datasets/handwriting-sample coloured
//! ```
//!
//! Names, labels and boxes stay those of the red one, so that the folder can be trained on as the other could.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use image::{GrayImage, Rgb, RgbImage};

/// How bright the pictures in green and in blue are, beside the one in red.
const OTHERS: f32 = 0.7;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [from, to] = &arguments[..] else {
        return Err("give a folder of pictures and where to write the coloured ones".into());
    };
    for split in ["", "train", "validation", "test"] {
        let folder = from.join(split);
        if folder.is_dir() {
            let count = colour(&folder, &to.join(split))?;
            println!("{count} pictures in {}", to.join(split).display());
        }
    }
    Ok(())
}

/// Colours the pictures of one folder.
fn colour(from: &Path, to: &Path) -> Result<usize, Box<dyn Error>> {
    fs::create_dir_all(to)?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("png") => paths.push(path),
            Some("jsonl" | "csv") => {
                fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
            }
            _ => {}
        }
    }
    paths.sort();
    let open = |index: usize| -> Result<GrayImage, image::ImageError> {
        Ok(image::open(&paths[index % paths.len()])?.to_luma8())
    };
    for (index, path) in paths.iter().enumerate() {
        let picture = mixed(&open(index)?, &open(index + 1)?, &open(index + 2)?);
        picture.save(to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(paths.len())
}

fn mixed(red: &GrayImage, green: &GrayImage, blue: &GrayImage) -> RgbImage {
    let at = |picture: &GrayImage, x, y| {
        let pixel = picture.get_pixel_checked(x, y);
        pixel.map_or(0, |pixel| pixel.0[0])
    };
    let dimmed = |value: u8| (OTHERS * f32::from(value)) as u8;
    RgbImage::from_fn(red.width(), red.height(), |x, y| {
        // Upside down, so that no two lie one on the other.
        let below = red.height() - 1 - y;
        Rgb([
            at(red, x, y),
            dimmed(at(green, x, below)),
            dimmed(at(blue, x, y)),
        ])
    })
}
