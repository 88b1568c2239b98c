//! Sinusoidal positional encodings.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};

/// The longest wavelength, over 2 pi, of the encoding.
const MAX_TIMESCALE: f64 = 10_000.0;

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
