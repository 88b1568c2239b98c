//! LaTeX-OCR as its users see it.

use sparling_data::{Domain, LatexOcr, LatexOcrConfig, Split};

fn config() -> LatexOcrConfig {
    let text = include_str!("data/latexocr-paper.toml");
    toml::from_str(text).expect("every key is there")
}

fn paper() -> LatexOcr {
    config().validate().expect("it is valid")
}

#[test]
fn an_example_is_a_function_of_split_and_index() {
    let (one, other) = (paper(), paper());
    let train = Split::Train { seed: 1 };
    for index in [0, 1, 77] {
        assert_eq!(one.example(train, index), other.example(train, index));
    }
    let different = one.example(Split::Train { seed: 2 }, 0);
    assert_ne!(one.example(train, 0), different);
    assert_ne!(one.example(train, 0), one.example(Split::Test, 0));
}

#[test]
fn tokens_spell_the_formula_drawn() {
    let domain = paper();
    for index in 0..300 {
        let example = domain.example(Split::Validation, index);
        let formula = domain.alphabet().parse(&example.tokens).unwrap();
        assert_eq!(formula, domain.formula(Split::Validation, index));
        assert!(example.tokens.len() <= domain.longest_output());
        let picture = domain.picture(&formula);
        let inked = domain.alphabet().inked(&formula);
        match picture.cropped {
            false => assert_eq!(example.footprints.len(), inked),
            true => assert!(example.footprints.len() <= inked),
        }
    }
}

#[test]
fn lengths_are_uniform() {
    let domain = paper();
    let mut counts = [0_u32; 31];
    for index in 0..30_000 {
        counts[domain.formula(Split::Train { seed: 3 }, index).length()] += 1;
    }
    assert_eq!(counts[0], 0);
    // Five standard deviations of a count around 1,000.
    assert!(
        counts[1..].iter().all(|n| n.abs_diff(1000) < 160),
        "{counts:?}"
    );
}

#[test]
fn footprints_are_boxes_with_a_margin() {
    let domain = paper();
    for index in 0..100 {
        let formula = domain.formula(Split::Test, index);
        let boxes = domain.picture(&formula).boxes;
        let example = domain.example(Split::Test, index);
        for (ink, footprint) in boxes.iter().zip(&example.footprints) {
            assert_eq!(footprint.symbol, ink.symbol);
            assert_eq!(footprint.top, ink.top.saturating_sub(2));
            assert_eq!(footprint.right, (ink.right + 2).min(360));
        }
    }
}

#[test]
fn noise_only_blackens() {
    let domain = paper();
    let (mut ground, mut blackened) = (0_u32, 0_u32);
    for index in 0..50 {
        let clean = domain.picture(&domain.formula(Split::Test, index)).pixels;
        let noisy = domain.example(Split::Test, index).input;
        for (clean, noisy) in clean.iter().zip(&noisy) {
            assert!(*noisy == 0.0 || *noisy == 1.0);
            assert!(noisy <= clean, "noise never removes ink");
            ground += u32::from(*clean == 1.0);
            blackened += u32::from(clean != noisy);
        }
    }
    let share = f64::from(blackened) / f64::from(ground);
    assert!((share - 0.25).abs() < 0.002, "{share}");
}

#[test]
fn a_large_formula_is_cropped_in_the_middle() {
    let small = LatexOcrConfig {
        width: 40,
        noise: 0.0,
        ..config()
    };
    let (small, large) = (small.validate().unwrap(), paper());
    let mut cropped = 0;
    for index in 0..50 {
        let formula = small.formula(Split::Test, index);
        let (part, whole) = (small.picture(&formula), large.picture(&formula));
        if whole.cropped {
            continue;
        }
        for row in 0..120 {
            // 360 and 40 have the same middle.
            assert_eq!(
                part.pixels[row * 40..(row + 1) * 40],
                whole.pixels[row * 360 + 160..row * 360 + 200]
            );
        }
        cropped += u32::from(part.cropped);
    }
    assert!(cropped > 25, "{cropped}");
}

#[test]
fn formulas_have_as_many_symbols_as_the_papers() {
    let domain = paper();
    let count = 3000;
    let symbols = |index| domain.example(Split::Validation, index).footprints.len();
    let mean = (0..count).map(symbols).sum::<usize>() as f64 / count as f64;
    assert!((mean / 9.64 - 1.0).abs() < 0.03, "{mean}");
}
