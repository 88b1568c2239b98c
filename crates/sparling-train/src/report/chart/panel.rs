//! One chart: a title, a legend above the curves so that it covers none, and the curves.

use anyhow::Result;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::axis::Axis;
use crate::report::canvas::{Canvas, INK, Marker, colour, draw_error};
use crate::report::lettering::{Align, Lettering, text_width};

/// The size of type, in pixels.
const TITLE_TYPE: u32 = 20;
const LABEL_TYPE: u32 = 15;

/// Room around the curves, in pixels: above for title and legend, left and below for the ticks.
const HEAD: u32 = 76;
const LEFT: i32 = 96;
const FOOT: i32 = 66;
const RIGHT: i32 = 30;

/// More marks than this on a curve would touch each other.
const MOST_MARKS: usize = 24;

/// A chart to draw.
pub(in crate::report) struct Panel {
    pub(in crate::report) title: &'static str,
    pub(in crate::report) x: Axis,
    pub(in crate::report) y: Axis,
    pub(in crate::report) series: Vec<Series>,
}

/// One curve, in the axes' coordinates.
pub(in crate::report) struct Series {
    name: &'static str,
    style: usize,
    pub(in crate::report) points: Vec<(f64, f64)>,
}

impl Series {
    /// A curve through points; the style picks colour, dash and marker.
    pub(in crate::report) fn line(
        name: &'static str,
        style: usize,
        points: impl Iterator<Item = (f64, f64)>,
    ) -> Self {
        Self {
            name,
            style,
            points: points
                .filter(|(x, y)| x.is_finite() && y.is_finite())
                .collect(),
        }
    }

    fn marker(&self) -> Marker {
        [Marker::Dot, Marker::Square, Marker::Triangle, Marker::Cross][self.style % 4]
    }

    /// Length of dash and gap in pixels; a gap of 0 is a solid line.
    fn dash(&self) -> (u32, u32) {
        [(1, 0), (10, 6), (3, 4), (16, 4)][self.style % 4]
    }

    fn draw_line(&self, area: &Canvas<'_>, points: Vec<(i32, i32)>) -> Result<()> {
        let stroke = colour(self.style).stroke_width(2);
        match self.dash() {
            (_, 0) => area
                .draw(&PathElement::new(points, stroke))
                .map_err(draw_error),
            (dash, gap) => area
                .draw(&DashedPathElement::new(points, dash, gap, stroke))
                .map_err(draw_error),
        }
    }

    /// Every so many points, so that marks do not touch.
    fn marks(&self) -> impl Iterator<Item = &(f64, f64)> {
        self.points
            .iter()
            .step_by(self.points.len().div_ceil(MOST_MARKS).max(1))
    }
}

impl Panel {
    /// Draws the chart over a whole area.
    pub(in crate::report) fn draw(&self, area: &Canvas<'_>) -> Result<()> {
        let (head, _) = area.split_vertically(HEAD);
        Lettering::left(TITLE_TYPE, INK).write(&head, self.title, (LEFT, 26))?;
        self.draw_legend(&head)?;
        let (width, height) = area.dim_in_pixel();
        let across = (LEFT, width as i32 - RIGHT);
        let up = (height as i32 - FOOT, HEAD as i32);
        let place = |(x, y): (f64, f64)| (self.x.place(x, across), self.y.place(y, up));
        self.draw_grid(area, across, up)?;
        for series in &self.series {
            let line = series.points.iter().map(|&point| place(point));
            series.draw_line(area, line.collect())?;
        }
        for series in &self.series {
            for &point in series.marks() {
                series
                    .marker()
                    .draw(area, place(point), 4, colour(series.style))?;
            }
        }
        Ok(())
    }

    /// A line and a label at each tick, the frame, and what the horizontal axis is.
    fn draw_grid(&self, area: &Canvas<'_>, across: (i32, i32), up: (i32, i32)) -> Result<()> {
        let (grid, frame) = (RGBColor(218, 218, 218), RGBColor(110, 110, 110));
        let label = Lettering::left(LABEL_TYPE, INK);
        let (start, end) = ((across.0, up.0), (across.1, up.1));
        let rule = |from, to, colour: RGBColor| {
            area.draw(&PathElement::new(vec![from, to], colour))
                .map_err(draw_error)
        };
        for (tick, name) in &self.x.ticks {
            let x = self.x.place(*tick, across);
            rule((x, start.1), (x, end.1), grid)?;
            rule((x, start.1), (x, start.1 + 5), frame)?;
            label
                .aligned(Align::Centre)
                .write(area, name, (x, start.1 + 18))?;
        }
        for (tick, name) in &self.y.ticks {
            let y = self.y.place(*tick, up);
            rule((start.0, y), (end.0, y), grid)?;
            rule((start.0 - 5, y), (start.0, y), frame)?;
            label
                .aligned(Align::Right)
                .write(area, name, (start.0 - 10, y))?;
        }
        rule(start, (end.0, start.1), frame)?;
        rule(start, (start.0, end.1), frame)?;
        let middle = ((start.0 + end.0) / 2, start.1 + 42);
        label
            .aligned(Align::Centre)
            .write(area, self.x.title, middle)
    }

    fn draw_legend(&self, head: &Canvas<'_>) -> Result<()> {
        let (mut left, middle) = (LEFT, 58);
        for series in &self.series {
            series.draw_line(head, vec![(left, middle), (left + 44, middle)])?;
            series
                .marker()
                .draw(head, (left + 22, middle), 4, colour(series.style))?;
            Lettering::left(LABEL_TYPE, INK).write(head, series.name, (left + 52, middle))?;
            left += 52 + text_width(series.name, LABEL_TYPE) + 26;
        }
        Ok(())
    }
}
