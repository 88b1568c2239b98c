//! How far a run can be trusted, by what needs no truth: whether its motifs stay where they are when the input
//! is disturbed, whether channels are of use, and whether other runs mark the same.
//!
//! Paper: this is ours.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use serde::{Deserialize, Serialize};
use sparling_data::seed::Stream;
use sparling_data::{Batch, Split};

use crate::evaluate::{Evaluator, Reading};
use crate::metrics::{Motif, Names};

/// Sets the draws apart from those that make the examples.
const DRAWS: u64 = 1 << 41;

/// The share of an input's values that noise replaces.
const NOISE: f64 = 0.01;

/// How far apart, along each axis, two motifs are at most that are said to be at the same place under noise
/// and shifts.
const SAME: usize = 1;

/// The share of the motif model's window within which motifs of two runs mark the same.
const NEAR: f64 = 0.25;

/// What needs no truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// The density.
    pub density: f64,
    /// The examples.
    pub examples: usize,
    /// The share of motifs that keep channel and place when one value of the input in a hundred is replaced by
    /// another of its values, drawn at random.
    pub under_noise: Option<f64>,
    /// The share of motifs that keep their channel and move along when the input is shifted by one or two
    /// positions.
    pub under_shifts: Option<f64>,
    /// The mean over motifs of how often outputs lose what their channel stands for without one of its motifs.
    pub confidence: Option<f64>,
    /// Channels without any motif.
    pub dead: usize,
    /// Channels that stand for what another, more active one stands for as well.
    pub duplicate: usize,
    /// The channels.
    pub channels: usize,
    /// The share of motifs that another run marks as well, by the channel that its channel is matched with: the
    /// mean over the other runs; `None` if there were none.
    pub consistency: Option<f64>,
}

/// The motifs of some examples.
pub type Marks = Vec<Vec<Motif>>;

impl Trust {
    /// Measures a run alone, on the first `examples` of a split, and keeps what it marks there.
    pub fn alone(
        evaluator: &Evaluator,
        names: &Names,
        split: Split,
        examples: usize,
    ) -> (Self, Marks) {
        let mut noise = Kept::default();
        let mut shifts = Kept::default();
        let mut marks = Marks::new();
        for batch in evaluator.batches(split, 0..examples as u64) {
            let readings = evaluator.read(batch);
            let first = marks.len() as u64;
            noise.add(evaluator, &readings, |reading, index| {
                let mut stream = Stream::new(split, DRAWS + 2 * (first + index));
                (disturbed(&reading.input, &mut stream), [0, 0])
            });
            shifts.add(evaluator, &readings, |reading, index| {
                let mut stream = Stream::new(split, DRAWS + 2 * (first + index) + 1);
                let shape = evaluator.domain.input_shape();
                let by = drawn_shift(shape, &mut stream);
                (shifted(&reading.input, shape, by), by)
            });
            marks.extend(readings.into_iter().map(|reading| reading.motifs));
        }
        let sparsity = &evaluator.model.bottleneck.sparsity;
        let activations = activations(&marks, sparsity.channels());
        let trust = Self {
            density: sparsity.density(),
            examples: marks.len(),
            under_noise: noise.share(),
            under_shifts: shifts.share(),
            confidence: confidence(names, &activations),
            dead: activations.iter().filter(|count| **count == 0).count(),
            duplicate: duplicates(names, &activations),
            channels: sparsity.channels(),
            consistency: None,
        };
        (trust, marks)
    }
}

/// How many motifs stayed.
#[derive(Default)]
struct Kept {
    kept: u64,
    all: u64,
}

impl Kept {
    /// Runs the model on changed inputs; each motif is looked for where the change has moved it to. Those that
    /// it moves out of the map do not count.
    fn add(
        &mut self,
        evaluator: &Evaluator,
        readings: &[Reading],
        change: impl Fn(&Reading, u64) -> (Vec<f32>, [isize; 2]),
    ) {
        let changed = readings.iter().zip(0..);
        let (inputs, moves): (Vec<_>, Vec<_>) = changed
            .map(|(reading, index)| change(reading, index))
            .unzip();
        let again = evaluator.read(Batch {
            first_index: 0,
            inputs: inputs.concat(),
            tokens: vec![Vec::new(); readings.len()],
            footprints: vec![Vec::new(); readings.len()],
        });
        let [_, height, width] = evaluator.domain.input_shape();
        for ((before, after), by) in readings.iter().zip(&again).zip(moves) {
            for motif in &before.motifs {
                let to = [(motif.row, by[0], height), (motif.column, by[1], width)]
                    .map(|(at, by, size)| at.checked_add_signed(by).filter(|at| *at < size));
                if let [Some(row), Some(column)] = to {
                    let moved = Motif {
                        row,
                        column,
                        ..*motif
                    };
                    let stays = |other: &Motif| {
                        other.channel == motif.channel && distance(other, &moved) <= SAME
                    };
                    self.all += 1;
                    self.kept += u64::from(after.motifs.iter().any(stays));
                }
            }
        }
    }

    fn share(&self) -> Option<f64> {
        (self.all > 0).then(|| self.kept as f64 / self.all as f64)
    }
}

/// The share of motifs that two runs both mark, of the motifs of either, under the best matching of their
/// channels one to one; `None` if neither marks anything.
pub fn agreement(one: &Marks, other: &Marks, channels: [usize; 2], window: usize) -> Option<f64> {
    let near = (NEAR * window as f64) as usize;
    let size = channels[0].max(channels[1]);
    let mut both = Matrix::new_square(size, 0_i64);
    for (one, other) in one.iter().zip(other) {
        for motif in one {
            let mut met = vec![false; size];
            for theirs in other
                .iter()
                .filter(|theirs| distance(motif, theirs) <= near)
            {
                met[theirs.channel] = true;
            }
            for channel in (0..size).filter(|channel| met[*channel]) {
                both[(motif.channel, channel)] += 1;
            }
        }
    }
    let (marked, _) = kuhn_munkres(&both);
    let all = [one, other].map(|marks| marks.iter().map(Vec::len).sum::<usize>());
    let most = all[0].max(all[1]);
    (most > 0).then(|| (marked as f64 / most as f64).min(1.0))
}

/// The larger of the distances along the two axes.
fn distance(one: &Motif, other: &Motif) -> usize {
    let [rows, columns] = [
        one.row.abs_diff(other.row),
        one.column.abs_diff(other.column),
    ];
    rows.max(columns)
}

fn activations(marks: &Marks, channels: usize) -> Vec<u64> {
    let mut activations = vec![0; channels];
    for motif in marks.iter().flatten() {
        activations[motif.channel] += 1;
    }
    activations
}

fn confidence(names: &Names, activations: &[u64]) -> Option<f64> {
    let all: u64 = activations.iter().sum();
    let sure = names.0.iter().zip(activations).map(|(name, count)| {
        let confidence = name.as_ref().map_or(0.0, |name| name.confidence);
        confidence * *count as f64
    });
    (all > 0).then(|| sure.sum::<f64>() / all as f64)
}

/// Channels of the same name as a more active one, or as one before of the same activity.
fn duplicates(names: &Names, activations: &[u64]) -> usize {
    let rank = |channel: usize| (activations[channel], std::cmp::Reverse(channel));
    let token = |channel: usize| names.0[channel].as_ref().map(|name| name.token);
    let is_second = |channel: &usize| {
        let mut others = 0..names.0.len();
        token(*channel).is_some()
            && others.any(|other| token(other) == token(*channel) && rank(other) > rank(*channel))
    };
    (0..names.0.len()).filter(is_second).count()
}

/// An input with noise.
fn disturbed(input: &[f32], stream: &mut Stream) -> Vec<f32> {
    let size = input.len() as u64;
    let mut disturbed = input.to_vec();
    for _ in 0..(NOISE * input.len() as f64) as usize {
        disturbed[stream.below(size) as usize] = input[stream.below(size) as usize];
    }
    disturbed
}

/// One or two positions along each axis that has more than one.
fn drawn_shift([_, height, width]: [usize; 3], stream: &mut Stream) -> [isize; 2] {
    [height, width].map(|size| {
        let by = [-2, -1, 1, 2][stream.below(4) as usize];
        if size > 1 { by } else { 0 }
    })
}

/// An input moved down and to the right, continued by its border.
fn shifted(
    input: &[f32],
    [features, height, width]: [usize; 3],
    [down, right]: [isize; 2],
) -> Vec<f32> {
    let from = |at: usize, by: isize, size: usize| at.saturating_add_signed(-by).min(size - 1);
    let mut moved = Vec::with_capacity(input.len());
    for feature in 0..features {
        for row in 0..height {
            let line = (feature * height + from(row, down, height)) * width;
            moved.extend((0..width).map(|column| input[line + from(column, right, width)]));
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Name;

    #[test]
    fn inputs_are_moved_and_continued() {
        let input: Vec<f32> = (0_u8..12).map(f32::from).collect();
        let moved = shifted(&input, [1, 3, 4], [1, -2]);
        let expected = [2.0, 3.0, 3.0, 3.0, 2.0, 3.0, 3.0, 3.0, 6.0, 7.0, 7.0, 7.0];
        assert_eq!(moved, expected);
        let mut stream = Stream::new(Split::Test, 5);
        assert_eq!(drawn_shift([40, 1, 300], &mut stream)[0], 0);
        let noisy = disturbed(&vec![0.5; 1000], &mut stream);
        assert_eq!(noisy, vec![0.5; 1000]);
        let ramp: Vec<f32> = (0_u16..1000).map(f32::from).collect();
        let noisy = disturbed(&ramp, &mut stream);
        let changed = noisy.iter().zip(&ramp).filter(|(one, other)| one != other);
        assert!((1..=10).contains(&changed.count()));
    }

    #[test]
    fn runs_agree_whatever_their_channels_are_called() {
        let one = vec![
            vec![Motif::new(0, 5, 5, 1.0), Motif::new(1, 20, 20, 1.0)],
            vec![Motif::new(1, 9, 9, 1.0)],
        ];
        let renamed = vec![
            vec![Motif::new(2, 6, 4, 9.0), Motif::new(0, 20, 21, 1.0)],
            vec![Motif::new(0, 9, 9, 1.0)],
        ];
        assert_eq!(agreement(&one, &renamed, [2, 3], 17), Some(1.0));
        // One channel for both symbols is matched with one of two alone.
        let merged: Marks = one
            .iter()
            .map(|motifs| {
                motifs
                    .iter()
                    .map(|motif| Motif {
                        channel: 0,
                        ..*motif
                    })
                    .collect()
            })
            .collect();
        assert_eq!(agreement(&one, &merged, [2, 2], 17), Some(2.0 / 3.0));
        let far = vec![vec![Motif::new(0, 40, 40, 1.0)], Vec::new()];
        assert_eq!(agreement(&one, &far, [2, 2], 17), Some(0.0));
        assert_eq!(
            agreement(&vec![Vec::new()], &vec![Vec::new()], [2, 2], 17),
            None
        );
    }

    #[test]
    fn channels_of_one_name_are_duplicates_of_the_most_active() {
        let name = |token: usize, confidence: f64| {
            Some(Name {
                token,
                confidence,
                motifs: 10,
            })
        };
        let names = Names(vec![name(3, 1.0), name(3, 0.5), name(4, 0.5), None, None]);
        let activations = [10, 30, 10, 0, 0];
        assert_eq!(duplicates(&names, &activations), 1);
        assert_eq!(confidence(&names, &activations), Some(0.6));
        assert_eq!(confidence(&names, &[0; 5]), None);
    }
}
