//! Dropout.
//!
//! On Flex, whether a value is dropped is a function of a seed and of its position: all threads draw,
//! and the gradient needs the seed alone. The twin draws other random numbers.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod operator;

use burn::tensor::{Distribution, Tensor};

#[cfg(feature = "flex")]
pub(crate) use cpu::Drops;

/// Drops a share of the values, at least 0 and below 1, and scales the rest so that their mean
/// stays; on an autodiff device alone.
pub fn dropout<const D: usize>(input: Tensor<D>, share: f64) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&input) {
        use burn::backend::Dispatch;
        use operator::DropValues;
        let Some(drops) = draw(share, &input) else {
            return input;
        };
        return Tensor::from_dispatch(Dispatch::drop_values(input.into_dispatch(), drops));
    }
    twin(input, share)
}

/// As Burn's layer.
pub(crate) fn twin<const D: usize>(input: Tensor<D>, share: f64) -> Tensor<D> {
    if !drops(share, &input) {
        return input;
    }
    let kept = 1.0 - share;
    let random = input.random_like(Distribution::Bernoulli(kept));
    input * random * (1.0 / kept)
}

fn drops<const D: usize>(share: f64, input: &Tensor<D>) -> bool {
    share != 0.0 && input.device().is_autodiff()
}

/// What is dropped of something computed from `input`, if anything is. The seed is drawn from the
/// device's random numbers.
#[cfg(feature = "flex")]
pub(crate) fn draw<const D: usize>(share: f64, input: &Tensor<D>) -> Option<Drops> {
    if !drops(share, input) {
        return None;
    }
    let device = input.device().inner();
    let seed = Tensor::<1>::random([2], Distribution::Default, &device).into_data();
    let mut words = seed.iter::<f32>().map(|word| (word * 16_777_216.0) as u32); // 24 bits each
    let seed = std::array::from_fn(|_| words.next().unwrap_or_default());
    Some(Drops::new(share, seed))
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::Device;

    use super::*;

    const SHAPE: [usize; 3] = [7, 50, 301];

    fn values(tensor: Tensor<3>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    #[test]
    fn drops_a_share_and_scales_the_rest_with_its_gradient() {
        let device = Device::default().autodiff();
        let input = Tensor::<3>::full(SHAPE, 2.0, &device).require_grad();
        let output = dropout(input.clone(), 0.1);
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
