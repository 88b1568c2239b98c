//! Inputs as PNG files: ink is black on white, whatever value it has in the input.

use std::path::{Path, PathBuf};

use image::{GrayImage, Luma};
use sparling_data::{OwnPicture, View, input_file, picture_file};

use crate::files::atomic::{self, SaveError};

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

/// What to do with a picture of another size than the model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Refuse it.
    Exact,
    /// Put its middle in the middle: paper is added on all sides, or cut off where there is no ink.
    Centred,
}

/// Reads a picture of any colour depth as an input of zeros and ones, one of which is `ink`: what is
/// darker than middle grey is ink. Transparent pixels are paper.
///
/// # Errors
///
/// If it cannot be read or its size does not fit.
pub fn read(
    path: &Path,
    [height, width]: [usize; 2],
    ink: f32,
    fit: Fit,
) -> Result<OwnPicture, PictureError> {
    let unreadable = |message: String| PictureError::Read {
        path: path.to_owned(),
        message,
    };
    let bytes = input_file::read(path, picture_file::LONGEST_FILE);
    let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
    let picture = picture_file::decode(&bytes).map_err(unreadable)?;
    let picture = picture.into_luma_alpha8();
    let size = [picture.height(), picture.width()].map(|side| side as usize);
    let inked = |pixel: &image::LumaA<u8>| pixel[0] < 128 && pixel[1] >= 128;
    let inked: Vec<bool> = picture.pixels().map(inked).collect();
    let fitted = match fit {
        Fit::Exact => (size == [height, width]).then_some(inked),
        Fit::Centred => centred(&inked, size, [height, width]),
    };
    let fitted = fitted.ok_or_else(|| PictureError::Size {
        path: path.to_owned(),
        width: picture.width(),
        height: picture.height(),
        wanted_width: width,
        wanted_height: height,
    })?;
    let value = |inked: bool| if inked { ink } else { 1.0 - ink };
    Ok(OwnPicture {
        input: fitted.into_iter().map(value).collect(),
        view: View {
            offset: offset(size, [height, width]).map(|pixels| pixels as f64),
            ..View::whole(size)
        },
    })
}

/// How far to move rows and columns so that the middle of a picture is that of another size; negative where
/// the picture is the larger one.
fn offset(size: [usize; 2], wanted: [usize; 2]) -> [isize; 2] {
    [0, 1].map(|axis| (wanted[axis] as isize - size[axis] as isize).div_euclid(2))
}

/// Moves the middle of a picture to the middle of another size; `None` if ink would be lost.
fn centred(inked: &[bool], size: [usize; 2], wanted: [usize; 2]) -> Option<Vec<bool>> {
    let mut moved = vec![false; wanted.iter().product()];
    let [down, right] = offset(size, wanted);
    for (at, _) in inked.iter().enumerate().filter(|(_, inked)| **inked) {
        let row = (at / size[1]).checked_add_signed(down)?;
        let column = (at % size[1]).checked_add_signed(right)?;
        if row >= wanted[0] || column >= wanted[1] {
            return None;
        }
        moved[row * wanted[1] + column] = true;
    }
    Some(moved)
}

/// Writes an input of values between 0 and 1, one of which is `ink`, as a picture.
///
/// # Errors
///
/// If it cannot be saved.
pub(crate) fn write(
    path: &Path,
    input: &[f32],
    [height, width]: [usize; 2],
    ink: f32,
) -> Result<(), SaveError> {
    let picture = GrayImage::from_fn(width as u32, height as u32, |x, y| {
        let value = input[y as usize * width + x as usize].clamp(0.0, 1.0);
        Luma([(255.0 * (value - ink).abs()).round() as u8])
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
        for ink in [1.0, 0.0] {
            write(&path, &input, [2, 3], ink).unwrap();
            let own = read(&path, [2, 3], ink, Fit::Exact).unwrap();
            assert_eq!(
                (&own.input[..], own.view),
                (&input[..], View::whole([2, 3]))
            );
            // Whatever its value, ink is black.
            let black = read(&path, [2, 3], 1.0, Fit::Exact).unwrap().input;
            let inked = input.map(|value| f32::from(u8::from(value == ink)));
            assert_eq!(black, inked);
        }
    }

    #[test]
    fn another_size_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.png");
        write(&path, &[0.0; 6], [2, 3], 1.0).unwrap();
        let error = read(&path, [48, 48], 1.0, Fit::Exact)
            .unwrap_err()
            .to_string();
        assert!(error.contains("input.png") && error.contains("3x2") && error.contains("48x48"));
    }

    #[test]
    fn another_size_is_centred_where_no_ink_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.png");
        let input = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        write(&path, &input, [3, 3], 1.0).unwrap();
        let read = |size| read(&path, size, 1.0, Fit::Centred);
        let larger = read([5, 4]).unwrap().input;
        assert_eq!(
            larger.iter().position(|value| *value == 1.0),
            Some(2 * 4 + 1)
        );
        assert_eq!(larger.iter().sum::<f32>(), 1.0);
        let cut = read([1, 3]).unwrap();
        assert_eq!(
            (&cut.input[..], cut.view.offset),
            (&[0.0, 1.0, 0.0][..], [-1.0, 0.0])
        );
        assert_eq!(read([3, 3]).unwrap().input, input);

        let edge = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        write(&path, &edge, [3, 3], 1.0).unwrap();
        assert!(read([3, 1]).unwrap_err().to_string().contains("3x3"));
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.png");
        std::fs::write(&path, "not a picture").unwrap();
        assert!(
            read(&path, [2, 3], 1.0, Fit::Exact)
                .unwrap_err()
                .to_string()
                .contains("notes.png")
        );
        let missing = read(&folder.path().join("none.png"), [2, 3], 1.0, Fit::Centred)
            .unwrap_err()
            .to_string();
        assert!(missing.contains("none.png"));
    }
}
