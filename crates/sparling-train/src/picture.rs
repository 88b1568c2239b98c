//! Inputs as PNG files: ink is black on white.

use std::path::{Path, PathBuf};

use image::{GrayImage, ImageReader, Luma};

use crate::atomic::{self, SaveError};

/// A picture that is no input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// It cannot be opened or decoded.
    #[error("cannot read picture {path}: {message}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// It has another size than the model's input.
    #[error(
        "{path} is {width}x{height} pixels, but this model reads {wanted_width}x{wanted_height}: \
         crop or scale it first"
    )]
    Size {
        /// The file.
        path: PathBuf,
        /// Its width, in pixels.
        width: u32,
        /// Its height, in pixels.
        height: u32,
        /// The width the model reads.
        wanted_width: usize,
        /// The height the model reads.
        wanted_height: usize,
    },
}

/// Reads a picture of any colour depth as an input of zeros and ones: what is darker than middle
/// grey is ink, 1. Transparent pixels are paper.
///
/// # Errors
///
/// If it cannot be read or has another size.
pub fn read(path: &Path, [height, width]: [usize; 2]) -> Result<Vec<f32>, PictureError> {
    let unreadable = |message: String| PictureError::Read {
        path: path.to_owned(),
        message,
    };
    let reader = ImageReader::open(path).map_err(|error| unreadable(error.to_string()))?;
    let reader = reader
        .with_guessed_format()
        .map_err(|error| unreadable(error.to_string()))?;
    let picture = reader
        .decode()
        .map_err(|error| unreadable(error.to_string()))?
        .into_luma_alpha8();
    if (picture.width() as usize, picture.height() as usize) != (width, height) {
        return Err(PictureError::Size {
            path: path.to_owned(),
            width: picture.width(),
            height: picture.height(),
            wanted_width: width,
            wanted_height: height,
        });
    }
    let ink = |pixel: &image::LumaA<u8>| f32::from(pixel[0] < 128 && pixel[1] >= 128);
    Ok(picture.pixels().map(ink).collect())
}

/// Writes an input of values between 0 and 1 as a picture.
///
/// # Errors
///
/// If it cannot be saved.
pub fn write(path: &Path, input: &[f32], [height, width]: [usize; 2]) -> Result<(), SaveError> {
    let picture = GrayImage::from_fn(width as u32, height as u32, |x, y| {
        let value = input[y as usize * width + x as usize].clamp(0.0, 1.0);
        Luma([(255.0 * (1.0 - value)).round() as u8])
    });
    atomic::replace(path, |temporary| {
        picture
            .save_with_format(temporary, image::ImageFormat::Png)
            .map_err(std::io::Error::other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.png");
        let input = [0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        write(&path, &input, [2, 3]).unwrap();
        assert_eq!(read(&path, [2, 3]).unwrap(), input);
    }

    #[test]
    fn another_size_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.png");
        write(&path, &[0.0; 6], [2, 3]).unwrap();
        let error = read(&path, [48, 48]).unwrap_err().to_string();
        assert!(error.contains("input.png") && error.contains("3x2") && error.contains("48x48"));
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.png");
        std::fs::write(&path, "not a picture").unwrap();
        assert!(
            read(&path, [2, 3])
                .unwrap_err()
                .to_string()
                .contains("notes.png")
        );
        let missing = read(&folder.path().join("none.png"), [2, 3])
            .unwrap_err()
            .to_string();
        assert!(missing.contains("none.png"));
    }
}
