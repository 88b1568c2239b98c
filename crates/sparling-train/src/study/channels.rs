//! What each channel answers to, and its strongest examples.

use std::borrow::Cow;

use sparling_data::Split;

use crate::evaluate::{Evaluator, Reading};
use crate::metrics::Motif;
use crate::report::greys::mean_plane;

/// What a channel is active for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Channel {
    /// Its activations.
    pub activations: u64,
    /// The share of its positions at which it is active.
    pub density: f64,
    /// For each symbol the activations in its footprints.
    pub answers: Vec<u64>,
    /// The strongest activations, one for each example, with what is around them.
    pub strongest: Vec<Crop>,
}

/// The input around an activation.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// The activation.
    pub strength: f32,
    /// Row-major, `height * width`; outside the input it is continued by its border.
    pub pixels: Vec<f32>,
    /// The rows.
    pub height: usize,
    /// The columns.
    pub width: usize,
    /// Whether rows are frequencies, the lowest first.
    pub is_sound: bool,
}

/// Looks at the first `examples` of a split; of each channel's strongest, `most` are kept with the
/// `window` around them that the motif model sees.
pub fn measure(
    evaluator: &Evaluator,
    split: Split,
    examples: usize,
    window: usize,
    most: usize,
) -> Vec<Channel> {
    let examples = evaluator.available(split, examples);
    let shape = evaluator.domain.input_shape();
    let symbols = evaluator.domain.symbols().len();
    let count = evaluator.model.bottleneck.sparsity.channels();
    let mut channels = vec![Channel::default(); count];
    for channel in &mut channels {
        channel.answers = vec![0; symbols];
    }
    for reading in evaluator.readings(split, examples) {
        for (index, channel) in channels.iter_mut().enumerate() {
            let own = reading.motifs.iter().filter(|motif| motif.channel == index);
            let mut strongest: Option<&Motif> = None;
            for motif in own {
                channel.activations += 1;
                let mut places = reading.footprints.iter();
                if let Some(footprint) =
                    places.find(|footprint| footprint.contains(motif.row, motif.column))
                {
                    channel.answers[footprint.symbol] += 1;
                }
                if strongest.is_none_or(|before| motif.strength > before.strength) {
                    strongest = Some(motif);
                }
            }
            if let Some(motif) = strongest {
                channel.keep(motif, &reading, shape, window, most);
            }
        }
    }
    let [_, height, width] = shape;
    let positions = examples * height * width;
    for channel in &mut channels {
        channel.density = channel.activations as f64 / positions.max(1) as f64;
    }
    channels
}

impl Channel {
    /// Keeps an activation if it is among the strongest.
    fn keep(
        &mut self,
        motif: &Motif,
        reading: &Reading,
        shape: [usize; 3],
        window: usize,
        most: usize,
    ) {
        let place = self
            .strongest
            .partition_point(|crop| crop.strength >= motif.strength);
        if place < most {
            self.strongest
                .insert(place, crop(motif, &reading.input, shape, window));
            self.strongest.truncate(most);
        }
    }
}

/// The window around a motif; of sound, all frequencies.
pub fn crop(motif: &Motif, input: &[f32], shape: [usize; 3], window: usize) -> Crop {
    let [channels, map_height, columns] = shape;
    let input = match map_height {
        1 => Cow::Borrowed(input),
        _ => mean_plane(input, map_height * columns),
    };
    let (rows, first, height) = match map_height {
        1 => (channels, 0, channels),
        _ => (map_height, motif.row as isize - window as isize / 2, window),
    };
    let left = motif.column as isize - window as isize / 2;
    let within = |index: isize, size: usize| index.clamp(0, size as isize - 1) as usize;
    let pixels = (0..height).flat_map(|row| {
        let row = within(first + row as isize, rows);
        let input = &input;
        (0..window).map(move |column| {
            let column = within(left + column as isize, columns);
            input[row * columns + column]
        })
    });
    Crop {
        strength: motif.strength,
        pixels: pixels.collect(),
        height,
        width: window,
        is_sound: map_height == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_centred_and_continued_at_the_border() {
        let input: Vec<f32> = (0_u8..12).map(f32::from).collect();
        let middle = crop(&Motif::new(0, 1, 2, 1.0), &input, [1, 3, 4], 3);
        assert_eq!(
            middle.pixels,
            [1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 9.0, 10.0, 11.0]
        );
        let corner = crop(&Motif::new(0, 0, 0, 1.0), &input, [1, 3, 4], 3);
        assert_eq!(corner.pixels, [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 4.0, 4.0, 5.0]);
        let sound = crop(&Motif::new(0, 0, 1, 1.0), &input, [3, 1, 4], 3);
        assert_eq!((sound.height, sound.width), (3, 3));
        assert!(sound.is_sound && !middle.is_sound);
        assert_eq!(sound.pixels, [0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 9.0, 10.0]);
    }
}
