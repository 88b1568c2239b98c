//! The spectrogram's configuration.

use realfft::RealFftPlanner;

use super::mel::Band;
use super::{Spectrogram, hann};
use crate::error::ConfigError;

const LONGEST_WINDOW: usize = 1 << 16;

/// The resolution of a log-mel spectrogram in time, frequency and power, as an experiment file
/// gives it.
///
/// Every key must be there.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpectrogramConfig {
    /// Samples per second of the waves, in Hz, at least 2.
    pub sample_rate: u32,
    /// What one frame sees, in samples, from 2 to 65,536.
    pub window: usize,
    /// From one frame to the next, in samples, at least 1 and at most the window.
    pub hop: usize,
    /// The number of bands, at least 1 and at most the window's frequencies, `window / 2 + 1`.
    pub mels: usize,
    /// Powers below this count as this; above 0.
    pub smallest_power: f64,
    /// How far values may lie below the largest of the same spectrogram, in dB, above 0; `inf` sets
    /// no limit.
    pub dynamic_range: f64,
}

impl SpectrogramConfig {
    /// Checks the configuration and prepares what all waves share.
    ///
    /// # Errors
    ///
    /// If a value is out of range.
    pub fn build(&self) -> Result<Spectrogram, ConfigError> {
        self.check()?;
        let fourier = RealFftPlanner::new().plan_fft_forward(self.window);
        let half_rate = f64::from(self.sample_rate / 2);
        Ok(Spectrogram {
            config: self.clone(),
            window: hann(self.window),
            bands: Band::all(self.mels, fourier.complex_len(), half_rate),
            fourier,
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.sample_rate < 2 {
            let advice = "the bands end at half of it, in whole Hz; choose 2 or more";
            return Err(ConfigError::value("sample_rate", self.sample_rate, advice));
        }
        if !(2..=LONGEST_WINDOW).contains(&self.window) {
            let advice = format!(
                "a single sample has no frequencies, and a frame should be short; choose from 2 to \
                 {LONGEST_WINDOW}"
            );
            return Err(ConfigError::value("window", self.window, advice));
        }
        if !(1..=self.window).contains(&self.hop) {
            let advice = format!(
                "frames must move on and see every sample of the wave; choose from 1 to `window`, \
                 {}",
                self.window
            );
            return Err(ConfigError::value("hop", self.hop, advice));
        }
        let frequencies = self.window / 2 + 1;
        if !(1..=frequencies).contains(&self.mels) {
            let advice = format!(
                "`window` {} has {frequencies} frequencies; choose from 1 to {frequencies}",
                self.window
            );
            return Err(ConfigError::value("mels", self.mels, advice));
        }
        if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&self.smallest_power) {
            let advice = "it must have a logarithm; choose a small number above 0, such as 1e-10";
            let value = self.smallest_power;
            return Err(ConfigError::value("smallest_power", value, advice));
        }
        if !(f64::MIN_POSITIVE..=f64::INFINITY).contains(&self.dynamic_range) {
            let advice = "quiet and loud would be the same; choose a number of dB above 0";
            let value = self.dynamic_range;
            return Err(ConfigError::value("dynamic_range", value, advice));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: SpectrogramConfig = SpectrogramConfig {
        sample_rate: 8000,
        window: 375,
        hop: 187,
        mels: 64,
        smallest_power: 1e-10,
        dynamic_range: 80.0,
    };

    /// The error of the paper's configuration after a change.
    fn error(change: impl FnOnce(&mut SpectrogramConfig)) -> String {
        let mut config = PAPER;
        change(&mut config);
        config.build().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let cases = [
            (
                error(|config| config.sample_rate = 1),
                "`sample_rate` is 1: the bands end at half of it, in whole Hz; choose 2 or more",
            ),
            (
                error(|config| config.window = 1),
                "`window` is 1: a single sample has no frequencies, and a frame should be short; \
                 choose from 2 to 65536",
            ),
            (
                error(|config| config.hop = 376),
                "`hop` is 376: frames must move on and see every sample of the wave; choose from \
                 1 to `window`, 375",
            ),
            (
                error(|config| config.mels = 0),
                "`mels` is 0: `window` 375 has 188 frequencies; choose from 1 to 188",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message, expected);
        }
        for (message, start) in [
            (
                error(|config| config.window = 65_537),
                "`window` is 65537: ",
            ),
            (error(|config| config.hop = 0), "`hop` is 0: "),
            (error(|config| config.mels = 189), "`mels` is 189: "),
        ] {
            assert!(message.starts_with(start), "{message}");
        }
        for power in [0.0, -1e-10, f64::NAN, f64::INFINITY] {
            let message = error(|config| config.smallest_power = power);
            let start = format!("`smallest_power` is {power}: it must have a logarithm");
            assert!(message.starts_with(&start), "{message}");
        }
        for range in [0.0, -80.0, f64::NAN] {
            let message = error(|config| config.dynamic_range = range);
            let start = format!("`dynamic_range` is {range}: quiet and loud would be");
            assert!(message.starts_with(&start), "{message}");
        }
    }

    #[test]
    fn the_limits_of_every_key_work() {
        let smallest = SpectrogramConfig {
            sample_rate: 2,
            window: 2,
            hop: 1,
            mels: 1,
            smallest_power: f64::MIN_POSITIVE,
            dynamic_range: f64::INFINITY,
        };
        let largest = SpectrogramConfig {
            sample_rate: u32::MAX,
            window: LONGEST_WINDOW,
            hop: LONGEST_WINDOW,
            mels: 1000,
            ..smallest
        };
        for config in [smallest, largest] {
            let spectrogram = config.build().unwrap();
            for wave in [&[][..], &[1.0], &[1.0, -1.0, 0.5]] {
                let log_mel = spectrogram.log_mel(wave);
                assert_eq!(log_mel.len(), config.mels * spectrogram.frames(wave.len()));
                assert!(log_mel.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn keys_have_no_defaults() {
        let text = toml::to_string(&PAPER).unwrap();
        let read: SpectrogramConfig = toml::from_str(&text).unwrap();
        assert_eq!(read, PAPER);
        for key in text.lines() {
            let without = text.replace(key, "");
            let error = toml::from_str::<SpectrogramConfig>(&without).unwrap_err();
            assert!(error.to_string().contains("missing field"), "{error}");
        }
        let error = toml::from_str::<SpectrogramConfig>(&format!("{text}pad = 1")).unwrap_err();
        assert!(error.to_string().contains("unknown field `pad`"));
    }
}
