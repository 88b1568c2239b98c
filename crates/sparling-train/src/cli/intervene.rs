//! `sparling intervene`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::say;
use crate::backend::Backend;
use crate::metrics::channel::channel_name;
use crate::reading::read_one;
use crate::report::examples::{self, ExamplePicture};
use crate::run::trained::Trained;
use crate::study::intervene::{Addition, Edits, Move, Place};

/// What `intervene` takes.
#[derive(Debug, Args)]
pub struct Intervene {
    /// The run's folder.
    run: PathBuf,
    /// A picture or a recording, as `predict` reads them; a recording no longer than those trained on.
    file: PathBuf,
    /// Take a motif away, e.g. C@20,14: channel, row and column as `predict` says (in sound C@14, the
    /// frame).
    #[arg(long, value_name = "MOTIF")]
    remove: Vec<Place>,
    /// Put a motif elsewhere, e.g. C@20,14:30,25.
    #[arg(long = "move", value_name = "MOTIF:TO")]
    moves: Vec<Move>,
    /// Put a motif there, e.g. C@20,14, or with a strength C@20,14=1.5.
    #[arg(long, value_name = "MOTIF[=STRENGTH]")]
    add: Vec<Addition>,
    /// Draw the input with its motifs before and after.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Use the saved state whose density is nearest to this; by default the lowest.
    #[arg(long)]
    density: Option<f64>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Intervene {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "intervene")?;
        let trained = Trained::load(&self.run, self.density, backend)?;
        let before = read_one(&trained, &self.file)?;
        let evaluator = trained.evaluator();
        let shape = trained.domain().input_shape();
        let [_, height, width] = shape;
        let channels = evaluator.model.bottleneck.sparsity.channels();
        let edits = Edits {
            remove: self.remove,
            moves: self.moves,
            add: self.add,
        };
        let motifs = edits.apply(&before.motifs, [channels, height, width])?;
        let vocabulary = trained.domain().vocabulary();
        let outputs =
            [&before.motifs, &motifs].map(|motifs| vocabulary.decode(&evaluator.output_of(motifs)));
        for (name, motifs, output) in [
            ("before", &before.motifs, &outputs[0]),
            ("after", &motifs, &outputs[1]),
        ] {
            say!("{name:7} {output}");
            for motif in motifs {
                say!(
                    "        {}@{},{}={:.3}",
                    channel_name(motif.channel),
                    motif.row,
                    motif.column,
                    motif.strength
                );
            }
        }
        if let Some(path) = &self.picture {
            let example = |motifs, output| ExamplePicture {
                motifs,
                prediction: Some(output),
                ..ExamplePicture::new(&before.input, shape)
            };
            let drawn = [
                example(&before.motifs, &outputs[0]),
                example(&motifs, &outputs[1]),
            ];
            examples::draw(path, &drawn)?;
            say!("drawn in {}", path.display());
        }
        Ok(())
    }
}
