//! What is shown and drawn when a run ends.

use std::sync::Arc;

use anyhow::Result;

use super::output::{self, say};
use super::tables;
use crate::backend::Backend;
use crate::metrics::DetailedFigures;
use crate::report::channels;
use crate::report::curves;
use crate::report::examples::{self, ExamplePicture};
use crate::run::event::{Event, ValidationEvent};
use crate::run::folder::{Results, RunFolder};
use crate::run::trained::Trained;
use crate::study;
use crate::training::trainer::Ended;
use sparling_data::{Domain, Split};

/// The examples drawn in a run's folder.
const DRAWN: usize = 12;

/// The test examples that a run ends with at most.
const TESTED: usize = 1000;

/// The test examples that a channel's strongest are looked for in at most.
const LOOKED_AT: usize = 300;

/// The strongest examples of a channel that are drawn.
const STRONGEST: usize = 8;

/// Prints the ladder of densities, measures the model on test examples unless somebody is waiting for
/// the end, and draws the run's two pictures, given its prepared domain.
pub fn show(
    folder: &RunFolder,
    domain: Arc<dyn Domain>,
    backend: Backend,
    ended: Ended,
) -> Result<()> {
    let ladder = folder.checkpoints().ladder()?;
    say!("{}", tables::header());
    for (_, checkpoint) in &ladder {
        match checkpoint {
            Ok(checkpoint) => {
                if let Some(figures) = &checkpoint.validation {
                    say!("{}  validation", tables::row(checkpoint.samples, figures));
                }
            }
            Err(error) => output::warn(format_args!("{error}")),
        }
    }
    let mut trained = Trained::load_on(folder.path(), domain, None, backend)?;
    if ended != Ended::Interrupted {
        let supports = study::supports::measure(&trained)?;
        trained.set_supports(supports);
        trained.save_supports()?;
        trained.set_names(study::names::measure(&trained));
        trained.save_names()?;
        let examples = trained.config().validation.examples.min(TESTED);
        let report = |split| trained.evaluator().evaluate(split, examples).detailed();
        let results = Results {
            samples: trained.samples(),
            test: report(Split::Test),
            validation: report(Split::Validation),
        };
        let DetailedFigures {
            figures, centred, ..
        } = &results.test;
        say!("{}  test", tables::row(results.samples, figures));
        if let Some(centred) = centred {
            let row = tables::centred_row(results.samples, figures, centred);
            say!("{row}  test, motifs at the centres of what their channels look at");
        }
        folder.save_results(&results)?;
        draw_channels(folder, &trained)?;
    }
    draw_examples(folder, &trained)?;
    draw_curves(folder)
}

fn draw_channels(folder: &RunFolder, trained: &Trained) -> Result<()> {
    let config = trained.config();
    let examples = config.validation.examples.min(LOOKED_AT);
    let window = config.model(trained.domain()).motif_model.window();
    let channels = study::channels::measure(
        &trained.evaluator(),
        Split::Test,
        examples,
        window,
        STRONGEST,
    );
    let path = folder.path().join("channels.png");
    channels::draw(&path, &channels, trained.domain().symbols())?;
    say!("what each channel answers to: {}", path.display());
    Ok(())
}

fn draw_examples(folder: &RunFolder, trained: &Trained) -> Result<()> {
    let readings = trained.evaluator().read_split(Split::Test, DRAWN);
    let vocabulary = trained.domain().vocabulary();
    let outputs: Vec<[String; 2]> = readings
        .iter()
        .map(|reading| {
            [&reading.truth, &reading.prediction].map(|tokens| vocabulary.decode(tokens))
        })
        .collect();
    let shape = trained.domain().input_shape();
    let pictures: Vec<ExamplePicture<'_>> = readings
        .iter()
        .zip(&outputs)
        .map(|(reading, [truth, prediction])| ExamplePicture {
            footprints: reading.located(),
            motifs: &reading.motifs,
            supports: trained.supports(),
            truth: Some(truth),
            prediction: Some(prediction),
            ..ExamplePicture::new(&reading.input, shape)
        })
        .collect();
    let path = folder.path().join("examples.png");
    examples::draw(&path, &pictures)?;
    say!("test examples with their motifs: {}", path.display());
    Ok(())
}

fn draw_curves(folder: &RunFolder) -> Result<()> {
    let events = folder.events()?;
    let checks: Vec<ValidationEvent> = events.into_iter().filter_map(Event::check).collect();
    if checks.is_empty() {
        return Ok(());
    }
    let path = folder.path().join("curves.png");
    curves::draw(&path, &checks)?;
    say!(
        "accuracy, density and errors over samples: {}",
        path.display()
    );
    Ok(())
}
