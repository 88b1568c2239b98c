//! The tokens of a domain's output.

/// Names for token ids: the domain's own tokens from 0, then start, then end.
///
/// The end token also pads outputs to a common length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    names: Vec<String>,
}

impl Vocabulary {
    /// A vocabulary of these tokens, with start and end added after them.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
        }
    }

    /// The names of the domain's own tokens, by id; start and end are not among them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The id that a decoder is started with.
    pub fn start(&self) -> usize {
        self.names.len()
    }

    /// The id that ends an output and pads it.
    pub fn end(&self) -> usize {
        self.names.len() + 1
    }

    /// How many ids there are, start and end included.
    #[expect(
        clippy::len_without_is_empty,
        reason = "start and end are always there, so it is never empty"
    )]
    pub fn len(&self) -> usize {
        self.names.len() + 2
    }

    /// The id of a token by its name; start and end have none.
    pub fn id(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Writes tokens as names with a space between them.
    ///
    /// Start is skipped, and the first end token ends the text. An id outside the vocabulary is
    /// written as `<id>`, so that whatever a model has produced can be shown.
    pub fn decode(&self, tokens: &[usize]) -> String {
        let mut words = Vec::with_capacity(tokens.len());
        for &token in tokens.iter().take_while(|&&token| token != self.end()) {
            match self.names.get(token) {
                Some(name) => words.push(name.clone()),
                None if token == self.start() => {}
                None => words.push(format!("<{token}>")),
            }
        }
        words.join(" ")
    }

    /// Writes tokens as a label that a folder's domain cuts into the same ones: without anything between
    /// them if each of the vocabulary is a character, else with spaces. What is no token is left out.
    pub fn label(&self, tokens: &[usize]) -> String {
        let is_one = |name: &String| name.chars().count() == 1;
        let separator = if self.names.iter().all(is_one) {
            ""
        } else {
            " "
        };
        let names = tokens.iter().filter_map(|token| self.names.get(*token));
        names
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_and_end_follow_the_tokens() {
        let vocabulary = Vocabulary::new(["a", "b", "c"]);
        assert_eq!(vocabulary.start(), 3);
        assert_eq!(vocabulary.end(), 4);
        assert_eq!(vocabulary.len(), 5);
        assert_eq!(vocabulary.names(), ["a", "b", "c"]);
        assert_eq!(vocabulary.id("b"), Some(1));
        assert_eq!(vocabulary.id("d"), None);
    }

    #[test]
    fn labels_have_spaces_only_between_words() {
        assert_eq!(Vocabulary::new(["a", "b"]).label(&[1, 0, 2]), "ba");
        assert_eq!(Vocabulary::new(["a", "be"]).label(&[1, 0]), "be a");
    }

    #[test]
    fn decoding_skips_start_and_stops_at_end() {
        let vocabulary = Vocabulary::new(["SUP(", "x", ")"]);
        assert_eq!(vocabulary.decode(&[3, 1, 0, 1, 2, 4, 4, 1]), "x SUP( x )");
        assert_eq!(vocabulary.decode(&[]), "");
        assert_eq!(vocabulary.decode(&[4]), "");
        assert_eq!(vocabulary.decode(&[1, 9]), "x <9>");
    }
}
