//! The flow from an input's motifs to the output's tokens, as a graph.

use std::fmt::Write as _;
use std::path::Path as FilePath;

use anyhow::Result;
use svg::node::element::{Group, Path};

use super::drawing::{
    self, Anchor, GREY, LABEL_TYPE, Pixels, TITLE_TYPE, colour, document, moved, text,
};
use super::greys::enlarged;
use crate::study::channels::Crop;

/// What has an edge to a token changes its log-probability by at least so much, in nats.
pub const LEAST_EFFECT: f64 = 0.05;

/// An effect that is drawn as thick as can be, in nats.
const LARGE_EFFECT: f64 = 8.0;

/// The colours of edges: what a token needs, and what speaks against it.
pub(super) const FOR: &str = "#005caf";
pub(super) const AGAINST: &str = "#be1432";

/// The side of a motif's picture and the height of a row, in pixels.
const CROP: i32 = 72;
const ROW: i32 = CROP + 16;

/// Where edges begin and end, and the width of all.
const EDGES: (i32, i32) = (330, 640);
const WIDTH: i32 = 900;
const TOP: i32 = 60;

/// A motif of the graph.
#[derive(Debug)]
pub struct Source<'a> {
    /// Its channel.
    pub channel: usize,
    /// Its name, place and strength.
    pub lines: [String; 3],
    /// The input around it.
    pub crop: &'a Crop,
    /// By how much each token's log-probability changes without it, in nats.
    pub without: &'a [f64],
}

/// A token of the graph.
#[derive(Debug)]
pub struct Sink {
    /// What is written.
    pub token: String,
    /// Its probability given all motifs.
    pub probability: f64,
}

/// Draws the graph as SVG: motifs on the left in the order they are given, tokens on the right in the
/// output's, and an edge where a token's log-probability changes without a motif, the thicker the more.
/// What a token needs is solid and blue, what speaks against it dashed and red.
///
/// # Errors
///
/// If a motif's picture cannot be encoded.
pub fn draw(title: &str, sources: &[Source<'_>], sinks: &[Sink]) -> Result<String> {
    let rows = sources.len().max(sinks.len()).max(1) as i32;
    let height = TOP + rows * ROW + 40;
    let place = |index: usize, count: usize| {
        TOP + (rows * ROW - count as i32 * ROW) / 2 + index as i32 * ROW + ROW / 2
    };
    let mut page = Group::new().add(text(title, TITLE_TYPE, Anchor::Start, (16, 30)));
    for (index, source) in sources.iter().enumerate() {
        let from = (EDGES.0, place(index, sources.len()));
        for (token, effect) in source.without.iter().enumerate() {
            if effect.abs() >= LEAST_EFFECT {
                page = page.add(edge(from, (EDGES.1, place(token, sinks.len())), *effect));
            }
        }
    }
    for (index, source) in sources.iter().enumerate() {
        page = page.add(source.draw(place(index, sources.len()))?);
    }
    for (index, sink) in sinks.iter().enumerate() {
        let y = place(index, sinks.len());
        let likely = format!("{:.1} %", 100.0 * sink.probability);
        page = page
            .add(text(
                &sink.token,
                2 * LABEL_TYPE,
                Anchor::Start,
                (EDGES.1 + 14, y),
            ))
            .add(text(&likely, LABEL_TYPE, Anchor::Start, (EDGES.1 + 150, y)).set("fill", GREY));
    }
    let legend = "solid: the token is less likely without the motif; dashed: more likely; thickness: by how much";
    page =
        page.add(text(legend, LABEL_TYPE - 3, Anchor::Start, (16, height - 16)).set("fill", GREY));
    Ok(document((WIDTH, height), [page]))
}

impl Source<'_> {
    fn draw(&self, middle: i32) -> Result<Group> {
        let side = self.crop.width.max(self.crop.height) as i32;
        let scale = (CROP / side).max(1);
        let picture = enlarged(
            &self.crop.pixels,
            self.crop.width,
            (scale, scale),
            self.crop.is_sound,
        )?;
        let top = middle - self.crop.height as i32 * scale / 2;
        let mut group = Group::new().add(moved(picture, (16, top)));
        let [name, place, strength] = &self.lines;
        let left = 16 + CROP.max(self.crop.width as i32 * scale) + 12;
        let name = text(name, TITLE_TYPE, Anchor::Start, (left, middle - 22));
        group = group.add(name.set("fill", colour(self.channel)));
        for (line, y) in [(place, middle + 2), (strength, middle + 22)] {
            group = group.add(text(line, LABEL_TYPE, Anchor::Start, (left, y)));
        }
        Ok(group)
    }
}

fn edge(from: Pixels, to: Pixels, effect: f64) -> Path {
    let bend = (from.0 + to.0) / 2;
    let line = format!(
        "M{} {}C{bend} {},{bend} {},{} {}",
        from.0, from.1, from.1, to.1, to.0, to.1
    );
    let width = 1.0 + 9.0 * (effect.abs() / LARGE_EFFECT).min(1.0);
    let path = Path::new()
        .set("d", line)
        .set("fill", "none")
        .set("stroke-width", format!("{width:.1}"))
        .set("stroke-opacity", "0.75");
    match effect < 0.0 {
        true => path.set("stroke", FOR),
        false => path.set("stroke", AGAINST).set("stroke-dasharray", "6 5"),
    }
}

/// Stores a drawn graph as a PNG.
///
/// # Errors
///
/// When the file cannot be written.
pub fn save_png(path: &FilePath, graph: &str) -> Result<()> {
    drawing::save_png(path, graph)
}

/// The graph in the DOT language, for tools that lay graphs out.
pub fn dot(sources: &[Source<'_>], sinks: &[Sink]) -> String {
    let mut graph = "digraph flow {\n  rankdir=LR;\n".to_owned();
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    for (index, source) in sources.iter().enumerate() {
        let label = quoted(&source.lines.join("\n")).replace('\n', "\\n");
        let _ = writeln!(graph, "  m{index} [shape=box, label=\"{label}\"];");
    }
    for (index, sink) in sinks.iter().enumerate() {
        let _ = writeln!(graph, "  t{index} [label=\"{}\"];", quoted(&sink.token));
    }
    for (motif, source) in sources.iter().enumerate() {
        for (token, effect) in source.without.iter().enumerate() {
            if effect.abs() >= LEAST_EFFECT {
                let style = if *effect < 0.0 { "solid" } else { "dashed" };
                let _ = writeln!(
                    graph,
                    "  m{motif} -> t{token} [label=\"{effect:.2}\", style={style}];"
                );
            }
        }
    }
    graph.push_str("}\n");
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_effects_have_no_edge_and_signs_have_two_cues() {
        let crop = Crop {
            strength: 1.0,
            pixels: vec![0.0, 1.0, 1.0, 0.0],
            height: 2,
            width: 2,
            is_sound: false,
        };
        let source = Source {
            channel: 1,
            lines: ["B \"3\"", "row 1, column 2", "strength 1.00"].map(str::to_owned),
            crop: &crop,
            without: &[-3.0, 0.01, 0.5],
        };
        let sink = |token: &str| Sink {
            token: token.to_owned(),
            probability: 0.5,
        };
        let sinks = [sink("3"), sink("5"), sink("end")];
        let drawn = draw("1.png: 3 5", &[source], &sinks).unwrap();
        assert_eq!(drawn.matches(FOR).count(), 1);
        assert_eq!(drawn.matches("stroke-dasharray").count(), 1);
        let source = Source {
            channel: 1,
            lines: ["B \"3\"", "row 1, column 2", "strength 1.00"].map(str::to_owned),
            crop: &crop,
            without: &[-3.0, 0.01, 0.5],
        };
        let graph = dot(&[source], &sinks);
        assert_eq!(graph.matches("->").count(), 2);
        assert!(graph.contains("m0 -> t0 [label=\"-3.00\", style=solid]"));
        assert!(graph.contains("B \\\"3\\\"\\nrow 1"));
    }
}
