//! How well readings agree with what metadata says is in the files.

use std::fmt;

use sparling_data::Domain;

use super::prediction::Prediction;
use crate::metrics::edit::EndToEnd;

/// Counts over files that have a label.
#[derive(Debug, Default)]
pub struct Agreement {
    outputs: EndToEnd,
    /// Labels that the model cannot write.
    foreign: u64,
}

impl Agreement {
    /// Counts a file.
    pub fn add(&mut self, domain: &dyn Domain, prediction: &Prediction) {
        let Some(label) = &prediction.label else {
            return;
        };
        match domain.tokens_of(label) {
            Some(truth) => self.outputs.add_example(&truth, &prediction.tokens),
            None => self.foreign += 1,
        }
    }

    /// Whether there was a label.
    pub fn is_some(&self) -> bool {
        self.outputs.examples + self.foreign > 0
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outputs, foreign } = self;
        if let (Some(exact), Some(error)) = (outputs.accuracy(), outputs.e2ee()) {
            let [exact, error] = [exact, error].map(|share| 100.0 * share);
            write!(
                f,
                "{} labelled files: exact match {exact:.1}%, edit error {error:.1}%",
                outputs.examples
            )?;
        }
        if *foreign > 0 {
            let and = if outputs.examples > 0 { "; " } else { "" };
            write!(
                f,
                "{and}{foreign} labels are none that the model could write"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;

    #[test]
    fn labels_are_compared_token_by_token() {
        let config = RunConfig::load("digitcircle", "small", None, &[]).unwrap();
        let domain = config.build_domain().unwrap();
        let mut agreement = Agreement::default();
        assert!(!agreement.is_some());
        for (label, tokens) in [
            (Some("1 2"), vec![1, 2]),
            (Some("1 2"), vec![1, 3]),
            (Some("one"), vec![1]),
            (None, vec![7]),
        ] {
            agreement.add(&*domain, &Prediction::of(label, tokens));
        }
        let text = agreement.to_string();
        let expected = "2 labelled files: exact match 50.0%, edit error 25.0%; 1 labels are none";
        assert!(text.starts_with(expected), "{text}");
    }
}
