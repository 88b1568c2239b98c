//! A formula as a tree, as output tokens, and as LaTeX.

use std::fmt::{self, Display, Write};

use crate::vocab::Vocabulary;

/// A whole formula, or one side of a fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formula {
    /// The first over the second.
    Fraction(Box<[Formula; 2]>),
    /// No fraction.
    Sum(Sum),
}

/// Terms with `+` between them, at least one.
pub type Sum = Vec<Term>;

/// Atoms side by side, at least one.
pub type Term = Vec<Atom>;

/// What a term is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    /// A character, perhaps with another raised or lowered beside it.
    Character {
        /// Its index in the alphabet.
        base: usize,
        /// The other's place and index.
        script: Option<(Script, usize)>,
    },
    /// A sum in parentheses.
    Parentheses(Sum),
}

/// Where a character's companion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Raised, as an exponent.
    Superscript,
    /// Lowered, as an index.
    Subscript,
}

/// A formula's marks other than characters, in the order of their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Plus,
    OpenParenthesis,
    CloseParenthesis,
    OpenSuperscript,
    CloseSuperscript,
    OpenSubscript,
    CloseSubscript,
    OpenFraction,
    FractionMiddle,
    CloseFraction,
}

const MARKS: [(Mark, &str); 10] = [
    (Mark::Plus, "+"),
    (Mark::OpenParenthesis, "PAREN("),
    (Mark::CloseParenthesis, "PAREN)"),
    (Mark::OpenSuperscript, "SUP("),
    (Mark::CloseSuperscript, "SUP)"),
    (Mark::OpenSubscript, "SUB("),
    (Mark::CloseSubscript, "SUB)"),
    (Mark::OpenFraction, "FRAC("),
    (Mark::FractionMiddle, "FRACMID"),
    (Mark::CloseFraction, "FRAC)"),
];

/// The symbols between characters and a fraction's bar.
const INKED: [char; 3] = ['+', '(', ')'];

/// The characters of formulas; their output tokens come first, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alphabet(Vec<char>);

impl Alphabet {
    /// An alphabet of these characters.
    pub(super) fn new(characters: Vec<char>) -> Self {
        Self(characters)
    }

    /// The characters.
    pub fn characters(&self) -> &[char] {
        &self.0
    }

    /// The output tokens: the characters, then the marks.
    pub fn vocabulary(&self) -> Vocabulary {
        let characters = self.0.iter().map(char::to_string);
        Vocabulary::new(characters.chain(MARKS.map(|(_, name)| name.to_owned())))
    }

    /// The names of the symbols that have ink: characters, `+`, the parentheses, a fraction's bar.
    pub fn symbols(&self) -> Vec<String> {
        let characters = self.0.iter().map(char::to_string);
        let marks = INKED.map(String::from);
        characters.chain(marks).chain(["bar".to_owned()]).collect()
    }

    /// The symbol that a character in a typeset formula is.
    pub(super) fn symbol(&self, character: char) -> Option<usize> {
        let mut characters = self.0.iter().chain(&INKED);
        characters.position(|known| *known == character)
    }

    /// The symbol of a fraction's bar.
    pub(super) fn bar(&self) -> usize {
        self.0.len() + INKED.len()
    }

    /// The formula's output tokens.
    pub fn tokens(&self, formula: &Formula) -> Vec<usize> {
        let mut tokens = Vec::with_capacity(formula.length());
        self.push_formula(formula, &mut tokens);
        tokens
    }

    /// The symbol that a token writes: scripts' tokens write none, and of a fraction's the middle one its bar.
    pub(super) fn symbol_of(&self, token: usize) -> Option<usize> {
        match self.mark(token) {
            None => Some(token),
            Some(Mark::Plus) => self.symbol('+'),
            Some(Mark::OpenParenthesis) => self.symbol('('),
            Some(Mark::CloseParenthesis) => self.symbol(')'),
            Some(Mark::FractionMiddle) => Some(self.bar()),
            Some(_) => None,
        }
    }

    /// How many of the formula's symbols have ink.
    pub fn inked(&self, formula: &Formula) -> usize {
        let tokens = self.tokens(formula);
        let inked = tokens.iter().filter_map(|token| self.symbol_of(*token));
        inked.count()
    }

    /// The formula that the tokens spell, if they spell one.
    pub fn parse(&self, tokens: &[usize]) -> Option<Formula> {
        let mut reader = Reader {
            alphabet: self,
            tokens,
        };
        let formula = reader.formula()?;
        reader.tokens.is_empty().then_some(formula)
    }

    /// The formula in LaTeX, to be set in display style.
    pub fn latex<'a>(&'a self, formula: &'a Formula) -> impl Display + 'a {
        Latex {
            alphabet: self,
            formula,
        }
    }

    fn token(&self, mark: Mark) -> usize {
        self.0.len() + mark as usize
    }

    fn mark(&self, token: usize) -> Option<Mark> {
        let index = token.checked_sub(self.0.len())?;
        MARKS.get(index).map(|(mark, _)| *mark)
    }

    fn push_formula(&self, formula: &Formula, tokens: &mut Vec<usize>) {
        match formula {
            Formula::Fraction(sides) => {
                tokens.push(self.token(Mark::OpenFraction));
                self.push_formula(&sides[0], tokens);
                tokens.push(self.token(Mark::FractionMiddle));
                self.push_formula(&sides[1], tokens);
                tokens.push(self.token(Mark::CloseFraction));
            }
            Formula::Sum(sum) => self.push_sum(sum, tokens),
        }
    }

    fn push_sum(&self, sum: &Sum, tokens: &mut Vec<usize>) {
        for (index, term) in sum.iter().enumerate() {
            if index > 0 {
                tokens.push(self.token(Mark::Plus));
            }
            for atom in term {
                self.push_atom(atom, tokens);
            }
        }
    }

    fn push_atom(&self, atom: &Atom, tokens: &mut Vec<usize>) {
        match atom {
            Atom::Character { base, script } => {
                tokens.push(*base);
                if let Some((script, character)) = script {
                    let (open, close) = script.marks();
                    tokens.extend([self.token(open), *character, self.token(close)]);
                }
            }
            Atom::Parentheses(sum) => {
                tokens.push(self.token(Mark::OpenParenthesis));
                self.push_sum(sum, tokens);
                tokens.push(self.token(Mark::CloseParenthesis));
            }
        }
    }
}

impl Script {
    fn marks(self) -> (Mark, Mark) {
        match self {
            Self::Superscript => (Mark::OpenSuperscript, Mark::CloseSuperscript),
            Self::Subscript => (Mark::OpenSubscript, Mark::CloseSubscript),
        }
    }
}

impl Formula {
    /// How many tokens it has.
    pub fn length(&self) -> usize {
        match self {
            Self::Fraction(sides) => 3 + sides[0].length() + sides[1].length(),
            Self::Sum(sum) => sum_length(sum),
        }
    }
}

fn sum_length(sum: &Sum) -> usize {
    let atoms = sum.iter().flatten().map(|atom| match atom {
        Atom::Character { script: None, .. } => 1,
        Atom::Character { .. } => 4,
        Atom::Parentheses(sum) => 2 + sum_length(sum),
    });
    atoms.sum::<usize>() + sum.len() - 1
}

/// Reads tokens from the front.
struct Reader<'a> {
    alphabet: &'a Alphabet,
    tokens: &'a [usize],
}

impl Reader<'_> {
    fn take(&mut self, mark: Mark) -> Option<()> {
        let (first, rest) = self.tokens.split_first()?;
        (self.alphabet.mark(*first)? == mark).then(|| self.tokens = rest)
    }

    fn character(&mut self) -> Option<usize> {
        let (first, rest) = self.tokens.split_first()?;
        (*first < self.alphabet.0.len()).then(|| {
            self.tokens = rest;
            *first
        })
    }

    fn formula(&mut self) -> Option<Formula> {
        if self.take(Mark::OpenFraction).is_none() {
            return Some(Formula::Sum(self.sum()?));
        }
        let above = self.formula()?;
        self.take(Mark::FractionMiddle)?;
        let below = self.formula()?;
        self.take(Mark::CloseFraction)?;
        Some(Formula::Fraction(Box::new([above, below])))
    }

    fn sum(&mut self) -> Option<Sum> {
        let mut sum = vec![self.term()?];
        while self.take(Mark::Plus).is_some() {
            sum.push(self.term()?);
        }
        Some(sum)
    }

    fn term(&mut self) -> Option<Term> {
        let mut term = vec![self.atom()?];
        while let Some(atom) = self.atom() {
            term.push(atom);
        }
        Some(term)
    }

    /// The next atom; `None`, with nothing taken, if there is no whole one.
    fn atom(&mut self) -> Option<Atom> {
        let before = self.tokens;
        let atom = self.whole_atom();
        if atom.is_none() {
            self.tokens = before;
        }
        atom
    }

    fn whole_atom(&mut self) -> Option<Atom> {
        if self.take(Mark::OpenParenthesis).is_some() {
            let sum = self.sum()?;
            self.take(Mark::CloseParenthesis)?;
            return Some(Atom::Parentheses(sum));
        }
        let base = self.character()?;
        let scripts = [Script::Superscript, Script::Subscript];
        let script = scripts
            .into_iter()
            .find(|script| self.take(script.marks().0).is_some());
        let script = match script {
            None => None,
            Some(script) => {
                let character = self.character()?;
                self.take(script.marks().1)?;
                Some((script, character))
            }
        };
        Some(Atom::Character { base, script })
    }
}

struct Latex<'a> {
    alphabet: &'a Alphabet,
    formula: &'a Formula,
}

impl Display for Latex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_formula(self.formula, f)
    }
}

impl Latex<'_> {
    fn write_formula(&self, formula: &Formula, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match formula {
            Formula::Fraction(sides) => {
                f.write_str("\\frac{")?;
                self.write_formula(&sides[0], f)?;
                f.write_str("}{")?;
                self.write_formula(&sides[1], f)?;
                f.write_char('}')
            }
            Formula::Sum(sum) => self.write_sum(sum, f),
        }
    }

    fn write_sum(&self, sum: &Sum, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in sum.iter().enumerate() {
            if index > 0 {
                f.write_char('+')?;
            }
            for atom in term {
                self.write_atom(atom, f)?;
            }
        }
        Ok(())
    }

    fn write_atom(&self, atom: &Atom, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match atom {
            Atom::Character { base, script } => {
                f.write_char(self.alphabet.0[*base])?;
                match script {
                    None => Ok(()),
                    Some((script, character)) => {
                        let sign = match script {
                            Script::Superscript => '^',
                            Script::Subscript => '_',
                        };
                        write!(f, "{sign}{{{}}}", self.alphabet.0[*character])
                    }
                }
            }
            Atom::Parentheses(sum) => {
                f.write_str("\\left(")?;
                self.write_sum(sum, f)?;
                f.write_str("\\right)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::grammar::tests::paper;
    use super::*;
    use crate::seed::{Split, Stream};

    fn alphabet() -> Alphabet {
        Alphabet::new("0123456789xyzabc".chars().collect())
    }

    fn spelt(text: &str) -> Vec<usize> {
        let vocabulary = alphabet().vocabulary();
        let id = |name| vocabulary.id(name).expect("a token's name");
        text.split_whitespace().map(id).collect()
    }

    #[test]
    fn tokens_and_latex_of_one_formula() {
        let tokens = spelt("FRAC( 1 + x SUP( 2 SUP) FRACMID PAREN( a SUB( 0 SUB) b PAREN) FRAC)");
        let formula = alphabet().parse(&tokens).unwrap();
        assert_eq!(alphabet().tokens(&formula), tokens);
        assert_eq!(formula.length(), tokens.len());
        let latex = alphabet().latex(&formula).to_string();
        assert_eq!(latex, r"\frac{1+x^{2}}{\left(a_{0}b\right)}");
    }

    #[test]
    fn what_is_drawn_can_be_read_back() {
        let grammar = paper();
        for index in 0..3000 {
            let mut stream = Stream::new(Split::Test, index);
            let formula = grammar.draw(1 + index as usize % 30, &mut stream);
            let tokens = alphabet().tokens(&formula);
            assert_eq!(alphabet().parse(&tokens), Some(formula));
        }
    }

    #[test]
    fn what_is_no_formula_is_not_read() {
        for text in [
            "",
            "+",
            "1 +",
            "1 + + 2",
            "PAREN( PAREN)",
            "PAREN( 1",
            "1 PAREN)",
            "1 SUP( PAREN( 2 PAREN) SUP)",
            "1 SUP( 2 SUB)",
            "SUP( 2 SUP)",
            "1 SUP( 2 SUP) SUB( 3 SUB)",
            "FRAC( 1 FRACMID FRAC)",
            "FRAC( 1 FRACMID 2",
            "1 + FRAC( 1 FRACMID 2 FRAC)",
            "FRAC( 1 FRACMID 2 FRAC) 3",
        ] {
            assert_eq!(alphabet().parse(&spelt(text)), None, "{text}");
        }
        // Nor start, end and what is no token at all.
        assert_eq!(alphabet().parse(&[26]), None);
        assert_eq!(alphabet().parse(&[0, 99]), None);
    }
}
