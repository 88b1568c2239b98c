//! One chart: a title, a legend above the curves so that it covers none, and the curves.

use svg::node::element::{Group, Polyline, Rectangle};

use super::axis::Axis;
use crate::report::drawing::{
    Anchor, GREY, INK, LABEL_TYPE, LIGHT, Pixels, TITLE_TYPE, colour, rule, text, text_width,
};
use crate::report::marker::Marker;

/// Room around the curves, in pixels: above for title and legend, left and below for the ticks.
const HEAD: i32 = 76;
const LEFT: i32 = 96;
const FOOT: i32 = 66;
const RIGHT: i32 = 30;

/// More marks than this on a curve would touch each other.
const MOST_MARKS: usize = 24;

/// The radius of a mark, in pixels.
const MARK: i32 = 4;

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

    fn mark(&self, at: Pixels) -> Group {
        use Marker::{Cross, Dot, Square, Star, Triangle};
        let marker = [Dot, Square, Triangle, Cross, Star][self.style % 5];
        marker.draw(at, MARK, colour(self.style))
    }

    /// Lengths of dashes and gaps.
    fn dash(&self) -> &'static str {
        ["none", "10 6", "3 4", "16 4", "12 4 3 4"][self.style % 5]
    }

    fn draw_line(&self, points: &[Pixels]) -> Group {
        if !self.is_line {
            return Group::new();
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let line = Polyline::new()
            .set("points", points.join(" "))
            .set("fill", "none")
            .set("stroke", colour(self.style))
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
    pub(in crate::report) fn draw(&self, (width, height): Pixels) -> Group {
        let across = (LEFT, width - RIGHT);
        let up = (height - FOOT, HEAD);
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
                group = group.add(series.mark(place(point)));
            }
        }
        group
    }

    /// A line and a label at each tick, the frame, and what the horizontal axis is.
    fn grid(&self, across: (i32, i32), up: (i32, i32)) -> Group {
        let (grid, frame) = (LIGHT, GREY);
        let (start, end) = ((across.0, up.0), (across.1, up.1));
        let mut group = Group::new().set("shape-rendering", "crispEdges");
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
                .add(series.mark((left + 22, middle)))
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
    fn draw(&self, place: impl Fn((f64, f64)) -> Pixels, foot: i32, width: i32) -> Group {
        let fill = colour(self.style);
        let (middle, top) = place((self.at, self.mean));
        let [low, high] = self.interval.map(|value| place((self.at, value)).1);
        let block = Rectangle::new()
            .set("x", middle - width / 2)
            .set("y", top)
            .set("width", width)
            .set("height", (foot - top).max(0))
            .set("fill", fill)
            .set("fill-opacity", 0.35)
            .set("stroke", fill);
        let whisker = |from, to| rule(from, to, INK).set("stroke-width", 2);
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
            group = group.add(Marker::Dot.draw((x + shift, y), MARK, fill));
        }
        group
    }
}
