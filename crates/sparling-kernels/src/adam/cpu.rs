//! A step on slices.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Constants;
use crate::vector::reduce::TASK;
use crate::vector::simd::arch;

/// What every value of a step is computed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors {
    constants: Constants,
    learning_rate: f32,
    /// On the first moment, for both moments' bias.
    correction: f32,
    /// What is added to the root of the second moment.
    epsilon: f32,
}

impl Factors {
    /// For the step of this number, from 1.
    pub(super) fn new(constants: Constants, learning_rate: f64, time: usize) -> Self {
        let time = time as i32;
        let root = (1.0 - constants.beta_2.powi(time)).sqrt();
        Self {
            constants,
            learning_rate: learning_rate as f32,
            correction: root / (1.0 - constants.beta_1.powi(time)),
            epsilon: constants.epsilon * root,
        }
    }
}

/// Takes a step: the gradient becomes the parameter's new value.
pub(super) fn step(
    factors: Factors,
    parameter: &[f32],
    gradient: &mut [f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
) {
    parameter
        .par_chunks(TASK)
        .zip_eq(gradient.par_chunks_mut(TASK))
        .zip_eq(moment_1.par_chunks_mut(TASK))
        .zip_eq(moment_2.par_chunks_mut(TASK))
        .for_each(|(((parameter, gradient), moment_1), moment_2)| {
            arch().dispatch(Step {
                factors,
                parameter,
                gradient,
                moment_1,
                moment_2,
            });
        });
}

struct Step<'a> {
    factors: Factors,
    parameter: &'a [f32],
    gradient: &'a mut [f32],
    moment_1: &'a mut [f32],
    moment_2: &'a mut [f32],
}

impl WithSimd for Step<'_> {
    type Output = ();

    /// In the order of Burn's operators, so that every rounding is theirs.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Factors {
            constants: Constants { beta_1, beta_2, .. },
            learning_rate,
            correction,
            epsilon,
        } = self.factors;
        let moments = self.moment_1.iter_mut().zip(self.moment_2);
        let values = self.parameter.iter().zip(self.gradient);
        for ((parameter, gradient), (moment_1, moment_2)) in values.zip(moments) {
            *moment_1 = *moment_1 * beta_1 + *gradient * (1.0 - beta_1);
            *moment_2 = *moment_2 * beta_2 + *gradient * *gradient * (1.0 - beta_2);
            let direction = *moment_1 * correction / (moment_2.sqrt() + epsilon);
            *gradient = parameter - direction * learning_rate;
        }
    }
}
