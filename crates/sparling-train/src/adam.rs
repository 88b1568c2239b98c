//! Adam, bit for bit Burn's.
//!
//! On Flex, Burn's CPU backend, a parameter's step is one pass over it and its moments, on all threads,
//! where Burn's takes a dozen operators. Every other backend takes Burn's, the twin that it is tested
//! against.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod extension;

use burn::optim::{AdamConfig, AdamState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

/// Adam (Kingma and Ba, 2015, arXiv 1412.6980) without weight decay.
#[derive(Clone)]
pub struct Adam {
    plain: burn::optim::Adam,
    #[cfg(feature = "flex")]
    constants: cpu::Constants,
}

impl Adam {
    /// With the decay of both moments, and what is added to the root of the second.
    pub fn new(beta_1: f32, beta_2: f32, epsilon: f32) -> Self {
        let config = AdamConfig::new()
            .with_beta_1(beta_1)
            .with_beta_2(beta_2)
            .with_epsilon(epsilon);
        Self {
            plain: config.build(),
            #[cfg(feature = "flex")]
            constants: cpu::Constants {
                beta_1,
                beta_2,
                epsilon,
            },
        }
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        #[cfg(feature = "flex")]
        if extension::takes(&parameter) {
            let (parameter, state) =
                extension::step(self.constants, learning_rate, parameter, gradient, state);
            return (parameter, Some(state));
        }
        self.plain.step(learning_rate, parameter, gradient, state)
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        burn::optim::Adam::to_device(state, device)
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    const SHAPE: [usize; 2] = [3, 12_345];

    /// Several steps by either, from gradients of many sizes, with a parameter and gradients that
    /// others hold too or that are views.
    #[test]
    fn is_burns_to_the_bit() {
        let device = Device::default();
        let adam = Adam::new(0.9, 0.999, 1e-8);
        let start = Tensor::<2>::random(SHAPE, Distribution::Normal(0.0, 1.0), &device);
        let (mut ours, mut our_state) = (start.clone(), None);
        let (mut plain, mut plain_state) = (start.clone(), None);
        for step in 0..5 {
            let size = 1e-4_f32.powi(step);
            let gradient = start.random_like(Distribution::Normal(0.0, 1.0)) * size;
            let gradient = match step {
                0 => Tensor::<2>::random([SHAPE[1], SHAPE[0]], Distribution::Default, &device)
                    .transpose(),
                1 => Tensor::<2>::random([7, SHAPE[1]], Distribution::Default, &device)
                    .slice_dim(0, 2..5),
                _ => gradient,
            };
            let kept = bits(&gradient);
            (ours, our_state) = adam.step(5e-4, ours, gradient.clone(), our_state);
            assert_eq!(bits(&gradient), kept);
            (plain, plain_state) = adam.plain.step(5e-4, plain, gradient, plain_state);
            let [our_moments, moments] =
                [&our_state, &plain_state].map(|state| state.as_ref().map(|s| &s.momentum));
            let (our_moments, moments) = (our_moments.unwrap(), moments.unwrap());
            assert_eq!(bits(&ours), bits(&plain));
            assert_eq!(our_moments.time, moments.time);
            assert_eq!(bits(&our_moments.moment_1), bits(&moments.moment_1));
            assert_eq!(bits(&our_moments.moment_2), bits(&moments.moment_2));
        }
        assert_ne!(bits(&start), bits(&ours));
    }

    fn bits(tensor: &Tensor<2>) -> Vec<u32> {
        let data = tensor.to_data();
        data.iter::<f32>().map(f32::to_bits).collect()
    }
}
