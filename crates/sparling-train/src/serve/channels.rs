//! What each channel of a model is: its page.

use anyhow::Result;
use serde::Serialize;
use sparling_data::Split;

use super::reading::{INK, MOST_EXPLAINED};
use crate::evaluate::{Evaluator, Reading};
use crate::metrics::channel::channel_name;
use crate::metrics::{Names, Supports};
use crate::report::greys;
use crate::run::trained::Trained;
use crate::study::effects::Effects;
use crate::study::names;
use crate::study::portrait::{self, Histogram, Portrait};
use crate::study::supports::Looker;

/// The test examples that are looked at.
const EXAMPLES: usize = 200;

/// The patches that are shown of each channel at most.
const PATCHES: usize = 12;

/// What was measured of a model's channels.
pub(super) struct Channels {
    /// Where they look.
    pub(super) supports: Supports,
    /// What they stand for.
    pub(super) names: Names,
    /// The pages of all of them.
    pub(super) pages: Vec<ChannelPage>,
}

/// What one channel is.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ChannelPage {
    name: String,
    /// The examples that were looked at.
    examples: usize,
    activations: usize,
    strengths: Histogram,
    patches: Vec<Patch>,
    /// The symbols in whose footprints its motifs lie, the most frequent first, as shares of its motifs.
    symbols: Vec<Share>,
    /// The share of its motifs that lie in no footprint.
    outside: f64,
    /// The mean change of a token's log-probability where it is written, when one of its motifs is taken away,
    /// in nats; the largest first.
    effects: Vec<Effect>,
}

#[derive(Clone, Debug, Serialize)]
struct Patch {
    strength: f32,
    width: usize,
    height: usize,
    picture: String,
}

#[derive(Clone, Debug, Serialize)]
struct Share {
    symbol: String,
    share: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Effect {
    token: String,
    change: f64,
}

impl Channels {
    /// Reads test examples and looks at every channel. The domain must be prepared.
    pub(super) fn measure(model: &Trained, evaluator: &Evaluator) -> Result<Self> {
        let domain = model.domain();
        let window = model.config().model(domain).motif_model.window();
        let supports = match model.supports() {
            Some(supports) => supports.clone(),
            None => Looker {
                evaluator,
                motif_model: model.frozen_motif_model()?,
                window,
                split: Split::Validation,
                first: 0,
            }
            .supports(),
        };
        let count = evaluator.available(Split::Test, EXAMPLES);
        let readings: Vec<Reading> = evaluator.readings(Split::Test, count).collect();
        let names = match model.names() {
            Some(names) => names.clone(),
            None => names::measure(model),
        };
        let portraits = portrait::of(
            &readings,
            evaluator.model.bottleneck.sparsity.channels(),
            domain.symbols().len(),
            domain.input_shape(),
            (window, PATCHES),
        );
        let effects = Effects::of(evaluator, &readings, MOST_EXPLAINED);
        let pages = portraits.iter().zip(&effects.mean).enumerate();
        let pages = pages.map(|(channel, (portrait, effects))| {
            Ok(ChannelPage {
                name: channel_name(channel),
                examples: count,
                ..ChannelPage::of(model, portrait, effects)?
            })
        });
        Ok(Self {
            supports,
            names,
            pages: pages.collect::<Result<_>>()?,
        })
    }
}

impl ChannelPage {
    fn of(model: &Trained, portrait: &Portrait, effects: &[Option<f64>]) -> Result<Self> {
        let located = portrait.answers.iter().sum::<u64>() + portrait.outside;
        let share = |count: u64| count as f64 / located.max(1) as f64;
        let answers = portrait.answers.iter().zip(model.domain().symbols());
        let answers = answers.filter(|(count, _)| **count > 0);
        let mut symbols: Vec<Share> = answers
            .map(|(count, symbol)| Share {
                symbol: symbol.clone(),
                share: share(*count),
            })
            .collect();
        symbols.sort_by(|one, other| other.share.total_cmp(&one.share));
        let patches = portrait.patches.iter().map(|crop| {
            Ok(Patch {
                strength: crop.strength,
                width: crop.width,
                height: crop.height,
                picture: greys::address(&crop.pixels, crop.width, crop.is_sound, INK)?,
            })
        });
        Ok(Self {
            name: String::new(),
            examples: 0,
            activations: portrait.activations,
            strengths: portrait.strengths.clone(),
            patches: patches.collect::<Result<_>>()?,
            symbols,
            outside: share(portrait.outside),
            effects: Effect::largest_first(model, effects),
        })
    }
}

impl Effect {
    fn largest_first(model: &Trained, effects: &[Option<f64>]) -> Vec<Self> {
        let vocabulary = model.domain().vocabulary();
        let named = |token: usize| match token == vocabulary.end() {
            true => "end".to_owned(),
            false => vocabulary.decode(&[token]),
        };
        let known = effects.iter().enumerate();
        let mut effects: Vec<Self> = known
            .filter_map(|(token, change)| {
                Some(Self {
                    token: named(token),
                    change: (*change)?,
                })
            })
            .collect();
        effects.sort_by(|one, other| other.change.abs().total_cmp(&one.change.abs()));
        effects
    }
}
