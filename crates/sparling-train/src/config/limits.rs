//! How large a configuration's values may be, and how much memory they ask for: told before anything of that
//! size is made.

use sparling_data::Domain;

use super::RunConfigError;
use super::checks::require;
use super::{RunConfig, TrainingSection};

/// The widest that a layer may be.
const WIDEST: u64 = 65_536;

/// The most layers of a kind.
const DEEPEST: u64 = 1000;

/// The most examples in a batch.
const LARGEST_BATCH: u64 = 1 << 20;

/// The most examples or samples of anything that is counted.
const MOST: u64 = 1 << 50;

/// The most values in an input: a picture of 4096 by 4096.
const LARGEST_INPUT: u64 = 1 << 24;

/// The most memory that a step may ask for, in bytes: more than any single machine has.
const MOST_MEMORY: u128 = 1 << 42;

/// Bytes of a value.
const VALUE: u128 = 4;

impl RunConfig {
    /// Checks that no size is out of all proportion, nor what all of them together ask for.
    pub(super) fn validate_sizes(&self, domain: &dyn Domain) -> Result<(), RunConfigError> {
        let inputs = domain.input_shape().map(|side| side as u128);
        let values: u128 = inputs.iter().product();
        let wanted = format!("such that an input has at most {LARGEST_INPUT} values");
        require(
            values <= LARGEST_INPUT.into(),
            "domain",
            &wanted,
            format!("of {values}"),
        )?;
        let (model, decoder) = (&self.motif_model, &self.decoder);
        for (key, size, most) in [
            ("motif_model.width", model.width, WIDEST),
            ("motif_model.units", model.units, DEEPEST),
            ("motif_model.channels", model.channels, WIDEST),
            ("decoder.width", decoder.width, WIDEST),
            ("decoder.heads", decoder.heads, WIDEST),
            ("decoder.encoder_layers", decoder.encoder_layers, DEEPEST),
            ("decoder.decoder_layers", decoder.decoder_layers, DEEPEST),
            ("decoder.feed_forward", decoder.feed_forward, WIDEST),
            (
                "training.batch_size",
                self.training.batch_size,
                LARGEST_BATCH,
            ),
            (
                "validation.batch_size",
                self.validation.batch_size,
                LARGEST_BATCH,
            ),
            ("validation.examples", self.validation.examples, MOST),
        ] {
            at_most(key, size as u64, most)?;
        }
        let splitting = self.splitting.map_or(0, |splitting| splitting.examples);
        let radius = self.bottleneck.competition.map_or(0, |of| of.radius);
        let last_phase = self.last_phase.map_or(0, |phase| phase.samples);
        for (key, number, most) in [
            // What TOML can hold.
            ("seed", self.seed, i64::MAX as u64),
            ("splitting.examples", splitting as u64, MOST),
            ("bottleneck.competition.radius", radius as u64, WIDEST),
            ("last_phase.samples", last_phase, MOST),
            (
                "training.warmup_samples",
                self.training.warmup_samples,
                MOST,
            ),
            (
                "training.log_every_samples",
                self.training.log_every_samples,
                MOST,
            ),
            (
                "annealing.check_every_samples",
                self.annealing.check_every_samples,
                MOST,
            ),
        ] {
            at_most(key, number, most)?;
        }
        let memory = self.least_memory(domain);
        let gibibytes = memory >> 30;
        require(
            memory <= MOST_MEMORY,
            "training.batch_size, domain, motif_model and decoder",
            &format!("such that a step takes at most {} GiB", MOST_MEMORY >> 30),
            format!("such that it takes at least {gibibytes}"),
        )
    }

    /// The memory that a step of training takes at the least, in bytes: the parameters with gradients and Adam's
    /// moments, what the motif model's layers keep of a batch, and the attention between its cells.
    pub fn least_memory(&self, domain: &dyn Domain) -> u128 {
        let [inputs, height, width] = domain.input_shape().map(|side| side as u128);
        let (model, decoder) = (&self.motif_model, &self.decoder);
        let [wide, units, channels] =
            [model.width, model.units, model.channels].map(|size| size as u128);
        let [features, feed_forward, heads] =
            [decoder.width, decoder.feed_forward, decoder.heads].map(|size| size as u128);
        let [encoders, decoders] =
            [decoder.encoder_layers, decoder.decoder_layers].map(|size| size as u128);
        let vocabulary = domain.vocabulary().len() as u128;
        let taps = if height == 1 { 3 } else { 9 };
        let motif_model = inputs * wide + 2 * units * taps * wide * wide + wide * channels;
        let layer = 4 * features * features + 2 * features * feed_forward;
        let translator = channels * features
            + encoders * layer
            + decoders * (layer + 4 * features * features)
            + 2 * vocabulary * features;
        // Weights, gradients and both moments.
        let parameters = 4 * (motif_model + translator);
        let positions = height * width;
        let maps = positions * (inputs + wide * (1 + 2 * units) + 2 * channels);
        let pool = decoder.pool.max(1) as u128;
        let cells = (width / pool) * (height / pool).max(1);
        let attention = encoders * (heads * cells * cells + cells * (4 * features + feed_forward));
        VALUE * (parameters + self.training.batch_size as u128 * (maps + attention))
    }
}

impl TrainingSection {
    /// Checks that single precision, in which steps are taken, tells the values from 0 and 1.
    pub(super) fn validate_precision(&self) -> Result<(), RunConfigError> {
        let mut held = vec![
            ("training.learning_rate", self.learning_rate),
            ("training.epsilon", self.epsilon),
        ];
        held.extend(
            self.gradient_clip_norm
                .map(|norm| ("training.gradient_clip_norm", norm)),
        );
        for (key, value) in held {
            single(key, value)?;
        }
        for (key, beta) in [
            ("training.beta_1", self.beta_1),
            ("training.beta_2", self.beta_2),
        ] {
            let below = (beta as f32) < 1.0;
            require(below, key, "below 1 in single precision", beta)?;
        }
        Ok(())
    }
}

/// A number above 0 that is one in single precision, too.
pub(super) fn single(key: &str, value: f64) -> Result<(), RunConfigError> {
    let single = value as f32;
    let wanted = "above 0 and finite in single precision";
    require(single > 0.0 && single.is_finite(), key, wanted, value)
}

fn at_most(key: &str, number: u64, most: u64) -> Result<(), RunConfigError> {
    require(number <= most, key, &format!("at most {most}"), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(setting: &str) -> String {
        let settings = [setting.to_owned()];
        let refused = RunConfig::load("digitcircle", "small", None, &settings);
        refused.expect_err("it is out of proportion").to_string()
    }

    #[test]
    fn nothing_is_made_that_no_machine_could_hold() {
        for setting in [
            "motif_model.width=1000000000",
            "motif_model.units=1000000",
            "motif_model.channels=1000000000",
            "domain.size=65535",
            "decoder.width=1000000",
            "decoder.encoder_layers=4294967296",
            "decoder.feed_forward=1000000000",
            "training.batch_size=1000000000",
            "validation.batch_size=4611686018427387904",
            "validation.examples=9223372036854775807",
            "training.warmup_samples=9223372036854775807",
            "training.log_every_samples=9223372036854775807",
            "annealing.check_every_samples=9223372036854775807",
            "last_phase.samples=9223372036854775807",
            "splitting.examples=9223372036854775807",
            "bottleneck.competition.radius=1000000000",
        ] {
            let (key, value) = setting.split_once('=').unwrap();
            let error = refused(setting);
            assert!(error.contains(key.split('.').next().unwrap()), "{error}");
            assert!(error.contains("at most"), "{setting}: {error}");
            assert!(
                key == "domain.size" || error.contains(value),
                "{setting}: {error}"
            );
        }
        let together = refused("motif_model.width=65536");
        assert!(
            together.contains("a step takes at most 4096 GiB"),
            "{together}"
        );
    }

    #[test]
    fn values_that_single_precision_cannot_hold() {
        for setting in [
            "training.learning_rate=1e39",
            "training.epsilon=1e-300",
            "training.gradient_clip_norm=1e39",
            "training.beta_1=0.99999999999",
            "decoder.row_lstm.input_gain=1e300",
        ] {
            let error = refused(setting);
            assert!(error.contains("in single precision"), "{setting}: {error}");
        }
    }

    /// The paper's DigitCircle took 3.2 GB in training.
    #[test]
    fn a_step_takes_at_least_what_is_said() {
        let config = RunConfig::load("digitcircle", "paper", None, &[]).unwrap();
        let memory = config.least_memory(&*config.build_domain().unwrap());
        assert!((1 << 28..8 << 30).contains(&memory), "{memory}");
    }
}
