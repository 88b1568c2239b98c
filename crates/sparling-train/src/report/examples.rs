//! Inputs with the motifs found in them (paper, Figure 2).

use std::path::Path;

use anyhow::{Context, Result, ensure};
use sparling_data::Footprint;
use svg::node::element::{Group, Rectangle};

use super::drawing::{INK, Pixels, colour, document, frame, moved, save_png};
use super::marker::Marker;
use crate::metrics::{Matching, Motif, Role, Supports};

mod labels;
mod legend;
mod panel;
mod title;

use legend::Legend;
use panel::Panel;

/// One example to draw.
#[derive(Clone, Copy, Debug)]
pub struct ExamplePicture<'a> {
    /// The input, row-major `[height, width]`, of colours one plane after the other, which are drawn as their
    /// mean; of sound `[features, frames]`, with the first feature drawn at the bottom.
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

    /// Whether there are more motifs than can be told apart.
    fn is_crowded(&self) -> bool {
        self.motifs.len() > CROWD
    }

    /// What each motif counts as; where footprints are unknown, each is its own maximal one.
    fn roles(&self) -> Vec<Role> {
        match self.footprints {
            Some(footprints) => Matching::new(self.motifs, footprints).roles,
            None => vec![Role::Maximal; self.motifs.len()],
        }
    }
}

/// Space around and between panels, in pixels.
const GAP: i32 = 18;

/// With more motifs than this, marks are smaller, only maximal motifs have letters, and what their channels
/// look at is not drawn.
const CROWD: usize = 60;

/// More motifs than this would hide the input and each other: those that count least are left out.
const MOST_MOTIFS: usize = 500;

/// Draws examples in a grid, with a legend below, as a PNG.
///
/// A motif has its channel's letter and colour. A maximal one is a dot, another in a footprint a star,
/// one in no footprint a cross; where footprints are unknown every motif is a dot. True footprints have
/// a line around them, what a channel looks at a dashed one. Wrong predictions are marked; where there
/// are too many motifs to draw, that is said.
///
/// # Errors
///
/// When there is no example, an input does not have its shape, or the file cannot be written.
pub fn draw(path: &Path, examples: &[ExamplePicture<'_>]) -> Result<()> {
    let document = sheet(examples).with_context(|| format!("cannot draw {}", path.display()))?;
    save_png(path, &document)
}

fn sheet(examples: &[ExamplePicture<'_>]) -> Result<String> {
    ensure!(!examples.is_empty(), "no examples to draw");
    let panels: Vec<Panel<'_>> = examples
        .iter()
        .map(|example| Panel::new(example, lanes(examples)))
        .collect::<Result<_>>()?;
    let cell_width = panels.iter().map(Panel::width).max().unwrap_or(0) + GAP;
    let cell_height = panels.iter().map(Panel::height).max().unwrap_or(0) + GAP;
    let columns = columns(panels.len(), cell_width, cell_height);
    let width = columns as i32 * cell_width + GAP;
    let top = panels.len().div_ceil(columns) as i32 * cell_height + GAP;
    let legend = Legend::of(examples, width - 2 * GAP);
    let mut parts = vec![moved(legend.draw(), (GAP, top))];
    for (index, panel) in panels.iter().enumerate() {
        let (column, row) = ((index % columns) as i32, (index / columns) as i32);
        let corner = (GAP + column * cell_width, GAP + row * cell_height);
        parts.push(moved(panel.draw()?, corner));
    }
    Ok(document((width, top + legend.height() + GAP), parts))
}

/// In one dimension, one more than the highest channel there is a motif of.
fn lanes(examples: &[ExamplePicture<'_>]) -> usize {
    let motifs = examples.iter().flat_map(|example| example.motifs);
    motifs.map(|motif| motif.channel + 1).max().unwrap_or(1)
}

/// The number of columns that makes the whole about as wide as high, or a little wider.
fn columns(panels: usize, cell_width: i32, cell_height: i32) -> usize {
    let ideal = (panels as f64 * f64::from(cell_height) / f64::from(cell_width)).sqrt();
    (ideal.ceil() as usize).clamp(1, panels)
}

/// The sign of a role.
fn marker(role: Role) -> Marker {
    match role {
        Role::Maximal => Marker::Dot,
        Role::NonMaximal => Marker::Star,
        Role::FalsePositive => Marker::Cross,
    }
}

/// A line around a true footprint.
fn footprint_frame(corner: Pixels, size: Pixels) -> Rectangle {
    frame(corner, size, 1, INK)
}

/// A dashed line around what a channel looks at.
fn support_frame(corner: Pixels, size: Pixels, channel: usize) -> Group {
    let dashed = frame(corner, size, 2, colour(channel)).set("stroke-dasharray", "6 4");
    Group::new().add(dashed)
}

#[cfg(test)]
mod tests;
