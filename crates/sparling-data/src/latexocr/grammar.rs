//! The formulas: their grammar, and how one of a given length is drawn.
//!
//! ```text
//! start := expr | [1/4] \frac{start}{start}
//! expr  := term | [1/4] term + expr
//! term  := atom | [1/4] atom term
//! atom  := sym  | [1/4] \left( expr \right)
//! sym   := c | c^{c} | c_{c}                  c: one of the characters
//! ```
//!
//! The weight of an alternative is 1 where none is given. The paper draws a length and then formulas
//! until one has it. Here the formula is drawn as the grammar draws it *given* its length, and none is
//! thrown away: how likely each rule is to make each length is known beforehand, and every choice is
//! made in proportion to what it can lead to.

use super::formula::{Atom, Formula, Script, Sum, Term};
use crate::error::ConfigError;
use crate::seed::Stream;

/// How often the grammar takes its rarer alternatives.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrammarConfig {
    /// The weight of a fraction, where a sum has 1.
    pub fraction: f64,
    /// The weight of one more term in a sum, where the end has 1.
    pub sum: f64,
    /// The weight of one more atom in a term, where the end has 1.
    pub product: f64,
    /// The weight of parentheses, where a character has 1.
    pub parentheses: f64,
    /// The weight of a character with an exponent, where one without a script has 1.
    pub superscript: f64,
    /// The weight of a character with an index, where one without a script has 1.
    pub subscript: f64,
}

impl GrammarConfig {
    fn weights(&self) -> [(&'static str, f64); 6] {
        [
            ("grammar.fraction", self.fraction),
            ("grammar.sum", self.sum),
            ("grammar.product", self.product),
            ("grammar.parentheses", self.parentheses),
            ("grammar.superscript", self.superscript),
            ("grammar.subscript", self.subscript),
        ]
    }
}

/// Draws formulas by their length.
#[derive(Clone, Debug)]
pub struct Grammar {
    config: GrammarConfig,
    characters: u64,
    /// How likely each rule is to make a formula of each number of tokens.
    start: Vec<f64>,
    expr: Vec<f64>,
    term: Vec<f64>,
    atom: Vec<f64>,
    sym: Vec<f64>,
}

/// A character with a script: the two, and a token before and after the second.
const SCRIPTED: usize = 4;
/// A pair of parentheses.
const PARENTHESES: usize = 2;
/// The tokens of a fraction besides its two sides.
const FRACTION: usize = 3;

impl Grammar {
    /// Prepares to draw formulas of so many characters and up to `longest` tokens.
    ///
    /// # Errors
    ///
    /// If a weight is negative or not finite.
    pub fn new(
        config: GrammarConfig,
        characters: usize,
        longest: usize,
    ) -> Result<Self, ConfigError> {
        for (key, weight) in config.weights() {
            if !(weight >= 0.0 && weight.is_finite()) {
                let advice = "it is a weight; choose 0 or more";
                return Err(ConfigError::value(key, weight, advice));
            }
        }
        let empty = || vec![0.0; longest + 1];
        let mut grammar = Self {
            config,
            characters: characters as u64,
            start: empty(),
            expr: empty(),
            term: empty(),
            atom: empty(),
            sym: empty(),
        };
        for length in 1..=longest {
            grammar.extend_to(length);
        }
        Ok(grammar)
    }

    /// Whether there is a formula of so many tokens.
    pub fn makes(&self, length: usize) -> bool {
        self.chance(length) > 0.0
    }

    /// How likely the grammar is to make a formula of so many tokens.
    fn chance(&self, length: usize) -> f64 {
        self.start.get(length).copied().unwrap_or(0.0)
    }

    /// Draws a formula of so many tokens.
    ///
    /// # Panics
    ///
    /// If there is [none](Self::makes).
    pub fn draw(&self, length: usize, stream: &mut Stream) -> Formula {
        assert!(self.makes(length), "no formula has {length} tokens");
        self.draw_start(length, stream)
    }

    /// The chances of one more length, given those of all shorter ones.
    fn extend_to(&mut self, length: usize) {
        let GrammarConfig {
            fraction,
            sum,
            product,
            parentheses,
            superscript,
            subscript,
        } = self.config;
        let total = 1.0 + superscript + subscript;
        self.sym[length] = match length {
            1 => 1.0 / total,
            SCRIPTED => (superscript + subscript) / total,
            _ => 0.0,
        };
        let inside = length
            .checked_sub(PARENTHESES)
            .map_or(0.0, |n| self.expr[n]);
        self.atom[length] = (self.sym[length] + parentheses * inside) / (1.0 + parentheses);
        self.term[length] =
            (self.atom[length] + product * pairs(&self.atom, &self.term, length)) / (1.0 + product);
        let sums = pairs(&self.term, &self.expr, length - 1);
        self.expr[length] = (self.term[length] + sum * sums) / (1.0 + sum);
        let fractions = pairs(&self.start, &self.start, length.saturating_sub(FRACTION));
        self.start[length] = (self.expr[length] + fraction * fractions) / (1.0 + fraction);
    }

    fn draw_start(&self, length: usize, stream: &mut Stream) -> Formula {
        let sides = length.saturating_sub(FRACTION);
        let fractions = self.config.fraction * pairs(&self.start, &self.start, sides);
        if !rather(fractions, self.expr[length], stream) {
            return Formula::Sum(self.draw_expr(length, stream));
        }
        let above = draw_split(&self.start, &self.start, sides, stream);
        let above_line = self.draw_start(above, stream);
        let below_line = self.draw_start(sides - above, stream);
        Formula::Fraction(Box::new([above_line, below_line]))
    }

    fn draw_expr(&self, mut length: usize, stream: &mut Stream) -> Sum {
        let mut sum = Vec::new();
        loop {
            let more = self.config.sum * pairs(&self.term, &self.expr, length - 1);
            if !rather(more, self.term[length], stream) {
                sum.push(self.draw_term(length, stream));
                return sum;
            }
            let first = draw_split(&self.term, &self.expr, length - 1, stream);
            sum.push(self.draw_term(first, stream));
            length -= first + 1;
        }
    }

    fn draw_term(&self, mut length: usize, stream: &mut Stream) -> Term {
        let mut term = Vec::new();
        loop {
            let more = self.config.product * pairs(&self.atom, &self.term, length);
            if !rather(more, self.atom[length], stream) {
                term.push(self.draw_atom(length, stream));
                return term;
            }
            let first = draw_split(&self.atom, &self.term, length, stream);
            term.push(self.draw_atom(first, stream));
            length -= first;
        }
    }

    fn draw_atom(&self, length: usize, stream: &mut Stream) -> Atom {
        let inside = length.saturating_sub(PARENTHESES);
        let parentheses = self.config.parentheses * self.expr[inside];
        if rather(parentheses, self.sym[length], stream) {
            return Atom::Parentheses(self.draw_expr(inside, stream));
        }
        let base = stream.below(self.characters) as usize;
        let script = (length == SCRIPTED).then(|| {
            let GrammarConfig {
                superscript,
                subscript,
                ..
            } = self.config;
            let script = match rather(superscript, subscript, stream) {
                true => Script::Superscript,
                false => Script::Subscript,
            };
            (script, stream.below(self.characters) as usize)
        });
        Atom::Character { base, script }
    }
}

/// The chance of two parts, one after the other, that have so many tokens together.
fn pairs(first: &[f64], second: &[f64], length: usize) -> f64 {
    (1..length).map(|n| first[n] * second[length - n]).sum()
}

/// Draws how many of the tokens the first part of a pair has.
fn draw_split(first: &[f64], second: &[f64], length: usize, stream: &mut Stream) -> usize {
    let mut left = stream.unit() * pairs(first, second, length);
    let mut last = 0;
    for n in 1..length {
        let chance = first[n] * second[length - n];
        if chance > 0.0 {
            last = n;
            if left < chance {
                break;
            }
            left -= chance;
        }
    }
    last
}

/// Whether the first of two alternatives with these weights is drawn.
fn rather(weight: f64, other: f64, stream: &mut Stream) -> bool {
    stream.unit() * (weight + other) < weight
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::config;
    use super::*;
    use crate::seed::Split;

    fn weights() -> GrammarConfig {
        config::tests::paper().grammar
    }

    pub(in super::super) fn paper() -> Grammar {
        Grammar::new(weights(), 16, 30).expect("the paper's weights are valid")
    }

    #[test]
    fn short_chances_by_hand() {
        let grammar = paper();
        // One token: a character all the way up, four choices of 1 against 1/4 and one of a third.
        assert!((grammar.chance(1) - 0.8_f64.powi(4) / 3.0).abs() < 1e-12);
        // Two: a product of two characters; its second factor is a term of its own.
        let atom = 0.8 / 3.0;
        let two = 0.2 * atom * (0.8 * atom) * 0.8 * 0.8;
        assert!((grammar.chance(2) - two).abs() < 1e-12);
        assert!(!grammar.makes(0) && !grammar.makes(31));
        assert!((1..=30).all(|length| grammar.makes(length)));
    }

    #[test]
    fn a_formula_has_the_length_asked_for() {
        let grammar = paper();
        for length in 1..=30 {
            for index in 0..200 {
                let mut stream = Stream::new(Split::Test, index * 31 + length as u64);
                assert_eq!(grammar.draw(length, &mut stream).length(), length);
            }
        }
    }

    /// Draws as the paper does, by the rules alone.
    fn draw_freely(stream: &mut Stream) -> Formula {
        fn rare(stream: &mut Stream) -> bool {
            stream.unit() < 0.2
        }
        fn expr(stream: &mut Stream) -> Sum {
            let first = term(stream);
            let mut sum = vec![first];
            if rare(stream) {
                sum.extend(expr(stream));
            }
            sum
        }
        fn term(stream: &mut Stream) -> Term {
            let mut atoms = vec![atom(stream)];
            if rare(stream) {
                atoms.extend(term(stream));
            }
            atoms
        }
        fn atom(stream: &mut Stream) -> Atom {
            if rare(stream) {
                return Atom::Parentheses(expr(stream));
            }
            let base = stream.below(16) as usize;
            let script = match stream.below(3) {
                0 => None,
                1 => Some((Script::Superscript, stream.below(16) as usize)),
                _ => Some((Script::Subscript, stream.below(16) as usize)),
            };
            Atom::Character { base, script }
        }
        if rare(stream) {
            let above = draw_freely(stream);
            return Formula::Fraction(Box::new([above, draw_freely(stream)]));
        }
        Formula::Sum(expr(stream))
    }

    #[test]
    fn chances_are_those_of_free_draws() {
        let grammar = paper();
        let draws = 200_000;
        let mut counts = [0_u32; 13];
        let mut fractions = 0_u32;
        for index in 0..draws {
            let formula = draw_freely(&mut Stream::new(Split::Validation, index));
            let length = formula.length();
            if length < counts.len() {
                counts[length] += 1;
            }
            fractions += u32::from(length == 9 && matches!(formula, Formula::Fraction(_)));
        }
        for (length, count) in counts.iter().enumerate().skip(1) {
            let chance = grammar.chance(length);
            let deviation = (chance * (1.0 - chance) / draws as f64).sqrt();
            let share = f64::from(*count) / draws as f64;
            assert!(
                (share - chance).abs() < 5.0 * deviation,
                "{length}: {share}, not {chance}"
            );
        }
        // And given its length a formula is as likely to be a fraction.
        let expected = f64::from(fractions) / f64::from(counts[9]);
        let drawn = (0..20_000).filter(|index| {
            let formula = grammar.draw(9, &mut Stream::new(Split::Test, *index));
            matches!(formula, Formula::Fraction(_))
        });
        let share = drawn.count() as f64 / 20_000.0;
        assert!((share - expected).abs() < 0.03, "{share}, not {expected}");
    }

    #[test]
    fn impossible_lengths_are_known() {
        let only_fractions = GrammarConfig {
            sum: 0.0,
            product: 0.0,
            parentheses: 0.0,
            superscript: 0.0,
            subscript: 0.0,
            ..weights()
        };
        // n characters and 3 tokens for each of the n - 1 lines.
        let grammar = Grammar::new(only_fractions, 2, 30).unwrap();
        for length in 1..=30 {
            assert_eq!(grammar.makes(length), length % 4 == 1, "{length}");
        }
        let negative = GrammarConfig {
            sum: -1.0,
            ..weights()
        };
        assert!(Grammar::new(negative, 2, 30).is_err());
    }
}
