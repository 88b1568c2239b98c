//! One example: its title, its enlarged input and what was found in it.

use std::ops::Range;

use anyhow::{Result, ensure};
use plotters::prelude::*;

use super::labels::Labels;
use super::title::{self, TitleLine};
use super::{ExamplePicture, marker, roles};
use crate::metrics::channel::channel_name;
use crate::metrics::{Motif, Role};
use crate::report::canvas::{Canvas, INK, colour, draw_error};
use crate::report::lettering::Lettering;

/// The height of a title's line, in pixels.
const LINE: i32 = 22;

/// The grey of full ink, light enough for the marks to stand out.
const INK_GREY: f32 = 170.0;

/// With more motifs than this, marks are smaller and only maximal motifs have letters.
const CROWD: usize = 60;

/// An example laid out.
pub(super) struct Panel<'a> {
    example: &'a ExamplePicture<'a>,
    /// Pixels for one column and one row of the input.
    scale: (i32, i32),
    title: Vec<TitleLine>,
}

impl<'a> Panel<'a> {
    /// Lays an example out.
    pub(super) fn new(example: &'a ExamplePicture<'a>) -> Result<Self> {
        let (height, width) = (example.height, example.width);
        ensure!(
            height > 0 && width > 0 && example.input.len() == height * width,
            "an input of {} values is not {height} x {width}",
            example.input.len()
        );
        // Wide inputs may be wider on the page; both ways stay whole pixels.
        let across = if width * 2 > height * 3 { 720 } else { 500 };
        let uniform = (across / width.max(height) as i32).max(1);
        let scale = if example.map_height == 1 && height > 1 {
            (uniform, (180 / height as i32).max(1))
        } else {
            (uniform, uniform.max(if height == 1 { 60 } else { 1 }))
        };
        let title = title::lines(example, width as i32 * scale.0);
        Ok(Self {
            example,
            scale,
            title,
        })
    }

    /// In pixels.
    pub(super) fn width(&self) -> i32 {
        self.example.width as i32 * self.scale.0
    }

    /// In pixels, with the title.
    pub(super) fn height(&self) -> i32 {
        self.title_height() + self.picture_height()
    }

    fn title_height(&self) -> i32 {
        self.title.len() as i32 * LINE + 4
    }

    fn picture_height(&self) -> i32 {
        self.example.height as i32 * self.scale.1
    }

    /// Draws it with its top left corner at a point.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, origin: (i32, i32)) -> Result<()> {
        for (index, line) in self.title.iter().enumerate() {
            let at = (origin.0, origin.1 + LINE / 2 + index as i32 * LINE);
            let colour = if line.wrong {
                RGBColor(190, 20, 50)
            } else {
                INK
            };
            Lettering::left(title::TYPE, colour).write(canvas, &line.text, at)?;
        }
        let corner = (origin.0, origin.1 + self.title_height());
        self.draw_input(canvas, corner)?;
        self.draw_footprints(canvas, corner)?;
        self.draw_supports(canvas, corner)?;
        self.draw_motifs(canvas, corner)
    }

    fn draw_input(&self, canvas: &Canvas<'_>, corner: (i32, i32)) -> Result<()> {
        let ExamplePicture {
            input,
            width,
            map_height,
            ..
        } = self.example;
        draw_enlarged(canvas, corner, input, *width, self.scale, *map_height == 1)
    }

    fn draw_footprints(&self, canvas: &Canvas<'_>, corner: (i32, i32)) -> Result<()> {
        for footprint in self.example.footprints.unwrap_or_default() {
            let rows = footprint.top..footprint.bottom;
            self.frame(canvas, corner, rows, footprint.left..footprint.right, INK)?;
        }
        Ok(())
    }

    fn draw_supports(&self, canvas: &Canvas<'_>, corner: (i32, i32)) -> Result<()> {
        let example = self.example;
        let Some(supports) = example.supports.filter(|_| !self.is_crowded()) else {
            return Ok(());
        };
        for motif in example.motifs {
            if let Some(support) = supports.of(motif) {
                let [rows, columns] = support.around(motif, [example.map_height, example.width]);
                self.frame(canvas, corner, rows, columns, colour(motif.channel))?;
            }
        }
        Ok(())
    }

    /// Draws a box of the map.
    fn frame(
        &self,
        canvas: &Canvas<'_>,
        corner: (i32, i32),
        rows: Range<usize>,
        columns: Range<usize>,
        colour: RGBColor,
    ) -> Result<()> {
        let (width, height) = (self.width(), self.picture_height());
        let all = self.example.map_height.max(1) as i32;
        let across = |column: usize| corner.0 + (column as i32 * self.scale.0).min(width);
        let down = |row: usize| corner.1 + (row as i32 * height / all).min(height);
        let corners = [
            (across(columns.start), down(rows.start)),
            (across(columns.end) - 1, down(rows.end) - 1),
        ];
        canvas
            .draw(&Rectangle::new(corners, colour))
            .map_err(draw_error)
    }

    /// Whether there are more motifs than can be told apart.
    fn is_crowded(&self) -> bool {
        self.example.motifs.len() > CROWD
    }

    fn draw_motifs(&self, canvas: &Canvas<'_>, corner: (i32, i32)) -> Result<()> {
        let example = self.example;
        let roles = roles(example);
        let end = (corner.0 + self.width(), corner.1 + self.picture_height());
        let mut labels = Labels::new(corner, end);
        let all_of = |role: Role| {
            let motifs = example.motifs.iter().zip(&roles);
            motifs
                .filter(move |(_, its)| **its == role)
                .map(|(motif, _)| {
                    let at = self.place(motif);
                    (motif.channel, (corner.0 + at.0, corner.1 + at.1))
                })
        };
        // Many marks are small ones, and those that count most come last, on top.
        let crowded = self.is_crowded();
        let radius = if crowded { 3 } else { 5 };
        for role in [Role::NonMaximal, Role::FalsePositive, Role::Maximal] {
            for (channel, at) in all_of(role) {
                marker(role).draw(canvas, at, radius, colour(channel))?;
                labels.keep_clear(at, radius);
            }
        }
        let named: &[Role] = match crowded {
            true => &[Role::Maximal],
            false => &[Role::Maximal, Role::FalsePositive, Role::NonMaximal],
        };
        for (channel, at) in named.iter().flat_map(|&role| all_of(role)) {
            labels.write(canvas, &channel_name(channel), at, radius, colour(channel))?;
        }
        Ok(())
    }

    /// The middle of a motif's position; in one dimension each channel has its own lane.
    fn place(&self, motif: &Motif) -> (i32, i32) {
        let across = motif.column as i32 * self.scale.0 + self.scale.0 / 2;
        let (lane, lanes) = if self.example.map_height == 1 {
            let channels = self.example.motifs.iter().map(|motif| motif.channel);
            (motif.channel, channels.max().unwrap_or(0) + 1)
        } else {
            (motif.row, self.example.map_height)
        };
        let down = (2 * lane + 1) as i32 * self.picture_height() / (2 * lanes as i32);
        (across, down)
    }
}

/// An input's values in greys: the commoner end of their range is paper, the other ink.
fn greys(input: &[f32]) -> Vec<u8> {
    let finite = input.iter().copied().filter(|value| value.is_finite());
    let low = finite.clone().fold(f32::INFINITY, f32::min);
    let range = (finite.fold(f32::NEG_INFINITY, f32::max) - low).max(f32::MIN_POSITIVE);
    let share = |value: f32| ((value - low) / range).clamp(0.0, 1.0);
    let paper_is_high = input.iter().filter(|&&value| share(value) > 0.5).count() * 2 > input.len();
    let ink = |value: f32| {
        if paper_is_high {
            1.0 - share(value)
        } else {
            share(value)
        }
    };
    input
        .iter()
        .map(|&value| (255.0 - (255.0 - INK_GREY) * ink(value)) as u8)
        .collect()
}

/// Draws values as greys in rows of `width`, each as a block of pixels, in a frame; of a spectrogram,
/// whose first row is the lowest frequency, from the bottom up.
pub(in crate::report) fn draw_enlarged(
    canvas: &Canvas<'_>,
    corner: (i32, i32),
    values: &[f32],
    width: usize,
    scale: (i32, i32),
    is_spectrogram: bool,
) -> Result<()> {
    let greys = greys(values);
    let mut rows: Vec<&[u8]> = greys.chunks_exact(width).collect();
    let size = (width as i32 * scale.0, rows.len() as i32 * scale.1);
    let mut pixels = Vec::with_capacity((size.0 * size.1 * 3) as usize);
    if is_spectrogram {
        rows.reverse();
    }
    for row in rows {
        let line: Vec<u8> = row
            .iter()
            .flat_map(|&grey| vec![grey; 3 * scale.0 as usize])
            .collect();
        (0..scale.1).for_each(|_| pixels.extend_from_slice(&line));
    }
    let area = (size.0 as u32, size.1 as u32);
    if let Some(bitmap) = BitMapElement::with_owned_buffer(corner, area, pixels) {
        canvas.draw(&bitmap).map_err(draw_error)?;
    }
    let end = (corner.0 + size.0, corner.1 + size.1);
    let frame = RGBColor(120, 120, 120);
    canvas
        .draw(&Rectangle::new([(corner.0 - 1, corner.1 - 1), end], frame))
        .map_err(draw_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commoner_end_is_paper() {
        let ink = INK_GREY as u8;
        assert_eq!(greys(&[0.0, 0.0, 1.0]), [255, 255, ink]);
        assert_eq!(greys(&[1.0, 1.0, 0.0]), [255, 255, ink]);
        assert_eq!(greys(&[-80.0, -80.0, 0.0, -40.0])[3], 212);
        assert_eq!(greys(&[7.0, 7.0]), [255, 255]);
    }
}
