//! Variations of training pictures, against learning a small data set by heart.

use serde::{Deserialize, Serialize};

use super::ink;
use crate::error::ConfigError;
use crate::example::Footprint;
use crate::seed::Stream;

/// How much training pictures are varied; 0 is not at all, and validation and test never are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureAugmentation {
    /// They are moved by up to so many pixels of the canvas in each direction.
    pub shift: u16,
    /// They are larger or smaller by up to this share.
    pub scale: f64,
    /// They are turned by up to so many degrees.
    pub rotation: f64,
    /// Their ink is fainter or stronger by up to this share.
    pub brightness: f64,
    /// Each pixel is lighter or darker by up to a random share, which is up to this.
    pub noise: f64,
}

/// How one picture is moved: turned and scaled about the canvas's middle, then shifted.
#[derive(Clone, Copy, Debug)]
struct Motion {
    middle: [f64; 2],
    shift: [f64; 2],
    /// The scale by the cosine and by the sine of the angle.
    turn: [f64; 2],
}

impl PictureAugmentation {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let keys = [
            ("input.augmentation.shift", f64::from(self.shift), 1000.0),
            ("input.augmentation.scale", self.scale, 0.5),
            ("input.augmentation.rotation", self.rotation, 180.0),
            ("input.augmentation.brightness", self.brightness, 1.0),
            ("input.augmentation.noise", self.noise, 1.0),
        ];
        for (key, value, most) in keys {
            if !(0.0..=most).contains(&value) {
                let advice = format!("choose from 0, which is none, to {most}");
                return Err(ConfigError::value(key, value, advice));
            }
        }
        Ok(())
    }

    /// Whether nothing is varied.
    pub(super) fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// A canvas's ink, varied, and its footprints, moved with it; those that leave it are left out. What
    /// comes from outside is `ground`.
    pub(super) fn vary(
        &self,
        canvas: &[u8],
        size: [usize; 2],
        ground: f32,
        footprints: &[Footprint],
        stream: &mut Stream,
    ) -> (Vec<f32>, Vec<Footprint>) {
        let motion = self.motion(size, stream);
        let mut swing = |most: f64| most * (2.0 * stream.unit() - 1.0);
        let strength = 1.0 + swing(self.brightness) as f32;
        let noise = (self.noise * stream.unit()) as f32;
        let planes = canvas.chunks_exact(size[0] * size[1]);
        let mut input: Vec<f32> = planes
            .flat_map(|plane| motion.moved(plane, size, ground))
            .collect();
        for value in &mut input {
            let swing = match noise > 0.0 {
                true => noise * (2.0 * stream.unit() as f32 - 1.0),
                false => 0.0,
            };
            *value = (*value * strength + swing).clamp(0.0, 1.0);
        }
        let moved = footprints
            .iter()
            .filter_map(|at| motion.footprint(at, size));
        (input, moved.collect())
    }

    fn motion(&self, size: [usize; 2], stream: &mut Stream) -> Motion {
        let most = i64::from(self.shift);
        let shift = [(); 2].map(|()| stream.integer(-most..most + 1) as f64);
        let mut swing = |most: f64| most * (2.0 * stream.unit() - 1.0);
        let scale = 1.0 + swing(self.scale);
        let angle = swing(self.rotation).to_radians();
        Motion {
            middle: size.map(|side| side as f64 / 2.0),
            shift,
            turn: [scale * libm::cos(angle), scale * libm::sin(angle)],
        }
    }
}

impl Motion {
    /// Where a place (row, column) comes to be.
    fn forward(&self, place: [f64; 2]) -> [f64; 2] {
        let [down, right] = [0, 1].map(|axis| place[axis] - self.middle[axis]);
        let [cosine, sine] = self.turn;
        [
            cosine * down + sine * right + self.middle[0] + self.shift[0],
            cosine * right - sine * down + self.middle[1] + self.shift[1],
        ]
    }

    /// Where a place has come from.
    fn backward(&self, place: [f64; 2]) -> [f64; 2] {
        let [down, right] = [0, 1].map(|axis| place[axis] - self.middle[axis] - self.shift[axis]);
        let [cosine, sine] = self.turn;
        let square = cosine * cosine + sine * sine;
        [
            (cosine * down - sine * right) / square + self.middle[0],
            (cosine * right + sine * down) / square + self.middle[1],
        ]
    }

    /// A plane of the canvas, moved; what comes from outside is ground.
    fn moved(&self, canvas: &[u8], [height, width]: [usize; 2], ground: f32) -> Vec<f32> {
        let ink: Vec<f32> = ink(canvas).collect();
        let at = |row: f64, column: f64| {
            let inside =
                (0.0..height as f64).contains(&row) && (0.0..width as f64).contains(&column);
            match inside {
                true => ink[row as usize * width + column as usize],
                false => ground,
            }
        };
        let pixel = |index: usize| {
            let middle = [index / width, index % width].map(|at| at as f64 + 0.5);
            let from = self.backward(middle).map(|at| at - 0.5);
            let [row, column] = from.map(f64::floor);
            let [below, right] = [0, 1].map(|axis| (from[axis] - from[axis].floor()) as f32);
            let line = |row: f64| (1.0 - right) * at(row, column) + right * at(row, column + 1.0);
            (1.0 - below) * line(row) + below * line(row + 1.0)
        };
        (0..ink.len()).map(pixel).collect()
    }

    /// The box around where a footprint's corners come to be, as far as it is on the canvas.
    fn footprint(&self, footprint: &Footprint, size: [usize; 2]) -> Option<Footprint> {
        let rows = [footprint.top, footprint.bottom];
        let columns = [footprint.left, footprint.right];
        let corners = rows.map(|row| columns.map(|at| self.forward([row as f64, at as f64])));
        let along = |axis: usize| {
            let places = || corners.iter().flatten().map(|corner| corner[axis]);
            let start = places().fold(f64::INFINITY, f64::min).round().max(0.0) as usize;
            let end = places().fold(0.0, f64::max).round() as usize;
            let end = end.min(size[axis]);
            (start < end).then_some(start..end)
        };
        let (rows, columns) = (along(0)?, along(1)?);
        Some(Footprint {
            symbol: footprint.symbol,
            top: rows.start,
            bottom: rows.end,
            left: columns.start,
            right: columns.end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    const SIZE: [usize; 2] = [9, 9];

    /// One pixel of ink at row 3, column 5, and the box around it.
    fn dot() -> (Vec<u8>, Footprint) {
        let mut canvas = vec![0; 81];
        canvas[3 * 9 + 5] = 255;
        let footprint = Footprint {
            symbol: 2,
            top: 3,
            bottom: 4,
            left: 5,
            right: 6,
        };
        (canvas, footprint)
    }

    fn motion(shift: [f64; 2], turn: [f64; 2]) -> Motion {
        Motion {
            middle: [4.5, 4.5],
            shift,
            turn,
        }
    }

    #[test]
    fn shifts_are_exact_and_boxes_follow() {
        let (canvas, footprint) = dot();
        let moved = motion([2.0, -3.0], [1.0, 0.0]);
        let input = moved.moved(&canvas, SIZE, 0.0);
        assert_eq!(input.iter().sum::<f32>(), 1.0);
        assert_eq!(input[5 * 9 + 2], 1.0);
        let footprint = moved.footprint(&footprint, SIZE).unwrap();
        assert!(footprint.contains(5, 2));
        assert_eq!((footprint.bottom, footprint.right), (6, 3));
    }

    #[test]
    fn what_leaves_the_canvas_is_gone() {
        let (canvas, footprint) = dot();
        let moved = motion([0.0, 4.0], [1.0, 0.0]);
        assert_eq!(moved.moved(&canvas, SIZE, 0.0), [0.0; 81]);
        assert_eq!(moved.footprint(&footprint, SIZE), None);
    }

    #[test]
    fn a_quarter_turn_turns() {
        let (canvas, footprint) = dot();
        let moved = motion([0.0, 0.0], [0.0, 1.0]);
        let input = moved.moved(&canvas, SIZE, 0.0);
        let at = input.iter().position(|ink| *ink > 0.99).unwrap();
        let footprint = moved.footprint(&footprint, SIZE).unwrap();
        assert!(footprint.contains(at / 9, at % 9), "{footprint:?}");
        // The middle stays: one right and one up of it is now one right and one down.
        assert_eq!((at / 9, at % 9), (5, 5));
    }

    #[test]
    fn backward_undoes_forward() {
        let moved = motion([1.0, -2.0], [0.9, 0.3]);
        let back = moved.backward(moved.forward([2.0, 7.5]));
        assert!((back[0] - 2.0).abs() < 1e-12 && (back[1] - 7.5).abs() < 1e-12);
    }

    #[test]
    fn variations_stay_in_their_bounds() {
        let canvas = vec![128; 81];
        let config = PictureAugmentation {
            brightness: 0.2,
            noise: 0.1,
            ..PictureAugmentation::default()
        };
        let mut inputs = Vec::new();
        for index in 0..100 {
            let mut stream = Stream::new(Split::Test, index);
            let (input, _) = config.vary(&canvas, SIZE, 0.0, &[], &mut stream);
            assert!(
                input.iter().all(|ink| (0.3..=0.71).contains(ink)),
                "{input:?}"
            );
            inputs.push(input);
        }
        inputs.dedup();
        assert_eq!(inputs.len(), 100);
    }

    #[test]
    fn values_are_checked() {
        let config = PictureAugmentation {
            scale: 0.9,
            ..PictureAugmentation::default()
        };
        let error = config.check().unwrap_err().to_string();
        assert!(
            error.starts_with("`input.augmentation.scale` is 0.9: choose from 0"),
            "{error}"
        );
    }
}
