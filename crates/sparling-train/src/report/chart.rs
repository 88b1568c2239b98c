//! Charts.

mod axis;
mod heat;
mod panel;

use std::path::Path;

use anyhow::Result;

use super::drawing::{Pixels, document, moved, save_png};
pub(super) use axis::Axis;
pub(super) use heat::HeatMap;
pub(super) use panel::{Bar, Panel, Series};

/// Errors below this are drawn at it: 0.01 %.
pub(super) const LEAST_ERROR: f64 = 1e-4;

/// Size of a panel.
const PANEL: Pixels = (740, 560);

/// Where an error lies on its axis.
pub(super) fn error_at(error: f64) -> f64 {
    error.max(LEAST_ERROR).log10()
}

/// Draws panels beside each other, in rows of so many.
pub(super) fn sheet(panels: &[Panel], columns: usize) -> String {
    let place = |index: usize| {
        let (column, row) = (index % columns, index / columns);
        (PANEL.0 * column as i32, PANEL.1 * row as i32)
    };
    let (last_column, last_row) = (columns.min(panels.len()), panels.len().div_ceil(columns));
    let size = (PANEL.0 * last_column as i32, PANEL.1 * last_row as i32);
    let panels = panels.iter().enumerate();
    document(
        size,
        panels.map(|(index, panel)| moved(panel.draw(PANEL), place(index))),
    )
}

/// Draws up to four panels as a PNG, two beside each other.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn save(path: &Path, panels: &[Panel]) -> Result<()> {
    save_png(path, &sheet(panels, 2))
}
