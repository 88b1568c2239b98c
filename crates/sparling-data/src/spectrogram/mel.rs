//! Triangular bands that are evenly spaced on HTK's mel scale.

/// A band's weights of the frequencies inside it.
#[derive(Clone, Debug)]
pub(super) struct Band {
    /// The first frequency inside.
    first: usize,
    /// From the first frequency on, all above 0.
    weights: Vec<f64>,
}

impl Band {
    /// All bands from 0 Hz to the highest frequency, in Hz.
    ///
    /// There must be at least two frequencies.
    pub(super) fn all(mels: usize, frequencies: usize, highest: f64) -> Vec<Self> {
        let corner = |index: usize| to_hertz(to_mel(highest) * index as f64 / (mels + 1) as f64);
        let hertz = |frequency: usize| highest * frequency as f64 / (frequencies - 1) as f64;
        let band = |mel: usize| {
            let (below, centre, above) = (corner(mel), corner(mel + 1), corner(mel + 2));
            let weight = |frequency: usize| {
                let rising = (hertz(frequency) - below) / (centre - below);
                let falling = (above - hertz(frequency)) / (above - centre);
                rising.min(falling)
            };
            let inside = |frequency: &usize| weight(*frequency) > 0.0;
            let first = (0..frequencies).find(inside).unwrap_or(0);
            let weights = (first..frequencies).take_while(inside).map(weight);
            Self {
                first,
                weights: weights.collect(),
            }
        };
        (0..mels).map(band).collect()
    }

    /// Frequencies and their weights.
    pub(super) fn weights(&self) -> impl Iterator<Item = (usize, f64)> {
        (self.first..).zip(self.weights.iter().copied())
    }

    /// The band's power, from that of all frequencies.
    pub(super) fn power(&self, powers: &[f64]) -> f64 {
        let inside = &powers[self.first..];
        self.weights.iter().zip(inside).map(|(w, p)| w * p).sum()
    }
}

fn to_mel(hertz: f64) -> f64 {
    2595.0 * (1.0 + hertz / 700.0).log10()
}

fn to_hertz(mel: f64) -> f64 {
    700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_hertz_are_a_thousand_mel() {
        assert!((to_mel(1000.0) - 1000.0).abs() < 0.02);
        for hertz in [0.0, 20.0, 700.0, 4000.0, 24_000.0] {
            assert!((to_hertz(to_mel(hertz)) - hertz).abs() < 1e-9);
        }
    }

    #[test]
    fn between_the_outer_centres_weights_sum_to_one() {
        let bands = Band::all(10, 513, 8000.0);
        let mut sums = vec![0.0; 513];
        for (frequency, weight) in bands.iter().flat_map(Band::weights) {
            assert!(weight > 0.0 && weight <= 1.0);
            sums[frequency] += weight;
        }
        let step = to_mel(8000.0) / 11.0;
        for (frequency, sum) in sums.into_iter().enumerate() {
            let mel = to_mel(8000.0 * frequency as f64 / 512.0);
            if (step..10.0 * step).contains(&mel) {
                assert!((sum - 1.0).abs() < 1e-12, "{frequency}: {sum}");
            } else {
                assert!(sum < 1.0, "{frequency}: {sum}");
            }
        }
    }

    #[test]
    fn a_band_between_two_frequencies_is_silent() {
        let bands = Band::all(30, 9, 4000.0);
        assert_eq!(bands[0].weights().count(), 0);
        assert_eq!(bands[0].power(&[1.0; 9]), 0.0);
    }
}
