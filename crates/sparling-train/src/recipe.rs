//! A configuration for a folder of the user's, and why it is what it is.
//!
//! A template beside this file has what is the same for all of them, from the preset `small` of DigitCircle
//! for pictures and of AudioMNISTSequence for recordings. What depends on the data is put into it, each
//! number with its reason as a comment.

mod pictures;
mod recordings;
mod template;

pub mod pace;

use std::path::Path;

use sparling_data::ConfigError;
use sparling_data::folder::{SplitBy, SplitConfig, Survey, Surveyed, Tokens, Wishes};
use toml::Value;

use template::Template;

/// The domain that recipes are for.
pub const DOMAIN: &str = "folder";

/// What errors call a recipe that is in no file.
pub const ORIGIN: &str = "what was chosen for the folder";

/// How files are held out where the folder does not say which.
const SPLIT: SplitConfig = SplitConfig {
    validation: 0.1,
    test: 0.1,
    by: SplitBy::Content,
};

/// Channels for each symbol: with one, two symbols came to share a channel where each looks different from
/// example to example, as in handwriting.
const CHANNELS_PER_SYMBOL: usize = 2;

/// The most validation examples of a check.
const VALIDATED: usize = 1000;

/// Below so many training files they are varied, since a model would learn them by heart.
const FEW: usize = 20_000;

/// A symbol that is there more rarely may not be learnt.
const RARE: usize = 20;

/// If one symbol is so many times as frequent as another, channels do not share a density.
const UNEVEN: usize = 4;

/// What follows from the symbols alone, whatever the inputs are.
struct Choices<'a> {
    survey: &'a Survey,
    channels: usize,
    /// Positions of the motif map.
    positions: usize,
    /// The side of a symbol, in positions.
    side: f64,
}

/// A configuration for a folder.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The configuration, as TOML with comments.
    pub text: String,
    /// What was found and chosen, in a few lines.
    pub summary: Vec<String>,
}

impl Recipe {
    /// Looks a folder over and chooses.
    ///
    /// # Errors
    ///
    /// If no examples can be made of it.
    pub fn write(folder: &Path, wishes: &Wishes) -> Result<Self, ConfigError> {
        let survey = Survey::take(folder, wishes, &SPLIT)?;
        let (mut template, chosen) = match &survey.content {
            Surveyed::Pictures(pictures) => pictures::choose(&survey, pictures),
            Surveyed::Recordings(recordings) => recordings::choose(&survey, recordings),
        };
        describe(&mut template, &survey);
        let mut summary = found(&survey);
        summary.push(chosen);
        Ok(Self {
            text: template.filled(),
            summary,
        })
    }
}

/// What was found, with what the user may want to mend.
fn found(survey: &Survey) -> Vec<String> {
    let mut lines = vec![facts(survey)];
    lines.extend(match &survey.content {
        Surveyed::Pictures(pictures) => pictures::found(pictures),
        Surveyed::Recordings(recordings) => recordings::found(recordings),
    });
    if survey.duplicates > 0 {
        lines.push(format!(
            "{} files are equal to another one",
            survey.duplicates
        ));
    }
    if survey.leaked > 0 {
        lines.push(format!(
            "{} files held out for validation or test are equal to files to train on: what is measured on them \
             will look better than it is",
            survey.leaked
        ));
    }
    if let Some([one, other]) = &survey.contradiction {
        lines.push(format!(
            "equal files have different labels: {one} and {other}"
        ));
    }
    let rare = survey.symbols.iter().filter(|(_, count)| *count < RARE);
    let rare: Vec<String> = rare
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    if !rare.is_empty() {
        lines.push(format!(
            "symbols that may be too rare to be learnt: {}",
            rare.join(", ")
        ));
    }
    lines
}

/// How many files, symbols and boxes there are.
fn facts(survey: &Survey) -> String {
    let [train, validation, test] = survey.parts;
    format!(
        "{}: {train} files to train on, {validation} for validation, {test} for the test; {} symbols, {} to {} \
         in a label ({:.1} on average); {}",
        survey.path.display(),
        survey.symbols.len(),
        survey.lengths.least,
        survey.lengths.most,
        survey.mean_length,
        match survey.boxed {
            0 => "no boxes".to_owned(),
            boxed => format!("boxes in {boxed} files"),
        }
    )
}

/// Fills in the domain's section, as far as it does not depend on the kind of files.
fn describe(template: &mut Template, survey: &Survey) {
    let names = survey
        .symbols
        .iter()
        .map(|(name, _)| Value::from(name.as_str()));
    let counts: Vec<String> = survey
        .symbols
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    template.set("facts", one_line(&facts(survey)));
    template.set("path", Value::from(survey.path.display().to_string()));
    template.set("checksum", Value::from(survey.checksum.as_str()));
    template.set("label", Value::from(survey.label.as_str()));
    let (tokens, why) = match survey.tokens {
        Tokens::Characters => ("characters", "each character of a label is a symbol"),
        Tokens::Words => (
            "words",
            "what is between spaces is a symbol: a few words come again and again",
        ),
        Tokens::Listed => (
            "listed",
            "labels consist of the symbols below, the longest that fits first",
        ),
    };
    template.set("tokens", Value::from(tokens));
    template.set("tokens_why", why);
    template.set("counts", one_line(&counts.join(", ")));
    template.set("vocabulary", Value::Array(names.collect()));
    template.set("longest_label", survey.lengths.most);
    template.set("validation_share", SPLIT.validation);
    template.set("test_share", SPLIT.test);
    let validated = survey.parts[1].min(VALIDATED);
    template.set("validated", validated);
    template.set(
        "step_of_accuracy",
        format!("{:.1}", 100.0 / validated as f64),
    );
}

/// A comment must not go on in another line.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

impl Choices<'_> {
    /// Fills in the model's and the annealing's numbers; `cuts` is how many there are to be from the first
    /// density to the lowest.
    fn fill(&self, template: &mut Template, cuts: i32) {
        let Self {
            survey, channels, ..
        } = *self;
        let units = self.units();
        template.set("units", units);
        template.set("window", 1 + 4 * units);
        template.set("side", self.side.round());
        template.set("channels", channels);
        template.set("per_symbol", CHANNELS_PER_SYMBOL);
        template.set("symbols", survey.symbols.len());
        let (scope, why) = self.scope();
        template.set("scope", Value::from(scope));
        template.set("scope_why", why);
        let minimum = self.minimum_density();
        let initial = (1.05 * minimum / 0.75_f64.powi(cuts)).min(0.5);
        template.set("mean_length", format!("{:.2}", survey.mean_length));
        template.set("minimum_density", scientific(minimum));
        template.set("initial_density", scientific(initial));
        template.set("cuts", cuts);
        template.set("competing_from", scientific(0.9 * initial));
    }

    /// Residual units, each of which widens the window by 4: about 1.7 times the side of a symbol.
    fn units(&self) -> usize {
        (((1.7 * self.side - 1.0) / 4.0).round() as usize).clamp(2, 8)
    }

    /// One activation for each symbol.
    fn minimum_density(&self) -> f64 {
        self.survey.mean_length / (self.positions * self.channels) as f64
    }

    fn scope(&self) -> (&'static str, String) {
        let counts = || self.survey.symbols.iter().map(|(_, count)| *count);
        let (most, least) = (counts().max().unwrap_or(1), counts().min().unwrap_or(1));
        match most > UNEVEN * least.max(1) {
            true => (
                "single",
                format!(
                    "one threshold for all: the most frequent symbol is there {most} times, the rarest {least} \
                     times, and with one each, channels would be equally active"
                ),
            ),
            false => (
                "per_channel",
                "one threshold each: symbols are about equally frequent".to_owned(),
            ),
        }
    }
}

/// Four digits.
fn scientific(value: f64) -> String {
    format!("{value:.3e}")
}

/// Whether files are varied, with the reason.
fn varied(survey: &Survey) -> (bool, String) {
    let files = survey.parts[0];
    match files < FEW {
        true => (
            true,
            format!("{files} files are few: varied, none is seen twice"),
        ),
        false => (false, format!("{files} files are many: as they are")),
    }
}

#[cfg(test)]
mod tests;
