use super::*;

fn config() -> AnnealConfig {
    AnnealConfig {
        initial_density: 0.5,
        initial_target: 1.0,
        target_decay_per_sample: 1e-5,
        density_update: 0.75,
        check_every_samples: 4000,
        minimum_density: 0.2,
    }
}

/// Accuracies that wander up and down, the same each time.
fn accuracies(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963);
        Some((state >> 40) as f64 / (1_u64 << 24) as f64)
    })
}

#[test]
fn keeps_until_the_target_is_beaten_then_cuts_and_finishes() {
    let mut annealer = Annealer::new(config()).unwrap();
    assert_eq!(annealer.check(4000, 0.5), Decision::Keep);
    assert!((annealer.state().target - 0.96).abs() < 1e-12);
    assert_eq!(
        annealer.check(8000, 0.93),
        Decision::Cut {
            from: 0.5,
            to: 0.375
        }
    );
    assert_eq!(annealer.state().target, 0.93);
    assert_eq!(
        annealer.check(12000, 0.95),
        Decision::Cut {
            from: 0.375,
            to: 0.28125
        }
    );
    assert_eq!(
        annealer.check(16000, 0.95),
        Decision::Cut {
            from: 0.28125,
            to: 0.2109375
        }
    );
    assert_eq!(
        annealer.check(20000, 0.99),
        Decision::Finish { from: 0.2109375 }
    );
    assert_eq!(annealer.density(), 0.2109375);
    let end = annealer.clone();
    assert!(!annealer.is_due(1_000_000));
    assert_eq!(
        annealer.check(24000, 0.1),
        Decision::Finish { from: 0.2109375 }
    );
    assert_eq!(annealer, end);
}

#[test]
fn meeting_the_target_is_not_beating_it() {
    let mut annealer = Annealer::new(AnnealConfig {
        target_decay_per_sample: 0.0,
        ..config()
    })
    .unwrap();
    assert_eq!(annealer.check(4000, 1.0), Decision::Keep);
    assert_eq!(annealer.check(8000, f64::NAN), Decision::Keep);
}

#[test]
fn the_minimum_itself_may_be_trained_at() {
    let mut annealer = Annealer::new(AnnealConfig {
        minimum_density: 0.375,
        ..config()
    })
    .unwrap();
    assert_eq!(
        annealer.check(4000, 1.0),
        Decision::Cut {
            from: 0.5,
            to: 0.375
        }
    );
    assert_eq!(annealer.check(8000, 1.0), Decision::Finish { from: 0.375 });
}

#[test]
fn is_due_every_so_many_samples() {
    let mut annealer = Annealer::new(config()).unwrap();
    assert!(!annealer.is_due(3999));
    assert!(annealer.is_due(4000));
    annealer.check(4010, 0.0);
    assert!(!annealer.is_due(8000));
    assert!(annealer.is_due(8010));
}

#[test]
fn density_only_falls_and_the_target_never_beats_what_was_reached() {
    for seed in 0..50 {
        let mut annealer = Annealer::new(AnnealConfig {
            minimum_density: 1e-4,
            ..config()
        })
        .unwrap();
        for (check, accuracy) in (1..200).zip(accuracies(seed)) {
            let before = annealer.state().clone();
            let decision = annealer.check(check * 4000, accuracy);
            let after = annealer.state();
            assert!(after.density <= before.density && after.density >= 1e-4);
            assert!(after.target <= before.target.max(accuracy));
            assert!(after.target >= accuracy || after.finished);
            let cut = matches!(decision, Decision::Cut { .. });
            assert_eq!(cut, after.density < before.density);
        }
    }
}

#[test]
fn a_resumed_run_makes_the_same_decisions() {
    for stop in [1, 7, 20, 59] {
        let config = AnnealConfig {
            minimum_density: 0.01,
            ..config()
        };
        let mut whole = Annealer::new(config.clone()).unwrap();
        let mut torn = Annealer::new(config.clone()).unwrap();
        for (check, accuracy) in (1..80).zip(accuracies(3)) {
            if check == stop {
                let json = serde_json::to_string(torn.state()).unwrap();
                torn =
                    Annealer::resume(config.clone(), serde_json::from_str(&json).unwrap()).unwrap();
            }
            let samples = check * 4000;
            assert_eq!(
                whole.check(samples, accuracy),
                torn.check(samples, accuracy)
            );
            assert_eq!(whole, torn);
        }
        assert!(whole.state().finished);
    }
}

#[test]
fn cuts_are_counted_and_an_older_state_tells_them_by_its_density() {
    let config = AnnealConfig {
        minimum_density: 1e-6,
        ..config()
    };
    let mut annealer = Annealer::new(config.clone()).unwrap();
    let mut cuts = 0;
    for (check, accuracy) in (1..80).zip(accuracies(5)) {
        cuts += i32::from(matches!(
            annealer.check(check * 4000, accuracy),
            Decision::Cut { .. }
        ));
        assert_eq!(annealer.cuts(), cuts);
        let mut json = serde_json::to_value(annealer.state()).unwrap();
        json.as_object_mut().unwrap().remove("cuts");
        let older = serde_json::from_value(json).unwrap();
        assert_eq!(Annealer::resume(config.clone(), older).unwrap(), annealer);
    }
    assert!(cuts > 5);
}

#[test]
#[should_panic(expected = "check at 3000 samples after one at 4000")]
fn samples_cannot_go_back() {
    let mut annealer = Annealer::new(config()).unwrap();
    annealer.check(4000, 0.1);
    annealer.check(3000, 0.1);
}

#[test]
fn wrong_values_are_named() {
    let wrong = [
        (
            AnnealConfig {
                initial_density: 0.0,
                ..config()
            },
            "initial_density",
        ),
        (
            AnnealConfig {
                initial_density: f64::NAN,
                ..config()
            },
            "initial_density",
        ),
        (
            AnnealConfig {
                initial_target: 1.5,
                ..config()
            },
            "initial_target",
        ),
        (
            AnnealConfig {
                target_decay_per_sample: -1e-7,
                ..config()
            },
            "target_decay_per_sample",
        ),
        (
            AnnealConfig {
                density_update: 1.0,
                ..config()
            },
            "density_update",
        ),
        (
            AnnealConfig {
                check_every_samples: 0,
                ..config()
            },
            "check_every_samples",
        ),
        (
            AnnealConfig {
                minimum_density: 0.6,
                ..config()
            },
            "minimum_density",
        ),
        (
            AnnealConfig {
                minimum_density: 0.0,
                ..config()
            },
            "minimum_density",
        ),
    ];
    for (config, key) in wrong {
        assert_eq!(Annealer::new(config).unwrap_err().key, key);
    }
    let error = AnnealConfig {
        density_update: 1.5,
        ..config()
    }
    .validate()
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "density_update must be above 0 and below 1, but is 1.5"
    );
}

#[test]
fn unknown_keys_are_refused() {
    let json = serde_json::to_string(&config()).unwrap();
    assert!(serde_json::from_str::<AnnealConfig>(&json).is_ok());
    let json = json.replace("check_every_samples", "check_every_sample");
    assert!(serde_json::from_str::<AnnealConfig>(&json).is_err());
}
