//! What is shown and drawn when a run ends.

use anyhow::Result;

use super::progress::percent;
use crate::backend::Backend;
use crate::evaluate::plane;
use crate::event::Event;
use crate::model::Trained;
use crate::report::curves::{self, ValidationPoint};
use crate::report::examples::{self, ExamplePicture};
use crate::run::RunFolder;
use sparling_data::Split;

/// The examples drawn in a run's folder.
const DRAWN: usize = 12;

/// Prints the ladder of densities and draws the run's two pictures.
pub fn show(folder: &RunFolder, backend: Backend) -> Result<()> {
    let ladder = folder.checkpoints().ladder()?;
    if !ladder.is_empty() {
        println!("   density  samples   exact     FNE     FPE      CE    E2EE");
    }
    for (_, checkpoint) in &ladder {
        let Some(figures) = &checkpoint.validation else {
            continue;
        };
        println!(
            "{:>10} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}",
            format!("{:.3e}", checkpoint.density),
            checkpoint.samples,
            percent(figures.exact_match),
            percent(figures.fne),
            percent(figures.fpe),
            percent(figures.ce),
            percent(figures.e2ee),
        );
    }
    draw_examples(folder, backend)?;
    draw_curves(folder)
}

fn draw_examples(folder: &RunFolder, backend: Backend) -> Result<()> {
    let trained = Trained::load(folder.path(), None, backend)?;
    let readings = trained.evaluator().read_split(Split::Test, DRAWN);
    let vocabulary = trained.domain().vocabulary();
    let outputs: Vec<[String; 2]> = readings
        .iter()
        .map(|reading| {
            [&reading.truth, &reading.prediction].map(|tokens| vocabulary.decode(tokens))
        })
        .collect();
    let [height, width] = plane(&trained.domain().input_shape());
    let pictures: Vec<ExamplePicture<'_>> = readings
        .iter()
        .zip(&outputs)
        .map(|(reading, [truth, prediction])| ExamplePicture {
            input: &reading.input,
            height,
            width,
            map_height: height,
            footprints: Some(&reading.footprints),
            motifs: &reading.motifs,
            truth: Some(truth),
            prediction,
        })
        .collect();
    let path = folder.path().join("examples.png");
    examples::draw(&path, &pictures)?;
    println!("test examples with their motifs: {}", path.display());
    Ok(())
}

fn draw_curves(folder: &RunFolder) -> Result<()> {
    let points: Vec<ValidationPoint> = folder
        .events()?
        .into_iter()
        .filter_map(|event| match event {
            Event::Train(_) => None,
            Event::Validation(event) => Some(ValidationPoint {
                samples: event.samples,
                density: event.figures.density,
                target: event.target,
                accuracy: event.figures.exact_match.unwrap_or(0.0),
                fne: event.figures.fne,
                fpe: event.figures.fpe,
                ce: event.figures.ce,
                e2ee: event.figures.e2ee,
            }),
        })
        .collect();
    if points.is_empty() {
        return Ok(());
    }
    let path = folder.path().join("curves.png");
    curves::draw(&path, &points)?;
    println!(
        "accuracy, density and errors over samples: {}",
        path.display()
    );
    Ok(())
}
