//! Inputs with the motifs found in them (paper, Figure 2).

use std::path::Path;

use anyhow::{Result, ensure};
use plotters::prelude::*;
use sparling_data::Footprint;

use super::canvas::{self, Canvas, INK, Marker, colour, draw_error};
use super::lettering::{Lettering, text_width};
use crate::metrics::Supports;
use crate::metrics::{Matching, Motif, Role};

mod labels;
mod panel;
mod title;

use panel::Panel;
pub(super) use panel::draw_enlarged;

/// One example to draw.
#[derive(Clone, Copy, Debug)]
pub struct ExamplePicture<'a> {
    /// The input, row-major `[height, width]`; of sound `[features, frames]`, with the first feature drawn
    /// at the bottom.
    pub input: &'a [f32],
    /// Its height.
    pub height: usize,
    /// Its width.
    pub width: usize,
    /// Rows of the motif map: `height`, or 1 of a sequence, where each channel gets a lane.
    pub map_height: usize,
    /// The true footprints, or `None` where nobody knows them.
    pub footprints: Option<&'a [Footprint]>,
    /// The predicted motifs.
    pub motifs: &'a [Motif],
    /// Where the channels look, or `None` where that is not to be drawn.
    pub supports: Option<&'a Supports>,
    /// The true tokens, or `None` where nobody knows them.
    pub truth: Option<&'a str>,
    /// The predicted tokens, or `None` where nobody predicted any.
    pub prediction: Option<&'a str>,
}

impl<'a> ExamplePicture<'a> {
    /// An input of the shape `[channels, height, width]` of which nothing else is known. Of a sequence,
    /// whose height is 1, channels are rows of the picture.
    pub fn new(input: &'a [f32], [channels, map_height, width]: [usize; 3]) -> Self {
        let height = if map_height == 1 {
            channels
        } else {
            map_height
        };
        Self {
            input,
            height,
            width,
            map_height,
            footprints: None,
            motifs: &[],
            supports: None,
            truth: None,
            prediction: None,
        }
    }
}

/// Space around and between panels, in pixels.
const GAP: i32 = 18;

/// The size of the legend's type, in pixels.
const LEGEND_TYPE: u32 = 14;

/// Draws examples in a grid, with a legend below, as a PNG.
///
/// A maximal motif is a dot with its channel's letter, another motif in a footprint a star, a motif
/// in no footprint a cross. Where footprints are unknown every motif is a dot. Wrong predictions
/// are marked.
///
/// # Errors
///
/// When there is no example, an input does not have its shape, or the file cannot be written.
pub fn draw(path: &Path, examples: &[ExamplePicture<'_>]) -> Result<()> {
    ensure!(
        !examples.is_empty(),
        "no examples to draw in {}",
        path.display()
    );
    let panels = examples
        .iter()
        .map(Panel::new)
        .collect::<Result<Vec<_>>>()?;
    let cell_width = panels.iter().map(Panel::width).max().unwrap_or(0) + GAP;
    let cell_height = panels.iter().map(Panel::height).max().unwrap_or(0) + GAP;
    let columns = columns(panels.len(), cell_width, cell_height);
    let rows = panels.len().div_ceil(columns) as i32;
    let width = columns as i32 * cell_width + GAP;
    let known = examples.iter().any(|example| example.footprints.is_some());
    let boxed = examples.iter().any(|example| example.supports.is_some());
    let (legend, legend_height) = legend(known, boxed, width - 2 * GAP);
    let height = rows * cell_height + GAP + legend_height + GAP;
    canvas::save(path, (width as u32, height as u32), |canvas| {
        for (index, panel) in panels.iter().enumerate() {
            let column = (index % columns) as i32;
            let row = (index / columns) as i32;
            panel.draw(canvas, (GAP + column * cell_width, GAP + row * cell_height))?;
        }
        let top = rows * cell_height + GAP;
        legend
            .iter()
            .try_for_each(|entry| entry.draw(canvas, (GAP, top)))
    })
}

/// The number of columns that makes the whole about as wide as high, or a little wider.
fn columns(panels: usize, cell_width: i32, cell_height: i32) -> usize {
    let ideal = (panels as f64 * f64::from(cell_height) / f64::from(cell_width)).sqrt();
    (ideal.ceil() as usize).clamp(1, panels)
}

/// What the legend explains.
#[derive(Clone, Copy)]
enum Sign {
    Motif(Role),
    Footprint,
    Support,
}

/// A line of the legend, at a place within it.
struct LegendEntry {
    sign: Sign,
    text: &'static str,
    at: (i32, i32),
}

/// Lays the legend out in lines no wider than `width`, and says how high it is.
fn legend(known: bool, boxed: bool, width: i32) -> (Vec<LegendEntry>, i32) {
    let mut all = vec![(Sign::Motif(Role::Maximal), "motif")];
    if known {
        all = vec![
            (Sign::Motif(Role::Maximal), "maximal motif"),
            (Sign::Motif(Role::NonMaximal), "other motif in a footprint"),
            (Sign::Motif(Role::FalsePositive), "motif in no footprint"),
            (Sign::Footprint, "true footprint"),
        ];
    }
    if boxed {
        all.push((Sign::Support, "what the motif's channel looks at"));
    }
    let line = LEGEND_TYPE as i32 + 12;
    let (mut left, mut top) = (0, 0);
    let mut entries = Vec::new();
    for (sign, text) in all {
        let reach = 22 + text_width(text, LEGEND_TYPE);
        if left > 0 && left + reach > width {
            (left, top) = (0, top + line);
        }
        entries.push(LegendEntry {
            sign,
            text,
            at: (left, top),
        });
        left += reach + 24;
    }
    (entries, top + line)
}

impl LegendEntry {
    fn draw(&self, canvas: &Canvas<'_>, origin: (i32, i32)) -> Result<()> {
        let middle = origin.1 + self.at.1 + LEGEND_TYPE as i32 / 2;
        let sign = (origin.0 + self.at.0 + 7, middle);
        let frame = |colour| {
            let corners = [(sign.0 - 7, sign.1 - 6), (sign.0 + 7, sign.1 + 6)];
            canvas
                .draw(&Rectangle::new(corners, colour))
                .map_err(draw_error)
        };
        match self.sign {
            Sign::Motif(role) => marker(role).draw(canvas, sign, 5, INK)?,
            Sign::Footprint => frame(INK)?,
            Sign::Support => frame(colour(0))?,
        }
        Lettering::left(LEGEND_TYPE, INK).write(canvas, self.text, (sign.0 + 15, middle))
    }
}

/// The sign of a role.
fn marker(role: Role) -> Marker {
    match role {
        Role::Maximal => Marker::Dot,
        Role::NonMaximal => Marker::Star,
        Role::FalsePositive => Marker::Cross,
    }
}

/// What each motif counts as; where footprints are unknown, each is its own maximal one.
fn roles(example: &ExamplePicture<'_>) -> Vec<Role> {
    match example.footprints {
        Some(footprints) => Matching::new(example.motifs, footprints).roles,
        None => vec![Role::Maximal; example.motifs.len()],
    }
}

#[cfg(test)]
mod tests;
