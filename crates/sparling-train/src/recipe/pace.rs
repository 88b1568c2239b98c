//! How long training will take, measured by a few of its steps.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use burn::module::Module;
use sparling_data::{Domain, Loader, Split};

use crate::backend::Backend;
use crate::config::RunConfig;
use crate::evaluate::Evaluator;
use crate::training::learner::Learner;

/// The steps before the clock runs, in which memory is got and kernels are made.
const WARMING: usize = 3;

/// The seconds that steps are measured for.
const SECONDS: f64 = 3.0;

/// What runs like the presets' took, in training samples.
const USUAL_SAMPLES: [u64; 2] = [80_000, 200_000];

/// How fast training is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Training samples a second.
    samples_per_s: f64,
    /// Seconds that the checks of 1,000 training samples take.
    checks: f64,
}

/// Trains a few steps of a configuration that nobody keeps.
///
/// # Errors
///
/// If the domain cannot be prepared.
pub fn measure(config: &RunConfig, backend: Backend) -> Result<Pace> {
    let domain: Arc<dyn Domain> = Arc::from(config.build_domain()?);
    domain.prepare()?;
    let mut learner = Learner::new(config, &*domain, backend.device().autodiff());
    let training = &config.training;
    let split = Split::Train { seed: config.seed };
    let loader = Loader::new(domain.clone(), split, 0, training.batch_size, 1);
    let mut begun = Instant::now();
    let mut steps = 0;
    for (step, batch) in loader.enumerate() {
        if step == WARMING {
            begun = Instant::now();
            steps = 0;
        }
        let loss = learner.loss(batch, &*domain);
        let gradients = learner.gradients(&loss);
        learner.update(gradients, training.learning_rate);
        // Waits for the device.
        loss.into_data();
        steps += 1;
        if step > WARMING && begun.elapsed().as_secs_f64() > SECONDS {
            break;
        }
    }
    let samples = (steps * training.batch_size) as f64;
    let samples_per_s = samples / begun.elapsed().as_secs_f64();

    let device = learner.device().clone().inner();
    let evaluator = Evaluator {
        model: &learner.model.valid(),
        domain: &*domain,
        device: &device,
        batch_size: config.validation.batch_size,
        supports: None,
    };
    let examples = evaluator.available(Split::Validation, config.validation.examples);
    let read = examples.min(evaluator.batch_size);
    let begun = Instant::now();
    evaluator.read_split(Split::Validation, read);
    let check = begun.elapsed().as_secs_f64() * examples as f64 / read as f64;
    Ok(Pace {
        samples_per_s,
        checks: check * 1000.0 / config.annealing.check_every_samples as f64,
    })
}

impl Pace {
    /// The seconds that so many training samples take, with their checks.
    fn seconds(&self, samples: u64) -> f64 {
        samples as f64 / self.samples_per_s + samples as f64 / 1000.0 * self.checks
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, most] = USUAL_SAMPLES.map(|samples| time(self.seconds(samples)));
        let [few, many] = USUAL_SAMPLES.map(|samples| samples / 1000);
        write!(
            f,
            "{:.0} samples a second here; the presets' runs took {few},000 to {many},000, which would be {least} \
             to {most}, but how many this needs only training shows",
            self.samples_per_s
        )
    }
}

fn time(seconds: f64) -> String {
    match seconds / 60.0 {
        minutes if minutes < 100.0 => format!("{:.0} minutes", minutes.ceil()),
        minutes => format!("{:.1} hours", minutes / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_take_time_too() {
        let pace = Pace {
            samples_per_s: 100.0,
            checks: 5.0,
        };
        assert_eq!(pace.seconds(1000), 15.0);
        assert_eq!(time(61.0), "2 minutes");
        assert_eq!(time(9000.0), "2.5 hours");
    }
}
