//! From marks to pixels.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ab_glyph::{Font, FontVec, point};

use super::typeset::{Face, Mark, Shape};

/// Glyphs are drawn at whole multiples of this share of a pixel, so that few bitmaps serve all.
const PHASES: f64 = 4.0;

/// Which pixels a mark has ink on.
#[derive(Clone, Debug, PartialEq)]
pub struct Bitmap {
    /// Its first row, relative to where it is drawn.
    pub top: i32,
    /// Its first column.
    pub left: i32,
    /// Its width in pixels.
    pub columns: usize,
    /// Row by row.
    pub ink: Vec<bool>,
}

impl Bitmap {
    /// Its height in pixels.
    pub fn rows(&self) -> i32 {
        (self.ink.len() / self.columns.max(1)) as i32
    }
}

/// Draws marks at one resolution, and remembers the glyphs drawn.
#[derive(Debug)]
pub struct Pen {
    fonts: Vec<FontVec>,
    /// Pixels per em.
    em: f64,
    /// The coverage above which a pixel has ink.
    coverage: f32,
    glyphs: RwLock<HashMap<GlyphKey, Arc<Bitmap>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GlyphKey {
    face: Face,
    character: char,
    scale: u64,
    /// Multiples of 1 / [`PHASES`] pixels to the right and downwards.
    phase: [u8; 2],
}

impl Pen {
    /// A pen for so many pixels per em; a pixel has ink where more than `coverage` of it is covered.
    pub(super) fn new(em: f64, coverage: f32) -> Self {
        let load = |face: Face| {
            let name = format!("KaTeX_{}.ttf", face.name());
            let bytes = ratex_katex_fonts::ttf_bytes(&name).expect("the crate has all of KaTeX's");
            FontVec::try_from_vec(bytes.into_owned()).expect("KaTeX's fonts can be read")
        };
        Self {
            fonts: Face::ALL.map(load).into(),
            em,
            coverage,
            glyphs: RwLock::default(),
        }
    }

    /// Draws a mark: the pixel it is drawn at (row, column), and its bitmap from there.
    pub(super) fn draw(&self, mark: &Mark) -> ([i32; 2], Arc<Bitmap>) {
        match mark.shape {
            Shape::Glyph {
                face,
                character,
                scale,
            } => {
                let [(row, down), (column, right)] = [mark.y, mark.x].map(|em| split(em * self.em));
                let key = GlyphKey {
                    face,
                    character,
                    scale: scale.to_bits(),
                    phase: [right, down],
                };
                ([row, column], self.glyph(key))
            }
            Shape::Bar { width, thickness } => {
                let [x, y, width, thickness] =
                    [mark.x, mark.y, width, thickness].map(|em| em * self.em);
                let rows = self.covered(y - thickness / 2.0, y + thickness / 2.0);
                let columns = self.covered(x, x + width);
                let bar = Bitmap {
                    top: 0,
                    left: 0,
                    columns: columns.len(),
                    ink: vec![true; rows.len() * columns.len()],
                };
                ([rows.start, columns.start], Arc::new(bar))
            }
        }
    }

    /// The pixels that have ink between two places along an axis, at least one.
    fn covered(&self, from: f64, to: f64) -> std::ops::Range<i32> {
        let coverage = f64::from(self.coverage);
        let first = (from + coverage).floor() as i32;
        let last = (to - coverage).ceil() as i32;
        first..last.max(first + 1)
    }

    fn glyph(&self, key: GlyphKey) -> Arc<Bitmap> {
        let glyphs = self.glyphs.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(bitmap) = glyphs.get(&key) {
            return bitmap.clone();
        }
        drop(glyphs);
        let bitmap = Arc::new(self.rasterise(key));
        let mut glyphs = self.glyphs.write().unwrap_or_else(PoisonError::into_inner);
        glyphs.entry(key).or_insert(bitmap).clone()
    }

    fn rasterise(&self, key: GlyphKey) -> Bitmap {
        let font = &self.fonts[key.face as usize];
        let pixels = self.em * f64::from_bits(key.scale);
        let units = font.units_per_em().expect("KaTeX's fonts say so");
        let height = pixels as f32 * font.height_unscaled() / units;
        let [x, y] = key.phase.map(|phase| f32::from(phase) / PHASES as f32);
        let glyph = font.glyph_id(key.character);
        let glyph = glyph.with_scale_and_position(height, point(x, y));
        let outline = font.outline_glyph(glyph).expect("formulas' marks have ink");
        let bounds = outline.px_bounds();
        let columns = bounds.width() as usize;
        let mut ink = vec![false; columns * bounds.height() as usize];
        outline.draw(|column, row, coverage| {
            ink[row as usize * columns + column as usize] = coverage > self.coverage;
        });
        trimmed(bounds.min.y as i32, bounds.min.x as i32, columns, &ink)
    }
}

/// A length as whole pixels and a phase.
fn split(pixels: f64) -> (i32, u8) {
    let steps = (pixels * PHASES).round() as i32;
    let phases = PHASES as i32;
    (steps.div_euclid(phases), steps.rem_euclid(phases) as u8)
}

/// The bitmap without its empty rows and columns.
fn trimmed(top: i32, left: i32, columns: usize, ink: &[bool]) -> Bitmap {
    let inked = ink.iter().enumerate().filter(|(_, ink)| **ink);
    let cells: Vec<[usize; 2]> = inked.map(|(at, _)| [at / columns, at % columns]).collect();
    let range = |axis: usize| {
        let values = cells.iter().map(|cell| cell[axis]);
        match (values.clone().min(), values.max()) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        }
    };
    let (rows, wanted) = (range(0), range(1));
    let lines = rows.clone().flat_map(|row| {
        let start = row * columns;
        ink[start + wanted.start..start + wanted.end]
            .iter()
            .copied()
    });
    Bitmap {
        top: top + rows.start as i32,
        left: left + wanted.start as i32,
        columns: wanted.len(),
        ink: lines.collect(),
    }
}
