//! DigitCircle (paper, section 5.1): noisy images of digits in a rough circle, to be read
//! counterclockwise from the smallest.
//!
//! An image starts empty and is speckled; then 3 to 6 distinct digits are stamped over it, opaque,
//! around a circle; then it is speckled again. The output is the digits in counterclockwise order,
//! rotated so that the smallest comes first. Pixels are 0 or 1.
//!
//! # Geometry
//!
//! Rows count downwards and columns to the right. A digit at angle `a` is at
//! `(row, column) = centre + radius * (cos a, sin a)`: angle 0 is at the bottom, and growing angles
//! pass the right side, the top and the left side, which is counterclockwise as one looks at the
//! picture.
//!
//! Radius and centre are whole pixels. The radius is uniform in `minimum_radius .. size / 2 - margin`
//! and each coordinate of the centre in `radius + margin .. size - radius - margin` (all half-open). A
//! digit's middle is then at most `radius + jitter` from the centre, so at least `margin - jitter`
//! away from each edge, half a stamp or more: no stamp is ever clipped.

mod config;
mod layout;
mod rasterise;
mod stamps;

pub use config::DigitCircleConfig;
pub use stamps::{Stamp, Stamps, StampsError};

use std::ops::Range;

use crate::domain::Domain;
use crate::example::{Example, Footprint};
use crate::seed::{Probability, Split, Stream};
use crate::vocab::Vocabulary;
use layout::Layout;

/// The DigitCircle domain; made by [`DigitCircleConfig::validate`].
#[derive(Clone, Debug)]
pub struct DigitCircle {
    config: DigitCircleConfig,
    stamps: Stamps,
    vocabulary: Vocabulary,
    flip_before: Probability,
    flip_after: Probability,
}

impl DigitCircle {
    /// The configuration that this is.
    pub fn config(&self) -> &DigitCircleConfig {
        &self.config
    }

    /// The bitmaps that are stamped.
    pub fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    /// Copies the digit's stamp over the image, centred at (row, column), and says where it lies.
    fn paste(&self, image: &mut [f32], digit: usize, row: usize, column: usize) -> Footprint {
        let stamp = &self.stamps[digit];
        let (top, left) = (row - stamp.rows() / 2, column - stamp.columns() / 2);
        let size = usize::from(self.config.size);
        for (offset, ink) in stamp.ink().chunks_exact(stamp.columns()).enumerate() {
            let start = (top + offset) * size + left;
            for (pixel, &ink) in image[start..start + stamp.columns()].iter_mut().zip(ink) {
                *pixel = f32::from(u8::from(ink));
            }
        }
        Footprint {
            symbol: digit,
            top,
            bottom: top + stamp.rows(),
            left,
            right: left + stamp.columns(),
        }
    }
}

impl Domain for DigitCircle {
    fn input_shape(&self) -> [usize; 3] {
        let size = usize::from(self.config.size);
        [1, size, size]
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn exchangeable(&self) -> Range<usize> {
        0..self.stamps.len()
    }

    fn rearranged(&self, tokens: Vec<usize>) -> Vec<usize> {
        smallest_first(tokens)
    }

    fn longest_output(&self) -> usize {
        self.config.maximum_digits.into()
    }

    fn example(&self, split: Split, index: u64) -> Example {
        let mut stream = Stream::new(split, index);
        let size = usize::from(self.config.size);
        let mut image = vec![0.0; size * size];
        flip(&mut image, self.flip_before, &mut stream);
        let layout = Layout::draw(&self.config, &self.stamps, &mut stream);
        let placed = layout.digits.iter().zip(&layout.positions);
        let footprints = placed
            .map(|(&digit, &(row, column))| self.paste(&mut image, digit, row, column))
            .collect();
        flip(&mut image, self.flip_after, &mut stream);
        Example {
            input: image,
            tokens: smallest_first(layout.digits),
            footprints,
        }
    }
}

/// Flips each pixel with the same probability, independently.
fn flip(image: &mut [f32], probability: Probability, stream: &mut Stream) {
    for pixels in image.chunks_mut(64) {
        let flips = stream.flips(probability);
        for (bit, pixel) in pixels.iter_mut().enumerate() {
            let flipped = (flips >> bit & 1) as u8;
            *pixel = (*pixel - f32::from(flipped)).abs();
        }
    }
}

/// Rotates a circle of digits so that the smallest comes first.
fn smallest_first(mut digits: Vec<usize>) -> Vec<usize> {
    let smallest = (0..digits.len()).min_by_key(|&at| digits[at]).unwrap_or(0);
    digits.rotate_left(smallest);
    digits
}
