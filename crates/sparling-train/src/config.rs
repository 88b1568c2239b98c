//! What a run does, as TOML: presets, files and single overrides, checked before anything starts.

mod checks;
mod last_phase;
mod limits;
mod overrides;
mod presets;
mod splitting;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparling_data::{Domain, DomainConfig, input_file};
use sparling_layer::annealing::AnnealConfig;
use sparling_layer::{
    Baseline, Competition, SparseBottleneckConfig, SpatialSparsityConfig, ThresholdScope,
};
use sparling_models::{DecoderConfig, MotifModelConfig, Positions, RowLstmStart, SparlingConfig};
use toml::Table;

use crate::causes;

pub use last_phase::LastPhase;
pub(crate) use presets::preset_names;
pub use splitting::Splitting;

use checks::{above_zero, at_least_one, not_negative, require, share};
use limits::single;

/// The most bytes that a configuration's file may have.
const LONGEST_FILE: u64 = 1 << 24;

/// At a lower density no input of any size has an activation.
const LOWEST_DENSITY: f64 = 1e-12;

/// Everything that decides what a run computes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Decides the training examples, the initial weights and dropout.
    pub seed: u64,
    /// Where examples come from.
    pub domain: Box<dyn DomainConfig>,
    /// The motif model, `g`.
    pub motif_model: MotifModelSection,
    /// The sparse bottleneck.
    pub bottleneck: BottleneckSection,
    /// The decoder, `h`.
    pub decoder: DecoderSection,
    /// The optimisation.
    pub training: TrainingSection,
    /// When the density is cut (paper, Algorithm 1).
    pub annealing: AnnealConfig,
    /// How training goes on at the lowest density; absent: it ends there, as in the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_phase: Option<LastPhase>,
    /// What each check measures.
    pub validation: ValidationSection,
    /// How channels that stand for two symbols are parted; absent: they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splitting: Option<Splitting>,
    /// The weights to begin with; absent: random ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrain: Option<Retrain>,
}

/// A state of another run to begin with, whose motif model stays as it is: the paper's Retrained
/// (section 5.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retrain {
    /// The run's folder.
    pub run: PathBuf,
    /// The checkpoint's name in it.
    pub checkpoint: String,
}

/// The sizes of the motif model; the rest follows from the domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotifModelSection {
    /// The channels of the hidden layers.
    pub width: usize,
    /// The residual units; each widens the window by 4.
    pub units: usize,
    /// The motif channels.
    pub channels: usize,
}

/// The bottleneck between motif model and decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BottleneckSection {
    /// One threshold per channel (MT) or a single one (ST).
    pub scope: ThresholdScope,
    /// How much of the old threshold each update keeps.
    pub momentum: f64,
    /// Whether the batch norm before it learns a scale and an offset.
    pub affine: bool,
    /// Whether there is a batch norm.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub batch_norm: bool,
    /// What stands in for the sparsity layer, to compare with; absent: the layer itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// Gather batches until so many activations are expected per threshold; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulate: Option<f64>,
    /// Let only the strongest of each neighbourhood through in some training examples; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub competition: Option<Competition>,
}

/// The sizes of the decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderSection {
    /// The features of a token inside the transformer.
    pub width: usize,
    /// The attention heads.
    pub heads: usize,
    /// The encoder's layers.
    pub encoder_layers: usize,
    /// The decoder's layers.
    pub decoder_layers: usize,
    /// The hidden size of the feed-forward layers.
    pub feed_forward: usize,
    /// The dropout probability while training.
    pub dropout: f64,
    /// The side of the max-pooling window.
    pub pool: usize,
    /// What of a cell's place the encoder is told; absent: its row, as in the paper.
    #[serde(default)]
    pub positions: Positions,
    /// How the bidirectional LSTM begins that reads each row first; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_lstm: Option<RowLstmStart>,
}

/// The optimisation: Adam, with the gradient's global norm clipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSection {
    /// Examples per step.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// The factor on the step size with each cut of the density; 1 keeps it.
    pub learning_rate_per_cut: f64,
    /// The samples over which the step size grows linearly from 0; 0 for none.
    pub warmup_samples: u64,
    /// Adam's decay of the gradient's mean.
    pub beta_1: f64,
    /// Adam's decay of the squared gradient's mean.
    pub beta_2: f64,
    /// Adam's guard against division by zero.
    pub epsilon: f64,
    /// The largest norm of the whole gradient; absent: not clipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_clip_norm: Option<f64>,
    /// Samples between two training events in `metrics.jsonl`.
    pub log_every_samples: u64,
    /// The most minutes of training that are lost when the process is killed: `last` is saved this
    /// often, besides at each check.
    #[serde(default = "five")]
    pub save_every_minutes: f64,
}

/// What each check measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationSection {
    /// The number of examples, always the first ones of the validation split.
    pub examples: usize,
    /// Examples per forward pass.
    pub batch_size: usize,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunConfigError {
    /// There is no such preset.
    #[error("no preset `{preset}` for {domain}; there are: {known}")]
    Preset {
        /// The domain asked for.
        domain: String,
        /// The preset asked for.
        preset: String,
        /// Those there are.
        known: String,
    },
    /// There is no such domain.
    #[error(
        "there is no preset for a domain `{0}`, only for digitcircle, audiomnist and latexocr; give --config"
    )]
    Domain(String),
    /// A file could not be read.
    #[error("cannot read configuration {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A text is not TOML, or has unknown, missing or wrong keys.
    #[error("{origin}: {message}")]
    Parse {
        /// The file or preset it came from.
        origin: String,
        /// What is wrong, with the place.
        message: String,
    },
    /// An option that changes the configuration is not `key=value`, or names nothing.
    #[error("{0}: {1}")]
    Override(String, String),
    /// A value is out of its range.
    #[error("{key} must be {wanted}, but is {value}")]
    Range {
        /// The key.
        key: String,
        /// What would do.
        wanted: String,
        /// What was given.
        value: String,
    },
    /// It cannot be written down.
    #[error("the configuration cannot be kept as config.toml: {0}")]
    Unwritable(String),
    /// A part refuses its configuration.
    #[error("{0}")]
    Invalid(String),
}

impl RunConfig {
    /// Reads a preset or, if given, a file, applies the overrides (`section.key=value`; without a
    /// value the key is taken out) and checks everything.
    ///
    /// # Errors
    ///
    /// Names the file, key or value at fault.
    pub fn load(
        domain: &str,
        preset: &str,
        file: Option<&Path>,
        overrides: &[String],
    ) -> Result<Self, RunConfigError> {
        match file {
            Some(path) => Self::parse(domain, &path.display().to_string(), &read(path)?, overrides),
            None => {
                let text = presets::text(domain, preset)?;
                Self::parse(domain, &format!("preset {preset}"), text, overrides)
            }
        }
    }

    /// Reads a text, applies the overrides and checks everything; `origin` is what errors call it.
    ///
    /// # Errors
    ///
    /// Names the key or value at fault.
    pub fn parse(
        domain: &str,
        origin: &str,
        text: &str,
        overrides: &[String],
    ) -> Result<Self, RunConfigError> {
        let parse = |message: String| RunConfigError::Parse {
            origin: origin.to_owned(),
            message,
        };
        let mut table: Table = text.parse().map_err(|error| parse(format!("{error}")))?;
        for setting in overrides {
            overrides::apply(&mut table, setting)?;
        }
        let config: Self = table.try_into().map_err(|error: toml::de::Error| {
            let message = in_plain_words(&error.to_string());
            match overrides::to_blame(overrides, &message) {
                Some(setting) => RunConfigError::Override(format!("--set {setting}"), message),
                None => parse(message),
            }
        })?;
        if config.domain_name() != domain {
            return Err(parse(format!(
                "is for {}, not {domain}",
                config.domain_name()
            )));
        }
        config.validate()?;
        Ok(config)
    }

    /// Reads the resolved configuration of a run.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn from_run(path: &Path) -> Result<Self, RunConfigError> {
        let config = Self::as_written(path)?;
        config.validate()?;
        Ok(config)
    }

    /// As [`from_run`](Self::from_run), unchecked: what examples are made from may be elsewhere by now.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is no configuration.
    pub(crate) fn as_written(path: &Path) -> Result<Self, RunConfigError> {
        toml::from_str(&read(path)?).map_err(|error| RunConfigError::Parse {
            origin: path.display().to_string(),
            message: error.to_string(),
        })
    }

    /// What retrains the decoder of a run of this configuration without the bottleneck: neither batch
    /// norm nor threshold, everything passes, and the density has no end to reach.
    pub fn without_bottleneck(mut self, retrain: Retrain) -> Self {
        self.bottleneck.baseline = Some(Baseline::Identity);
        self.bottleneck.batch_norm = false;
        self.bottleneck.competition = None;
        self.splitting = None;
        self.annealing.initial_target = 1.0;
        self.annealing.target_decay_per_sample = 0.0;
        self.retrain = Some(retrain);
        self
    }

    /// The configuration as TOML, every key written out.
    ///
    /// # Errors
    ///
    /// If a path in it is not UTF-8, which no TOML can hold.
    pub fn to_toml(&self) -> Result<String, RunConfigError> {
        let refused = |error: toml::ser::Error| RunConfigError::Unwritable(error.to_string());
        toml::to_string_pretty(self).map_err(refused)
    }

    /// Makes the paths of what examples are made from, and of the run that is retrained, absolute, so that a run
    /// can be gone on with from anywhere.
    ///
    /// # Errors
    ///
    /// If the working directory is not known.
    pub fn with_absolute_paths(mut self) -> Result<Self, RunConfigError> {
        let retrained = self.retrain.as_mut().map(|retrain| &mut retrain.run);
        for path in self.domain.sources().into_iter().chain(retrained) {
            *path = std::path::absolute(&*path).map_err(|source| RunConfigError::Read {
                path: path.clone(),
                source,
            })?;
        }
        Ok(self)
    }

    /// What of it decides what is learnt: all but how often the state is saved.
    pub fn decisive(&self) -> serde_json::Value {
        let mut decisive = serde_json::to_value(self).expect("what TOML holds JSON does");
        if let Some(training) = decisive["training"].as_object_mut() {
            training.remove("save_every_minutes");
        }
        decisive
    }

    /// The domain's name, as on the command line.
    pub fn domain_name(&self) -> &'static str {
        self.domain.typetag_name()
    }

    /// Checks the domain's section and makes the domain.
    ///
    /// # Errors
    ///
    /// What the domain says.
    pub fn build_domain(&self) -> Result<Box<dyn Domain>, RunConfigError> {
        let invalid = |error: sparling_data::ConfigError| {
            RunConfigError::Invalid(format!("domain: {}", causes::told(&error)))
        };
        self.domain.build().map_err(invalid)
    }

    /// Checks every range.
    ///
    /// # Errors
    ///
    /// Names the key and the value.
    pub fn validate(&self) -> Result<(), RunConfigError> {
        let domain = self.build_domain()?;
        self.validate_sizes(&*domain)?;
        let model = &self.motif_model;
        at_least_one("motif_model.width", model.width)?;
        at_least_one("motif_model.channels", model.channels)?;
        self.validate_decoder(&*domain)?;
        self.training.validate()?;
        at_least_one("validation.examples", self.validation.examples)?;
        at_least_one("validation.batch_size", self.validation.batch_size)?;
        let momentum = self.bottleneck.momentum;
        require(
            (0.0..1.0).contains(&momentum),
            "bottleneck.momentum",
            "in [0, 1)",
            momentum,
        )?;
        if let Some(wanted) = self.bottleneck.accumulate {
            above_zero("bottleneck.accumulate", wanted)?;
        }
        let groups = self.bottleneck.scope.groups(model.channels);
        require(
            groups > 0 && model.channels.is_multiple_of(groups),
            "bottleneck.scope",
            &format!(
                "groups of which {} channels make a whole number",
                model.channels
            ),
            groups,
        )?;
        if let Some(baseline) = self.bottleneck.baseline {
            self.validate_baseline(baseline)?;
        }
        if let Some(competition) = &self.bottleneck.competition {
            share("bottleneck.competition.share", competition.share)?;
            share(
                "bottleneck.competition.from_density",
                competition.from_density,
            )?;
            if let Some(inhibition) = &competition.inhibition {
                let key = "bottleneck.competition.inhibition.weight";
                above_zero(key, inhibition.weight)?;
                share(
                    "bottleneck.competition.inhibition.from_density",
                    inhibition.from_density,
                )?;
            }
        }
        if let Some(splitting) = &self.splitting {
            self.requires_of_splitting()?;
            splitting.validate()?;
        }
        if let Some(phase) = &self.last_phase {
            phase.validate()?;
        }
        let lowest = self.annealing.minimum_density;
        let wanted = format!("at least {LOWEST_DENSITY}");
        let possible = lowest >= LOWEST_DENSITY || lowest <= 0.0 || lowest.is_nan();
        require(possible, "annealing.minimum_density", &wanted, lowest)?;
        self.annealing
            .validate()
            .map_err(|error| RunConfigError::Range {
                key: format!("annealing.{}", error.key),
                wanted: error.wanted.to_owned(),
                value: error.value.to_string(),
            })
    }

    fn validate_decoder(&self, domain: &dyn Domain) -> Result<(), RunConfigError> {
        let decoder = &self.decoder;
        decoder
            .build(self.motif_model.channels, domain.vocabulary().len())
            .validate()
            .map_err(|error| RunConfigError::Invalid(error.to_string()))?;
        let [_, height, width] = domain.input_shape();
        let is_sequence = height == 1;
        let smallest = if is_sequence {
            width
        } else {
            height.min(width)
        };
        let wanted = format!("at most {smallest}, the input's smallest side");
        let pool = decoder.pool;
        require(pool <= smallest, "decoder.pool", &wanted, pool)?;
        require(
            !is_sequence || decoder.positions == Positions::Rows,
            "decoder.positions",
            "\"rows\", the only axis of a sequence",
            "\"rows_and_columns\"",
        )?;
        let Some(lstm) = &decoder.row_lstm else {
            return Ok(());
        };
        let wanted = "absent, where inputs are sequences";
        require(!is_sequence, "decoder.row_lstm", wanted, "there")?;
        single("decoder.row_lstm.input_gain", lstm.input_gain)?;
        let (key, bias) = ("decoder.row_lstm.forget_bias", lstm.forget_bias);
        require(
            (bias as f32).is_finite(),
            key,
            "finite in single precision",
            bias,
        )
    }

    fn validate_baseline(&self, baseline: Baseline) -> Result<(), RunConfigError> {
        if self.bottleneck.competition.is_some() || self.splitting.is_some() {
            let message = "bottleneck.competition and splitting are the sparsity layer's and say \
                           nothing of a baseline: take them out (--set splitting= --set \
                           bottleneck.competition=)";
            return Err(RunConfigError::Invalid(message.to_owned()));
        }
        let key = "bottleneck.baseline.weight";
        match baseline {
            Baseline::Identity | Baseline::Noise => Ok(()),
            Baseline::L1 { weight } => not_negative(key, weight),
            Baseline::Kl { weight, density } => {
                not_negative(key, weight)?;
                let inside = density > 0.0 && density < 1.0;
                let key = "bottleneck.baseline.density";
                require(inside, key, "above 0 and below 1", density)
            }
        }
    }

    /// What splitting needs of the rest.
    fn requires_of_splitting(&self) -> Result<(), RunConfigError> {
        let message = if self.bottleneck.competition.is_none() {
            "splitting judges channels by what they win, so it needs a section [bottleneck.competition]"
        } else if !self.bottleneck.batch_norm {
            "splitting goes by the spread of what bottleneck.batch_norm normalises"
        } else {
            return Ok(());
        };
        Err(RunConfigError::Invalid(message.to_owned()))
    }

    /// The model this configuration describes.
    pub fn model(&self, domain: &dyn Domain) -> SparlingConfig {
        let [inputs, height, _] = domain.input_shape();
        let dimensions = if height == 1 { 1 } else { 2 };
        let channels = self.motif_model.channels;
        let sparsity = SpatialSparsityConfig::new(channels, self.annealing.initial_density)
            .with_scope(self.bottleneck.scope)
            .with_momentum(self.bottleneck.momentum)
            .with_accumulate(self.bottleneck.accumulate)
            .with_competition(self.bottleneck.competition);
        SparlingConfig::new(
            MotifModelConfig::new(
                inputs,
                dimensions,
                self.motif_model.width,
                self.motif_model.units,
                channels,
            ),
            SparseBottleneckConfig::new(sparsity)
                .with_affine(self.bottleneck.affine)
                .with_batch_norm(self.bottleneck.batch_norm)
                .with_baseline(self.bottleneck.baseline),
            self.decoder.build(channels, domain.vocabulary().len()),
        )
    }
}

impl DecoderSection {
    fn build(&self, channels: usize, vocabulary: usize) -> DecoderConfig {
        DecoderConfig {
            channels,
            vocabulary,
            width: self.width,
            heads: self.heads,
            encoder_layers: self.encoder_layers,
            decoder_layers: self.decoder_layers,
            feed_forward: self.feed_forward,
            dropout: self.dropout,
            pool: self.pool,
            positions: self.positions,
            row_lstm: self.row_lstm.clone(),
        }
    }
}

impl TrainingSection {
    fn validate(&self) -> Result<(), RunConfigError> {
        at_least_one("training.batch_size", self.batch_size)?;
        let every = self.log_every_samples;
        require(every > 0, "training.log_every_samples", "at least 1", every)?;
        above_zero("training.save_every_minutes", self.save_every_minutes)?;
        above_zero("training.learning_rate", self.learning_rate)?;
        let factor = self.learning_rate_per_cut;
        share("training.learning_rate_per_cut", factor)?;
        above_zero("training.epsilon", self.epsilon)?;
        for (key, beta) in [
            ("training.beta_1", self.beta_1),
            ("training.beta_2", self.beta_2),
        ] {
            require((0.0..1.0).contains(&beta), key, "in [0, 1)", beta)?;
        }
        if let Some(norm) = self.gradient_clip_norm {
            above_zero("training.gradient_clip_norm", norm)?;
        }
        self.validate_precision()
    }
}

/// What a parser says of a type, for those who do not know Rust's.
fn in_plain_words(message: &str) -> String {
    let mut words = message.trim_end().replace('\n', " ");
    for kind in ["usize", "u64", "u32", "u16", "u8"] {
        words = words.replace(
            &format!("expected {kind}"),
            "expected a whole number of at least 0",
        );
    }
    for kind in ["f64", "f32"] {
        words = words.replace(&format!("expected {kind}"), "expected a number");
    }
    words
}

fn five() -> f64 {
    5.0
}

fn yes() -> bool {
    true
}

fn read(path: &Path) -> Result<String, RunConfigError> {
    input_file::read_text(path, LONGEST_FILE).map_err(|source| RunConfigError::Read {
        path: path.to_owned(),
        source,
    })
}
