//! An input's values as greys, enlarged without a blur.

use std::borrow::Cow;
use std::io::Cursor;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use image::{GrayImage, ImageFormat};
use svg::node::element::{Group, Image};

use super::drawing::{GREY, Pixels, frame};

/// The grey of full ink, light enough for marks to stand out.
const INK_GREY: f32 = 170.0;

/// Draws values in rows of `width`, each as a block of `scale` pixels, in a frame around them; of a
/// spectrogram, whose first row is the lowest frequency, from the bottom up.
///
/// # Panics
///
/// When there is no whole number of rows.
pub(super) fn enlarged(
    values: &[f32],
    width: usize,
    scale: Pixels,
    is_spectrogram: bool,
) -> Result<Group> {
    let address = address(values, width, is_spectrogram, INK_GREY)?;
    let (columns, rows) = (width as i32, (values.len() / width) as i32);
    let size = (columns * scale.0, rows * scale.1);
    let image = Image::new()
        .set("href", address)
        .set("width", size.0)
        .set("height", size.1)
        .set("preserveAspectRatio", "none")
        .set("style", "image-rendering:pixelated");
    Ok(Group::new()
        .add(image)
        .add(frame((-1, -1), (size.0 + 2, size.1 + 2), 1, GREY)))
}

/// The address of a picture that holds the picture itself, each value as a pixel and full ink as `ink`.
///
/// # Errors
///
/// If it cannot be encoded.
///
/// # Panics
///
/// When there is no whole number of rows.
pub(crate) fn address(
    values: &[f32],
    width: usize,
    is_spectrogram: bool,
    ink: f32,
) -> Result<String> {
    let greys = greys(values, ink);
    let rows = greys.chunks(width);
    let ordered: Vec<u8> = match is_spectrogram {
        true => rows.rev().flatten().copied().collect(),
        false => greys,
    };
    let (columns, rows) = (width as u32, (values.len() / width) as u32);
    let picture = GrayImage::from_raw(columns, rows, ordered).expect("every row is as wide");
    let mut png = Vec::new();
    let encoded = picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png);
    encoded.context("cannot encode an input")?;
    let data = BASE64_STANDARD.encode(png);
    Ok(format!("data:image/png;base64,{data}"))
}

/// The mean of an input's planes, of which each has so many values.
pub(crate) fn mean_plane(input: &[f32], size: usize) -> Cow<'_, [f32]> {
    let planes = input.chunks_exact(size);
    if planes.len() == 1 {
        return Cow::Borrowed(input);
    }
    let sum = |at: usize| planes.clone().map(|plane| plane[at]).sum::<f32>();
    Cow::Owned((0..size).map(|at| sum(at) / planes.len() as f32).collect())
}

/// Values as greys: the commoner end of their range is paper, the other ink.
fn greys(values: &[f32], full: f32) -> Vec<u8> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let low = finite.clone().fold(f32::INFINITY, f32::min);
    let range = (finite.fold(f32::NEG_INFINITY, f32::max) - low).max(f32::MIN_POSITIVE);
    let share = |value: f32| ((value - low) / range).clamp(0.0, 1.0);
    let high = values.iter().filter(|&&value| share(value) > 0.5).count();
    let paper_is_high = high * 2 > values.len();
    let ink = |value: f32| match paper_is_high {
        true => 1.0 - share(value),
        false => share(value),
    };
    values
        .iter()
        .map(|&value| (255.0 - (255.0 - full) * ink(value)) as u8)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::moved;
    use crate::report::drawing::tests::rendered;

    const INK: u8 = INK_GREY as u8;

    #[test]
    fn the_commoner_end_is_paper() {
        assert_eq!(greys(&[0.0, 0.0, 1.0], INK_GREY), [255, 255, INK]);
        assert_eq!(greys(&[1.0, 1.0, 0.0], INK_GREY), [255, 255, INK]);
        assert_eq!(greys(&[-80.0, -80.0, 0.0, -40.0], INK_GREY)[3], 212);
        assert_eq!(greys(&[7.0, 7.0], INK_GREY), [255, 255]);
    }

    #[test]
    fn colours_are_drawn_as_their_mean() {
        assert_eq!(*mean_plane(&[1.0, 2.0], 2), [1.0, 2.0]);
        let planes = [0.0, 3.0, 3.0, 6.0, 6.0, 0.0];
        assert_eq!(*mean_plane(&planes, 2), [3.0, 3.0]);
    }

    #[test]
    fn every_value_is_a_block_with_sharp_edges() {
        let values = [1.0, 0.0, 0.0, 0.0, 0.0, 0.5];
        for is_spectrogram in [false, true] {
            let group = enlarged(&values, 3, (3, 2), is_spectrogram).unwrap();
            let pixels = rendered(moved(group, (1, 1)), (11, 6));
            for (index, pixel) in pixels.iter().enumerate() {
                let (column, row) = (index % 11, index / 11);
                let expected = match (column, row) {
                    (0 | 10, _) | (_, 0 | 5) => 0x6e,
                    _ => {
                        let row = (row - 1) / 2;
                        let row = if is_spectrogram { 1 - row } else { row };
                        greys(&values, INK_GREY)[row * 3 + (column - 1) / 3]
                    }
                };
                assert_eq!(*pixel, [expected; 3], "column {column}, row {row}");
            }
        }
    }
}
