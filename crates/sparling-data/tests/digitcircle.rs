//! DigitCircle's examples as a whole.

use sparling_data::{DigitCircle, DigitCircleConfig, Domain, Example, Footprint, Split};

const TRAIN: Split = Split::Train { seed: 1 };

fn paper() -> DigitCircleConfig {
    let text = include_str!("data/digitcircle-paper.toml");
    toml::from_str(text).expect("every key is there")
}

fn small() -> DigitCircleConfig {
    let text = include_str!("data/digitcircle-small.toml");
    toml::from_str(text).expect("every key is there")
}

fn domains() -> [DigitCircle; 2] {
    [paper(), small()].map(|config| config.validate().expect("the configuration is valid"))
}

fn quiet(config: DigitCircleConfig) -> DigitCircle {
    let config = DigitCircleConfig {
        noise_before: 0.0,
        noise_after: 0.0,
        ..config
    };
    config.validate().expect("the configuration is valid")
}

/// FNV-1a over everything in an example.
fn fingerprint(example: &Example) -> u64 {
    let pixels = example.input.iter().map(|&pixel| pixel as u64);
    let tokens = example.tokens.iter().map(|&token| token as u64);
    let footprints = example.footprints.iter().flat_map(|footprint| {
        let Footprint {
            symbol,
            top,
            bottom,
            left,
            right,
        } = *footprint;
        [symbol, top, bottom, left, right].map(|number| number as u64)
    });
    let numbers = pixels.chain(tokens).chain(footprints);
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number| {
        (hash ^ number).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn examples_are_pinned() {
    let [paper, small] = domains();
    let fingerprints = [
        fingerprint(&paper.example(TRAIN, 0)),
        fingerprint(&paper.example(Split::Validation, 123)),
        fingerprint(&small.example(Split::Test, 9999)),
    ];
    assert_eq!(
        fingerprints,
        [
            1_286_638_678_535_272_001,
            847_728_298_171_570_603,
            9_096_252_557_714_132_765
        ],
        "examples changed: results are no longer comparable with those of earlier versions"
    );
}

#[test]
fn a_picture_looks_as_it_did() {
    let example = quiet(small()).example(Split::Validation, 0);
    let pixels: Vec<&str> = (example.input.iter())
        .map(|&pixel| if pixel == 1.0 { "#" } else { "." })
        .collect();
    let picture: String = pixels.chunks(48).map(|row| row.concat() + "\n").collect();
    let text = format!("{:?}\n{picture}", example.tokens);
    assert_eq!(text, include_str!("data/small_validation_0_quiet.txt"));
}

#[test]
fn facts_are_the_papers() {
    let [paper, small] = domains();
    assert_eq!(paper.input_shape(), [1, 100, 100]);
    assert_eq!(small.input_shape(), [1, 48, 48]);
    assert_eq!(paper.vocabulary().len(), 12);
    assert_eq!(
        paper.symbols(),
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    assert_eq!(paper.longest_output(), 6);
    assert_eq!(small.longest_output(), 4);
}

#[test]
fn examples_are_pure_functions_of_split_and_index() {
    for domain in domains() {
        for index in [0, 1, 77, u64::MAX] {
            for split in [TRAIN, Split::Validation, Split::Test] {
                let example = domain.example(split, index);
                assert_eq!(example, domain.example(split, index));
                assert_ne!(example, domain.example(split, index ^ 1));
            }
            let of = |split| domain.example(split, index).input;
            assert_ne!(of(TRAIN), of(Split::Train { seed: 2 }));
            assert_ne!(of(TRAIN), of(Split::Validation));
            assert_ne!(of(Split::Validation), of(Split::Test));
        }
    }
}

#[test]
fn pixels_are_zero_or_one() {
    for domain in domains() {
        let example = domain.example(TRAIN, 3);
        assert_eq!(
            example.input.len(),
            domain.input_shape().iter().product::<usize>()
        );
        assert!(
            example
                .input
                .iter()
                .all(|&pixel| pixel == 0.0 || pixel == 1.0)
        );
    }
}

#[test]
fn output_is_counterclockwise_from_the_smallest() {
    // Without jitter, the middles of the footprints are the corners of a convex polygon. As one
    // looks at it (rows count downwards), its signed area is positive if they go counterclockwise.
    let config = DigitCircleConfig {
        jitter: 0,
        ..paper()
    };
    let domain = config.validate().unwrap();
    for index in 0..2000 {
        let example = domain.example(TRAIN, index);
        let middle = |footprint: &Footprint| {
            let row = footprint.top + (footprint.bottom - footprint.top) / 2;
            let column = footprint.left + (footprint.right - footprint.left) / 2;
            (row as f64, column as f64)
        };
        let points: Vec<(f64, f64)> = example.footprints.iter().map(middle).collect();
        let area: f64 = (0..points.len())
            .map(|at| {
                let ((row, column), (next_row, next_column)) =
                    (points[at], points[(at + 1) % points.len()]);
                column * -next_row - next_column * -row
            })
            .sum();
        assert!(area > 0.0, "clockwise at {index}");
        let mut expected: Vec<usize> = example.footprints.iter().map(|f| f.symbol).collect();
        let smallest = *expected.iter().min().unwrap();
        let first = expected
            .iter()
            .position(|&digit| digit == smallest)
            .unwrap();
        expected.rotate_left(first);
        assert_eq!(example.tokens, expected);
    }
}

#[test]
fn footprints_are_inside_and_hold_their_stamps() {
    for config in [paper(), small()] {
        let size = usize::from(config.size);
        let domain = quiet(config);
        for index in 0..1000 {
            let example = domain.example(Split::Test, index);
            let mut expected = vec![0.0; size * size];
            for footprint in &example.footprints {
                assert!(footprint.bottom <= size && footprint.right <= size);
                let stamp = &domain.stamps()[footprint.symbol];
                assert_eq!(footprint.bottom - footprint.top, stamp.rows());
                assert_eq!(footprint.right - footprint.left, stamp.columns());
                let columns = footprint.left..footprint.right;
                for (row, ink) in (footprint.top..).zip(stamp.ink().chunks(stamp.columns())) {
                    for (column, &ink) in columns.clone().zip(ink) {
                        assert!(footprint.contains(row, column));
                        expected[row * size + column] = f32::from(u8::from(ink));
                    }
                }
            }
            assert_eq!(example.input, expected);
        }
    }
}

#[test]
fn noise_comes_at_its_rates() {
    for domain in domains() {
        let size = usize::from(domain.config().size);
        let before = 0.5 * domain.stamps().mean_ink();
        let background = before * 0.95 + (1.0 - before) * 0.05;
        let (mut outside, mut inside) = ([0.0; 2], [0.0; 2]);
        for index in 0..500 {
            let example = domain.example(TRAIN, index);
            // The last digit lies on top of all others.
            let top = example.footprints.last().unwrap();
            let stamp = &domain.stamps()[top.symbol];
            for (at, &pixel) in example.input.iter().enumerate() {
                let (row, column) = (at / size, at % size);
                if top.contains(row, column) {
                    let offset = (row - top.top) * stamp.columns() + column - top.left;
                    let ink = f32::from(u8::from(stamp.ink()[offset]));
                    inside[0] += f64::from((ink - pixel).abs());
                    inside[1] += 1.0;
                } else if !example.footprints.iter().any(|f| f.contains(row, column)) {
                    outside[0] += f64::from(pixel);
                    outside[1] += 1.0;
                }
            }
        }
        for ([set, count], rate) in [(outside, background), (inside, 0.05)] {
            let deviation = (rate * (1.0 - rate) / count).sqrt();
            assert!(
                (set / count - rate).abs() < 5.0 * deviation,
                "{} for {rate}",
                set / count
            );
        }
    }
}
