//! A bitmap to draw on: colours, markers, and the file it ends up in.

use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::files::atomic;

/// What everything is drawn on; coordinates are pixels from the top left.
pub type Canvas<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// Ink for type and frames.
pub(crate) const INK: RGBColor = RGBColor(25, 25, 25);

/// Ten colours of different lightness, then round again.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 92, 175),
    RGBColor(214, 96, 0),
    RGBColor(0, 128, 76),
    RGBColor(190, 20, 50),
    RGBColor(120, 70, 180),
    RGBColor(122, 74, 40),
    RGBColor(214, 70, 160),
    RGBColor(80, 96, 110),
    RGBColor(140, 130, 0),
    RGBColor(0, 140, 160),
];

/// The colour of a channel or a series.
pub(crate) fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// A small sign at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A disc.
    Dot,
    /// A star with five points.
    Star,
    /// A diagonal cross.
    Cross,
    /// A square on its side.
    Square,
    /// A triangle.
    Triangle,
}

impl Marker {
    /// Draws it in a colour, with a white rim so that it stands out from any ground.
    pub(crate) fn draw(
        self,
        canvas: &Canvas<'_>,
        at: (i32, i32),
        radius: i32,
        colour: RGBColor,
    ) -> Result<()> {
        match self {
            Self::Dot => {
                canvas
                    .draw(&Circle::new(at, radius + 1, WHITE.filled()))
                    .map_err(draw_error)?;
                canvas
                    .draw(&Circle::new(at, radius, colour.filled()))
                    .map_err(draw_error)
            }
            Self::Cross => {
                for (reach, style) in [
                    (radius + 1, WHITE.stroke_width(5)),
                    (radius, colour.stroke_width(2)),
                ] {
                    for tilt in [-1, 1] {
                        let ends = vec![
                            (at.0 - reach, at.1 - tilt * reach),
                            (at.0 + reach, at.1 + tilt * reach),
                        ];
                        canvas
                            .draw(&PathElement::new(ends, style))
                            .map_err(draw_error)?;
                    }
                }
                Ok(())
            }
            Self::Star | Self::Square | Self::Triangle => {
                for (radius, colour) in [(radius + 2, WHITE), (radius + 1, colour)] {
                    let outline = self.outline(at, f64::from(radius));
                    canvas
                        .draw(&Polygon::new(outline, colour.filled()))
                        .map_err(draw_error)?;
                }
                Ok(())
            }
        }
    }

    /// The corners of a marker that is a polygon, clockwise from the top.
    pub(crate) fn outline(self, at: (i32, i32), radius: f64) -> Vec<(i32, i32)> {
        let (corners, inner) = match self {
            Self::Star => (10, 0.42),
            Self::Square => (4, 1.0),
            _ => (3, 1.0),
        };
        (0..corners)
            .map(|corner| {
                let angle = std::f64::consts::TAU * f64::from(corner) / f64::from(corners);
                let reach = if corner % 2 == 1 {
                    radius * inner
                } else {
                    radius
                } * 1.15;
                let (sine, cosine) = angle.sin_cos();
                (
                    at.0 + (reach * sine).round() as i32,
                    at.1 - (reach * cosine).round() as i32,
                )
            })
            .collect()
    }
}

/// Draws on a white bitmap and stores it as a PNG; a failure leaves what was there before.
///
/// # Errors
///
/// When drawing fails or the file cannot be written.
pub fn save(
    path: &Path,
    size: (u32, u32),
    draw: impl FnOnce(&Canvas<'_>) -> Result<()>,
) -> Result<()> {
    atomic::replace(path, |temporary| {
        let canvas = BitMapBackend::new(temporary, size).into_drawing_area();
        canvas.fill(&WHITE).map_err(io::Error::other)?;
        draw(&canvas).map_err(io::Error::other)?;
        canvas.present().map_err(io::Error::other)?;
        File::open(temporary)?.sync_all()
    })
    .with_context(|| format!("cannot draw {}", path.display()))
}

/// Plotters' errors borrow the canvas's backend type; only their words are of use.
pub(crate) fn draw_error(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{error}")
}
