//! Adam's step of one parameter (Kingma and Ba, 2015, arXiv 1412.6980), bit for bit Burn's.
//!
//! On Flex it is one pass over the parameter and its moments, on all threads, where Burn's takes a dozen
//! operators.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod operator;

use burn::tensor::Tensor;

/// What stays the same in all steps.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    /// How much of the first moment each step keeps.
    pub beta_1: f32,
    /// How much of the second moment each step keeps.
    pub beta_2: f32,
    /// What is added to the root of the second moment.
    pub epsilon: f32,
}

/// A parameter with its moments, the means of its gradients and of their squares.
#[derive(Clone, Debug)]
pub struct Moved<const D: usize> {
    /// The parameter.
    pub parameter: Tensor<D>,
    /// The first and the second moment.
    pub moments: [Tensor<D>; 2],
}

/// The step of this number, from 1; without moments from zero.
pub fn step<const D: usize>(
    constants: Constants,
    learning_rate: f64,
    time: usize,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> Moved<D> {
    #[cfg(feature = "flex")]
    if crate::flex::takes(&parameter) && !parameter.device().is_autodiff() {
        use burn::backend::Dispatch;
        use operator::AdamStep;
        let zeros = || [parameter.zeros_like(), parameter.zeros_like()];
        let [moment_1, moment_2] = moments.unwrap_or_else(zeros).map(Tensor::into_dispatch);
        let (parameter, moment_1, moment_2) = Dispatch::adam_step(
            parameter.into_dispatch(),
            gradient.into_dispatch(),
            moment_1,
            moment_2,
            cpu::Factors::new(constants, learning_rate, time),
        );
        return Moved {
            parameter: Tensor::from_dispatch(parameter),
            moments: [moment_1, moment_2].map(Tensor::from_dispatch),
        };
    }
    twin(constants, learning_rate, time, parameter, gradient, moments)
}

/// In the order of Burn's optimiser.
fn twin<const D: usize>(
    constants: Constants,
    learning_rate: f64,
    time: usize,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> Moved<D> {
    let Constants {
        beta_1,
        beta_2,
        epsilon,
    } = constants;
    let newest = [
        gradient.clone().mul_scalar(1.0 - beta_1),
        gradient.square().mul_scalar(1.0 - beta_2),
    ];
    let [moment_1, moment_2] = match (moments, newest) {
        (Some([moment_1, moment_2]), [first, second]) => [
            moment_1.mul_scalar(beta_1).add(first),
            moment_2.mul_scalar(beta_2).add(second),
        ],
        (None, newest) => newest,
    };
    let root = (1.0 - beta_2.powi(time as i32)).sqrt();
    let correction = root / (1.0 - beta_1.powi(time as i32));
    let deviation = moment_2.clone().sqrt().add_scalar(epsilon * root);
    let direction = moment_1.clone().mul_scalar(correction).div(deviation);
    Moved {
        parameter: parameter - direction.mul_scalar(learning_rate),
        moments: [moment_1, moment_2],
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::optim::{AdamConfig, AdamState, Optimizer};
    use burn::tensor::{Device, Distribution};

    use super::*;

    const SHAPE: [usize; 2] = [3, 12_345];
    const CONSTANTS: Constants = Constants {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-8,
    };

    /// Several steps by each, from gradients of many sizes, with a parameter and gradients that
    /// others hold too or that are views.
    #[test]
    fn is_burns_to_the_bit() {
        let device = Device::default();
        let burns = AdamConfig::new()
            .with_beta_1(CONSTANTS.beta_1)
            .with_beta_2(CONSTANTS.beta_2)
            .with_epsilon(CONSTANTS.epsilon)
            .build();
        let start = Tensor::<2>::random(SHAPE, Distribution::Normal(0.0, 1.0), &device);
        let (mut plain, mut state): (_, Option<AdamState<2>>) = (start.clone(), None);
        let mut ours = [step, twin].map(|by| (by, start.clone(), None));
        for time in 1..6 {
            let gradient = gradient(&start, time);
            let kept = bits(&gradient);
            (plain, state) = burns.step(5e-4, plain, gradient.clone(), state);
            let moments = &state.as_ref().unwrap().momentum;
            for (by, parameter, past) in &mut ours {
                let gradient = gradient.clone();
                let moved = by(
                    CONSTANTS,
                    5e-4,
                    time,
                    parameter.clone(),
                    gradient,
                    past.take(),
                );
                assert_eq!(bits(&moved.parameter), bits(&plain));
                assert_eq!(bits(&moved.moments[0]), bits(&moments.moment_1));
                assert_eq!(bits(&moved.moments[1]), bits(&moments.moment_2));
                *parameter = moved.parameter;
                *past = Some(moved.moments);
            }
            assert_eq!(bits(&gradient), kept);
        }
        assert_ne!(bits(&start), bits(&plain));
    }

    fn gradient(like: &Tensor<2>, time: usize) -> Tensor<2> {
        let device = like.device();
        let [rows, columns] = SHAPE;
        match time {
            1 => Tensor::<2>::random([columns, rows], Distribution::Default, &device).transpose(),
            2 => {
                Tensor::<2>::random([7, columns], Distribution::Default, &device).slice_dim(0, 2..5)
            }
            _ => like.random_like(Distribution::Normal(0.0, 1.0)) * 1e-4_f32.powi(time as i32 - 1),
        }
    }

    fn bits(tensor: &Tensor<2>) -> Vec<u32> {
        let data = tensor.to_data();
        data.iter::<f32>().map(f32::to_bits).collect()
    }
}
