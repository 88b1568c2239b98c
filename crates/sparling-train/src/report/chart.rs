//! Charts with up to four curves each, on linear or logarithmic axes.

mod axis;
mod panel;

use std::path::Path;

use anyhow::Result;

use super::canvas;
pub(super) use axis::Axis;
pub(super) use panel::{Panel, Series};

/// Size of the whole picture, in pixels.
const SIZE: (u32, u32) = (1480, 1120);

/// Draws up to four panels as a PNG, two beside each other.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn save(path: &Path, panels: &[Panel]) -> Result<()> {
    canvas::save(path, SIZE, |canvas| {
        let areas = canvas.split_evenly((2, 2));
        panels
            .iter()
            .zip(&areas)
            .try_for_each(|(panel, area)| panel.draw(area))
    })
}
