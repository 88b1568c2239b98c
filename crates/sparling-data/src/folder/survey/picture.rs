//! What pictures have in common: their sizes, their greys, and how large what is drawn in them is.

use std::collections::BTreeMap;

use image::{GrayImage, Rgb, imageops};

use super::{Spread, weighted_median};
use crate::folder::listing::Entry;
use crate::folder::picture::decode_colours;

/// A picture with no pixel further from its ground than this is blank.
const BLANK: u8 = 32;

/// What differs so much between red, green and blue is a colour.
const COLOURED: u8 = 48;

/// A picture of which so large a share is coloured may have to be told apart by that.
const COLOURFUL: f64 = 0.05;

/// What is transparent is looked at on white.
const BEHIND: u8 = 255;

/// What pictures have in common.
#[derive(Clone, Debug)]
pub struct PictureSurvey {
    /// Their heights, in pixels.
    pub heights: Spread,
    /// Their widths, in pixels.
    pub widths: Spread,
    /// The grey of their ground, from 0, black, to 255.
    pub ground: u8,
    /// The grey of their ink.
    pub ink: u8,
    /// How many there are.
    pub pictures: usize,
    /// How many have colours that are more than a few spots.
    pub colourful: usize,
    /// How many have another ground.
    pub otherwise: usize,
    /// How many have nothing on it.
    pub blank: usize,
    /// The median height and width of what hangs together in ink, in pixels.
    pub stroke: [f64; 2],
    /// The median height and width of the part of a picture that is drawn on, in pixels.
    pub drawn: [f64; 2],
}

/// One picture.
pub(super) struct Look {
    size: [u32; 2],
    ground: u8,
    is_colourful: bool,
    /// What is not ground.
    drawing: Option<Drawing>,
}

struct Drawing {
    ink: u8,
    stroke: [u32; 2],
    drawn: [u32; 2],
}

impl Look {
    pub(super) fn at(_: &Entry, bytes: &[u8]) -> Result<Self, String> {
        let colours = decode_colours(bytes, BEHIND)?;
        let coloured = colours.pixels().filter(|pixel| is_coloured(pixel));
        let coloured = coloured.count() as f64;
        let pixels = f64::from(colours.width()) * f64::from(colours.height());
        let picture = imageops::grayscale(&colours);
        let ground = ground(&picture);
        Ok(Self {
            size: [picture.height(), picture.width()],
            ground,
            is_colourful: coloured > COLOURFUL * pixels,
            drawing: Drawing::on(&picture, ground),
        })
    }
}

fn is_coloured(Rgb(colours): &Rgb<u8>) -> bool {
    let most = colours.iter().max().unwrap_or(&0);
    let least = colours.iter().min().unwrap_or(&0);
    most - least >= COLOURED
}

/// The grey in the middle of those along the edges.
fn ground(picture: &GrayImage) -> u8 {
    let (right, bottom) = (picture.width() - 1, picture.height() - 1);
    let mut greys = BTreeMap::new();
    let rows = (0..=bottom).flat_map(|y| [(0, y), (right, y)]);
    let columns = (0..=right).flat_map(|x| [(x, 0), (x, bottom)]);
    for (x, y) in rows.chain(columns) {
        *greys.entry(picture.get_pixel(x, y).0[0]).or_default() += 1;
    }
    weighted_median(&greys).unwrap_or(BEHIND)
}

impl Drawing {
    fn on(picture: &GrayImage, ground: u8) -> Option<Self> {
        // Ink is on that side of the ground where there is more of it.
        let mut sides = [BTreeMap::new(), BTreeMap::new()];
        for grey in picture.as_raw() {
            let side = usize::from(*grey > ground);
            *sides[side].entry(grey.abs_diff(ground)).or_default() += 1;
        }
        let sum = |side: &BTreeMap<u8, u64>| {
            let weights = side.iter().map(|(by, count)| u64::from(*by) * count);
            weights.sum::<u64>()
        };
        let bright = sum(&sides[1]) > sum(&sides[0]);
        let differences = &sides[usize::from(bright)];
        let most = differences.keys().next_back().copied()?;
        if most < BLANK {
            return None;
        }
        let strong: BTreeMap<u8, u64> = differences
            .range(most / 2..)
            .map(|(by, count)| (*by, *count))
            .collect();
        let strength = weighted_median(&strong)?;
        let is_ink = |grey: u8| (grey > ground) == bright && grey.abs_diff(ground) >= strength / 2;
        let mask: Vec<bool> = picture.as_raw().iter().map(|grey| is_ink(*grey)).collect();
        let width = picture.width() as usize;
        Some(Self {
            ink: match bright {
                true => ground.saturating_add(strength),
                false => ground.saturating_sub(strength),
            },
            stroke: stroke(&mask, width),
            drawn: drawn(&mask, width),
        })
    }
}

/// The median height and width of what hangs together; what is larger counts for more.
fn stroke(mask: &[bool], width: usize) -> [u32; 2] {
    let mut pending = mask.to_vec();
    let mut sides = [BTreeMap::new(), BTreeMap::new()];
    for start in 0..mask.len() {
        if let Some((area, size)) = take_connected(&mut pending, width, start) {
            for (sides, side) in sides.iter_mut().zip(size) {
                *sides.entry(side).or_default() += area;
            }
        }
    }
    sides.map(|sides| weighted_median(&sides).unwrap_or(0))
}

/// Takes what hangs together with a pixel of ink out of the mask: its area, height and width.
fn take_connected(mask: &mut [bool], width: usize, start: usize) -> Option<(u64, [u32; 2])> {
    if !mask[start] {
        return None;
    }
    let (mut rows, mut columns) = ([start / width; 2], [start % width; 2]);
    let mut area = 0;
    let mut pending = vec![start];
    mask[start] = false;
    while let Some(at) = pending.pop() {
        let (row, column) = (at / width, at % width);
        area += 1;
        rows = [rows[0].min(row), rows[1].max(row)];
        columns = [columns[0].min(column), columns[1].max(column)];
        let beside = [
            (column > 0).then(|| at - 1),
            (column + 1 < width).then_some(at + 1),
            at.checked_sub(width),
            (at + width < mask.len()).then_some(at + width),
        ];
        for next in beside.into_iter().flatten() {
            if mask[next] {
                mask[next] = false;
                pending.push(next);
            }
        }
    }
    let size = [rows, columns].map(|[first, last]| (last - first + 1) as u32);
    Some((area, size))
}

/// The height and width of the part that has all but a few percent of the ink.
fn drawn(mask: &[bool], width: usize) -> [u32; 2] {
    let inked = || (0..mask.len()).filter(|at| mask[*at]);
    let mut rows = vec![0; mask.len() / width];
    let mut columns = vec![0; width];
    for at in inked() {
        rows[at / width] += 1;
        columns[at % width] += 1;
    }
    [rows, columns].map(|counts| extent(&counts))
}

/// How many counts lie between the first and the last two percent of their sum.
fn extent(counts: &[u64]) -> u32 {
    let before_ink = |counts: Vec<u64>| {
        let total: u64 = counts.iter().sum();
        let mut before = 0;
        let within = counts.iter().position(|count| {
            before += count;
            50 * before > total
        });
        within.unwrap_or(0)
    };
    let backwards = counts.iter().rev().copied().collect();
    let around = before_ink(counts.to_vec()) + before_ink(backwards);
    counts.len().saturating_sub(around) as u32
}

impl PictureSurvey {
    /// Whether most pictures have colours.
    pub fn is_colourful(&self) -> bool {
        self.colourful > self.pictures / 2
    }

    pub(super) fn new(pictures: &[Look]) -> Self {
        let middle = |of: &dyn Fn(&Look) -> Option<f64>| Spread::of(pictures.iter().filter_map(of));
        let drawn = |of: &dyn Fn(&Drawing) -> f64| {
            middle(&|look: &Look| look.drawing.as_ref().map(of)).middle
        };
        let ground = middle(&|look| Some(f64::from(look.ground))).middle as u8;
        let otherwise = |look: &&Look| look.ground.abs_diff(ground) > 64;
        let ink = drawn(&|drawing| f64::from(drawing.ink)) as u8;
        let blank = pictures.iter().filter(|look| look.drawing.is_none());
        let blank = blank.count();
        Self {
            heights: middle(&|look| Some(f64::from(look.size[0]))),
            widths: middle(&|look| Some(f64::from(look.size[1]))),
            ground,
            // Of blank pictures nobody knows.
            ink: match ink == ground || blank == pictures.len() {
                true if ground < 128 => 255,
                true => 0,
                false => ink,
            },
            pictures: pictures.len(),
            colourful: pictures.iter().filter(|look| look.is_colourful).count(),
            otherwise: pictures.iter().filter(otherwise).count(),
            blank,
            stroke: [0, 1].map(|axis| drawn(&|drawing| f64::from(drawing.stroke[axis]))),
            drawn: [0, 1].map(|axis| drawn(&|drawing| f64::from(drawing.drawn[axis]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two bars, 4 high and 2 wide, at columns 3 and 8 of a picture of 10 by 16 pixels.
    fn bars(ground: u8, ink: u8) -> GrayImage {
        GrayImage::from_fn(16, 10, |x, y| {
            let bar = (3..7).contains(&y) && ([3, 4, 8, 9].contains(&x));
            image::Luma([if bar { ink } else { ground }])
        })
    }

    #[test]
    fn ground_ink_and_sizes_are_found() {
        for (from, to) in [(255, 20), (10, 240), (128, 255)] {
            let picture = bars(from, to);
            assert_eq!(ground(&picture), from);
            let drawing = Drawing::on(&picture, from).unwrap();
            assert_eq!(drawing.ink, to);
            assert_eq!(drawing.stroke, [4, 2]);
            assert_eq!(drawing.drawn, [4, 7]);
        }
    }

    #[test]
    fn a_blank_picture_has_no_drawing() {
        let picture = GrayImage::from_pixel(5, 5, image::Luma([200]));
        assert!(Drawing::on(&picture, 200).is_none());
        let blank = Look {
            size: [5, 5],
            ground: 200,
            is_colourful: false,
            drawing: None,
        };
        let survey = PictureSurvey::new(&[blank]);
        assert_eq!((survey.blank, survey.ground, survey.ink), (1, 200, 0));
    }
}
