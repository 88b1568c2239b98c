//! Sinusoidal positional encodings.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// The longest wavelength, over 2 pi, of the encoding.
const MAX_TIMESCALE: f64 = 10_000.0;

/// What the encoder is told of where in the map a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// The row alone, in all features: the paper's, whose row LSTM has to tell columns apart.
    #[default]
    Rows,
    /// The row in the first half of the features and the column in the second.
    ///
    /// Paper: this is ours. The order of symbols is then learnt several times sooner.
    RowsAndColumns,
}

impl Positions {
    /// The encodings of a map's cells, to be added to their features.
    ///
    /// # Shapes
    ///
    /// - output: `[1, rows, columns, width]`, with one column where all are equal
    ///
    /// # Panics
    ///
    /// Panics if `width` is odd, or its half is where columns are encoded too.
    pub(super) fn encode(
        self,
        [rows, columns]: [usize; 2],
        width: usize,
        device: &Device,
    ) -> Tensor<4> {
        match self {
            Self::Rows => sinusoids(0..rows, width, device).reshape([1, rows, 1, width]),
            Self::RowsAndColumns => {
                let half = width / 2;
                let cells = [1, rows, columns, half];
                let row = sinusoids(0..rows, half, device).reshape([1, rows, 1, half]);
                let column = sinusoids(0..columns, half, device).reshape([1, 1, columns, half]);
                Tensor::cat(vec![row.expand(cells), column.expand(cells)], 3)
            }
        }
    }
}

/// The encodings of a range of positions: `sin(p / 10000^(2i/width))` in the even features and the
/// cosine of the same angle in the odd ones.
///
/// # Shapes
///
/// - output: `[positions, width]`
///
/// # Panics
///
/// Panics if `width` is odd.
pub fn sinusoids(positions: Range<usize>, width: usize, device: &Device) -> Tensor<2> {
    assert!(
        width.is_multiple_of(2),
        "the width must be even, got {width}"
    );

    let frequencies: Vec<f64> = (0..width)
        .step_by(2)
        .map(|feature| MAX_TIMESCALE.powf(-(feature as f64) / width as f64))
        .collect();
    let shape = [positions.len(), width];
    let values: Vec<f32> = positions
        .flat_map(|position| {
            frequencies.iter().flat_map(move |frequency| {
                let (sin, cos) = (position as f64 * frequency).sin_cos();
                [sin as f32, cos as f32]
            })
        })
        .collect();

    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;

    #[test]
    fn starts_at_sine_zero_and_alternates() {
        let device = Device::default();

        let encoding = sinusoids(0..2, 4, &device);

        let expected = [
            [0.0, 1.0, 0.0, 1.0],
            [0.841_470_96, 0.540_302_3, 0.009_999_833, 0.999_95],
        ];
        encoding
            .into_data()
            .assert_approx_eq::<f32>(&TensorData::from(expected), Tolerance::default());
    }

    #[test]
    fn rows_and_columns_have_a_half_each() {
        let device = Device::default();

        let encoding = Positions::RowsAndColumns.encode([3, 2], 8, &device);

        assert_eq!(encoding.dims(), [1, 3, 2, 8]);
        let [rows, columns] = [3, 2].map(|count| sinusoids(0..count, 4, &device));
        for row in 0..3 {
            for column in 0..2 {
                let cell = encoding
                    .clone()
                    .slice([0..1, row..row + 1, column..column + 1, 0..8]);
                let halves = [
                    rows.clone().slice([row..row + 1, 0..4]),
                    columns.clone().slice([column..column + 1, 0..4]),
                ];
                let expected = Tensor::cat(halves.to_vec(), 1).reshape([1, 1, 1, 8]);
                cell.into_data().assert_eq(&expected.into_data(), true);
            }
        }
    }

    #[test]
    fn a_later_range_continues_the_sequence() {
        let device = Device::default();

        let whole = sinusoids(0..7, 6, &device);
        let tail = sinusoids(4..7, 6, &device);

        tail.into_data()
            .assert_eq(&whole.slice([4..7, 0..6]).into_data(), true);
    }

    #[test]
    #[should_panic(expected = "the width must be even")]
    fn an_odd_width_panics() {
        sinusoids(0..2, 5, &Device::default());
    }
}
