//! LaTeX-OCR's configuration.

use super::LatexOcr;
use super::formula::Alphabet;
use super::grammar::{Grammar, GrammarConfig};
use super::ink::Pen;
use super::single::SingleSymbols;
use crate::domain::{Domain, DomainConfig};
use crate::error::ConfigError;
use crate::seed::Probability;

/// Points per inch, as TeX has them.
const POINTS_PER_INCH: f64 = 72.27;
/// The size of the text, in points.
const POINTS_PER_EM: f64 = 10.0;
/// Beyond it drawing a length's formulas gets slow, and no canvas holds them.
const LONGEST: u8 = 100;

/// The sizes, the noise and the formulas of LaTeX-OCR, as an experiment file gives them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatexOcrConfig {
    /// The image's height, in pixels.
    pub height: u16,
    /// The image's width, in pixels.
    pub width: u16,
    /// The resolution at which formulas of 10-point text are drawn, in dots per inch.
    pub dpi: f64,
    /// A pixel whose grey is below this is ink; 0 is black and 1 white.
    pub threshold: f64,
    /// The probability that a pixel is made ink, whatever it was.
    pub noise: f64,
    /// By how much a symbol's footprint is larger than its ink, on each side, in pixels.
    pub padding: u16,
    /// The characters: digits and letters, each once.
    pub characters: String,
    /// The fewest tokens of a formula, at least 1.
    pub minimum_tokens: u8,
    /// The most tokens of a formula.
    pub maximum_tokens: u8,
    /// How often formulas have what.
    pub grammar: GrammarConfig,
}

#[typetag::serde(name = "latexocr")]
impl DomainConfig for LatexOcrConfig {
    fn build(&self) -> Result<Box<dyn Domain>, ConfigError> {
        Ok(Box::new(self.clone().validate()?))
    }

    fn single(&self) -> Result<Option<Box<dyn Domain>>, ConfigError> {
        let domain = self.clone().validate()?;
        Ok(Some(Box::new(SingleSymbols(domain))))
    }
}

impl LatexOcrConfig {
    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// If a value is out of range, if a character cannot be typeset, or if the grammar makes no
    /// formula of a length that is asked for.
    pub fn validate(self) -> Result<LatexOcr, ConfigError> {
        self.check_sizes()?;
        let alphabet = self.alphabet()?;
        let grammar = self.formulas(&alphabet)?;
        let noise = Probability::new(self.noise).ok_or_else(|| {
            let advice = "it must be a probability; choose from 0 to 1";
            ConfigError::value("noise", self.noise, advice)
        })?;
        let em = self.dpi * POINTS_PER_EM / POINTS_PER_INCH;
        Ok(LatexOcr::new(
            alphabet,
            grammar,
            Pen::new(em, (1.0 - self.threshold) as f32),
            noise,
            self,
        ))
    }

    fn check_sizes(&self) -> Result<(), ConfigError> {
        for (key, side) in [("height", self.height), ("width", self.width)] {
            if side < 8 {
                let advice = "no character fits; choose 8 or more";
                return Err(ConfigError::value(key, side, advice));
            }
        }
        if !(10.0..=2400.0).contains(&self.dpi) {
            let advice = "choose from 10, where a digit is a pixel tall, to 2400";
            return Err(ConfigError::value("dpi", self.dpi, advice));
        }
        if !(self.threshold > 0.0 && self.threshold < 1.0) {
            let advice = "it is a grey between black and white; choose between 0 and 1";
            return Err(ConfigError::value("threshold", self.threshold, advice));
        }
        Ok(())
    }

    fn alphabet(&self) -> Result<Alphabet, ConfigError> {
        let characters: Vec<char> = self.characters.chars().collect();
        let refuse = |advice: String| ConfigError::value("characters", &self.characters, advice);
        if characters.is_empty() {
            return Err(refuse("a formula needs characters; name some".to_owned()));
        }
        for (index, character) in characters.iter().enumerate() {
            if !character.is_ascii_alphanumeric() {
                return Err(refuse(format!(
                    "`{character}` is no character of formulas; choose from 0-9, a-z and A-Z"
                )));
            }
            if characters[..index].contains(character) {
                return Err(refuse(format!(
                    "`{character}` is there twice; name it once"
                )));
            }
        }
        Ok(Alphabet::new(characters))
    }

    fn formulas(&self, alphabet: &Alphabet) -> Result<Grammar, ConfigError> {
        let (fewest, most) = (self.minimum_tokens, self.maximum_tokens);
        if fewest == 0 {
            let advice = "a formula has at least one token; choose 1 or more";
            return Err(ConfigError::value("minimum_tokens", fewest, advice));
        }
        if !(fewest..=LONGEST).contains(&most) {
            let advice = format!("choose from `minimum_tokens`, {fewest}, to {LONGEST}");
            return Err(ConfigError::value("maximum_tokens", most, advice));
        }
        let characters = alphabet.characters().len();
        let grammar = Grammar::new(self.grammar.clone(), characters, most.into())?;
        match (fewest..=most).find(|length| !grammar.makes(usize::from(*length))) {
            None => Ok(grammar),
            Some(length) => {
                let advice = format!(
                    "the grammar makes no formula of {length} tokens; raise one of its weights, \
                     or leave that length out with `minimum_tokens` and `maximum_tokens`"
                );
                Err(ConfigError::value("grammar", "too small", advice))
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn paper() -> LatexOcrConfig {
        let text = include_str!("../../tests/data/latexocr-paper.toml");
        toml::from_str(text).expect("every key is there")
    }

    fn error(change: impl FnOnce(&mut LatexOcrConfig)) -> String {
        let mut config = paper();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_key_value_and_remedy() {
        let cases = [
            (error(|c| c.width = 7), "`width` is 7: no character fits"),
            (error(|c| c.dpi = f64::NAN), "`dpi` is NaN: choose from 10"),
            (
                error(|c| c.threshold = 1.0),
                "`threshold` is 1: it is a grey",
            ),
            (
                error(|c| c.noise = -0.1),
                "`noise` is -0.1: it must be a probability",
            ),
            (
                error(|c| c.characters.clear()),
                "`characters` is : a formula needs characters",
            ),
            (
                error(|c| c.characters.push('+')),
                "`characters` is 0123456789xyzabc+: `+` is no character of formulas",
            ),
            (
                error(|c| c.characters.push('z')),
                "`characters` is 0123456789xyzabcz: `z` is there twice",
            ),
            (
                error(|c| c.minimum_tokens = 0),
                "`minimum_tokens` is 0: a formula has",
            ),
            (
                error(|c| c.minimum_tokens = 31),
                "`maximum_tokens` is 30: choose from",
            ),
            (
                error(|c| {
                    c.grammar.product = 0.0;
                    c.grammar.sum = 0.0;
                }),
                "`grammar` is too small: the grammar makes no formula of 2 tokens",
            ),
            (
                error(|c| c.grammar.fraction = f64::INFINITY),
                "`grammar.fraction` is inf: it is a weight",
            ),
        ];
        for (message, start) in cases {
            assert!(message.starts_with(start), "{message}, not {start}");
        }
    }
}
