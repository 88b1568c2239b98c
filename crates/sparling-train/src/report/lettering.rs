//! Type on a bitmap.
//!
//! Plotters places each glyph without its left bearing, which a monospaced typeface shows badly,
//! so that type is set here instead.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use anyhow::Result;
use plotters::prelude::*;

use super::canvas::{Canvas, draw_error};

static TYPEFACE: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(sparling_data::font::FONT)
        .expect("the typeface that comes along is readable")
});

/// How high a capital is, in type sizes.
const CAPITAL: f32 = 0.73;

/// Where a line of type stands against its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// It begins there.
    Left,
    /// Its middle is there.
    Centre,
}

/// How a line of type is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lettering {
    /// Pixels to an em.
    pub(crate) size: u32,
    /// Of the ink.
    pub(crate) colour: RGBColor,
    /// Against the point it is written at.
    pub(crate) align: Align,
}

impl Lettering {
    /// Type that begins at its point.
    pub(crate) fn left(size: u32, colour: RGBColor) -> Self {
        Self {
            size,
            colour,
            align: Align::Left,
        }
    }

    /// The same type, aligned otherwise.
    pub(crate) fn aligned(self, align: Align) -> Self {
        Self { align, ..self }
    }

    /// Writes a line whose capitals are vertically centred on a point.
    pub(crate) fn write(self, canvas: &Canvas<'_>, text: &str, at: (i32, i32)) -> Result<()> {
        let font = TYPEFACE.as_scaled(scale(self.size));
        let width = text_width(text, self.size);
        let mut left = match self.align {
            Align::Left => 0,
            Align::Centre => -width / 2,
        } as f32;
        let baseline = (self.size as f32 * CAPITAL / 2.0).round();
        for letter in text.chars() {
            let mut glyph = font.scaled_glyph(letter);
            glyph.position = point(left, baseline);
            left += font.h_advance(glyph.id);
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            let mut drawn = Ok(());
            outline.draw(|x, y, coverage| {
                let x = at.0 + corner.x as i32 + x as i32;
                let y = at.1 + corner.y as i32 + y as i32;
                if drawn.is_ok() {
                    let ink = self.colour.mix(f64::from(coverage.clamp(0.0, 1.0)));
                    drawn = canvas.draw_pixel((x, y), &ink);
                }
            });
            drawn.map_err(draw_error)?;
        }
        Ok(())
    }
}

/// How wide a line of type is, in pixels.
pub(crate) fn text_width(text: &str, size: u32) -> i32 {
    let font = TYPEFACE.as_scaled(scale(size));
    let width: f32 = text
        .chars()
        .map(|letter| font.h_advance(font.glyph_id(letter)))
        .sum();
    width.ceil() as i32
}

/// `ab_glyph` measures scales from ascent to descent; type sizes are in ems.
fn scale(size: u32) -> PxScale {
    let em = TYPEFACE.units_per_em().unwrap_or(1000.0);
    PxScale::from(size as f32 * TYPEFACE.height_unscaled() / em)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_text_is_wider() {
        assert_eq!(text_width("", 20), 0);
        let one = text_width("m", 20);
        assert!((10..=14).contains(&one), "{one}");
        assert!(text_width("mm", 20) > one);
        assert!(text_width("m", 40) > one);
    }

    #[test]
    fn every_sign_in_the_pictures_has_a_glyph() {
        for letter in "→✓✗≤%AZaz09".chars() {
            assert_ne!(TYPEFACE.glyph_id(letter).0, 0, "{letter}");
        }
    }
}
