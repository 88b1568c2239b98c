//! What the sparsity layer is compared with (paper, section 5.1).

use burn::tensor::{Distribution, Tensor, activation};
use serde::{Deserialize, Serialize};

/// Other ways to bound what an intermediate layer says; each takes the normalised input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Baseline {
    /// Everything passes: what is left when the bottleneck is removed (the paper's Retrained).
    Identity,
    /// `m = relu(z)`, with `weight * mean(|m|)` as a penalty.
    L1 {
        /// The penalty's weight, the paper's lambda, at least 0.
        weight: f64,
    },
    /// `s = sigmoid(z)`, `m = relu(s - 0.5)`, with `weight * KL(density || mean(s))` as a penalty:
    /// the divergence, in nats, between Bernoulli distributions, over the whole batch.
    Kl {
        /// The penalty's weight, the paper's lambda, at least 0.
        weight: f64,
        /// The mean activation aimed at, in (0, 1).
        density: f64,
    },
    /// Gaussian noise is added in training, so loud that an activation of variance 1 carries no
    /// more bits than whether a motif of the layer's density is there: see [`noise_deviation`].
    Noise,
}

impl Baseline {
    /// What passes, and the penalty.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`
    /// - output: the same, and `[1]`
    pub(crate) fn forward<const D: usize>(
        &self,
        input: Tensor<D>,
        density: f64,
    ) -> (Tensor<D>, Option<Tensor<1>>) {
        match *self {
            Self::Identity => (input, None),
            Self::L1 { weight } => {
                let motifs = activation::relu(input);
                let penalty = motifs.clone().mean().mul_scalar(weight);
                (motifs, Some(penalty))
            }
            Self::Kl {
                weight,
                density: wanted,
            } => {
                let chance = activation::sigmoid(input);
                let penalty = divergence(wanted, chance.clone().mean()).mul_scalar(weight);
                (activation::relu(chance.sub_scalar(0.5)), Some(penalty))
            }
            Self::Noise if input.device().is_autodiff() => {
                let deviation = noise_deviation(density);
                let noise = Distribution::Normal(0.0, deviation);
                let noise = Tensor::random(input.dims(), noise, &input.device());
                (input + noise, None)
            }
            Self::Noise => (input, None),
        }
    }
}

/// `KL(wanted || mean)` of Bernoulli distributions, in nats.
///
/// # Shapes
///
/// - `mean`: `[1]`, and so the output
fn divergence(wanted: f64, mean: Tensor<1>) -> Tensor<1> {
    // Away from where a rounded mean would make it infinite.
    let mean = mean.clamp(1e-7, 1.0 - 1e-7);
    let entropy = wanted * wanted.ln() + (1.0 - wanted) * (1.0 - wanted).ln();
    let active = mean.clone().log().mul_scalar(-wanted);
    let silent = mean.neg().add_scalar(1.0).log().mul_scalar(wanted - 1.0);
    (active + silent).add_scalar(entropy)
}

/// The noise's standard deviation at which a Gaussian channel of signal variance 1 has the capacity
/// of a motif's presence: `log2(1 + 1 / deviation^2) / 2 = H(density)` bits. Above a density of 0.5 it
/// is that of 0.5, one bit.
pub fn noise_deviation(density: f64) -> f64 {
    let density = density.min(0.5);
    let nats = -(density * density.ln() + (1.0 - density) * (-density).ln_1p());
    (2.0 * nats).exp_m1().sqrt().recip()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data_as::<f32>().try_into_vec().unwrap()
    }

    fn input(device: &Device) -> Tensor<2> {
        Tensor::from_floats([[-1.0, 2.0], [0.5, -3.0]], device)
    }

    #[test]
    fn identity_lets_everything_through() {
        let (motifs, penalty) = Baseline::Identity.forward(input(&Device::default()), 0.1);
        assert_eq!(host(motifs), [-1.0, 2.0, 0.5, -3.0]);
        assert!(penalty.is_none());
    }

    #[test]
    fn l1_costs_the_mean_of_what_passes() {
        let (motifs, penalty) =
            Baseline::L1 { weight: 3.0 }.forward(input(&Device::default()), 0.1);
        assert_eq!(host(motifs), [0.0, 2.0, 0.5, 0.0]);
        assert!((host(penalty.unwrap())[0] - 3.0 * 2.5 / 4.0).abs() < 1e-6);
    }

    #[test]
    fn kl_costs_nothing_where_the_mean_is_as_wanted() {
        let device = Device::default();
        let kl = |density| Baseline::Kl {
            weight: 2.0,
            density,
        };
        let even = Tensor::<2>::zeros([3, 2], &device);
        let (motifs, penalty) = kl(0.5).forward(even.clone(), 0.1);
        assert_eq!(host(motifs), [0.0; 6]);
        assert!(host(penalty.unwrap())[0].abs() < 1e-6);
        let (_, penalty) = kl(0.25).forward(even, 0.1);
        let expected = 2.0 * (0.25 * 0.5_f64.ln() + 0.75 * 1.5_f64.ln());
        assert!((f64::from(host(penalty.unwrap())[0]) - expected).abs() < 1e-6);
        let sure = Tensor::<2>::full([3, 2], 100.0, &device);
        let (_, penalty) = kl(0.25).forward(sure, 0.1);
        assert!(host(penalty.unwrap())[0].is_finite());
    }

    #[test]
    fn noise_is_as_loud_as_the_density_asks_and_only_in_training() {
        // Half of all activations are one bit each: 1 + 1 / s^2 = 4.
        assert!((noise_deviation(0.5) - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!(noise_deviation(5e-5) > 30.0);
        let device = Device::default();
        let zeros = Tensor::<2>::zeros([100, 100], &device.clone().autodiff());
        let (motifs, _) = Baseline::Noise.forward(zeros.clone(), 0.5);
        let variance: f32 = motifs.square().mean().into_scalar();
        assert!((variance - 1.0 / 3.0).abs() < 0.05, "{variance}");
        let (motifs, _) = Baseline::Noise.forward(zeros.inner(), 0.5);
        assert_eq!(host(motifs), vec![0.0; 10_000]);
    }
}
