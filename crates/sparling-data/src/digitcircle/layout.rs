//! Which digits an image has, and where.

use std::f64::consts::TAU;

use super::{DigitCircleConfig, Stamps};
use crate::seed::Stream;

/// Distinct digits around a circle, counterclockwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The circle's radius in pixels.
    pub radius: usize,
    /// The circle's centre: row, column.
    pub centre: (usize, usize),
    /// The digits, in the order of their angles.
    pub digits: Vec<usize>,
    /// Each digit's angle before jitter, in turns (1 is the whole circle).
    pub turns: Vec<f64>,
    /// Each digit's middle after rounding and jitter: row, column.
    pub positions: Vec<(usize, usize)>,
}

impl Layout {
    /// Draws a layout. The configuration must have been validated with these stamps.
    pub(super) fn draw(config: &DigitCircleConfig, stamps: &Stamps, stream: &mut Stream) -> Self {
        let (radius, centre) = draw_circle(config, stamps, stream);
        let digits = draw_digits(config, stamps, stream);
        let turns = draw_turns(digits.len(), stream);
        let jitter = i64::from(config.jitter);
        let mut moved = |centre: i64, offset: f64| {
            let position = centre + (radius as f64 * offset).round() as i64;
            (position + stream.integer(-jitter..jitter + 1)) as usize
        };
        let place = |&turn: &f64| {
            // The system's own sine may differ between platforms in the last bit.
            let (sine, cosine) = libm::sincos(TAU * turn);
            (moved(centre.0, cosine), moved(centre.1, sine))
        };
        Self {
            positions: turns.iter().map(place).collect(),
            radius: radius as usize,
            centre: (centre.0 as usize, centre.1 as usize),
            digits,
            turns,
        }
    }
}

/// A radius and a centre that keep every stamp inside the image.
fn draw_circle(
    config: &DigitCircleConfig,
    stamps: &Stamps,
    stream: &mut Stream,
) -> (i64, (i64, i64)) {
    let size = i64::from(config.size);
    let margin = i64::from(config.margin(stamps));
    let radius = stream.integer(config.minimum_radius.into()..size / 2 - margin);
    let inside = radius + margin..size - radius - margin;
    let row = stream.integer(inside.clone());
    (radius, (row, stream.integer(inside)))
}

/// Distinct digits in random order: a shuffle that stops early.
fn draw_digits(config: &DigitCircleConfig, stamps: &Stamps, stream: &mut Stream) -> Vec<usize> {
    let (fewest, most) = (config.minimum_digits, config.maximum_digits);
    let count = stream.integer(fewest.into()..i64::from(most) + 1) as usize;
    let mut digits: Vec<usize> = (0..stamps.len()).collect();
    for at in 0..count {
        let other = at + stream.below((digits.len() - at) as u64) as usize;
        digits.swap(at, other);
    }
    digits.truncate(count);
    digits
}

/// Ascending angles in turns, no two neighbours on the circle closer than half an even share.
fn draw_turns(count: usize, stream: &mut Stream) -> Vec<f64> {
    loop {
        let mut gaps: Vec<f64> = (0..count).map(|_| stream.unit()).collect();
        let total: f64 = gaps.iter().sum();
        gaps.iter_mut().for_each(|gap| *gap /= total);
        if gaps.iter().all(|&gap| gap >= 0.5 / count as f64) {
            let mut turn = stream.unit();
            let advance = |gap| {
                turn += gap;
                turn
            };
            return gaps.into_iter().map(advance).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::{paper, small};
    use super::*;
    use crate::domain::Domain;
    use crate::example::Footprint;
    use crate::seed::Split;

    /// Calls the check with the layouts of many examples of either size.
    fn for_layouts(check: impl Fn(&DigitCircleConfig, &Layout)) {
        for config in [paper(), small()] {
            for index in 0..5000 {
                let mut stream = Stream::new(Split::Test, index);
                let layout = Layout::draw(&config, Stamps::embedded(), &mut stream);
                check(&config, &layout);
            }
        }
    }

    #[test]
    fn digits_are_distinct_and_of_the_right_number() {
        for_layouts(|config, layout| {
            let count = layout.digits.len();
            let allowed = config.minimum_digits.into()..=config.maximum_digits.into();
            assert!(allowed.contains(&count));
            let mut sorted = layout.digits.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), count);
            assert!(sorted.iter().all(|&digit| digit < 10));
            assert_eq!(layout.positions.len(), count);
        });
    }

    #[test]
    fn counts_and_digits_are_uniform() {
        let config = paper();
        let (mut counts, mut first) = ([0_u32; 7], [0_u32; 10]);
        for index in 0..20_000 {
            let mut stream = Stream::new(Split::Validation, index);
            let digits = draw_digits(&config, Stamps::embedded(), &mut stream);
            counts[digits.len()] += 1;
            first[digits[digits.len() - 1]] += 1;
        }
        assert_eq!(counts[..3], [0; 3]);
        assert!(
            counts[3..].iter().all(|n| n.abs_diff(5000) < 310),
            "{counts:?}"
        );
        assert!(first.iter().all(|n| n.abs_diff(2000) < 220), "{first:?}");
    }

    #[test]
    fn neighbours_keep_half_an_even_share_apart() {
        for_layouts(|_, layout| {
            let turns = &layout.turns;
            let wrap = turns[0] + 1.0 - turns[turns.len() - 1];
            let gaps = turns.windows(2).map(|pair| pair[1] - pair[0]);
            let least = 0.5 / turns.len() as f64;
            let gaps: Vec<f64> = gaps.chain([wrap]).collect();
            assert!(gaps.iter().all(|&gap| gap >= least - 1e-12), "{gaps:?}");
        });
    }

    #[test]
    fn positions_are_on_the_circle_up_to_jitter_and_rounding() {
        for_layouts(|config, layout| {
            let jitter = f64::from(config.jitter);
            let (row, column) = layout.centre;
            for (&turn, &position) in layout.turns.iter().zip(&layout.positions) {
                let down = layout.radius as f64 * (TAU * turn).cos() + row as f64;
                let right = layout.radius as f64 * (TAU * turn).sin() + column as f64;
                assert!((position.0 as f64 - down).abs() <= jitter + 0.5 + 1e-9);
                assert!((position.1 as f64 - right).abs() <= jitter + 0.5 + 1e-9);
            }
        });
    }

    #[test]
    fn radius_and_centre_take_every_allowed_value() {
        use std::collections::BTreeSet;
        let config = small();
        let circles: BTreeSet<_> = (0..5000)
            .map(|index| {
                let mut stream = Stream::new(Split::Test, index);
                draw_circle(&config, Stamps::embedded(), &mut stream)
            })
            .collect();
        // 48 / 2 - 7 = 17.
        let radius_15 = (22..26).flat_map(|row| (22..26).map(move |column| (15, (row, column))));
        let radius_16 = (23..25).flat_map(|row| (23..25).map(move |column| (16, (row, column))));
        assert_eq!(circles, radius_15.chain(radius_16).collect());
    }

    /// Stamps are opaque: where digits overlap, one of them cannot be read.
    #[test]
    fn digits_overlap_as_rarely_as_in_the_paper() {
        let share = |config: DigitCircleConfig| {
            let domain = config.validate().unwrap();
            let images = 4000;
            let overlapping = (0..images).filter(|&index| {
                let footprints = domain.example(Split::Test, index).footprints;
                (0..footprints.len()).any(|at| {
                    let Footprint {
                        top,
                        bottom,
                        left,
                        right,
                        ..
                    } = footprints[at];
                    let mut before = footprints[..at].iter();
                    before.any(|other| other.overlap(top..bottom, left..right) > 0.0)
                })
            });
            overlapping.count() as f64 / images as f64
        };
        let [small, paper] = [small(), paper()].map(share);
        assert!(small < 0.05 && paper < 0.05, "{small} {paper}");
    }

    #[test]
    fn no_circle_clips_a_stamp() {
        let stamps = Stamps::embedded();
        for config in [paper(), small()] {
            let (size, jitter) = (usize::from(config.size), usize::from(config.jitter));
            let margin = usize::from(config.margin(stamps));
            for radius in config.minimum_radius.into()..size / 2 - margin {
                // The extreme positions of a digit's middle, over all centres and angles.
                let least = radius + margin - radius - jitter;
                let most = size - radius - margin - 1 + radius + jitter;
                for stamp in stamps.iter() {
                    for side in [stamp.rows(), stamp.columns()] {
                        assert!(least >= side / 2);
                        assert!(most - side / 2 + side <= size);
                    }
                }
            }
        }
    }
}
