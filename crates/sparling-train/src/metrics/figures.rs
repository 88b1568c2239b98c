//! The figures of an evaluation, and the counts behind them.

use serde::{Deserialize, Serialize};

use super::centred::{Centred, CentredCounts};
use super::confusion::AlignedConfusion;
use super::edit::EndToEnd;
use super::motifs::{MotifCounts, SymbolErrors};
use super::ratio;

/// One of the figures.
pub type Share = fn(&Figures) -> Option<f64>;

/// The errors of the paper's section 3.2, by name.
pub const ERRORS: [(&str, Share); 4] = [
    ("FNE", |figures| figures.fne),
    ("FPE", |figures| figures.fpe),
    ("CE", |figures| figures.ce),
    ("E2EE", |figures| figures.e2ee),
];

/// The figures of an evaluation (paper, section 3.2), all as shares between 0 and 1.
///
/// A figure whose denominator is empty is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The density the bottleneck is set to.
    pub density: f64,
    /// The share of activations that are not zero.
    pub empirical_density: Option<f64>,
    /// Symbols without any activation in their footprint.
    pub fne: Option<f64>,
    /// Activations outside all footprints, among those and the maximal motifs.
    pub fpe: Option<f64>,
    /// Activations outside all footprints, among all activations.
    pub fpe_all: Option<f64>,
    /// Maximal motifs whose channel stands for another symbol.
    pub ce: Option<f64>,
    /// Mean edit distance over length.
    pub e2ee: Option<f64>,
    /// Outputs that are right in every token.
    pub exact_match: Option<f64>,
    /// Outputs that the domain's grammar makes, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_formed: Option<f64>,
    /// How many examples were evaluated.
    pub examples: usize,
    /// For each channel the symbol it stands for under the best assignment.
    #[serde(default)]
    pub symbols: Vec<Option<usize>>,
}

/// The figures, with what is behind them symbol by symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetailedFigures {
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// The errors of each symbol.
    pub by_symbol: Vec<SymbolErrors>,
    /// Which channel answered to which symbol.
    pub confusion: AlignedConfusion,
    /// The same errors with the centre of each motif's support in place of the motif's own position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centred: Option<Centred>,
}

/// The counts behind the figures.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The density the bottleneck is set to.
    pub density: f64,
    /// Motifs against footprints.
    pub motifs: MotifCounts,
    /// The same with the centres of their supports, where these are known.
    pub centred: Option<CentredCounts>,
    /// Outputs against the truth.
    pub outputs: EndToEnd,
    /// Outputs that the domain's grammar makes, of those that it was asked about.
    pub well_formed: [u64; 2],
    /// How many examples were evaluated.
    pub examples: usize,
}

impl Evaluation {
    /// Nothing evaluated yet, at this density.
    pub fn new(density: f64, channels: usize, symbols: usize) -> Self {
        Self {
            density,
            motifs: MotifCounts::new(channels, symbols),
            centred: None,
            outputs: EndToEnd::default(),
            well_formed: [0, 0],
            examples: 0,
        }
    }

    /// Divides the counts.
    pub fn figures(&self) -> Figures {
        Figures {
            density: self.density,
            empirical_density: self.motifs.empirical_density(),
            fne: self.motifs.fne(),
            fpe: self.motifs.fpe(),
            fpe_all: self.motifs.fpe_all(),
            ce: self.motifs.ce(),
            e2ee: self.outputs.e2ee(),
            exact_match: self.outputs.accuracy(),
            well_formed: ratio(self.well_formed[0], self.well_formed[1]),
            examples: self.examples,
            symbols: self.motifs.assignment(),
        }
    }

    /// Divides the counts, by symbol too.
    pub fn detailed(&self) -> DetailedFigures {
        DetailedFigures {
            figures: self.figures(),
            by_symbol: self.motifs.by_symbol(),
            confusion: self.motifs.aligned(),
            centred: self.centred.as_ref().map(CentredCounts::figures),
        }
    }
}
