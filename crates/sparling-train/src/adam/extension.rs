//! The step as an operator of Burn's Flex backend.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, Flex, backend_extension};
use burn::optim::{AdamState, AdaptiveMomentumState};
use burn::tensor::{DType, Tensor};
use sparling_layer::kernels;

use super::cpu::{self, Constants, Factors};

/// Whether the operator takes this parameter.
pub(super) fn takes<const D: usize>(parameter: &Tensor<D>) -> bool {
    kernels::are_enabled()
        && parameter.dtype() == DType::F32
        && matches!(parameter.device().as_dispatch(), DispatchDevice::Flex(_))
}

/// Takes a step, with moments of zero if there are none yet.
pub(super) fn step<const D: usize>(
    constants: Constants,
    learning_rate: f64,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    state: Option<AdamState<D>>,
) -> (Tensor<D>, AdamState<D>) {
    let (time, moments) = match state {
        Some(AdamState { momentum: past }) => (past.time + 1, [past.moment_1, past.moment_2]),
        None => (1, [parameter.zeros_like(), parameter.zeros_like()]),
    };
    let [moment_1, moment_2] = moments.map(Tensor::into_dispatch);
    let (parameter, moment_1, moment_2) = Dispatch::adam_step(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        moment_1,
        moment_2,
        Factors::new(constants, learning_rate, time),
    );
    let [parameter, moment_1, moment_2] =
        [parameter, moment_1, moment_2].map(Tensor::from_dispatch);
    let momentum = AdaptiveMomentumState::new(time, moment_1, moment_2);
    (parameter, AdamState::new(momentum))
}

/// Adam's step of one parameter.
#[backend_extension(Flex)]
trait AdamStep: Backend {
    /// The parameter and both moments after the step, all of the parameter's shape.
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        factors: Factors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

type FlexFloat = FloatTensor<Flex>;

impl AdamStep for Flex {
    fn adam_step(
        parameter: FlexFloat,
        gradient: FlexFloat,
        moment_1: FlexFloat,
        moment_2: FlexFloat,
        factors: Factors,
    ) -> (FlexFloat, FlexFloat, FlexFloat) {
        let parameter = if parameter.is_contiguous() {
            parameter
        } else {
            parameter.to_contiguous()
        };
        let values = parameter
            .as_slice()
            .expect("made contiguous, and checked to be f32 before dispatch");
        let [mut updated, mut moment_1, mut moment_2] = [gradient, moment_1, moment_2].map(owned);
        cpu::step(
            factors,
            values,
            updated.storage_mut(),
            moment_1.storage_mut(),
            moment_2.storage_mut(),
        );
        (updated, moment_1, moment_2)
    }
}

/// The same values in memory that is theirs alone: no copy, unless others hold it too.
fn owned(tensor: FlexFloat) -> FlexFloat {
    FlexFloat::from_data(tensor.into_data())
}
