//! What each channel answers to, with its strongest examples.

use std::path::Path;

use anyhow::{Result, ensure};
use svg::node::element::Group;

use super::drawing::{Anchor, LABEL_TYPE, colour, document, moved, save_png, text, text_width};
use super::greys::enlarged;
use crate::metrics::channel::channel_name;
use crate::study::channels::{Channel, Crop};

/// The side of an enlarged crop, in pixels, about.
const CROP: usize = 96;

/// The size of a channel's name.
const NAME_TYPE: i32 = 2 * LABEL_TYPE;

/// The least height of a row, in pixels.
const ROW: i32 = 60;

/// Space between crops and around all, in pixels.
const GAP: i32 = 12;

/// Symbols with a smaller share of a channel's activations are not named.
const LEAST_SHARE: f64 = 0.02;

/// Draws a row for each channel as a PNG: its name, its density, the symbols it is active in, and its
/// strongest examples.
///
/// # Errors
///
/// When there is no channel, or the file cannot be written.
pub fn draw(path: &Path, channels: &[Channel], symbols: &[String]) -> Result<()> {
    ensure!(
        !channels.is_empty(),
        "no channels to draw in {}",
        path.display()
    );
    let rows: Vec<Row<'_>> = (0..channels.len())
        .map(|index| Row::new(index, &channels[index], symbols))
        .collect();
    let layout = Layout::of(&rows);
    let drawn = rows.iter().enumerate().map(|(index, row)| {
        let top = GAP + index as i32 * (layout.height + GAP);
        Ok(moved(row.draw(index, &layout)?, (GAP, top)))
    });
    let drawn: Vec<Group> = drawn.collect::<Result<_>>()?;
    let most = rows.iter().map(|row| row.crops.len()).max().unwrap_or(0);
    let width = GAP + layout.crops + most as i32 * layout.step;
    let height = GAP + rows.len() as i32 * (layout.height + GAP);
    save_png(path, &document((width, height), drawn))
}

/// A channel as it is drawn.
struct Row<'a> {
    name: String,
    density: String,
    answers: String,
    crops: &'a [Crop],
}

/// What is where in all rows, in pixels.
struct Layout {
    /// A row's height.
    height: i32,
    /// Pixels for one value of a crop.
    scale: i32,
    /// Where notes and crops begin, and from one crop to the next.
    notes: i32,
    crops: i32,
    step: i32,
}

impl Layout {
    fn of(rows: &[Row<'_>]) -> Self {
        let crops = || rows.iter().flat_map(|row| row.crops);
        let height = crops().map(|crop| crop.height).max().unwrap_or(1);
        let width = crops().map(|crop| crop.width).max().unwrap_or(1);
        let scale = (CROP / width.max(height)).max(1) as i32;
        let names = rows.iter().map(|row| text_width(&row.name, NAME_TYPE));
        let notes = rows.iter().flat_map(|row| [&row.density, &row.answers]);
        let notes_width = notes.map(|note| text_width(note, LABEL_TYPE)).max();
        let notes = names.max().unwrap_or(0) + GAP;
        Self {
            height: (height as i32 * scale).max(ROW),
            scale,
            notes,
            crops: notes + notes_width.unwrap_or(0) + 2 * GAP,
            step: width as i32 * scale + GAP,
        }
    }
}

impl<'a> Row<'a> {
    fn new(index: usize, channel: &'a Channel, symbols: &[String]) -> Self {
        Self {
            name: channel_name(index),
            density: format!("density {:.2e}", channel.density),
            answers: answers(channel, symbols),
            crops: &channel.strongest,
        }
    }

    fn draw(&self, index: usize, layout: &Layout) -> Result<Group> {
        let middle = layout.height / 2;
        let name = text(&self.name, NAME_TYPE, Anchor::Start, (0, middle));
        let note = |note: &str, y| text(note, LABEL_TYPE, Anchor::Start, (layout.notes, y));
        let mut row = Group::new()
            .add(name.set("fill", colour(index)))
            .add(note(&self.density, middle - 12))
            .add(note(&self.answers, middle + 12));
        let scale = (layout.scale, layout.scale);
        for (place, crop) in self.crops.iter().enumerate() {
            let picture = enlarged(&crop.pixels, crop.width, scale, crop.is_sound)?;
            let left = layout.crops + place as i32 * layout.step;
            row = row.add(moved(picture, (left, 0)));
        }
        Ok(row)
    }
}

/// The symbols that a channel is active in, the most frequent first.
fn answers(channel: &Channel, symbols: &[String]) -> String {
    if channel.activations == 0 {
        return "never active".to_owned();
    }
    let total = channel.activations as f64;
    let mut shares: Vec<(f64, &str)> = channel
        .answers
        .iter()
        .zip(symbols)
        .map(|(count, symbol)| (*count as f64 / total, symbol.as_str()))
        .collect();
    let elsewhere = 1.0 - shares.iter().map(|(share, _)| share).sum::<f64>();
    shares.push((elsewhere, "none"));
    shares.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let named = shares
        .iter()
        .filter(|(share, _)| *share >= LEAST_SHARE)
        .take(3);
    let named: Vec<String> = named
        .map(|(share, symbol)| format!("{symbol} {:.0} %", 100.0 * share))
        .collect();
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_a_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("channels.png");
        let crop = Crop {
            strength: 1.0,
            pixels: vec![0.5; 25],
            height: 5,
            width: 5,
            is_sound: false,
        };
        let active = Channel {
            activations: 10,
            density: 1e-4,
            answers: vec![9, 0],
            strongest: vec![crop; 3],
        };
        let symbols = ["a", "b"].map(str::to_owned);
        assert_eq!(answers(&active, &symbols), "a 90 %, none 10 %");
        assert_eq!(answers(&Channel::default(), &symbols), "never active");
        draw(&path, &[active, Channel::default()], &symbols).unwrap();
        // Two rows of crops of 95 pixels, and space around them.
        let drawn = image::open(&path).unwrap();
        assert_eq!(drawn.height(), 2 * 95 + 3 * 12);
        assert!(draw(&path, &[], &symbols).is_err());
    }
}
