//! An input with its motifs, and what the decoder makes of them.

use anyhow::Result;
use serde::Serialize;
use sparling_data::{Batch, Footprint, Split};

use super::channels::Channels;
use super::models::Model;
use super::refusal::Refusal;
use crate::evaluate::Reading;
use crate::metrics::channel::channel_name;
use crate::metrics::{Motif, Support};
use crate::report::greys;
use crate::run::trained::Trained;
use crate::study::explain::Explanation;

/// More motifs than this have no graph that anyone could read, and take long to take away.
pub(super) const MOST_EXPLAINED: usize = 40;

/// The grey of full ink.
pub(super) const INK: f32 = 60.0;

/// An input as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// The density of the model that read it.
    density: f64,
    /// The address of a picture of it, a pixel for each value.
    picture: String,
    /// What the model's channels are, as far as that is known.
    channels: Vec<ShownChannel>,
    /// The motifs that the model found.
    found: Vec<Motif>,
    /// What it should have read.
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<Truth>,
    #[serde(flatten)]
    answer: Answer,
}

/// A channel's letter, and what it stands for.
#[derive(Debug, Serialize)]
pub(super) struct ShownChannel {
    name: String,
    /// The symbol that outputs lose without its motifs or, where that was not measured, the one of the
    /// footprints that they lie in.
    symbol: Option<String>,
    /// The share of its motifs without which that symbol went, where that was measured.
    confidence: Option<f64>,
    /// What it looks at around its motifs, where that was measured.
    support: Option<Support>,
}

/// What is true of an example.
#[derive(Debug, Serialize)]
struct Truth {
    output: String,
    footprints: Vec<Footprint>,
}

/// What the decoder writes for some motifs.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    motifs: Vec<Motif>,
    output: String,
    /// The output as people write it, with a picture of that, where it is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    typeset: Option<Typeset>,
    /// The output's tokens, the one that ends it last.
    tokens: Vec<String>,
    /// How each token comes about; `None` if there are too many motifs.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

#[derive(Debug, Serialize)]
struct Typeset {
    source: String,
    picture: String,
}

impl Shown {
    /// Reads a test example.
    pub(super) fn example(model: &Model, index: u64) -> Result<Self> {
        let batch = sparling_data::batch(model.domain(), Split::Test, index, 1);
        Self::of(model, batch, true)
    }

    /// Reads an input that nobody knows the truth of.
    pub(super) fn input(model: &Model, input: Vec<f32>) -> Result<Self> {
        let batch = Batch {
            first_index: 0,
            inputs: input,
            tokens: vec![Vec::new()],
            footprints: vec![Vec::new()],
        };
        Self::of(model, batch, false)
    }

    fn of(model: &Model, batch: Batch, is_known: bool) -> Result<Self> {
        let readings = model.evaluator().read(batch);
        let reading = readings.into_iter().next();
        let reading = reading.expect("one reading for one input");
        Ok(Self {
            density: model.evaluator().model.bottleneck.sparsity.density(),
            picture: picture(model, &reading.input)?,
            channels: channels(model),
            found: reading.motifs.clone(),
            truth: is_known.then(|| Truth {
                output: model.domain().vocabulary().decode(&reading.truth),
                footprints: reading.footprints.clone(),
            }),
            answer: Answer::of(model, reading)?,
        })
    }

    /// The same input with other motifs.
    pub(super) fn with(mut self, model: &Model, motifs: Vec<Motif>) -> Result<Self> {
        self.answer = Answer::to(model, motifs)?;
        Ok(self)
    }
}

impl Answer {
    /// Runs the decoder on motifs that somebody has put where they are.
    pub(super) fn to(model: &Model, motifs: Vec<Motif>) -> Result<Self> {
        let prediction = model.evaluator().output_of(&motifs);
        let reading = Reading {
            input: Vec::new(),
            motifs,
            prediction,
            truth: Vec::new(),
            footprints: Vec::new(),
        };
        Self::of(model, reading)
    }

    fn of(model: &Model, reading: Reading) -> Result<Self> {
        let vocabulary = model.domain().vocabulary();
        let explained = reading.motifs.len() <= MOST_EXPLAINED;
        let explanation = explained.then(|| Explanation::of(&model.evaluator(), &reading));
        let tokens = match &explanation {
            Some(explanation) => &explanation.tokens,
            None => &reading.prediction,
        };
        let named = |token: &usize| match *token == vocabulary.end() {
            true => "end".to_owned(),
            false => vocabulary.decode(&[*token]),
        };
        let typeset = model.domain().typeset(&reading.prediction);
        let typeset = typeset.map(|typeset| {
            anyhow::Ok(Typeset {
                picture: picture(model, &typeset.input)?,
                source: typeset.source,
            })
        });
        Ok(Self {
            output: vocabulary.decode(&reading.prediction),
            typeset: typeset.transpose()?,
            tokens: tokens.iter().map(named).collect(),
            motifs: reading.motifs,
            explanation,
        })
    }
}

/// Checks that motifs are ones that the model could have found.
///
/// # Errors
///
/// If one lies outside the motif map or has no strength, or there are more than there are places.
pub(super) fn checked(model: &Model, motifs: Vec<Motif>) -> Result<Vec<Motif>, Refusal> {
    let [_, height, width] = model.domain().input_shape();
    let channels = model.evaluator().model.bottleneck.sparsity.channels();
    let places = channels * height * width;
    if motifs.len() > places {
        let count = motifs.len();
        return Err(Refusal::wrong(format!(
            "{count} motifs are more than the map has places, which is {places}"
        )));
    }
    let is_possible = |motif: &Motif| {
        motif.channel < channels
            && motif.row < height
            && motif.column < width
            && motif.strength > 0.0
            && motif.strength.is_finite()
    };
    match motifs.iter().find(|motif| !is_possible(motif)) {
        None => Ok(motifs),
        Some(motif) => Err(Refusal::wrong(format!(
            "there can be no motif of channel {} at row {}, column {} with strength {}: the map has {channels} \
             channels, {height} rows and {width} columns, and strengths are above 0",
            motif.channel, motif.row, motif.column, motif.strength
        ))),
    }
}

/// The address of a picture of an input.
fn picture(model: &Model, input: &[f32]) -> Result<String> {
    let [_, height, width] = model.domain().input_shape();
    if height == 1 {
        return greys::address(input, width, true, INK);
    }
    let greys = greys::mean_plane(input, height * width);
    greys::address(&greys, width, false, INK)
}

/// What a model's channels are, as far as that is known.
pub(super) fn channels(model: &Model) -> Vec<ShownChannel> {
    channels_of(model, model.channels_so_far().as_deref())
}

/// What channels are, by what was saved or else measured.
pub(super) fn channels_of(model: &Trained, measured: Option<&Channels>) -> Vec<ShownChannel> {
    let count = model.evaluator().model.bottleneck.sparsity.channels();
    let supports = model.supports();
    let supports = supports.or(measured.map(|measured| &measured.supports));
    let names = model.names();
    let names = names.or(measured.map(|measured| &measured.names));
    let shown = (0..count).map(|channel| {
        let name = names.and_then(|names| names.0.get(channel)?.as_ref());
        let symbol = match name {
            Some(name) => model.domain().symbol_of(name.token),
            None => model.symbol_of(channel),
        };
        ShownChannel {
            name: channel_name(channel),
            symbol: symbol.map(|symbol| model.domain().symbols()[symbol].clone()),
            confidence: name.map(|name| name.confidence),
            support: supports.and_then(|supports| supports.0.get(channel)?.clone()),
        }
    });
    shown.collect()
}
