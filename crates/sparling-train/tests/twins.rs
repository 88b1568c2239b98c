//! Training with the kernels of this project is training with Burn's operators.

#![cfg(feature = "flex")]

use std::path::Path;

use sparling_data::{Split, batch};
use sparling_kernels::switch;
use sparling_train::backend::Backend;
use sparling_train::config::RunConfig;
use sparling_train::training::learner::Learner;

const STEPS: usize = 50;

/// How far apart losses may be, relative to their size: sums are rounded in another order, and
/// training grows the difference with each step.
const TOLERANCE: f32 = 1e-3;

/// The losses of the first steps.
fn losses(domain: &str, file: &str) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(file);
    // The kernels drop other values than Burn's layer; their own test tells them what to drop.
    let settings = ["decoder.dropout=0.0".to_owned()];
    let config = RunConfig::load(domain, "small", Some(&path), &settings).expect("it is valid");
    let domain = config.build_domain().expect("it is valid");
    domain.prepare().expect("it needs nothing");
    let mut learner = Learner::new(&config, &*domain, Backend::Flex.device().autodiff());
    let size = config.training.batch_size;
    let split = Split::Train { seed: config.seed };
    (0..STEPS)
        .map(|step| {
            learner.device().seed(step as u64);
            let loss = learner.loss(batch(&*domain, split, (step * size) as u64, size), &*domain);
            let gradients = learner.gradients(&loss);
            learner.update(gradients, config.training.learning_rate);
            loss.into_scalar::<f32>()
        })
        .collect()
}

/// One test, since the switch is the process's.
#[test]
fn fifty_steps_cost_the_same() {
    for (domain, file) in [
        ("digitcircle", "tiny.toml"),
        ("audiomnist", "tiny-audio.toml"),
        ("latexocr", "tiny-latex.toml"),
    ] {
        switch::set(true);
        let ours = losses(domain, file);
        switch::set(false);
        let twins = losses(domain, file);
        for (step, (ours, twin)) in ours.iter().zip(&twins).enumerate() {
            let apart = (ours - twin).abs() / twin;
            assert!(
                apart < TOLERANCE,
                "{domain}, step {step}: {ours} and {twin}"
            );
        }
        assert!(
            ours[STEPS - 1] < ours[0],
            "{domain} learns nothing: {ours:?}"
        );
    }
}
