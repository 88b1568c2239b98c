//! Adam, bit for bit Burn's, by the kernels.

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use sparling_kernels::adam::{Constants, Moved, step};

/// Adam (Kingma and Ba, 2015, arXiv 1412.6980) without weight decay.
#[derive(Clone)]
pub struct Adam {
    constants: Constants,
}

impl Adam {
    /// With the decay of both moments, and what is added to the root of the second.
    pub fn new(beta_1: f32, beta_2: f32, epsilon: f32) -> Self {
        Self {
            constants: Constants {
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
        let past = state.map(|AdamState { momentum }| momentum);
        let time = past.as_ref().map_or(0, |past| past.time) + 1;
        let moments = past.map(|past| [past.moment_1, past.moment_2]);
        let Moved {
            parameter,
            moments: [moment_1, moment_2],
        } = step(
            self.constants,
            learning_rate,
            time,
            parameter,
            gradient,
            moments,
        );
        let momentum = AdaptiveMomentumState::new(time, moment_1, moment_2);
        (parameter, Some(AdamState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        burn::optim::Adam::to_device(state, device)
    }
}
