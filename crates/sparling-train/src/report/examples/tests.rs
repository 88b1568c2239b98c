use super::*;
use crate::metrics::Support;

/// Stripes with two symbols, and motifs of each role.
fn stripes(height: usize, width: usize) -> (Vec<f32>, Vec<Footprint>, Vec<Motif>) {
    let input = (0..height * width)
        .map(|index| f32::from(u8::from(index % 7 == 0)))
        .collect();
    let footprints = vec![
        Footprint {
            symbol: 0,
            top: 0,
            bottom: height.min(9),
            left: 2,
            right: 12,
        },
        Footprint {
            symbol: 1,
            top: 0,
            bottom: height.min(9),
            left: 20,
            right: 30,
        },
    ];
    let at = |channel, column| Motif {
        channel,
        row: 0,
        column,
        strength: 1.0,
    };
    (
        input,
        footprints,
        vec![at(0, 4), at(3, 6), at(1, 15), at(12, 25)],
    )
}

#[test]
fn draws_a_png_of_two_and_of_one_dimensional_examples() {
    let folder = tempfile::tempdir().unwrap();
    for (height, map_height) in [(40, 40), (8, 1)] {
        let (input, footprints, motifs) = stripes(height, 40);
        let support = Support {
            centre: [1.0, 0.0],
            rows: -1..4,
            columns: -3..4,
            activations: 1,
        };
        let supports = Supports(vec![Some(support), None]);
        let picture = ExamplePicture {
            input: &input,
            height,
            width: 40,
            map_height,
            footprints: Some(&footprints),
            motifs: &motifs,
            supports: Some(&supports),
            truth: Some("1 2"),
            prediction: Some("2 1"),
        };
        let path = folder.path().join(format!("{height}.png"));
        draw(&path, &[picture; 3]).unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{} bytes", bytes.len());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn unknown_footprints_make_every_motif_count() {
    let (input, footprints, motifs) = stripes(40, 40);
    let mut picture = ExamplePicture {
        input: &input,
        height: 40,
        width: 40,
        map_height: 40,
        footprints: Some(&footprints),
        motifs: &motifs,
        supports: None,
        truth: None,
        prediction: Some("1"),
    };
    let expected = [
        Role::Maximal,
        Role::NonMaximal,
        Role::FalsePositive,
        Role::Maximal,
    ];
    assert_eq!(roles(&picture), expected);
    picture.footprints = None;
    assert_eq!(roles(&picture), [Role::Maximal; 4]);
}

#[test]
fn wrong_shapes_and_empty_pages_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    assert!(draw(&path, &[]).unwrap_err().to_string().contains("x.png"));
    let picture = ExamplePicture {
        input: &[0.0; 5],
        height: 2,
        width: 3,
        map_height: 2,
        footprints: None,
        motifs: &[],
        supports: None,
        truth: None,
        prediction: Some(""),
    };
    let error = draw(&path, &[picture]).unwrap_err();
    assert_eq!(error.to_string(), "an input of 5 values is not 2 x 3");
    assert!(!path.exists());
}

#[test]
fn the_grid_is_about_as_wide_as_high() {
    assert_eq!(columns(9, 400, 440), 4);
    assert_eq!(columns(9, 400, 400), 3);
    assert_eq!(columns(4, 740, 260), 2);
    assert_eq!(columns(1, 100, 900), 1);
}
