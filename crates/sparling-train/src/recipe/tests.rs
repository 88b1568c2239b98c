use super::*;

use std::collections::BTreeSet;
use std::path::PathBuf;

use sparling_data::folder::{PictureSurvey, RecordingSurvey, Spread};

use crate::config::RunConfig;

const fn all(value: f64) -> Spread {
    Spread {
        least: value,
        middle: value,
        most: value,
    }
}

/// Strips of handwritten numbers, bright on dark.
fn strips() -> PictureSurvey {
    PictureSurvey {
        heights: all(24.0),
        widths: all(88.0),
        ground: 0,
        ink: 255,
        pictures: 9900,
        colourful: 0,
        otherwise: 0,
        blank: 0,
        stroke: [10.0, 7.0],
        drawn: [20.0, 80.0],
    }
}

fn survey(content: Surveyed) -> Survey {
    Survey {
        path: PathBuf::from("numb\"ers"),
        label: "text".to_owned(),
        checksum: "0123456789abcdef".to_owned(),
        parts: [8000, 1000, 900],
        tokens: Tokens::Characters,
        symbols: ('0'..='9').map(|digit| (digit.to_string(), 4000)).collect(),
        lengths: Spread {
            least: 3.0,
            middle: 4.0,
            most: 5.0,
        },
        mean_length: 4.0,
        boxed: 0,
        duplicates: 0,
        leaked: 0,
        contradiction: None,
        content,
    }
}

/// What is chosen, as a configuration that is valid.
fn chosen(survey: &Survey) -> (RunConfig, String) {
    let (mut template, line) = match &survey.content {
        Surveyed::Pictures(pictures) => pictures::choose(survey, pictures),
        Surveyed::Recordings(recordings) => recordings::choose(survey, recordings),
    };
    describe(&mut template, survey);
    let config = RunConfig::parse(DOMAIN, ORIGIN, &template.filled(), &[]).unwrap();
    (config, line)
}

#[test]
fn a_recipe_for_pictures_is_valid_and_fits() {
    let (config, line) = chosen(&survey(Surveyed::Pictures(strips())));
    assert_eq!(config.motif_model.channels, 20);
    assert_eq!(config.motif_model.units, 4);
    assert_eq!(config.decoder.pool, 8);
    assert_eq!(config.bottleneck.competition.unwrap().radius, 4);
    let density = config.annealing.minimum_density;
    assert!((density / (4.0 / (24.0 * 88.0 * 20.0)) - 1.0).abs() < 1e-3);
    assert_eq!(config.validation.examples, 1000);
    let domain = config.build_domain().unwrap();
    assert_eq!(domain.input_shape(), [1, 24, 88]);
    assert_eq!(domain.longest_output(), 5);
    assert!(line.contains("24x88") && line.contains("varied"), "{line}");
}

#[test]
fn large_pictures_are_scaled_down_and_mixed_ones_fitted() {
    let large = PictureSurvey {
        heights: all(1200.0),
        widths: all(3000.0),
        stroke: [200.0, 150.0],
        drawn: [600.0, 2800.0],
        ..strips()
    };
    let (config, line) = chosen(&survey(Surveyed::Pictures(large)));
    let shape = config.build_domain().unwrap().input_shape();
    assert_eq!(shape, [1, 96, 240]);
    assert!(line.contains("scaled by 0.08"), "{line}");
    let mixed = PictureSurvey {
        heights: Spread {
            least: 20.0,
            middle: 24.0,
            most: 60.0,
        },
        ..strips()
    };
    let (config, line) = chosen(&survey(Surveyed::Pictures(mixed)));
    assert_eq!(config.build_domain().unwrap().input_shape(), [1, 24, 88]);
    assert!(line.contains("each picture scaled until it fits"), "{line}");
}

#[test]
fn tiny_pictures_and_single_symbols_have_a_recipe() {
    let tiny = PictureSurvey {
        heights: all(1.0),
        widths: all(2.0),
        stroke: [0.0, 0.0],
        drawn: [0.0, 0.0],
        ..strips()
    };
    chosen(&Survey {
        mean_length: 1.0,
        ..survey(Surveyed::Pictures(tiny))
    });
}

#[test]
fn a_recipe_for_recordings_is_valid_and_fits() {
    let recordings = RecordingSurvey {
        seconds: Spread {
            least: 1.0,
            middle: 1.9,
            most: 3.4,
        },
        sample_rates: BTreeSet::from([8000]),
        silent: 0,
    };
    let (config, line) = chosen(&survey(Surveyed::Recordings(recordings)));
    assert_eq!(config.motif_model.units, 8);
    assert_eq!(config.decoder.pool, 8);
    let domain = config.build_domain().unwrap();
    assert_eq!(domain.input_shape(), [64, 1, 172]);
    let density = config.annealing.minimum_density;
    assert!((density / (4.0 / (172.0 * 20.0)) - 1.0).abs() < 1e-3);
    assert!(line.contains("4 s (172 frames)"), "{line}");
}

#[test]
fn uneven_symbols_share_a_threshold() {
    let mut uneven = survey(Surveyed::Pictures(strips()));
    uneven.symbols[3].1 = 10;
    let (config, _) = chosen(&uneven);
    assert_eq!(
        config.bottleneck.scope,
        sparling_layer::ThresholdScope::Single
    );
    let lines = found(&uneven).join("\n");
    assert!(lines.contains("too rare to be learnt: 3 (10)"), "{lines}");
}

#[test]
fn what_is_doubtful_is_said() {
    let doubtful = Survey {
        duplicates: 7,
        leaked: 4,
        contradiction: Some([
            "1.png (m, line 2)".to_owned(),
            "2.png (m, line 3)".to_owned(),
        ]),
        ..survey(Surveyed::Pictures(PictureSurvey {
            blank: 3,
            otherwise: 5,
            ..strips()
        }))
    };
    let lines = found(&doubtful).join("\n");
    for part in [
        "8000 files to train on, 1000 for validation, 900 for the test; 10 symbols, 3 to 5 in a label",
        "no boxes",
        "3 pictures have nothing on them",
        "5 pictures have another ground than grey 0",
        "7 files are equal to another one",
        "4 files held out for validation or test are equal to files to train on",
        "different labels: 1.png (m, line 2) and 2.png (m, line 3)",
    ] {
        assert!(lines.contains(part), "no `{part}` in {lines}");
    }
}
