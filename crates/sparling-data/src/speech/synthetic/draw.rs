//! Ways of drawing a parameter's value.

use crate::seed::Stream;

/// What voices and takes draw from a stream.
pub(super) trait Draw {
    /// Uniform from `low` to `high`.
    fn between(&mut self, low: f64, high: f64) -> f64;

    /// Uniform from `1 - spread` to `1 + spread`.
    fn factor(&mut self, spread: f64) -> f64;

    /// A sample of white noise: independent, with mean 0 and variance 1.
    fn white(&mut self) -> f64;
}

impl Draw for Stream {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn factor(&mut self, spread: f64) -> f64 {
        self.between(1.0 - spread, 1.0 + spread)
    }

    #[inline]
    fn white(&mut self) -> f64 {
        const SQRT_6: f64 = 2.449_489_742_783_178;
        // The sum of two uniform numbers has mean 1 and variance 1/6.
        let bits = self.bits();
        let sum = (bits >> 32) as f64 + (bits & 0xffff_ffff) as f64;
        (sum * (1.0 / (1_u64 << 32) as f64) - 1.0) * SQRT_6
    }
}

/// The amplitude of a level in decibels.
pub(super) fn amplitude(decibels: f64) -> f64 {
    libm::exp10(decibels / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;

    #[test]
    fn noise_has_mean_0_and_variance_1() {
        let mut stream = Stream::new(Split::Test, 0);
        let count = 100_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..count {
            let sample = stream.white();
            sum += sample;
            squares += sample * sample;
        }
        // Five standard deviations and more.
        assert!((sum / f64::from(count)).abs() < 0.016, "{sum}");
        assert!((squares / f64::from(count) - 1.0).abs() < 0.02, "{squares}");
    }
}
