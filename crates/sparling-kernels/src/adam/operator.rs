//! The step as an operator of Burn's Flex backend.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};

use super::cpu::{self, Factors};
use crate::flex::{FlexFloat, Values, owned};

/// Adam's step of one parameter.
#[backend_extension(Flex)]
pub(super) trait AdamStep: Backend {
    /// The parameter and both moments after the step, all of the parameter's shape.
    fn adam_step(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        moment_1: FloatTensor<Self>,
        moment_2: FloatTensor<Self>,
        factors: Factors,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl AdamStep for Flex {
    fn adam_step(
        parameter: FlexFloat,
        gradient: FlexFloat,
        moment_1: FlexFloat,
        moment_2: FlexFloat,
        factors: Factors,
    ) -> (FlexFloat, FlexFloat, FlexFloat) {
        let parameter = Values::new(parameter);
        let [mut updated, mut moment_1, mut moment_2] = [gradient, moment_1, moment_2].map(owned);
        cpu::step(
            factors,
            parameter.get(),
            updated.storage_mut(),
            moment_1.storage_mut(),
            moment_2.storage_mut(),
        );
        (updated, moment_1, moment_2)
    }
}
