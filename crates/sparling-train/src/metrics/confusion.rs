//! The confusion matrix as the paper shows it (paper, Figure 4).

use serde::{Deserialize, Serialize};

use super::motifs::MotifCounts;

/// A confusion matrix with its rows in the symbols' order, so that agreement is the diagonal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlignedConfusion {
    /// One row for each symbol, and a last one for the channels that stand for none.
    pub rows: Vec<ConfusionRow>,
    /// For each symbol the footprints without any activation: the `none` row of false negatives.
    pub missed: Vec<u64>,
}

/// The channels that stand for one symbol, merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionRow {
    /// The symbol, or `None` in the row of unassigned channels.
    pub symbol: Option<usize>,
    /// The channels merged into this row, possibly none.
    pub channels: Vec<usize>,
    /// Maximal motifs for each true symbol.
    pub counts: Vec<u64>,
    /// Activations in no footprint: the `none` column.
    pub false_positives: u64,
}

impl AlignedConfusion {
    /// Aligns counts by their own best assignment.
    pub fn new(counts: &MotifCounts) -> Self {
        let symbols = (0..counts.symbols).map(Some).chain([None]);
        let mut rows: Vec<ConfusionRow> = symbols
            .map(|symbol| ConfusionRow {
                symbol,
                channels: Vec::new(),
                counts: vec![0; counts.symbols],
                false_positives: 0,
            })
            .collect();
        for (channel, symbol) in counts.assignment().into_iter().enumerate() {
            let row = &mut rows[symbol.unwrap_or(counts.symbols)];
            row.channels.push(channel);
            row.false_positives += counts.false_positives[channel];
            let theirs = &counts.confusion[channel * counts.symbols..];
            row.counts
                .iter_mut()
                .zip(theirs)
                .for_each(|(mine, theirs)| *mine += theirs);
        }
        Self {
            rows,
            missed: counts.missed.clone(),
        }
    }
}

impl ConfusionRow {
    /// Maximal motifs and false positives in this row.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.false_positives
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_lies_on_the_diagonal() {
        let mut counts = MotifCounts::new(3, 3);
        counts.confusion = vec![0, 1, 9, 8, 0, 0, 0, 7, 0];
        counts.false_positives = vec![1, 2, 3];
        counts.missed = vec![4, 5, 6];
        let aligned = counts.aligned();
        let channels: Vec<_> = aligned
            .rows
            .iter()
            .map(|row| row.channels.clone())
            .collect();
        assert_eq!(channels, [vec![1], vec![2], vec![0], vec![]]);
        let diagonal: Vec<_> = (0..3)
            .map(|symbol| aligned.rows[symbol].counts[symbol])
            .collect();
        assert_eq!(diagonal, [8, 7, 9]);
        assert_eq!(aligned.rows[2].total(), 11);
        assert_eq!(aligned.missed, [4, 5, 6]);
    }

    #[test]
    fn surplus_channels_are_merged_and_dead_ones_set_apart() {
        let mut counts = MotifCounts::new(4, 2);
        counts.confusion = vec![3, 1, 0, 0, 2, 0, 0, 5];
        counts.false_positives = vec![0, 7, 1, 0];
        let aligned = counts.aligned();
        assert_eq!(aligned.rows[0].channels, [0, 2]);
        assert_eq!(aligned.rows[0].counts, [5, 1]);
        assert_eq!(aligned.rows[1].channels, [3]);
        assert_eq!((aligned.rows[2].symbol, aligned.rows[2].total()), (None, 7));
        let motifs: u64 = aligned.rows.iter().map(ConfusionRow::total).sum();
        assert_eq!(
            motifs,
            counts.maximal_total() + counts.false_positives_total()
        );
    }
}
