//! How labels become tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::vocab::Vocabulary;

/// How labels are cut into tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokens {
    /// Each character is one.
    Characters,
    /// Each word is one: what is between spaces.
    Words,
    /// The vocabulary's, the longest that fits first; spaces between them do not matter.
    Listed,
}

/// Cuts labels into tokens of a vocabulary.
#[derive(Clone, Debug)]
pub(super) struct Tokenizer {
    how: Tokens,
    /// Each token's id, by its name.
    ids: BTreeMap<String, usize>,
    /// The length of the longest name, in bytes.
    longest: usize,
}

impl Tokenizer {
    pub(super) fn new(how: Tokens, vocabulary: &Vocabulary) -> Self {
        let names = vocabulary.names().iter().cloned();
        Self {
            how,
            longest: names.clone().map(|name| name.len()).max().unwrap_or(0),
            ids: names.zip(0..).collect(),
        }
    }

    /// The tokens of a label; else the part of it that is none.
    pub(super) fn read<'a>(&self, text: &'a str) -> Result<Vec<usize>, &'a str> {
        match self.how {
            Tokens::Listed => self.read_listed(text),
            how => how
                .cut(text)
                .map(|name| self.id(name).ok_or(name))
                .collect(),
        }
    }

    /// A token's id.
    pub(super) fn id(&self, name: &str) -> Option<usize> {
        self.ids.get(name).copied()
    }

    fn read_listed<'a>(&self, text: &'a str) -> Result<Vec<usize>, &'a str> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let lengths = (1..=self.longest.min(rest.len())).rev();
            let names = lengths.filter_map(|length| rest.get(..length));
            let mut known = names.filter_map(|name| Some((self.id(name)?, name.len())));
            let Some((id, length)) = known.next() else {
                return Err(first_character(rest));
            };
            tokens.push(id);
            rest = rest[length..].trim_start();
        }
        Ok(tokens)
    }
}

impl Tokens {
    /// The tokens' names in a label, where no list is needed for that.
    fn cut(self, text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Words => Box::new(text.split_whitespace()),
            Self::Characters | Self::Listed => {
                let ends = text.char_indices();
                Box::new(ends.map(|(at, character)| &text[at..at + character.len_utf8()]))
            }
        }
    }

    /// The names in some labels, sorted, each with how often it is there.
    pub(super) fn names<'a>(
        self,
        labels: impl Iterator<Item = &'a str>,
    ) -> BTreeMap<&'a str, usize> {
        let mut names = BTreeMap::new();
        for name in labels.flat_map(|label| self.cut(label)) {
            *names.entry(name).or_default() += 1;
        }
        names
    }
}

fn first_character(text: &str) -> &str {
    let length = text.chars().next().map_or(0, char::len_utf8);
    &text[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(how: Tokens, names: &[&str], text: &'a str) -> Result<Vec<usize>, &'a str> {
        Tokenizer::new(how, &Vocabulary::new(names.iter().copied())).read(text)
    }

    #[test]
    fn characters_may_be_any() {
        let names = ["a", "\u{e9}", "\u{5b57}"];
        let read = |text| read(Tokens::Characters, &names, text);
        assert_eq!(read("\u{5b57}a\u{e9}"), Ok(vec![2, 0, 1]));
        assert_eq!(read("a\u{e8}"), Err("\u{e8}"));
        assert_eq!(read("a a"), Err(" "));
    }

    #[test]
    fn words_are_between_spaces() {
        let read = |text| read(Tokens::Words, &["yes", "no"], text);
        assert_eq!(read("no  yes\tno"), Ok(vec![1, 0, 1]));
        assert_eq!(read("no, yes"), Err("no,"));
    }

    #[test]
    fn of_listed_tokens_the_longest_is_taken() {
        let names = ["s", "c", "h", "sch", "ch"];
        let read = |text| read(Tokens::Listed, &names, text);
        assert_eq!(read("schs chsc"), Ok(vec![3, 0, 4, 0, 1]));
        assert_eq!(read("sxh"), Err("x"));
        assert_eq!(read("s\u{df}"), Err("\u{df}"));
    }

    #[test]
    fn names_are_counted() {
        let labels = || ["30", "3"].into_iter();
        let counted: Vec<_> = Tokens::Characters.names(labels()).into_iter().collect();
        assert_eq!(counted, [("0", 1), ("3", 2)]);
    }
}
