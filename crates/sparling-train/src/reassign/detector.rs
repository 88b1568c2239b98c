//! Fitting what a channel is to answer to.

use std::collections::BTreeSet;

use sparling_models::Detector;

use super::{Reassignment, sites};
use crate::metrics::Motif;

/// Fits a linear function of the features that is 1 where the parts of a reassignment are active
/// together, and 0 at all other motifs and everywhere else. By least squares, in which each of the
/// three counts as much as the others, however rare it is.
pub struct DetectorFit<'a> {
    reassignment: &'a Reassignment,
    plane: [usize; 2],
    pool: usize,
    wanted: Moments,
    others: Moments,
    everywhere: Moments,
}

impl<'a> DetectorFit<'a> {
    /// Nothing seen yet; `plane` and `pool` as for [`ChannelSets`](super::ChannelSets).
    pub fn new(
        reassignment: &'a Reassignment,
        plane: [usize; 2],
        pool: usize,
        features: usize,
    ) -> Self {
        Self {
            reassignment,
            plane,
            pool,
            wanted: Moments::new(features),
            others: Moments::new(features),
            everywhere: Moments::new(features),
        }
    }

    /// Adds one example.
    ///
    /// # Shapes
    ///
    /// - `features`: `[features, height, width]`, row-major
    pub fn add_example(&mut self, motifs: &[Motif], features: &[f32]) {
        let area = self.plane[0] * self.plane[1];
        let at = |position: usize| {
            let features = features.iter().skip(position).step_by(area);
            features.map(|value| f64::from(*value))
        };
        for position in 0..area {
            self.everywhere.add(at(position));
        }
        let parts: BTreeSet<usize> = self.reassignment.parts.iter().copied().collect();
        for mut site in sites(motifs, self.pool) {
            site.channels.remove(&self.reassignment.channel);
            let moments = if site.channels == parts {
                &mut self.wanted
            } else {
                &mut self.others
            };
            for motif in site.motifs {
                moments.add(at(motif.row * self.plane[1] + motif.column));
            }
        }
    }

    /// The fitted function, scaled to mean 0 and variance 1. Its threshold is half-way between the
    /// wanted motifs and the others. `None` if nothing tells the wanted motifs from the rest.
    pub fn detector(&self) -> Option<Detector> {
        let size = self.everywhere.size;
        let classes = [&self.wanted, &self.others, &self.everywhere];
        if classes.iter().any(|class| class.count == 0.0) {
            return None;
        }
        let mut matrix = vec![0.0; size * size];
        for class in classes {
            for (sum, product) in matrix.iter_mut().zip(&class.products) {
                *sum += product / class.count;
            }
        }
        let diagonal = (0..size).map(|index| matrix[index * size + index]);
        let ridge = 1e-6 * diagonal.sum::<f64>() / size as f64;
        for index in 0..size {
            matrix[index * size + index] += ridge;
        }
        let solution = solve(matrix, self.wanted.mean())?;

        let mean = dot(&solution, &self.everywhere.mean());
        let deviation = (self.everywhere.mean_square(&solution) - mean * mean).sqrt();
        let value = |class: &Moments| (dot(&solution, &class.mean()) - mean) / deviation;
        let (wanted, others) = (value(&self.wanted), value(&self.others));
        (wanted > others && deviation > 0.0).then(|| Detector {
            weights: solution[..size - 1]
                .iter()
                .map(|weight| (weight / deviation) as f32)
                .collect(),
            bias: ((solution[size - 1] - mean) / deviation) as f32,
            threshold: ((wanted + others) / 2.0) as f32,
        })
    }
}

/// Sums of products of a position's features, a 1 being added to them.
struct Moments {
    size: usize,
    /// `[size, size]`, row-major.
    products: Vec<f64>,
    count: f64,
}

impl Moments {
    fn new(features: usize) -> Self {
        let size = features + 1;
        Self {
            size,
            products: vec![0.0; size * size],
            count: 0.0,
        }
    }

    fn add(&mut self, features: impl Iterator<Item = f64>) {
        let extended: Vec<f64> = features.chain([1.0]).collect();
        for (row, first) in self.products.chunks_exact_mut(self.size).zip(&extended) {
            for (sum, second) in row.iter_mut().zip(&extended) {
                *sum += first * second;
            }
        }
        self.count += 1.0;
    }

    /// The mean of each feature, and 1.
    fn mean(&self) -> Vec<f64> {
        let sums = &self.products[(self.size - 1) * self.size..];
        sums.iter().map(|sum| sum / self.count).collect()
    }

    /// The mean square of a linear function.
    fn mean_square(&self, function: &[f64]) -> f64 {
        let rows = self.products.chunks_exact(self.size);
        let products: Vec<f64> = rows.map(|row| dot(row, function)).collect();
        dot(&products, function) / self.count
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a system with a symmetric, positive definite matrix by Cholesky's decomposition.
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    let at = |row: usize, column: usize| row * size + column;
    for row in 0..size {
        for column in 0..=row {
            let known = dot(
                &matrix[at(row, 0)..at(row, column)],
                &matrix[at(column, 0)..at(column, column)],
            );
            let rest = matrix[at(row, column)] - known;
            matrix[at(row, column)] = if column < row {
                rest / matrix[at(column, column)]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    for row in 0..size {
        let known = dot(&matrix[at(row, 0)..at(row, row)], &right[..row]);
        right[row] = (right[row] - known) / matrix[at(row, row)];
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size)
            .map(|below| matrix[at(below, row)] * right[below])
            .sum();
        right[row] = (right[row] - known) / matrix[at(row, row)];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let matrix = vec![4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let solution = solve(matrix.clone(), vec![1.0, -2.0, 0.5]).expect("positive definite");
        let product: Vec<f64> = matrix.chunks(3).map(|row| dot(row, &solution)).collect();
        for (actual, expected) in product.iter().zip([1.0, -2.0, 0.5]) {
            assert!((actual - expected).abs() < 1e-12);
        }
        assert_eq!(solve(vec![1.0, 2.0, 2.0, 1.0], vec![1.0, 1.0]), None);
    }

    fn reassignment() -> Reassignment {
        Reassignment {
            channel: 0,
            repeated: 3,
            parts: vec![1, 2],
        }
    }

    /// Two symbols that share channel 1; the first has channel 2 as well. Feature 0 tells them apart,
    /// feature 1 tells both from the background.
    #[test]
    fn the_wanted_motifs_are_above_the_threshold_and_nothing_else() {
        let reassignment = reassignment();
        let plane = [1, 40];
        let motif = |channel, column| Motif {
            channel,
            row: 0,
            column,
            strength: 1.0,
        };
        let mut fit = DetectorFit::new(&reassignment, plane, 8, 2);
        let mut features = Vec::new();
        for example in 0..20 {
            let noise = |index: usize| ((index * 37 + example * 11) % 17) as f32 / 17.0;
            let mut values: Vec<f32> = (0..80).map(|index| 3.0 + noise(index)).collect();
            values[3] += 5.0;
            values[40 + 3] += 5.0;
            values[40 + 12] += 5.0;
            // The channel's own motifs do not matter to which set a place has.
            let motifs = [motif(0, 3), motif(1, 3), motif(2, 3), motif(1, 12)];
            fit.add_example(&motifs, &values);
            features.push(values);
        }
        let detector = fit.detector().expect("they differ");
        let mut values = Vec::new();
        for features in &features {
            for column in 0..40 {
                let value = detector.weights[0] * features[column]
                    + detector.weights[1] * features[40 + column]
                    + detector.bias;
                assert_eq!(value > detector.threshold, column == 3, "column {column}");
                values.push(f64::from(value));
            }
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
        assert!(
            mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-4,
            "{mean} {square}"
        );
    }

    #[test]
    fn where_nothing_is_wanted_there_is_no_detector() {
        let reassignment = reassignment();
        let mut fit = DetectorFit::new(&reassignment, [1, 2], 8, 1);
        fit.add_example(&[], &[0.5, 0.25]);
        assert_eq!(fit.detector(), None);
    }
}
