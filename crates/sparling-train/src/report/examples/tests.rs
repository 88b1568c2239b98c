use super::*;
use crate::metrics::Support;

const FOOTPRINTS: [Footprint; 2] = [
    Footprint {
        symbol: 0,
        top: 0,
        bottom: 8,
        left: 2,
        right: 12,
    },
    Footprint {
        symbol: 1,
        top: 0,
        bottom: 8,
        left: 20,
        right: 30,
    },
];

/// Stripes.
fn input(height: usize, width: usize) -> Vec<f32> {
    (0..height * width)
        .map(|index| f32::from(u8::from(index % 7 == 0)))
        .collect()
}

/// Motifs of each role.
fn motifs() -> Vec<Motif> {
    [(0, 4), (3, 6), (1, 15), (12, 25)]
        .map(|(channel, column)| Motif::new(channel, 0, column, 1.0))
        .into()
}

/// Where channel 0 looks.
fn supports() -> Supports {
    let support = Support {
        centre: [1.0, 0.0],
        rows: -1..4,
        columns: -3..4,
        activations: 1,
    };
    Supports(vec![Some(support), None])
}

#[test]
fn draws_a_png_of_two_and_of_one_dimensional_examples() {
    let folder = tempfile::tempdir().unwrap();
    let (motifs, supports) = (motifs(), supports());
    for (shape, height) in [([1, 40, 40], 40), ([8, 1, 40], 8)] {
        let input = input(height, 40);
        let picture = ExamplePicture {
            footprints: Some(&FOOTPRINTS),
            motifs: &motifs,
            supports: Some(&supports),
            truth: Some("1 2"),
            prediction: Some("2 1"),
            ..ExamplePicture::new(&input, shape)
        };
        let path = folder.path().join("examples.png");
        draw(&path, &[picture; 3]).unwrap();
        let first = std::fs::read(&path).unwrap();
        let drawn = image::load_from_memory(&first).unwrap().into_rgb8();
        for index in [0, 3, 1, 12] {
            let code = colour(index).trim_start_matches('#');
            let code = u32::from_str_radix(code, 16).unwrap().to_be_bytes();
            let there = drawn.pixels().any(|pixel| pixel.0 == code[1..]);
            assert!(there, "channel {index} is not there");
        }
        draw(&path, &[picture; 3]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Where the frames of this colour are, as left, top, width and height, and whether they are dashed.
fn frames(panel: &str, colour: &str) -> Vec<([f64; 4], bool)> {
    let events = svg::read(panel).expect("what is drawn can be read");
    let frames = events.filter_map(|event| match event {
        svg::parser::Event::Tag("rect", _, its) if *its["stroke"] == *colour => Some(its),
        _ => None,
    });
    let place = |its: svg::node::Attributes| {
        let number = |name: &str| its[name].parse::<f64>().expect("a number");
        let line = number("stroke-width");
        let [left, top] = ["x", "y"].map(|name| number(name) - line / 2.0);
        let [width, height] = ["width", "height"].map(|name| number(name) + line);
        (
            [left, top, width, height],
            its.contains_key("stroke-dasharray"),
        )
    };
    frames.map(place).collect()
}

#[test]
fn boxes_and_letters_of_everything_found() {
    let (input, motifs, supports) = (input(40, 40), motifs(), supports());
    let picture = ExamplePicture {
        footprints: Some(&FOOTPRINTS),
        motifs: &motifs,
        supports: Some(&supports),
        ..ExamplePicture::new(&input, [1, 40, 40])
    };
    let panel = Panel::new(&picture, 1).unwrap().draw().unwrap();
    let panel = panel.to_string();
    // A value is 12 pixels wide.
    let footprints = [
        ([24.0, 0.0, 120.0, 96.0], false),
        ([240.0, 0.0, 120.0, 96.0], false),
    ];
    assert_eq!(frames(&panel, INK), footprints);
    // The motif is in column 4; what its channel looks at is cut off at the top.
    let support = ([12.0, 0.0, 84.0, 48.0], true);
    assert_eq!(frames(&panel, colour(0)), [support]);
    for channel in ["A", "D", "B", "M"] {
        let letters = panel.lines().filter(|line| *line == channel).count();
        assert_eq!(letters, 2, "{channel}, on its rim");
    }
}

#[test]
fn of_a_crowd_those_that_count_most_are_drawn() {
    let input = input(40, 40);
    let all: Vec<Motif> = (0_u16..1600)
        .map(|place| {
            let [row, column] = [place / 40, place % 40].map(usize::from);
            Motif::new(0, row, column, 1.0 + f32::from(place))
        })
        .collect();
    let picture = ExamplePicture {
        footprints: Some(&FOOTPRINTS),
        motifs: &all,
        ..ExamplePicture::new(&input, [1, 40, 40])
    };
    let panel = Panel::new(&picture, 1).unwrap().draw().unwrap();
    let panel = panel.to_string();
    let drawn = |element: &str| panel.matches(element).count();
    // One in each footprint; of those outside, whose crosses have a rim, the strongest, at the bottom.
    assert_eq!(drawn("<circle"), 2);
    assert_eq!(drawn("<path"), 2 * 498);
    assert!(!panel.contains(" 15L"), "one in the second row is drawn");
    assert!(panel.contains("500 of 1600 motifs"));
}

#[test]
fn channels_have_the_same_lane_in_all_examples() {
    let input = input(8, 40);
    let all = motifs();
    let example = |motifs| ExamplePicture {
        motifs,
        ..ExamplePicture::new(&input, [8, 1, 40])
    };
    let examples = [example(&all), example(&all[..1])];
    assert_eq!(lanes(&examples), 13);
    let dots = examples.map(|example| {
        let panel = Panel::new(&example, 13)
            .unwrap()
            .draw()
            .unwrap()
            .to_string();
        let lines: Vec<&str> = panel
            .lines()
            .filter(|line| line.contains("<circle"))
            .collect();
        // The same motif in both, drawn last.
        lines.last().unwrap().to_string()
    });
    assert_eq!(dots[0], dots[1]);
}

#[test]
fn unknown_footprints_make_every_motif_count() {
    let (input, motifs) = (input(40, 40), motifs());
    let mut picture = ExamplePicture {
        footprints: Some(&FOOTPRINTS),
        motifs: &motifs,
        ..ExamplePicture::new(&input, [1, 40, 40])
    };
    let expected = [
        Role::Maximal,
        Role::NonMaximal,
        Role::FalsePositive,
        Role::Maximal,
    ];
    assert_eq!(picture.roles(), expected);
    picture.footprints = None;
    assert_eq!(picture.roles(), [Role::Maximal; 4]);
}

#[test]
fn wrong_shapes_and_empty_pages_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    assert!(draw(&path, &[]).unwrap_err().to_string().contains("x.png"));
    let picture = ExamplePicture::new(&[0.0; 5], [1, 2, 3]);
    let error = format!("{:#}", draw(&path, &[picture]).unwrap_err());
    assert!(
        error.ends_with("an input of 5 values is not 2 x 3"),
        "{error}"
    );
    assert!(!path.exists());
}

#[test]
fn the_grid_is_about_as_wide_as_high() {
    assert_eq!(columns(9, 400, 440), 4);
    assert_eq!(columns(9, 400, 400), 3);
    assert_eq!(columns(4, 740, 260), 2);
    assert_eq!(columns(1, 100, 900), 1);
}
