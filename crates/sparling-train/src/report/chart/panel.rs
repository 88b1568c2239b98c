//! One chart: a title, a legend above the curves so that it covers none, and the curves.

use plotters::style::RGBColor;
use svg::node::element::{Circle, Group, Line, Polygon, Polyline, Rectangle};

use super::axis::Axis;
use super::{Anchor, LABEL_TYPE, TITLE_TYPE, text, text_width};
use crate::report::canvas::{Marker, colour};

/// Room around the curves, in pixels: above for title and legend, left and below for the ticks.
const HEAD: i32 = 76;
const LEFT: i32 = 96;
const FOOT: i32 = 66;
const RIGHT: i32 = 30;

/// More marks than this on a curve would touch each other.
const MOST_MARKS: usize = 24;

/// A chart to draw.
pub(in crate::report) struct Panel {
    pub(in crate::report) title: String,
    pub(in crate::report) x: Axis,
    pub(in crate::report) y: Axis,
    pub(in crate::report) series: Vec<Series>,
    pub(in crate::report) bars: Vec<Bar>,
}

/// A curve or a cloud of points, in the axes' coordinates.
pub(in crate::report) struct Series {
    name: String,
    style: usize,
    is_line: bool,
    pub(in crate::report) points: Vec<(f64, f64)>,
}

/// A mean with its interval and the values it is the mean of, in the axes' coordinates.
pub(in crate::report) struct Bar {
    /// Along the horizontal axis.
    pub(in crate::report) at: f64,
    pub(in crate::report) mean: f64,
    pub(in crate::report) interval: [f64; 2],
    pub(in crate::report) values: Vec<f64>,
    pub(in crate::report) style: usize,
}

impl Series {
    /// A curve through points; the style picks colour, dash and marker.
    pub(in crate::report) fn line(
        name: impl Into<String>,
        style: usize,
        points: impl Iterator<Item = (f64, f64)>,
    ) -> Self {
        Self {
            name: name.into(),
            style,
            is_line: true,
            points: points
                .filter(|(x, y)| x.is_finite() && y.is_finite())
                .collect(),
        }
    }

    /// Points that are not connected.
    pub(in crate::report) fn dots(
        name: impl Into<String>,
        style: usize,
        points: impl Iterator<Item = (f64, f64)>,
    ) -> Self {
        Self {
            is_line: false,
            ..Self::line(name, style, points)
        }
    }

    fn marker(&self) -> Marker {
        use Marker::{Cross, Dot, Square, Star, Triangle};
        [Dot, Square, Triangle, Cross, Star][self.style % 5]
    }

    /// Lengths of dashes and gaps.
    fn dash(&self) -> &'static str {
        ["none", "10 6", "3 4", "16 4", "12 4 3 4"][self.style % 5]
    }

    fn draw_line(&self, points: &[(i32, i32)]) -> Group {
        if !self.is_line {
            return Group::new();
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let line = Polyline::new()
            .set("points", points.join(" "))
            .set("fill", "none")
            .set("stroke", hex(colour(self.style)))
            .set("stroke-width", 2)
            .set("stroke-dasharray", self.dash());
        Group::new().add(line)
    }

    /// Every so many points, so that marks do not touch.
    fn marks(&self) -> impl Iterator<Item = &(f64, f64)> {
        let every = self.points.len().div_ceil(MOST_MARKS).max(1);
        self.points
            .iter()
            .step_by(if self.is_line { every } else { 1 })
    }
}

impl Panel {
    /// A chart of curves.
    pub(in crate::report) fn of_curves(
        title: impl Into<String>,
        x: Axis,
        y: Axis,
        series: Vec<Series>,
    ) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            series,
            bars: Vec::new(),
        }
    }

    /// Draws the chart over a whole area.
    pub(in crate::report) fn draw(&self, (width, height): (u32, u32)) -> Group {
        let across = (LEFT, width as i32 - RIGHT);
        let up = (height as i32 - FOOT, HEAD);
        let place = |(x, y): (f64, f64)| (self.x.place(x, across), self.y.place(y, up));
        let mut group = Group::new()
            .add(text(&self.title, TITLE_TYPE, Anchor::Start, (LEFT, 26)))
            .add(self.legend())
            .add(self.grid(across, up));
        // Seven tenths of the room that each has, or would have among ten.
        let wide = (across.1 - across.0) * 7 / 10 / (self.x.ticks.len() as i32).max(10);
        for bar in &self.bars {
            group = group.add(bar.draw(place, up.0, wide));
        }
        for series in &self.series {
            let line: Vec<_> = series.points.iter().map(|&point| place(point)).collect();
            group = group.add(series.draw_line(&line));
        }
        for series in &self.series {
            for &point in series.marks() {
                group = group.add(mark(series.marker(), place(point), colour(series.style)));
            }
        }
        group
    }

    /// A line and a label at each tick, the frame, and what the horizontal axis is.
    fn grid(&self, across: (i32, i32), up: (i32, i32)) -> Group {
        let (grid, frame) = ("#dadada", "#6e6e6e");
        let (start, end) = ((across.0, up.0), (across.1, up.1));
        let mut group = Group::new();
        for (tick, name) in &self.x.ticks {
            let x = self.x.place(*tick, across);
            group = group
                .add(rule((x, start.1), (x, end.1), grid))
                .add(rule((x, start.1), (x, start.1 + 5), frame))
                .add(text(name, LABEL_TYPE, Anchor::Middle, (x, start.1 + 18)));
        }
        for (tick, name) in &self.y.ticks {
            let y = self.y.place(*tick, up);
            group = group
                .add(rule((start.0, y), (end.0, y), grid))
                .add(rule((start.0 - 5, y), (start.0, y), frame))
                .add(text(name, LABEL_TYPE, Anchor::End, (start.0 - 10, y)));
        }
        let middle = ((start.0 + end.0) / 2, start.1 + 42);
        group
            .add(rule(start, (end.0, start.1), frame))
            .add(rule(start, (start.0, end.1), frame))
            .add(text(self.x.title, LABEL_TYPE, Anchor::Middle, middle))
    }

    fn legend(&self) -> Group {
        let (mut left, middle) = (LEFT, 58);
        let mut group = Group::new();
        for series in self.series.iter().filter(|series| !series.name.is_empty()) {
            let sample = [(left, middle), (left + 44, middle)];
            group = group
                .add(series.draw_line(&sample))
                .add(mark(
                    series.marker(),
                    (left + 22, middle),
                    colour(series.style),
                ))
                .add(text(
                    &series.name,
                    LABEL_TYPE,
                    Anchor::Start,
                    (left + 52, middle),
                ));
            left += 52 + text_width(&series.name, LABEL_TYPE) + 16;
        }
        group
    }
}

impl Bar {
    fn draw(&self, place: impl Fn((f64, f64)) -> (i32, i32), foot: i32, width: i32) -> Group {
        let fill = colour(self.style);
        let (middle, top) = place((self.at, self.mean));
        let [low, high] = self.interval.map(|value| place((self.at, value)).1);
        let block = Rectangle::new()
            .set("x", middle - width / 2)
            .set("y", top)
            .set("width", width)
            .set("height", (foot - top).max(0))
            .set("fill", hex(fill))
            .set("fill-opacity", 0.35)
            .set("stroke", hex(fill));
        let whisker = |from, to| rule(from, to, "#191919").set("stroke-width", 2);
        let mut group = Group::new()
            .add(block)
            .add(whisker((middle, low), (middle, high)))
            .add(whisker((middle - 6, low), (middle + 6, low)))
            .add(whisker((middle - 6, high), (middle + 6, high)));
        // Beside each other, so that equal values do not hide one another.
        let step = (width - 8) / self.values.len().max(1) as i32;
        for (index, value) in self.values.iter().enumerate() {
            let shift = index as i32 * step - step * (self.values.len() as i32 - 1) / 2;
            let (x, y) = place((self.at, *value));
            group = group.add(mark(Marker::Dot, (x + shift, y), fill));
        }
        group
    }
}

fn rule(from: (i32, i32), to: (i32, i32), colour: &str) -> Line {
    Line::new()
        .set("x1", from.0)
        .set("y1", from.1)
        .set("x2", to.0)
        .set("y2", to.1)
        .set("stroke", colour)
}

/// A small sign at a point, with a white rim so that it stands out from any ground.
fn mark(marker: Marker, at: (i32, i32), fill: RGBColor) -> Group {
    let (fill, rim) = (hex(fill), "#ffffff");
    match marker {
        Marker::Dot => {
            let disc = Circle::new()
                .set("cx", at.0)
                .set("cy", at.1)
                .set("r", 4)
                .set("fill", fill)
                .set("stroke", rim);
            Group::new().add(disc)
        }
        Marker::Cross => {
            let tilts =
                [-1, 1].map(|tilt| ((at.0 - 4, at.1 - 4 * tilt), (at.0 + 4, at.1 + 4 * tilt)));
            let strokes = [(rim, 5), (fill.as_str(), 2)];
            let lines = strokes.iter().flat_map(|(colour, width)| {
                tilts.map(|(from, to)| rule(from, to, colour).set("stroke-width", *width))
            });
            lines.fold(Group::new(), Group::add)
        }
        Marker::Star | Marker::Square | Marker::Triangle => {
            let corners = marker.outline(at, 5.0);
            let corners: Vec<String> = corners.iter().map(|(x, y)| format!("{x},{y}")).collect();
            let shape = Polygon::new()
                .set("points", corners.join(" "))
                .set("fill", fill)
                .set("stroke", rim);
            Group::new().add(shape)
        }
    }
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
