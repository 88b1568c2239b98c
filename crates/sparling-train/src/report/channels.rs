//! What each channel answers to, with its strongest examples.

use std::path::Path;

use anyhow::{Result, ensure};

use super::canvas::{self, INK, colour};
use super::examples::draw_enlarged;
use super::lettering::Lettering;
use crate::metrics::channel::channel_name;
use crate::study::channels::Channel;

/// The side of an enlarged crop, in pixels, about.
const CROP: usize = 96;

/// Space between crops and around all, in pixels.
const GAP: i32 = 12;

/// Room for what stands before the crops.
const LABEL: i32 = 330;

/// The size of type, in pixels.
const TYPE: u32 = 15;

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
    let crops = || channels.iter().flat_map(|channel| &channel.strongest);
    let side = crops()
        .map(|crop| crop.width.max(crop.height))
        .max()
        .unwrap_or(1);
    let scale = (CROP / side).max(1) as i32;
    let size = |values: usize| values as i32 * scale;
    let width = crops().map(|crop| size(crop.width)).max().unwrap_or(0) + GAP;
    let height = crops()
        .map(|crop| size(crop.height))
        .max()
        .unwrap_or(0)
        .max(60)
        + GAP;
    let most = channels
        .iter()
        .map(|channel| channel.strongest.len())
        .max()
        .unwrap_or(0);
    let whole = (
        (LABEL + most as i32 * width + GAP) as u32,
        (channels.len() as i32 * height + GAP) as u32,
    );
    canvas::save(path, whole, |canvas| {
        for (index, channel) in channels.iter().enumerate() {
            let top = GAP + index as i32 * height;
            let middle = top + (height - GAP) / 2;
            let name = channel_name(index);
            Lettering::left(2 * TYPE, colour(index)).write(canvas, &name, (GAP, middle))?;
            let density = format!("density {:.2e}", channel.density);
            let line = |text: &str, y| Lettering::left(TYPE, INK).write(canvas, text, (60, y));
            line(&density, middle - 12)?;
            line(&answers(channel, symbols), middle + 12)?;
            for (place, crop) in channel.strongest.iter().enumerate() {
                let corner = (LABEL + place as i32 * width, top);
                let is_sound = crop.height != crop.width;
                draw_enlarged(
                    canvas,
                    corner,
                    &crop.pixels,
                    crop.width,
                    (scale, scale),
                    is_sound,
                )?;
            }
        }
        Ok(())
    })
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
    use crate::study::channels::Crop;

    #[test]
    fn channels_become_a_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("channels.png");
        let crop = Crop {
            strength: 1.0,
            pixels: vec![0.5; 25],
            height: 5,
            width: 5,
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
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
        assert!(draw(&path, &[], &symbols).is_err());
    }
}
