//! One example: its title, its enlarged input and what was found in it.

use std::ops::Range;

use anyhow::{Result, ensure};
use svg::node::element::Group;

use super::labels::Labels;
use super::title::Title;
use super::{ExamplePicture, MOST_MOTIFS, footprint_frame, marker, support_frame};
use crate::metrics::channel::channel_name;
use crate::metrics::{Motif, Role};
use crate::report::drawing::{Pixels, colour, moved};
use crate::report::greys::{enlarged, mean_plane};

/// An example laid out.
pub(super) struct Panel<'a> {
    example: &'a ExamplePicture<'a>,
    /// In one dimension, the lanes that channels share the height among.
    lanes: usize,
    /// Pixels for one column and one row of the input.
    scale: Pixels,
    title: Title,
}

impl<'a> Panel<'a> {
    /// Lays an example out.
    pub(super) fn new(example: &'a ExamplePicture<'a>, lanes: usize) -> Result<Self> {
        let (height, width) = (example.height, example.width);
        ensure!(
            height > 0
                && width > 0
                && [1, 3].contains(&(example.input.len() / (height * width)))
                && example.input.len().is_multiple_of(height * width),
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
        Ok(Self {
            example,
            lanes,
            scale,
            title: Title::of(example, width as i32 * scale.0),
        })
    }

    /// In pixels.
    pub(super) fn width(&self) -> i32 {
        self.picture().0
    }

    /// In pixels, with the title.
    pub(super) fn height(&self) -> i32 {
        self.title.height() + self.picture().1
    }

    /// The size of the picture below the title.
    fn picture(&self) -> Pixels {
        let ExamplePicture { height, width, .. } = *self.example;
        (width as i32 * self.scale.0, height as i32 * self.scale.1)
    }

    /// Draws it with its top left corner at the origin.
    pub(super) fn draw(&self) -> Result<Group> {
        let ExamplePicture {
            input,
            height,
            width,
            map_height,
            ..
        } = *self.example;
        let greys = mean_plane(input, height * width);
        let picture = enlarged(&greys, width, self.scale, map_height == 1)?
            .add(self.footprints())
            .add(self.supports())
            .add(self.motifs());
        Ok(self
            .title
            .draw()
            .add(moved(picture, (0, self.title.height()))))
    }

    fn footprints(&self) -> Group {
        let footprints = self.example.footprints.unwrap_or_default().iter();
        let frames = footprints.map(|footprint| {
            let rows = footprint.top..footprint.bottom;
            let (corner, size) = self.on_picture(rows, footprint.left..footprint.right);
            footprint_frame(corner, size)
        });
        frames.fold(Group::new(), Group::add)
    }

    fn supports(&self) -> Group {
        let example = self.example;
        let Some(supports) = example.supports.filter(|_| !example.is_crowded()) else {
            return Group::new();
        };
        let frames = example.motifs.iter().filter_map(|motif| {
            let support = supports.of(motif)?;
            let [rows, columns] = support.around(motif, [example.map_height, example.width]);
            let (corner, size) = self.on_picture(rows, columns);
            Some(support_frame(corner, size, motif.channel))
        });
        frames.fold(Group::new(), Group::add)
    }

    /// Where a box of the map is: its corner and its size.
    fn on_picture(&self, rows: Range<usize>, columns: Range<usize>) -> (Pixels, Pixels) {
        let (width, height) = self.picture();
        let all = self.example.map_height.max(1) as i32;
        let across = |column: usize| (column as i32 * self.scale.0).min(width);
        let down = |row: usize| (row as i32 * height / all).min(height);
        let corner = (across(columns.start), down(rows.start));
        let size = (across(columns.end) - corner.0, down(rows.end) - corner.1);
        (corner, size)
    }

    /// Marks, the most important ones on top, and letters, which these get first.
    fn motifs(&self) -> Group {
        let ranked = self.ranked();
        let radius = if self.example.is_crowded() { 3 } else { 6 };
        let mut labels = Labels::new(self.picture());
        let mut group = Group::new();
        for (role, motif) in ranked.iter().rev() {
            let at = self.place(motif);
            labels.keep_clear(at, radius);
            group = group.add(marker(*role).draw(at, radius, colour(motif.channel)));
        }
        let named = ranked.iter();
        let named = named.filter(|(role, _)| *role == Role::Maximal || !self.example.is_crowded());
        let letters = named.filter_map(|(_, motif)| {
            let (name, colour) = (channel_name(motif.channel), colour(motif.channel));
            labels.beside(self.place(motif), radius, &name, colour)
        });
        letters.fold(group, Group::add)
    }

    /// The motifs to draw: those that count most first, and the strongest of these.
    fn ranked(&self) -> Vec<(Role, &Motif)> {
        let roles = self.example.roles().into_iter();
        let mut ranked: Vec<(Role, &Motif)> = roles.zip(self.example.motifs).collect();
        let rank = |role| match role {
            Role::Maximal => 0,
            Role::FalsePositive => 1,
            Role::NonMaximal => 2,
        };
        ranked.sort_by(|(role, motif), (other_role, other)| {
            let strongest = || other.strength.total_cmp(&motif.strength);
            rank(*role).cmp(&rank(*other_role)).then_with(strongest)
        });
        ranked.truncate(MOST_MOTIFS);
        ranked
    }

    /// The middle of a motif's position; in one dimension each channel has its own lane.
    fn place(&self, motif: &Motif) -> Pixels {
        let across = motif.column as i32 * self.scale.0 + self.scale.0 / 2;
        let (lane, lanes) = match self.example.map_height {
            1 => (motif.channel, self.lanes),
            rows => (motif.row, rows),
        };
        let down = (2 * lane + 1) as i32 * self.picture().1 / (2 * lanes as i32);
        (across, down)
    }
}
