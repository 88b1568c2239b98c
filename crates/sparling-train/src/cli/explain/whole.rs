//! What a whole run's channels do.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use sparling_data::Split;

use super::super::output::say;
use super::super::tables::percent;
use crate::evaluate::Reading;
use crate::files::atomic;
use crate::metrics::channel::channel_name;
use crate::report::effects::{self, Row};
use crate::report::flow::save_png;
use crate::run::trained::Trained;
use crate::serve;
use crate::study::blanking::Blanking;
use crate::study::effects::Effects;
use crate::study::portrait::{self, Portrait};

/// Examples with more motifs than this are left out: each motif is taken away once.
const MOST_MOTIFS: usize = 100;

/// What is written as JSON.
#[derive(Serialize)]
struct Explained {
    /// The tokens, by their index in `effects`.
    tokens: Vec<String>,
    effects: Effects,
    /// What lies outside the motifs' windows, and whether it matters.
    blanking: Blanking,
}

/// Explains a run on so many test examples, and writes `effects.json`, `effects.svg`, `effects.png` and the pages of
/// its channels.
pub(super) fn explain(
    trained: &Trained,
    run: &Path,
    examples: usize,
    json: bool,
    out: &Path,
) -> Result<()> {
    let domain = trained.domain();
    domain.prepare()?;
    let evaluator = trained.evaluator();
    let readings: Vec<Reading> = evaluator.readings(Split::Test, examples).collect();
    let window = trained.config().model(domain).motif_model.window();
    let vocabulary = domain.vocabulary();
    let name = |token: usize| match token == vocabulary.end() {
        true => "end".to_owned(),
        false => vocabulary.decode(&[token]),
    };
    let explained = Explained {
        tokens: (0..vocabulary.len()).map(name).collect(),
        effects: Effects::of(&evaluator, &readings, MOST_MOTIFS),
        blanking: Blanking::measure(&evaluator, window, Split::Test, examples),
    };
    ensure!(
        explained.effects.examples > 0,
        "every example has more than {MOST_MOTIFS} motifs at this density: ask for a lower one with --density"
    );
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let path = out.join("effects.json");
    atomic::write(&path, &serde_json::to_vec_pretty(&explained)?)?;
    draw(trained, &explained, &readings, &out.join("effects.svg"))?;
    let page = serve::channels_page(&name_of(run), trained)?;
    atomic::write(&out.join("channels.html"), page.as_bytes())?;
    if json {
        say!("{}", serde_json::to_string(&explained)?);
    } else {
        print(&explained.blanking);
        say!(
            "what channels do to tokens: {}, a page of each: {}",
            path.with_extension("svg").display(),
            out.join("channels.html").display()
        );
    }
    Ok(())
}

/// The name of a run's folder.
fn name_of(run: &Path) -> String {
    let path = run.canonicalize().unwrap_or(run.to_owned());
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn print(blanking: &Blanking) {
    let share = |part: u64, all: u64| percent((all > 0).then(|| part as f64 / all as f64));
    say!(
        "blanked outside the motifs' windows, {} of all values of {} examples:",
        percent(Some(blanking.blanked)),
        blanking.examples
    );
    say!(
        "  strengths equal to the bit in {} of {} motifs, the largest change {:.1e} of the strongest",
        share(blanking.equal, blanking.motifs),
        blanking.motifs,
        blanking.largest_change
    );
    say!(
        "  outputs written from these motifs the same in {}; motifs that blanks made elsewhere: {}",
        share(blanking.outputs_kept, blanking.examples),
        blanking.elsewhere
    );
}

/// Draws effects beside places. Tokens and symbols that no channel has to do with are left out.
fn draw(trained: &Trained, explained: &Explained, readings: &[Reading], path: &Path) -> Result<()> {
    let domain = trained.domain();
    let Effects { mean, .. } = &explained.effects;
    let symbols = domain.symbols();
    let shape = domain.input_shape();
    let portraits = portrait::of(readings, mean.len(), symbols.len(), shape, (1, 0));
    let met = (0..explained.tokens.len())
        .filter(|token| mean.iter().any(|effects| effects[*token].is_some()));
    let met: Vec<usize> = met.collect();
    let found = (0..symbols.len()).filter(|symbol| {
        portraits
            .iter()
            .any(|portrait| portrait.answers[*symbol] > 0)
    });
    let found: Vec<usize> = found.collect();
    let rows = portraits.iter().zip(mean).enumerate();
    let rows: Vec<Row> = rows
        .map(|(channel, (portrait, effects))| Row {
            name: match trained.symbol_of(channel) {
                Some(symbol) => format!("{} {}", channel_name(channel), symbols[symbol]),
                None => channel_name(channel),
            },
            effects: met.iter().map(|token| effects[*token]).collect(),
            places: places(portrait, &found),
        })
        .collect();
    let tokens: Vec<String> = met
        .iter()
        .map(|token| explained.tokens[*token].clone())
        .collect();
    let places = found.iter().map(|symbol| symbols[*symbol].clone());
    let places: Vec<String> = places.chain(["none".to_owned()]).collect();
    let title = format!(
        "channels and tokens, {} test examples",
        explained.effects.examples
    );
    let svg = effects::draw(&title, &rows, &tokens, &places);
    atomic::write(path, svg.as_bytes())?;
    save_png(&path.with_extension("png"), &svg)
}

/// The shares of a channel's motifs in the footprints of some symbols, and in none.
fn places(portrait: &Portrait, symbols: &[usize]) -> Vec<f64> {
    let counts = symbols.iter().map(|symbol| portrait.answers[*symbol]);
    let counts: Vec<u64> = counts.chain([portrait.outside]).collect();
    let all = counts.iter().sum::<u64>().max(1) as f64;
    counts.iter().map(|count| *count as f64 / all).collect()
}
