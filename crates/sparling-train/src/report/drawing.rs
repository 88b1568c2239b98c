//! The one way of drawing: parts of an SVG document in pixels, and the document as a PNG.

use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Text};

use crate::files::atomic;

/// A place, or a width and a height.
pub(super) type Pixels = (i32, i32);

/// Type, and frames of what is known.
pub(super) const INK: &str = "#191919";

/// The ground, and rims around what stands on anything else.
pub(super) const PAPER: &str = "#ffffff";

/// Frames and type that matter less.
pub(super) const GREY: &str = "#6e6e6e";

/// Lines that only guide the eye.
pub(super) const LIGHT: &str = "#dadada";

/// Ten colours of different lightness, then round again.
const COLOURS: [&str; 10] = [
    "#005caf", "#d66000", "#00804c", "#be1432", "#7846b4", "#7a4a28", "#d646a0", "#50606e",
    "#8c8200", "#008ca0",
];

/// Sizes of type.
pub(super) const LABEL_TYPE: i32 = 15;
pub(super) const TITLE_TYPE: i32 = 20;

/// The typeface that comes along, and what to take where it is not there.
const TYPEFACE: &str = "DejaVu Sans Mono, monospace";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(sparling_data::font::FONT.to_vec());
    Arc::new(fonts)
});

/// The colour of a channel or a series.
pub(super) fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// A white page of a size with groups on it.
pub(super) fn document((width, height): Pixels, groups: impl IntoIterator<Item = Group>) -> String {
    let ground = Rectangle::new()
        .set("width", width)
        .set("height", height)
        .set("fill", PAPER);
    let page = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .set("font-family", TYPEFACE)
        .add(ground);
    groups.into_iter().fold(page, Document::add).to_string()
}

/// Stores a document as a PNG; a failure leaves what was there before.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn save_png(path: &Path, document: &str) -> Result<()> {
    let drawn = || {
        let png = render(document)?.encode_png().map_err(io::Error::other)?;
        anyhow::Ok(atomic::write(path, &png)?)
    };
    drawn().with_context(|| format!("cannot draw {}", path.display()))
}

fn render(document: &str) -> Result<Pixmap> {
    let options = Options {
        fontdb: FONTS.clone(),
        ..Options::default()
    };
    let tree = Tree::from_str(document, &options)?;
    let size = tree.size().to_int_size();
    let mut pixels =
        Pixmap::new(size.width(), size.height()).context("a picture without pixels")?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    Ok(pixels)
}

/// Where a line of type stands against its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of type whose capitals are vertically centred on a point.
pub(super) fn text(line: &str, size: i32, anchor: Anchor, (x, y): Pixels) -> Text {
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
        .set("fill", INK)
}

/// How wide a line of the monospaced type is.
pub(super) fn text_width(line: &str, size: i32) -> i32 {
    (line.chars().count() as f64 * 0.602 * f64::from(size)).round() as i32
}

/// A line one pixel wide.
pub(super) fn rule(from: Pixels, to: Pixels, colour: &str) -> Line {
    Line::new()
        .set("x1", from.0)
        .set("y1", from.1)
        .set("x2", to.0)
        .set("y2", to.1)
        .set("stroke", colour)
}

/// A sharp frame along the inside of a box.
pub(super) fn frame(corner: Pixels, size: Pixels, thickness: i32, colour: &str) -> Rectangle {
    let half = f64::from(thickness) / 2.0;
    Rectangle::new()
        .set("x", f64::from(corner.0) + half)
        .set("y", f64::from(corner.1) + half)
        .set("width", (size.0 - thickness).max(0))
        .set("height", (size.1 - thickness).max(0))
        .set("fill", "none")
        .set("stroke", colour)
        .set("stroke-width", thickness)
        .set("shape-rendering", "crispEdges")
}

/// A group with its origin at a point.
pub(super) fn moved(group: Group, (x, y): Pixels) -> Group {
    group.set("transform", format!("translate({x} {y})"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The colours of a group's pixels on a page of this size, row by row.
    pub(in crate::report) fn rendered(group: Group, size: Pixels) -> Vec<[u8; 3]> {
        let pixels = render(&document(size, [group])).expect("the document can be rendered");
        let pixels = pixels.pixels().iter();
        pixels
            .map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
            .collect()
    }

    fn written(line: &str) -> Vec<[u8; 3]> {
        let group = Group::new().add(text(line, TITLE_TYPE, Anchor::Start, (2, 12)));
        rendered(group, (200, 24))
    }

    #[test]
    fn every_sign_in_the_pictures_has_a_glyph() {
        let missing = written("\u{e000}");
        for letter in "→✓✗≤%AZaz09".chars() {
            assert_ne!(written(&letter.to_string()), missing, "{letter}");
        }
    }

    #[test]
    fn type_is_as_wide_as_it_is_said_to_be() {
        let line = "|---|";
        let pixels = written(line);
        let inked = |column: usize| {
            pixels
                .iter()
                .skip(column)
                .step_by(200)
                .any(|it| it[0] < 128)
        };
        let last = (0..200).rev().find(|column| inked(*column)).unwrap() as i32;
        let end = 2 + text_width(line, TITLE_TYPE);
        assert!((end - 8..end).contains(&last), "{last} is not before {end}");
    }

    #[test]
    fn frames_are_sharp_and_lie_inside_their_box() {
        let pixels = rendered(Group::new().add(frame((1, 1), (4, 3), 1, INK)), (6, 5));
        let inked: Vec<bool> = pixels.iter().map(|pixel| *pixel != [255; 3]).collect();
        #[rustfmt::skip]
        let expected = [
            false, false, false, false, false, false,
            false, true, true, true, true, false,
            false, true, false, false, true, false,
            false, true, true, true, true, false,
            false, false, false, false, false, false,
        ];
        assert_eq!(inked, expected);
        assert_eq!(pixels[7], [0x19; 3]);
    }
}
