//! How far predicted tokens are from the true ones (paper, section 5: end-to-end edit error).

use serde::{Deserialize, Serialize};

/// Counts of exact matches and edit distances over any number of examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndToEnd {
    /// Examples counted.
    pub examples: u64,
    /// Examples predicted without any error; annealing looks at these.
    pub exact: u64,
    /// Sum of the edit distances of the examples whose longer sequence has as many tokens as the
    /// index. Integers alone, so that the examples' order cannot change the last digits.
    pub distances_by_length: Vec<u64>,
}

impl EndToEnd {
    /// Counts one example.
    pub fn add_example(&mut self, truth: &[usize], prediction: &[usize]) {
        let distance = edit_distance(truth, prediction);
        let length = truth.len().max(prediction.len());
        if self.distances_by_length.len() <= length {
            self.distances_by_length.resize(length + 1, 0);
        }
        self.examples += 1;
        self.exact += u64::from(distance == 0);
        self.distances_by_length[length] += distance as u64;
    }

    /// Fraction of examples predicted without any error; `None` without examples.
    pub fn accuracy(&self) -> Option<f64> {
        super::ratio(self.exact, self.examples)
    }

    /// End-to-end edit error: the mean of edit distance over the longer length, where two empty
    /// sequences have error 0; `None` without examples.
    pub fn e2ee(&self) -> Option<f64> {
        let lengths = self.distances_by_length.iter().enumerate().skip(1);
        let sum: f64 = lengths
            .map(|(length, &distance)| distance as f64 / length as f64)
            .sum();
        (self.examples > 0).then(|| sum / self.examples as f64)
    }
}

/// One example's edit error: edit distance over the longer length, 0 for two empty sequences.
pub fn error(truth: &[usize], prediction: &[usize]) -> f64 {
    let length = truth.len().max(prediction.len()).max(1);
    edit_distance(truth, prediction) as f64 / length as f64
}

/// Levenshtein distance: insertions, deletions and substitutions that turn one into the other.
pub fn edit_distance(left: &[usize], right: &[usize]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, token) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(token != other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(word: &str) -> Vec<usize> {
        word.bytes().map(usize::from).collect()
    }

    #[test]
    fn known_distances() {
        let cases = [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("intention", "execution", 5),
            ("abc", "abc", 0),
            ("ab", "ba", 2),
        ];
        for (left, right, expected) in cases {
            assert_eq!(
                edit_distance(&letters(left), &letters(right)),
                expected,
                "{left} {right}"
            );
            assert_eq!(
                edit_distance(&letters(right), &letters(left)),
                expected,
                "{right} {left}"
            );
        }
    }

    #[test]
    fn the_error_is_the_mean_over_the_longer_length() {
        let mut counts = EndToEnd::default();
        counts.add_example(&[1, 2, 3, 4], &[1, 2, 3, 4]);
        counts.add_example(&[1, 2, 3, 4], &[1, 2]);
        counts.add_example(&[1, 2], &[3, 4]);
        counts.add_example(&[], &[]);
        assert_eq!(counts.accuracy(), Some(0.5));
        assert_eq!(counts.e2ee(), Some((0.5 + 1.0) / 4.0));
    }

    #[test]
    fn nothing_counted_has_no_error() {
        assert_eq!(EndToEnd::default().accuracy(), None);
        assert_eq!(EndToEnd::default().e2ee(), None);
    }

    #[test]
    fn the_order_of_examples_changes_nothing() {
        let pairs = [
            (vec![1, 2, 3], vec![1]),
            (vec![], vec![5, 5]),
            (vec![7], vec![7]),
        ];
        let (mut forwards, mut backwards) = (EndToEnd::default(), EndToEnd::default());
        for (truth, prediction) in &pairs {
            forwards.add_example(truth, prediction);
        }
        for (truth, prediction) in pairs.iter().rev() {
            backwards.add_example(truth, prediction);
        }
        assert_eq!(forwards, backwards);
    }
}
