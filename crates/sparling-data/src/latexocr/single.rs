//! Single symbols, as what they are without a formula around them (paper, Appendix E).

use super::formula::{Atom, Formula};
use super::{LatexOcr, blacken};
use crate::domain::Domain;
use crate::example::Example;
use crate::seed::{Split, Stream};
use crate::vocab::Vocabulary;

/// The domain's symbols one at a time, each as often: characters, `+`, parentheses and fractions' bars, in
/// the middle of the canvas, with the domain's noise.
#[derive(Debug)]
pub(super) struct SingleSymbols(pub(super) LatexOcr);

impl SingleSymbols {
    /// A small formula that has the symbol, made of the character.
    fn around(&self, symbol: usize, character: usize) -> Formula {
        let atom = |base| Atom::Character { base, script: None };
        let term = |base| vec![atom(base)];
        let alphabet = &self.0.alphabet;
        if symbol < alphabet.characters().len() {
            Formula::Sum(vec![term(symbol)])
        } else if symbol == alphabet.bar() {
            let part = || Formula::Sum(vec![term(character)]);
            Formula::Fraction(Box::new([part(), part()]))
        } else if alphabet.symbol('+') == Some(symbol) {
            Formula::Sum(vec![term(character), term(character)])
        } else {
            let inside = vec![term(character)];
            Formula::Sum(vec![vec![Atom::Parentheses(inside)]])
        }
    }
}

impl Domain for SingleSymbols {
    fn input_shape(&self) -> [usize; 3] {
        self.0.input_shape()
    }

    fn vocabulary(&self) -> &Vocabulary {
        self.0.vocabulary()
    }

    fn symbols(&self) -> &[String] {
        self.0.symbols()
    }

    fn longest_output(&self) -> usize {
        0
    }

    fn ink(&self) -> f32 {
        self.0.ink()
    }

    /// Has no output: most symbols alone are no formula.
    fn example(&self, split: Split, index: u64) -> Example {
        let mut stream = Stream::new(split, index);
        let symbol = stream.below(self.symbols().len() as u64) as usize;
        let character = stream.below(self.0.alphabet.characters().len() as u64) as usize;
        let mut marks = self.0.set(&self.around(symbol, character));
        marks.retain(|mark| mark.symbol == symbol);
        self.0.centre(&mut marks);
        let mut input = vec![1.0; self.0.size().iter().product()];
        let ink = self.0.paste(&mut input, &marks[0]);
        blacken(&mut input, self.0.noise, &mut stream);
        let ink = ink.expect("what is in the middle of the canvas lies on it");
        Example {
            input,
            tokens: Vec::new(),
            footprints: vec![self.0.padded(&ink)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LatexOcrConfig;
    use super::super::config::tests::paper;
    use super::*;

    #[test]
    fn every_symbol_comes_alone_and_about_as_often() {
        let config = LatexOcrConfig {
            noise: 0.0,
            ..paper()
        };
        let domain = SingleSymbols(config.validate().unwrap());
        let mut seen = vec![0; domain.symbols().len()];
        for index in 0..1000 {
            let example = domain.example(Split::Test, index);
            let [footprint] = example.footprints.as_slice() else {
                panic!("one symbol, got {:?}", example.footprints);
            };
            seen[footprint.symbol] += 1;
            let width = domain.input_shape()[2];
            let ink = example
                .input
                .iter()
                .enumerate()
                .filter(|(_, pixel)| **pixel == 0.0);
            let mut places = ink.map(|(at, _)| [at / width, at % width]).peekable();
            assert!(places.peek().is_some());
            assert!(places.all(|[row, column]| footprint.contains(row, column)));
        }
        assert!(
            seen.iter().all(|count| (25..=80).contains(count)),
            "{seen:?}"
        );
    }
}
