//! Where around its motifs each channel looks: its *support*.
//!
//! Labels that do not say where a symbol is do not say where in it a motif should sit, either: a
//! channel may come to mark a corner of its symbol, or a pixel beside it, and then always does. Which
//! part of the input an activation depends on can be measured, and needs no box: it is the gradient of
//! what the motif model computes there, before the threshold, by the input around it. Averaged over
//! many activations of a channel it shows where, seen from the motif, the symbol is.
//!
//! Paper: this is ours.

use std::ops::Range;

use burn::tensor::Tensor;
use sparling_data::Split;
use sparling_models::MotifModel;

use crate::evaluate::{Evaluator, Reading};
use crate::host::{maps, values};
use crate::metrics::{Motif, Support, Supports};
use crate::run::trained::{LoadError, Trained};

/// The examples that activations are taken from.
const EXAMPLES: u64 = 500;

/// The activations of a channel that are looked at, one an example.
const ACTIVATIONS: usize = 100;

/// The share of the squared gradient, above its floor, that lies within the box along each axis: all but
/// what comes from the input's noise.
const INSIDE: f64 = 0.98;

/// What is measured: a model, and how to run it.
pub struct Looker<'a> {
    /// The model, with what is needed to run it.
    pub evaluator: &'a Evaluator<'a>,
    /// Its motif model, frozen, on a device with autodiff.
    pub motif_model: MotifModel,
    /// The side of the window that one position depends on.
    pub window: usize,
    /// Where examples come from.
    pub split: Split,
    /// The first of them.
    pub first: u64,
}

/// An activation, with the input that it is in.
struct Case {
    input: Vec<f32>,
    motif: Motif,
}

/// Measures where a trained model's channels look, on the first validation examples of its domain,
/// which must be prepared.
///
/// # Errors
///
/// If the run's folder cannot be read any more.
pub fn measure(trained: &Trained) -> Result<Supports, LoadError> {
    let looker = Looker {
        evaluator: &trained.evaluator(),
        motif_model: trained.frozen_motif_model()?,
        window: trained
            .config()
            .model(trained.domain())
            .motif_model
            .window(),
        split: Split::Validation,
        first: 0,
    };
    Ok(looker.supports())
}

impl Looker<'_> {
    /// Where each channel looks.
    pub fn supports(&self) -> Supports {
        let Evaluator { model, domain, .. } = self.evaluator;
        let channels = model.bottleneck.sparsity.channels();
        let mut cases: Vec<Vec<Case>> = (0..channels).map(|_| Vec::new()).collect();
        let examples = self.first..self.first + EXAMPLES;
        let batches = self.evaluator.batches(self.split, examples);
        for reading in batches.flat_map(|batch| self.evaluator.read(batch)) {
            for (channel, cases) in cases.iter_mut().enumerate() {
                if cases.len() < ACTIVATIONS
                    && let Some(motif) = strongest(&reading, channel)
                {
                    let input = reading.input.clone();
                    cases.push(Case { input, motif });
                }
            }
        }
        let shape = domain.input_shape();
        let supports = cases.iter().enumerate().map(|(channel, cases)| {
            let map = self.map(cases, shape)?;
            Some(map.support(cases.len(), model.offsets.of(channel)))
        });
        Supports(supports.collect())
    }

    /// The mean map of a channel's activations.
    fn map(&self, cases: &[Case], shape: [usize; 3]) -> Option<Map> {
        let [_, height, _] = shape;
        let rows = if height == 1 { 1 } else { self.window };
        let mut map = Map {
            values: vec![0.0; rows * self.window],
            rows,
            columns: self.window,
        };
        for cases in cases.chunks(self.evaluator.batch_size) {
            let gradients = self.gradients(cases, shape);
            let size = gradients.len() / cases.len();
            for (case, gradient) in cases.iter().zip(gradients.chunks(size)) {
                map.add(&self.found(&case.motif), gradient, shape);
            }
        }
        let total: f64 = map.values.iter().sum();
        map.values.iter_mut().for_each(|value| *value /= total);
        (total > 0.0).then_some(map)
    }

    /// A motif where the motif model found it, before it was moved.
    fn found(&self, motif: &Motif) -> Motif {
        let [down, right] = self.evaluator.model.offsets.of(motif.channel);
        Motif {
            row: motif.row.saturating_add_signed(-down),
            column: motif.column.saturating_add_signed(-right),
            ..*motif
        }
    }

    /// The gradient of each case's activation, before the threshold, by its input.
    ///
    /// # Shapes
    ///
    /// - output: `[cases, shape...]`
    fn gradients(&self, cases: &[Case], shape: [usize; 3]) -> Vec<f32> {
        let device = self.evaluator.device.clone().autodiff();
        let inputs = cases.iter().flat_map(|case| case.input.iter().copied());
        let input = maps(inputs.collect(), shape, &device).require_grad();
        let activations = self.motif_model.forward(input.clone());
        let picked = cases.iter().enumerate().map(|(example, case)| {
            let motif = self.found(&case.motif);
            let at = [example, motif.channel, motif.row, motif.column];
            activations.clone().slice(at.map(|at| at..at + 1)).sum()
        });
        let sum = Tensor::cat(picked.collect(), 0).sum();
        let gradient = input.grad(&sum.backward());
        values(gradient.expect("the activations depend on the input"))
    }
}

fn strongest(reading: &Reading, channel: usize) -> Option<Motif> {
    let own = reading
        .motifs
        .iter()
        .filter(|motif| motif.channel == channel);
    own.copied()
        .reduce(|best, motif| match motif.strength > best.strength {
            true => motif,
            false => best,
        })
}

/// The mean squared gradient around the motifs of a channel; each motif's share adds up to 1.
struct Map {
    /// Row-major, `rows * columns`, the motif in the middle.
    values: Vec<f64>,
    rows: usize,
    columns: usize,
}

impl Map {
    /// Adds the squared gradient by one input, as far as it is around the motif.
    fn add(&mut self, motif: &Motif, gradient: &[f32], [_, height, width]: [usize; 3]) {
        let square = |row: usize, column: usize| {
            let features = gradient.chunks(height * width);
            let squares = features.map(|plane| f64::from(plane[row * width + column]).powi(2));
            squares.sum::<f64>()
        };
        let mut around = vec![0.0; self.values.len()];
        for (index, value) in around.iter_mut().enumerate() {
            let row = (motif.row + index / self.columns).checked_sub(self.rows / 2);
            let column = (motif.column + index % self.columns).checked_sub(self.columns / 2);
            if let (Some(row), Some(column)) = (row, column)
                && row < height
                && column < width
            {
                *value = square(row, column);
            }
        }
        let total: f64 = around.iter().sum();
        if total > 0.0 {
            let mine = self.values.iter_mut().zip(around);
            mine.for_each(|(mine, value)| *mine += value / total);
        }
    }

    /// Where the channel looks, seen from its motifs after these were moved by an offset.
    fn support(&self, activations: usize, [down, right]: [isize; 2]) -> Support {
        let row = |row: usize| {
            self.values[row * self.columns..][..self.columns]
                .iter()
                .sum()
        };
        let column = |column: usize| self.values[column..].iter().step_by(self.columns).sum();
        let rows = Extent::of(&(0..self.rows).map(row).collect::<Vec<f64>>());
        let columns = Extent::of(&(0..self.columns).map(column).collect::<Vec<f64>>());
        let (rows, columns) = (rows.seen_from(down), columns.seen_from(right));
        Support {
            centre: [rows.middle, columns.middle],
            rows: rows.range,
            columns: columns.range,
            activations,
        }
    }
}

/// Where along an axis most of a distribution is, seen from its middle.
struct Extent {
    middle: f64,
    range: Range<isize>,
}

impl Extent {
    fn of(values: &[f64]) -> Self {
        let floor = values.iter().copied().fold(f64::INFINITY, f64::min);
        let floor = if values.len() > 1 { floor } else { 0.0 };
        let above: Vec<f64> = values.iter().map(|value| value - floor).collect();
        let range = shortest(&above, INSIDE);
        let origin = values.len() as isize / 2;
        let range = range.start as isize - origin..range.end as isize - origin;
        Self {
            middle: (range.start + range.end - 1) as f64 / 2.0,
            range,
        }
    }
}

impl Extent {
    fn seen_from(self, offset: isize) -> Self {
        Self {
            middle: self.middle - offset as f64,
            range: self.range.start - offset..self.range.end - offset,
        }
    }
}

/// The shortest range that holds a share of all; of equally short ones the fullest.
fn shortest(values: &[f64], share: f64) -> Range<usize> {
    let wanted = share * values.iter().sum::<f64>();
    for length in 1..values.len() {
        let sums = values
            .windows(length)
            .map(|window| window.iter().sum::<f64>());
        let fullest = sums
            .enumerate()
            .reduce(|best, other| match other.1 > best.1 {
                true => other,
                false => best,
            });
        if let Some((start, sum)) = fullest
            && sum >= wanted
        {
            return start..start + length;
        }
    }
    0..values.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_range_holds_the_share() {
        assert_eq!(shortest(&[0.0, 1.0, 8.0, 1.0, 0.0], 0.8), 2..3);
        assert_eq!(shortest(&[0.0, 1.0, 8.0, 1.0, 0.0], 0.9), 1..3);
        assert_eq!(shortest(&[0.0, 1.0, 8.0, 1.0, 0.0], 1.0), 1..4);
        assert_eq!(shortest(&[1.0], 0.9), 0..1);
    }

    /// A channel that depends on 3 rows and 2 columns, up and to the right of its motifs, one of them at
    /// the input's border.
    #[test]
    fn a_support_is_where_the_gradient_is() {
        let shape = [2, 12, 12];
        let mut map = Map {
            values: vec![0.0; 81],
            rows: 9,
            columns: 9,
        };
        for (row, column) in [(6, 3), (8, 10)] {
            let mut gradient = vec![0.01; 2 * 144];
            for (feature, plane) in gradient.chunks_mut(144).enumerate() {
                for row in row - 4..row - 1 {
                    for column in (column + 1..column + 3).filter(|column| *column < 12) {
                        plane[row * 12 + column] = if feature == 0 { -3.0 } else { 2.0 };
                    }
                }
            }
            map.add(&Motif::new(0, row, column, 1.0), &gradient, shape);
        }
        let support = map.support(2, [0, 0]);
        assert_eq!((support.rows, support.columns), (-4..-1, 1..3));
        assert_eq!(support.centre, [-3.0, 1.5]);
    }

    #[test]
    fn sound_has_one_row() {
        let mut map = Map {
            values: vec![0.0; 5],
            rows: 1,
            columns: 5,
        };
        let mut gradient = vec![0.0; 3 * 8];
        gradient[8 + 2] = 1.0;
        gradient[16 + 3] = 1.0;
        map.add(&Motif::new(0, 0, 4, 1.0), &gradient, [3, 1, 8]);
        let support = map.support(1, [0, 0]);
        assert_eq!((support.rows, support.columns), (0..1, -2..0));
        assert_eq!(support.centre, [0.0, -1.5]);
    }
}
