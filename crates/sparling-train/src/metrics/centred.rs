//! The errors of motifs that are moved to the centres of their supports.

use serde::{Deserialize, Serialize};
use sparling_data::Footprint;

use super::matching::{Matching, Motif};
use super::motifs::MotifCounts;
use super::support::Supports;

/// What motifs get right where the middle of what their channel looks at is taken for their position.
///
/// Paper: this is ours. The supports are measured without any footprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Centred {
    /// Symbols without any centre in their footprint.
    pub fne: Option<f64>,
    /// Centres outside all footprints, among those and the maximal ones.
    pub fpe: Option<f64>,
    /// Centres outside all footprints, among all.
    pub fpe_all: Option<f64>,
    /// Maximal motifs whose channel stands for another symbol.
    pub ce: Option<f64>,
    /// The mean overlap of maximal motifs' supports with their footprints: intersection over union.
    pub iou: Option<f64>,
}

/// The counts behind [`Centred`].
#[derive(Clone, Debug)]
pub struct CentredCounts {
    /// Centres against footprints.
    pub motifs: MotifCounts,
    /// The sum of the overlaps.
    pub overlap: f64,
}

impl CentredCounts {
    /// No example counted yet.
    pub fn new(channels: usize, symbols: usize) -> Self {
        Self {
            motifs: MotifCounts::new(channels, symbols),
            overlap: 0.0,
        }
    }

    /// Divides the counts.
    pub fn figures(&self) -> Centred {
        let maximal = self.motifs.maximal_total();
        Centred {
            fne: self.motifs.fne(),
            fpe: self.motifs.fpe(),
            fpe_all: self.motifs.fpe_all(),
            ce: self.motifs.ce(),
            iou: (maximal > 0).then(|| self.overlap / maximal as f64),
        }
    }

    /// Counts what was found in one example, whose map has so many elements.
    pub fn add(
        &mut self,
        motifs: &[Motif],
        footprints: &[Footprint],
        supports: &Supports,
        plane: [usize; 2],
        elements: usize,
    ) {
        let centred = supports.centre(motifs, plane);
        self.motifs.add_motifs(&centred, elements, footprints);
        let maximal = Matching::new(&centred, footprints).maximal;
        for (footprint, maximal) in footprints.iter().zip(maximal) {
            let motif = maximal.map(|index| &motifs[index]);
            if let Some((motif, support)) =
                motif.and_then(|motif| Some((motif, supports.of(motif)?)))
            {
                let [rows, columns] = support.around(motif, plane);
                self.overlap += footprint.overlap(rows, columns);
            }
        }
    }
}
