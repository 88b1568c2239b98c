//! Pictures as inputs: scaled onto a canvas of one size, with the ground at 0 and full ink at 1.

mod augment;
mod decode;

use std::ops::Range;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Pixel};
use serde::{Deserialize, Serialize};

pub use augment::PictureAugmentation;
use decode::decode;
pub(super) use decode::decode_colours;

use crate::error::ConfigError;
use crate::example::{Footprint, View};
use crate::seed::Stream;

/// The smallest side of a canvas, in pixels.
const SMALLEST: u16 = 4;

/// How pictures become inputs, as an experiment file gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureConfig {
    /// An input's height, in pixels.
    pub height: u16,
    /// An input's width, in pixels.
    pub width: u16,
    /// By what all pictures are scaled, above 0; those that are still too large are made smaller until
    /// they fit. Absent: each is scaled until it just fits. The sides keep their ratio, and what is left
    /// of the canvas is ground, as much on one side as on the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// The grey of the ground, from 0, black, to 255, white: it becomes 0.
    pub ground: u8,
    /// The grey of full ink: it becomes 1.
    pub ink: u8,
    /// Whether an input has red, green and blue in three channels in place of greys. Each is from 0 to 1, the
    /// other way round on a bright ground, so that the ground is near 0.
    #[serde(default, skip_serializing_if = "is_false")]
    pub colour: bool,
    /// How training pictures are varied.
    pub augmentation: PictureAugmentation,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// The canvas that pictures are put on; made by [`PictureConfig::build`].
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    config: PictureConfig,
    /// For each grey of a picture, or each share of a colour, its ink, from 0 to 255.
    levels: Vec<u8>,
}

impl PictureConfig {
    /// Checks the configuration.
    pub(super) fn build(&self) -> Result<Canvas, ConfigError> {
        for (key, side) in [("input.height", self.height), ("input.width", self.width)] {
            if side < SMALLEST {
                let advice = format!("nothing could be read; choose {SMALLEST} or more");
                return Err(ConfigError::value(key, side, advice));
            }
        }
        if let Some(scale) = self.scale.filter(|scale| !(*scale > 0.0 && *scale <= 64.0)) {
            let advice = "choose a number above 0 and at most 64, or leave it out";
            return Err(ConfigError::value("input.scale", scale, advice));
        }
        if self.ground == self.ink {
            let advice = "the ground has the same grey; choose another for one of them";
            return Err(ConfigError::value("input.ink", self.ink, advice));
        }
        self.augmentation.check()?;
        let (ground, ink) = (f64::from(self.ground), f64::from(self.ink));
        let level = |grey: u8| match (self.colour, self.ground < 128) {
            (false, _) => 255.0 * (f64::from(grey) - ground) / (ink - ground),
            (true, true) => f64::from(grey),
            (true, false) => f64::from(255 - grey),
        };
        Ok(Canvas {
            // A cast to an integer stays within the integer's range.
            levels: (0..=255).map(|grey| level(grey).round() as u8).collect(),
            config: self.clone(),
        })
    }
}

impl Canvas {
    /// Height and width.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.config.height, self.config.width].map(usize::from)
    }

    /// How many channels inputs have.
    pub(super) fn planes(&self) -> usize {
        if self.config.colour { 3 } else { 1 }
    }

    /// Decodes a picture from a file's contents and puts it on the canvas, row-major, one channel after the
    /// other.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<(Vec<u8>, View), String> {
        let ground = self.config.ground;
        Ok(match self.config.colour {
            true => self.place(&decode_colours(bytes, ground)?),
            false => self.place(&decode(bytes, ground)?),
        })
    }

    fn place<P>(&self, picture: &ImageBuffer<P, Vec<u8>>) -> (Vec<u8>, View)
    where
        P: Pixel<Subpixel = u8> + 'static,
    {
        let [height, width] = self.size();
        let own = [picture.height(), picture.width()].map(|side| side as usize);
        let fitted = self.fitted(own);
        let offset = [height - fitted[0], width - fitted[1]].map(|left| left / 2);
        let scaled;
        let picture = if fitted == own {
            picture
        } else {
            let [rows, columns] = fitted.map(|side| side as u32);
            scaled = imageops::resize(picture, columns, rows, FilterType::Triangle);
            &scaled
        };
        let mut canvas = vec![self.ground(); self.planes() * height * width];
        for (plane, canvas) in canvas.chunks_exact_mut(height * width).enumerate() {
            let rows = picture.as_raw().chunks_exact(fitted[1] * self.planes());
            for (row, values) in rows.enumerate() {
                let start = (offset[0] + row) * width + offset[1];
                let values = values.iter().skip(plane).step_by(self.planes());
                for (pixel, value) in canvas[start..].iter_mut().zip(values) {
                    *pixel = self.levels[usize::from(*value)];
                }
            }
        }
        let view = View {
            size: own,
            scale: [0, 1].map(|axis| fitted[axis] as f64 / own[axis] as f64),
            offset: offset.map(|pixels| pixels as f64),
        };
        (canvas, view)
    }

    /// What is around a picture.
    fn ground(&self) -> u8 {
        self.levels[usize::from(self.config.ground)]
    }

    /// The size that a picture of another size gets on the canvas.
    fn fitted(&self, own: [usize; 2]) -> [usize; 2] {
        let size = self.size();
        let most = (0..2).map(|axis| size[axis] as f64 / own[axis] as f64);
        let most = most.fold(f64::INFINITY, f64::min);
        let scale = self.config.scale.map_or(most, |scale| scale.min(most));
        [0, 1].map(|axis| ((own[axis] as f64 * scale).round() as usize).clamp(1, size[axis]))
    }

    /// The box of a symbol on the canvas, of its left, top, width and height in the picture.
    pub(super) fn footprint(
        &self,
        symbol: usize,
        [left, top, width, height]: [f64; 4],
        view: &View,
    ) -> Result<Footprint, String> {
        let size = self.size();
        let along = |axis: usize, start: f64, length: f64| {
            let at = |place: f64| place * view.scale[axis] + view.offset[axis];
            pixels([at(start), at(start + length)], size[axis])
        };
        match (along(0, top, height), along(1, left, width)) {
            (Some(rows), Some(columns)) if width > 0.0 && height > 0.0 => Ok(Footprint {
                symbol,
                top: rows.start,
                bottom: rows.end,
                left: columns.start,
                right: columns.end,
            }),
            _ => Err(format!(
                "the box [{left}, {top}, {width}, {height}] is not within the picture"
            )),
        }
    }

    /// The input of an example and its footprints, varied if it is for training.
    pub(super) fn example(
        &self,
        canvas: &[u8],
        footprints: &[Footprint],
        stream: Option<&mut Stream>,
    ) -> (Vec<f32>, Vec<Footprint>) {
        match stream {
            Some(stream) if !self.config.augmentation.is_off() => {
                let augmentation = &self.config.augmentation;
                let ground = f32::from(self.ground()) / 255.0;
                augmentation.vary(canvas, self.size(), ground, footprints, stream)
            }
            _ => (ink(canvas).collect(), footprints.to_vec()),
        }
    }
}

/// A canvas's ink, from 0 to 1.
pub(super) fn ink(canvas: &[u8]) -> impl Iterator<Item = f32> {
    canvas.iter().map(|level| f32::from(*level) / 255.0)
}

/// The pixels that an interval touches, at least one; `None` if it is not within so many.
fn pixels([start, end]: [f64; 2], size: usize) -> Option<Range<usize>> {
    // Boxes of other programs may lie over the edge by a pixel or two.
    const SLACK: f64 = 2.0;
    let within = start >= -SLACK && end <= size as f64 + SLACK && start < size as f64 && end > 0.0;
    // Sums of floats may miss a whole number.
    let (first, last) = ((start + 1e-6).floor(), (end - 1e-6).ceil());
    let first = (first.max(0.0) as usize).min(size - 1);
    within.then(|| first..(last as usize).clamp(first + 1, size))
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;

    fn config() -> PictureConfig {
        PictureConfig {
            height: 8,
            width: 12,
            scale: None,
            ground: 255,
            ink: 55,
            colour: false,
            augmentation: PictureAugmentation::default(),
        }
    }

    /// A picture that is white but for its top left pixel.
    fn picture(width: u32, height: u32) -> GrayImage {
        let mut picture = GrayImage::from_pixel(width, height, image::Luma([255]));
        picture.put_pixel(0, 0, image::Luma([55]));
        picture
    }

    #[test]
    fn ground_and_ink_become_0_and_1() {
        let levels = config().build().unwrap().levels;
        assert_eq!(
            [levels[255], levels[155], levels[55], levels[0]],
            [0, 128, 255, 255]
        );
        let bright = PictureConfig {
            ground: 20,
            ink: 220,
            ..config()
        };
        let levels = bright.build().unwrap().levels;
        assert_eq!(
            [levels[0], levels[20], levels[220], levels[255]],
            [0, 0, 255, 255]
        );
    }

    #[test]
    fn colours_are_channels() {
        let red = image::RgbImage::from_pixel(1, 8, image::Rgb([250, 5, 0]));
        let coloured = |ground: u8| {
            let config = PictureConfig {
                ground,
                colour: true,
                ..config()
            };
            let canvas = config.build().unwrap();
            assert_eq!(canvas.planes(), 3);
            let (values, _) = canvas.place(&red);
            let at = |plane: usize, column: usize| values[plane * 8 * 12 + column];
            [0, 1, 2].map(|plane| [at(plane, 5), at(plane, 0)])
        };
        // The picture is one pixel wide; around it is ground.
        assert_eq!(coloured(10), [[250, 10], [5, 10], [0, 10]]);
        assert_eq!(coloured(255), [[5, 0], [250, 0], [255, 0]]);
    }

    #[test]
    fn a_picture_of_the_canvas_size_is_left_as_it_is() {
        let (canvas, view) = config().build().unwrap().place(&picture(12, 8));
        assert_eq!(
            (canvas[0], canvas.iter().filter(|ink| **ink > 0).count()),
            (255, 1)
        );
        assert_eq!(view.scale, [1.0, 1.0]);
    }

    #[test]
    fn pictures_keep_their_ratio_and_are_centred() {
        let scaled = |scale: Option<f64>, own: [usize; 2]| {
            let canvas = PictureConfig { scale, ..config() }.build().unwrap();
            let (_, view) = canvas.place(&picture(own[1] as u32, own[0] as u32));
            (canvas.fitted(own), view.offset)
        };
        assert_eq!(scaled(None, [4, 4]), ([8, 8], [0.0, 2.0]));
        assert_eq!(scaled(None, [40, 120]), ([4, 12], [2.0, 0.0]));
        assert_eq!(scaled(Some(1.0), [4, 4]), ([4, 4], [2.0, 4.0]));
        assert_eq!(scaled(Some(0.5), [8, 8]), ([4, 4], [2.0, 4.0]));
        assert_eq!(scaled(Some(1.0), [40, 120]), ([4, 12], [2.0, 0.0]));
        assert_eq!(scaled(None, [1, 1000]), ([1, 12], [3.0, 0.0]));
    }

    #[test]
    fn boxes_are_scaled_with_the_picture() {
        let canvas = config().build().unwrap();
        let (_, view) = canvas.place(&picture(24, 8));
        assert_eq!((view.scale, view.offset), ([0.5, 0.5], [2.0, 0.0]));
        let footprint = canvas.footprint(3, [6.0, 2.0, 5.0, 4.0], &view);
        let expected = Footprint {
            symbol: 3,
            top: 3,
            bottom: 5,
            left: 3,
            right: 6,
        };
        assert_eq!(footprint, Ok(expected));
        for outside in [
            [6.0, 20.0, 5.0, 4.0],
            [-30.0, 2.0, 5.0, 4.0],
            [6.0, 2.0, 0.0, 4.0],
            [f64::NAN, 2.0, 5.0, 4.0],
        ] {
            let error = canvas.footprint(3, outside, &view).unwrap_err();
            assert!(error.contains("not within the picture"), "{error}");
        }
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let error = |change: fn(&mut PictureConfig)| {
            let mut config = config();
            change(&mut config);
            config.build().unwrap_err().to_string()
        };
        for (message, expected) in [
            (error(|config| config.height = 3), "`input.height` is 3: "),
            (
                error(|config| config.scale = Some(0.0)),
                "`input.scale` is 0: ",
            ),
            (error(|config| config.ink = 255), "`input.ink` is 255: "),
        ] {
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
