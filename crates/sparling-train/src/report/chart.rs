//! Charts as SVG, and as PNG where a picture stands on its own.

mod axis;
mod heat;
mod panel;

use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use svg::Document;
use svg::node::element::{Group, Rectangle, Text};

use crate::files::atomic;
pub(super) use axis::Axis;
pub(super) use heat::HeatMap;
pub(super) use panel::{Bar, Panel, Series};

/// Errors below this are drawn at it: 0.01 %.
pub(super) const LEAST_ERROR: f64 = 1e-4;

/// Size of a panel, in pixels.
pub(super) const PANEL: (u32, u32) = (740, 560);

/// The size of type, in pixels.
const TITLE_TYPE: u32 = 20;
const LABEL_TYPE: u32 = 15;

/// The typeface that comes along, and what to take where it is not there.
const TYPEFACE: &str = "DejaVu Sans Mono, monospace";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(sparling_data::font::FONT.to_vec());
    Arc::new(fonts)
});

/// Where an error lies on its axis.
pub(super) fn error_at(error: f64) -> f64 {
    error.max(LEAST_ERROR).log10()
}

/// Draws panels beside each other, in rows of so many, as SVG.
pub(super) fn sheet(panels: &[Panel], columns: u32) -> String {
    let rows = (panels.len() as u32).div_ceil(columns);
    let (width, height) = (PANEL.0 * columns.min(panels.len() as u32), PANEL.1 * rows);
    let groups = panels.iter().enumerate().map(|(index, panel)| {
        let column = index as u32 % columns * PANEL.0;
        let row = index as u32 / columns * PANEL.1;
        let shift = format!("translate({column} {row})");
        panel.draw(PANEL).set("transform", shift)
    });
    document((width, height), groups)
}

/// A white page with groups on it.
fn document((width, height): (u32, u32), groups: impl IntoIterator<Item = Group>) -> String {
    let ground = Rectangle::new()
        .set("width", width)
        .set("height", height)
        .set("fill", "#ffffff");
    let page = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("font-family", TYPEFACE)
        .add(ground);
    groups.into_iter().fold(page, Document::add).to_string()
}

/// Stores SVG as a PNG.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn save_png(path: &Path, svg: &str) -> Result<()> {
    let drawn = || {
        let options = Options {
            fontdb: FONTS.clone(),
            ..Options::default()
        };
        let tree = Tree::from_str(svg, &options).map_err(io::Error::other)?;
        let size = tree.size().to_int_size();
        let mut pixels = Pixmap::new(size.width(), size.height())
            .ok_or_else(|| io::Error::other("a picture without pixels"))?;
        resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
        pixels.encode_png().map_err(io::Error::other)
    };
    let bytes = drawn().with_context(|| format!("cannot draw {}", path.display()))?;
    atomic::write(path, &bytes).with_context(|| format!("cannot draw {}", path.display()))
}

/// Draws up to four panels as a PNG, two beside each other.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn save(path: &Path, panels: &[Panel]) -> Result<()> {
    save_png(path, &sheet(panels, 2))
}

/// Where a line of type stands against its point.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of type whose capitals are vertically centred on a point.
fn text(line: &str, size: u32, anchor: Anchor, (x, y): (i32, i32)) -> Text {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    Text::new(line)
        .set("x", x)
        .set("y", f64::from(y) + 0.365 * f64::from(size))
        .set("font-size", size)
        .set("text-anchor", anchor)
        .set("fill", "#191919")
}

/// How wide a line of the monospaced type is.
fn text_width(line: &str, size: u32) -> i32 {
    (line.chars().count() as f64 * 0.602 * f64::from(size)).round() as i32
}
