//! Dropout.
//!
//! On Flex, Burn's CPU backend, whether a value is dropped is a function of a seed and of its position:
//! all threads draw, and the gradient needs the seed alone. Every other backend takes Burn's.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;

use burn::nn::Dropout;
use burn::tensor::Tensor;

#[cfg(feature = "flex")]
pub(crate) use cpu::Drops;

/// Drops values on an autodiff device, as the layer says.
pub(crate) fn dropout(layer: &Dropout, input: Tensor<3>) -> Tensor<3> {
    #[cfg(feature = "flex")]
    if crate::flex::on_flex(&input) {
        use burn::backend::Dispatch;
        use extension::DropValues;
        let Some(drops) = draw(layer, &input) else {
            return input;
        };
        return Tensor::from_dispatch(Dispatch::drop_values(input.into_dispatch(), drops));
    }
    layer.forward(input)
}

/// What the layer drops of something computed from `input`, if it drops. The seed is drawn from the
/// device's random numbers.
#[cfg(feature = "flex")]
pub(crate) fn draw<const D: usize>(layer: &Dropout, input: &Tensor<D>) -> Option<Drops> {
    let device = input.device();
    // As in Burn's layer.
    if layer.prob == 0.0 || !device.is_autodiff() || !layer.training.is_enabled() {
        return None;
    }
    let uniform = burn::tensor::Distribution::Default;
    let seed = Tensor::<1>::random([2], uniform, &device.inner()).into_data();
    let mut words = seed.iter::<f32>().map(|word| (word * 16_777_216.0) as u32); // 24 bits each
    let seed = std::array::from_fn(|_| words.next().unwrap_or_default());
    Some(Drops::new(layer.prob, seed))
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::nn::DropoutConfig;
    use burn::tensor::Device;

    use super::*;

    const SHAPE: [usize; 3] = [7, 50, 301];

    fn values(tensor: Tensor<3>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn drops_a_share_and_scales_the_rest_with_its_gradient() {
        let device = Device::default().autodiff();
        let layer = DropoutConfig::new(0.1).init();
        let input = Tensor::<3>::full(SHAPE, 2.0, &device).require_grad();
        let output = dropout(&layer, input.clone());
        let gradient = input
            .grad(&(output.clone() * 3.0).sum().backward())
            .unwrap();
        let (output, gradient) = (values(output), values(gradient));
        for (output, gradient) in output.iter().zip(&gradient) {
            let scale = if *output == 0.0 { 0.0 } else { 1.0 / 0.9 };
            assert!((output - 2.0 * scale).abs() < 1e-6);
            assert!((gradient - 3.0 * scale).abs() < 1e-6);
        }
        // Within five deviations, and neighbours do not go together.
        let count = output.len() as f64;
        let dropped = |pairs: &dyn Fn(usize) -> bool| {
            (0..output.len() - 301)
                .filter(|index| pairs(*index))
                .count() as f64
                / count
        };
        let deviation = (0.1 * 0.9 / count).sqrt();
        assert!((dropped(&|index| output[index] == 0.0) - 0.1).abs() < 0.003 + 5.0 * deviation);
        for distance in [1, 2, 16, 301] {
            let both = |index| output[index] == 0.0 && output[index + distance] == 0.0;
            assert!((dropped(&both) - 0.01).abs() < 0.0015);
        }
    }
}
