//! Noise from a normal distribution truncated to one standard deviation.

use crate::seed::Stream;

/// Steps of the table.
const STEPS: usize = 1024;

/// Draws by a table of the inverse distribution function, interpolated between its steps, which is
/// off by less than 1e-6 deviations: noise is added to every sample of every recording.
#[derive(Clone, Debug)]
pub(crate) struct Noise {
    /// Quantiles at `0, 1/STEPS, ..., 1`, in standard deviations.
    quantiles: Vec<f32>,
}

impl Noise {
    pub(crate) fn new() -> Self {
        let quantile = |step| quantile(step as f64 / STEPS as f64) as f32;
        Self {
            quantiles: (0..=STEPS).map(quantile).collect(),
        }
    }

    /// Adds noise to each sample, of a standard deviation before it is truncated.
    pub(crate) fn add(&self, samples: &mut [f32], deviation: f64, stream: &mut Stream) {
        if deviation == 0.0 {
            return;
        }
        for pair in samples.chunks_mut(2) {
            let bits = stream.bits();
            for (sample, bits) in pair.iter_mut().zip([bits >> 32, bits & 0xFFFF_FFFF]) {
                *sample += deviation as f32 * self.at(bits as u32);
            }
        }
    }

    /// The quantile of `bits / 2^32`.
    fn at(&self, bits: u32) -> f32 {
        let shift = u32::BITS - STEPS.ilog2();
        let step = (bits >> shift) as usize;
        let within = (bits << STEPS.ilog2()) as f32 * (1.0 / 4_294_967_296.0);
        let (low, high) = (self.quantiles[step], self.quantiles[step + 1]);
        low + within * (high - low)
    }
}

/// The quantile of the standard normal distribution truncated to -1..1, by bisection.
fn quantile(share: f64) -> f64 {
    let below = |value: f64| libm::erf(value / std::f64::consts::SQRT_2);
    let wanted = (2.0 * share - 1.0) * below(1.0);
    let (mut low, mut high) = (-1.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    #[test]
    fn it_is_a_truncated_normal_distribution() {
        let mut samples = vec![0.0; 200_001];
        Noise::new().add(&mut samples, 0.5, &mut Stream::new(Split::Test, 0));
        assert!(samples.iter().all(|sample| sample.abs() <= 0.5 + 1e-6));
        let count = samples.len() as f64;
        let mean = samples.iter().map(|&sample| f64::from(sample)).sum::<f64>() / count;
        let square = samples
            .iter()
            .map(|&sample| f64::from(sample * sample))
            .sum::<f64>()
            / count;
        assert!(mean.abs() < 0.002, "{mean}");
        // Of the truncated standard normal: 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.29112.
        assert!((square / 0.25 - 0.291_12).abs() < 0.003, "{square}");
    }

    #[test]
    fn none_draws_nothing() {
        let mut stream = Stream::new(Split::Test, 0);
        let mut samples = [0.25; 3];
        Noise::new().add(&mut samples, 0.0, &mut stream);
        assert_eq!(samples, [0.25; 3]);
        assert_eq!(stream.bits(), Stream::new(Split::Test, 0).bits());
    }
}
