//! Counts of predicted motifs against footprints, and the errors they give (paper, section 3.2).

use serde::{Deserialize, Serialize};
use sparling_data::Footprint;

use super::assignment::{self, many_to_one, matched, one_to_one};
use super::confusion::AlignedConfusion;
use super::matching::{Matching, Motif, Role};
use super::ratio;

/// How well one symbol is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolErrors {
    /// The symbol.
    pub symbol: usize,
    /// How often it is there.
    pub footprints: u64,
    /// Those without any activation.
    pub fne: Option<f64>,
    /// Of the others, those whose maximal motif's channel stands for another symbol.
    pub ce: Option<f64>,
}

/// Counts over any number of examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MotifCounts {
    /// Channels of the motif map.
    pub channels: usize,
    /// Symbols of the domain that have footprints.
    pub symbols: usize,
    /// Examples counted.
    pub examples: u64,
    /// Elements of all motif maps counted, zero or not.
    pub elements: u64,
    /// Maximal motifs, row-major `[channel][symbol]`.
    pub confusion: Vec<u64>,
    /// For each symbol the footprints without any activation (false negatives).
    pub missed: Vec<u64>,
    /// For each channel the activations in a footprint that are not its maximal motif.
    pub non_maximal: Vec<u64>,
    /// For each channel the activations in no footprint.
    pub false_positives: Vec<u64>,
    /// Activations in examples whose symbols nobody has located: they count for the density alone.
    #[serde(default)]
    pub unlocated: u64,
}

impl MotifCounts {
    /// No example counted yet.
    pub fn new(channels: usize, symbols: usize) -> Self {
        Self {
            channels,
            symbols,
            examples: 0,
            elements: 0,
            confusion: vec![0; channels * symbols],
            missed: vec![0; symbols],
            non_maximal: vec![0; channels],
            false_positives: vec![0; channels],
            unlocated: 0,
        }
    }

    /// Counts one example.
    ///
    /// # Shapes
    ///
    /// - `activations`: `[channels, height, width]`, row-major
    ///
    /// # Panics
    ///
    /// When the shape does not fit, or a footprint's symbol is not among the symbols.
    pub fn add_example(
        &mut self,
        activations: &[f32],
        height: usize,
        width: usize,
        footprints: &[Footprint],
    ) {
        assert_eq!(
            activations.len(),
            self.channels * height * width,
            "activations are not [{}, {height}, {width}]",
            self.channels
        );
        let motifs = Motif::collect(activations, height, width);
        self.add_motifs(&motifs, activations.len(), footprints);
    }

    /// Counts one example whose activations were [collected](Motif::collect) before, out of
    /// `elements` in its map.
    ///
    /// # Panics
    ///
    /// When a channel or a symbol is out of range.
    pub fn add_motifs(&mut self, motifs: &[Motif], elements: usize, footprints: &[Footprint]) {
        let matching = Matching::new(motifs, footprints);
        self.examples += 1;
        self.elements += elements as u64;
        for (footprint, maximal) in footprints.iter().zip(&matching.maximal) {
            let symbol = footprint.symbol;
            assert!(
                symbol < self.symbols,
                "symbol {symbol} is not one of {}",
                self.symbols
            );
            match maximal {
                Some(index) => {
                    self.confusion[motifs[*index].channel * self.symbols + symbol] += 1;
                }
                None => self.missed[symbol] += 1,
            }
        }
        for (motif, role) in motifs.iter().zip(&matching.roles) {
            match role {
                Role::Maximal => {}
                Role::NonMaximal => self.non_maximal[motif.channel] += 1,
                Role::FalsePositive => self.false_positives[motif.channel] += 1,
            }
        }
    }

    /// Counts one example with so many activations, out of `elements` in its map, whose symbols nobody
    /// has located.
    pub fn add_unlocated(&mut self, activations: usize, elements: usize) {
        self.examples += 1;
        self.elements += elements as u64;
        self.unlocated += activations as u64;
    }

    /// Maximal motifs: footprints with an activation in them.
    pub fn maximal_total(&self) -> u64 {
        self.confusion.iter().sum()
    }

    /// False negatives: footprints without any activation.
    pub fn missed_total(&self) -> u64 {
        self.missed.iter().sum()
    }

    /// Activations in no footprint.
    pub fn false_positives_total(&self) -> u64 {
        self.false_positives.iter().sum()
    }

    /// All predicted activations where symbols are located: maximal, not maximal, and false.
    pub fn activations_total(&self) -> u64 {
        let non_maximal: u64 = self.non_maximal.iter().sum();
        self.maximal_total() + non_maximal + self.false_positives_total()
    }

    /// False negative error: footprints without any activation, of all footprints.
    pub fn fne(&self) -> Option<f64> {
        let missed = self.missed_total();
        ratio(missed, missed + self.maximal_total())
    }

    /// False positive error: activations in no footprint, of those and the maximal motifs.
    // Paper: section 3.2 divides by all predicted motifs, which is `fpe_all`; its published numbers
    // come from code that leaves out the non-maximal ones, as here.
    pub fn fpe(&self) -> Option<f64> {
        let false_positives = self.false_positives_total();
        ratio(false_positives, false_positives + self.maximal_total())
    }

    /// The paper's formula for the false positive error: activations in no footprint, of all.
    pub fn fpe_all(&self) -> Option<f64> {
        ratio(self.false_positives_total(), self.activations_total())
    }

    /// Confusion error: maximal motifs whose channel does not stand for their footprint's symbol
    /// under [`Self::assignment`], of all maximal motifs.
    pub fn ce(&self) -> Option<f64> {
        self.confusion_error(&self.assignment())
    }

    /// Confusion error under the best one-to-one assignment, whatever the number of channels.
    pub fn ce_one_to_one(&self) -> Option<f64> {
        self.confusion_error(&one_to_one(&self.confusion, self.channels, self.symbols))
    }

    /// Confusion error where each channel stands for its most frequent symbol.
    pub fn ce_many_to_one(&self) -> Option<f64> {
        self.confusion_error(&many_to_one(&self.confusion, self.channels, self.symbols))
    }

    /// The symbol each channel stands for: the best one-to-one assignment, or, where there are more
    /// channels than symbols (LaTeX-OCR), each channel's most frequent symbol. Without a maximal motif
    /// nobody can tell.
    pub fn assignment(&self) -> Vec<Option<usize>> {
        if self.maximal_total() == 0 {
            return vec![None; self.channels];
        }
        assignment::best(&self.confusion, self.channels, self.symbols)
    }

    /// The confusion matrix aligned along its diagonal by [`Self::assignment`] (paper, Figure 4).
    pub fn aligned(&self) -> AlignedConfusion {
        AlignedConfusion::new(self)
    }

    /// The errors of each symbol.
    pub fn by_symbol(&self) -> Vec<SymbolErrors> {
        let assignment = self.assignment();
        let errors = |symbol: usize| {
            let maximal = |channel: usize| self.confusion[channel * self.symbols + symbol];
            let total: u64 = (0..self.channels).map(maximal).sum();
            let own = (0..self.channels).filter(|channel| assignment[*channel] == Some(symbol));
            let footprints = total + self.missed[symbol];
            SymbolErrors {
                symbol,
                footprints,
                fne: ratio(self.missed[symbol], footprints),
                ce: ratio(total - own.map(maximal).sum::<u64>(), total),
            }
        };
        (0..self.symbols).map(errors).collect()
    }

    /// Fraction of all elements of the motif maps that are active.
    pub fn empirical_density(&self) -> Option<f64> {
        ratio(self.activations_total() + self.unlocated, self.elements)
    }

    fn confusion_error(&self, assignment: &[Option<usize>]) -> Option<f64> {
        let maximal = self.maximal_total();
        ratio(
            maximal - matched(&self.confusion, self.symbols, assignment),
            maximal,
        )
    }
}

#[cfg(test)]
mod tests;
