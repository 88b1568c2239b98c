//! Digits' bitmaps from the font.

use ab_glyph::{Font, FontRef, OutlinedGlyph, point};

use super::Stamp;
use crate::font::FONT;

/// The height of the digits' ink in pixels, that of the paper's stamps.
const INK_ROWS: f32 = 10.0;

/// The least share of a pixel that the outline must cover for the pixel to have ink.
///
/// Half is what a pixel in black and white is closest to; it needs no tuning, and it leaves out the
/// round digits' overshoot, so that all ten are equally tall.
const LEAST_COVERAGE: f32 = 0.5;

/// How far right of a pixel's edge digits are drawn, in pixels.
///
/// Of the eighths of a pixel, this one keeps the digits furthest apart: at their best alignment the
/// closest pairs differ in 14 pixels and the mean pair in 24; for the paper's stamps it is 13 and
/// 22.
const PHASE: f32 = 0.25;

/// Draws one digit in black and white, cropped to its ink and a margin of one pixel.
pub(super) fn rasterise(digit: char) -> Stamp {
    let inked = inked_pixels(&outline(digit));
    let rows = inked.iter().map(|&(row, _)| row);
    let columns = inked.iter().map(|&(_, column)| column);
    let (top, bottom) = extent(rows);
    let (left, right) = extent(columns);
    let width = (right - left + 3) as usize;
    let height = (bottom - top + 3) as usize;
    let mut ink = vec![false; height * width];
    for (row, column) in inked {
        ink[(row - top + 1) as usize * width + (column - left + 1) as usize] = true;
    }
    Stamp::new(width, ink)
}

/// The digit's outline at the size at which the flat-topped 1 is [`INK_ROWS`] tall.
fn outline(digit: char) -> OutlinedGlyph {
    let font = FontRef::try_from_slice(FONT).expect("the font that comes along is readable");
    let one = font
        .outline(font.glyph_id('1'))
        .expect("the font that comes along has a 1");
    let units = one.bounds.height().abs();
    let scale = INK_ROWS / units * font.height_unscaled();
    let glyph = font
        .glyph_id(digit)
        .with_scale_and_position(scale, point(PHASE, 0.0));
    font.outline_glyph(glyph)
        .expect("the font that comes along has every digit")
}

/// The pixels (row, column) that the outline covers enough of.
fn inked_pixels(outline: &OutlinedGlyph) -> Vec<(i32, i32)> {
    let corner = outline.px_bounds().min;
    let mut inked = Vec::new();
    outline.draw(|column, row, coverage| {
        if coverage >= LEAST_COVERAGE {
            inked.push((
                corner.y as i32 + row as i32,
                corner.x as i32 + column as i32,
            ));
        }
    });
    inked
}

/// The least and the greatest of the values.
fn extent(values: impl Iterator<Item = i32> + Clone) -> (i32, i32) {
    let least = values.clone().min().expect("a digit has ink");
    (least, values.max().expect("a digit has ink"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digitcircle::Stamps;

    /// In how many pixels two bitmaps differ when one is shifted for the best match.
    fn distance(one: &Stamp, other: &Stamp) -> usize {
        let ink = |stamp: &Stamp, row: i32, column: i32| {
            let inside = (0..stamp.rows() as i32).contains(&row)
                && (0..stamp.columns() as i32).contains(&column);
            inside && stamp.ink()[row as usize * stamp.columns() + column as usize]
        };
        let differing = |down: i32, right: i32| {
            let positions = (-4..16).flat_map(|row| (-4..16).map(move |column| (row, column)));
            let differs = |&(row, column): &(i32, i32)| {
                ink(one, row, column) != ink(other, row + down, column + right)
            };
            positions.filter(differs).count()
        };
        let shifts = (-3..=3).flat_map(|down| (-4..=4).map(move |right| (down, right)));
        shifts
            .map(|(down, right)| differing(down, right))
            .min()
            .unwrap()
    }

    #[test]
    fn bitmaps_are_those_of_the_snapshot() {
        let snapshot = include_str!("../../tests/data/embedded_stamps.txt");
        assert_eq!(
            Stamps::embedded().to_string(),
            snapshot,
            "the font's bitmaps changed, and with them every image"
        );
    }

    #[test]
    fn digits_have_the_size_of_the_papers() {
        for stamp in Stamps::embedded().iter() {
            assert_eq!(stamp.rows(), 12);
            assert!((7..=9).contains(&stamp.columns()), "{stamp:?}");
        }
    }

    #[test]
    fn margins_are_one_pixel() {
        for stamp in Stamps::embedded().iter() {
            let (rows, columns) = (stamp.rows(), stamp.columns());
            let at = |row: usize, column: usize| stamp.ink()[row * columns + column];
            assert!((0..columns).all(|column| !at(0, column) && !at(rows - 1, column)));
            assert!((0..rows).all(|row| !at(row, 0) && !at(row, columns - 1)));
            assert!((0..columns).any(|column| at(1, column)));
            assert!((0..columns).any(|column| at(rows - 2, column)));
            assert!((0..rows).any(|row| at(row, 1)));
            assert!((0..rows).any(|row| at(row, columns - 2)));
        }
    }

    #[test]
    fn digits_are_as_distinct_as_the_papers() {
        let stamps = Stamps::embedded();
        let pairs = (0..10).flat_map(|one| (0..one).map(move |other| (one, other)));
        let distances: Vec<usize> = pairs
            .map(|(one, other)| distance(&stamps[one], &stamps[other]))
            .collect();
        // The paper's own stamps: 13 for the closest pair and 22.3 in the mean.
        assert!(distances.iter().all(|&distance| distance >= 13));
        assert!(distances.iter().sum::<usize>() as f64 / 45.0 >= 22.3);
    }
}
