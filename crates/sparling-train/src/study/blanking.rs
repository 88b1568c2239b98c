//! Whether what lies outside the motifs' windows can matter (paper, section 2).
//!
//! An activation depends on the window around it alone, and the output on the activations alone: given where
//! the motifs are, nothing else of the input can change the output. Here that is tried: everything else is
//! blanked, and the motifs are computed anew at their places.

use std::ops::Range;

use serde::Serialize;
use sparling_data::{Domain, Split};

use crate::evaluate::{Evaluator, Reading};
use crate::host::{maps, values};
use crate::metrics::Motif;

/// What blanking changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Blanking {
    /// The examples.
    pub examples: u64,
    /// The share of their values that was blanked.
    pub blanked: f64,
    /// Their motifs.
    pub motifs: u64,
    /// The motifs whose strength stayed the same to the bit.
    pub equal: u64,
    /// The largest change of a strength, in units of the strongest motif.
    pub largest_change: f32,
    /// The examples whose output, written from the motifs at these places, stayed the same.
    pub outputs_kept: u64,
    /// Motifs that the blanked inputs have at other places, where the blank itself is looked at.
    pub elsewhere: u64,
}

/// Sums over examples.
#[derive(Default)]
struct Sums {
    blanking: Blanking,
    values: u64,
    blank: u64,
    strongest: f32,
}

impl Blanking {
    /// Blanks the first `examples` of a split outside the `window` around each of their motifs.
    pub fn measure(evaluator: &Evaluator, window: usize, split: Split, examples: usize) -> Self {
        let mut sums = Sums::default();
        for batch in evaluator.batches(split, 0..examples as u64) {
            sums.add(evaluator, window, &evaluator.read(batch));
        }
        sums.divided()
    }
}

impl Sums {
    fn divided(self) -> Blanking {
        Blanking {
            blanked: self.blank as f64 / self.values.max(1) as f64,
            largest_change: self.blanking.largest_change / self.strongest.max(f32::MIN_POSITIVE),
            ..self.blanking
        }
    }

    fn add(&mut self, evaluator: &Evaluator, window: usize, readings: &[Reading]) {
        let shape = evaluator.domain.input_shape();
        let blanked: Vec<Vec<f32>> = readings
            .iter()
            .map(|reading| {
                let kept = self.kept(evaluator, reading, window);
                let blank = blank_of(evaluator.domain, &reading.input);
                let values = reading.input.iter().zip(kept);
                values
                    .map(|(value, kept)| if kept { *value } else { blank })
                    .collect()
            })
            .collect();
        let input = maps(blanked.concat(), shape, evaluator.device);
        let strengths = values(evaluator.model.motifs(input));
        let size = strengths.len() / readings.len();
        let again: Vec<Vec<Motif>> = readings
            .iter()
            .zip(strengths.chunks(size))
            .map(|(reading, strengths)| self.compare(reading, strengths, shape))
            .collect();
        let outputs = evaluator.outputs_of(&again);
        for (reading, output) in readings.iter().zip(outputs) {
            self.blanking.examples += 1;
            self.blanking.outputs_kept += u64::from(output == reading.prediction);
        }
    }

    /// Which values of an input lie in a window.
    fn kept(&mut self, evaluator: &Evaluator, reading: &Reading, window: usize) -> Vec<bool> {
        let [features, rows, columns] = evaluator.domain.input_shape();
        let mut kept = vec![false; features * rows * columns];
        for motif in &reading.motifs {
            let [down, right] = evaluator.model.offsets.of(motif.channel);
            let within = around(motif.row.saturating_add_signed(-down), window, rows);
            for row in within {
                let within = around(motif.column.saturating_add_signed(-right), window, columns);
                for feature in 0..features {
                    let line = (feature * rows + row) * columns;
                    kept[line + within.start..line + within.end].fill(true);
                }
            }
        }
        self.values += kept.len() as u64;
        self.blank += kept.iter().filter(|kept| !**kept).count() as u64;
        kept
    }

    /// The motifs with the strengths that they have in a blanked input.
    fn compare(
        &mut self,
        reading: &Reading,
        strengths: &[f32],
        [_, height, width]: [usize; 3],
    ) -> Vec<Motif> {
        let mut again = Vec::with_capacity(reading.motifs.len());
        for motif in &reading.motifs {
            let at = (motif.channel * height + motif.row) * width + motif.column;
            let strength = strengths[at];
            self.blanking.motifs += 1;
            self.blanking.equal += u64::from(strength.to_bits() == motif.strength.to_bits());
            let change = (strength - motif.strength).abs();
            self.blanking.largest_change = self.blanking.largest_change.max(change);
            self.strongest = self.strongest.max(motif.strength);
            again.push(Motif { strength, ..*motif });
        }
        let active = strengths.iter().filter(|strength| **strength > 0.0).count();
        let stayed = again.iter().filter(|motif| motif.strength > 0.0).count();
        self.blanking.elsewhere += (active - stayed) as u64;
        again
    }
}

/// The positions along an axis that a window in the middle of which `at` is spans.
fn around(at: usize, window: usize, size: usize) -> Range<usize> {
    at.saturating_sub(window / 2)..(at + window / 2 + 1).min(size)
}

/// What nothing is written with: a picture's paper, a recording's quietest.
fn blank_of(domain: &dyn Domain, input: &[f32]) -> f32 {
    match domain.recordings() {
        Some(_) => input.iter().copied().fold(f32::INFINITY, f32::min),
        None => 1.0 - domain.ink(),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::config::RunConfig;

    #[test]
    fn what_is_outside_the_window_changes_no_motif_and_what_is_inside_does() {
        let config = RunConfig::load("digitcircle", "small", None, &[]).unwrap();
        let domain = config.build_domain().unwrap();
        let device = Device::default();
        device.seed(2);
        let model = config.model(&*domain);
        let window = model.motif_model.window();
        let model = model.init(&device);
        let evaluator = Evaluator {
            model: &model,
            domain: &*domain,
            device: &device,
            batch_size: 2,
            supports: None,
        };
        // An untrained model is active in half of all places: one of them, far from the border.
        let mut readings = evaluator.read_split(Split::Test, 2);
        for reading in &mut readings {
            let inner = |motif: &Motif| (16..32).contains(&motif.row) && motif.column == 24;
            reading.motifs.retain(inner);
            reading.motifs.truncate(1);
        }
        let blanked = |window: usize| {
            let mut sums = Sums::default();
            sums.add(&evaluator, window, &readings);
            sums.divided()
        };
        let whole = blanked(window);
        assert_eq!((whole.examples, whole.motifs), (2, 2));
        assert!(
            whole.blanked > 0.8 && whole.largest_change < 1e-5,
            "{whole:?}"
        );
        let part = blanked(window / 2);
        assert!(part.equal == 0 && part.largest_change > 1e-3, "{part:?}");
    }

    #[test]
    fn windows_end_at_the_border() {
        assert_eq!(around(10, 5, 20), 8..13);
        assert_eq!(around(1, 5, 20), 0..4);
        assert_eq!(around(19, 5, 20), 17..20);
    }
}
