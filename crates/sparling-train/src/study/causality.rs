//! Whether motifs are what the output is made of: one symbol's are given to another symbol's channel,
//! and the output must change in that symbol alone (the authors' systematic test).

use serde::{Deserialize, Serialize};
use sparling_data::Split;
use sparling_data::seed::Stream;

use crate::evaluate::{Evaluator, Reading};
use crate::metrics::Motif;

/// Sets the draws apart from those that make the examples.
const DRAWS: u64 = 1 << 40;

/// How often outputs change as they should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Causality {
    /// The density.
    pub density: f64,
    /// Examples that were read correctly and have a symbol to exchange: one in each was exchanged.
    pub exchanged: u64,
    /// Those of them whose output became what it should, in every token.
    pub as_expected: u64,
    /// How many examples were read.
    pub examples: usize,
}

/// A symbol whose motifs are given to another's channel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Exchange {
    from: usize,
    to: usize,
}

impl Causality {
    /// Exchanges a symbol in each of the first `examples` of a split, given the symbol that each
    /// channel stands for.
    pub fn measure(
        evaluator: &Evaluator,
        symbols: &[Option<usize>],
        split: Split,
        examples: usize,
    ) -> Self {
        let readings: Vec<Reading> = evaluator.readings(split, examples).collect();
        let channels = Channels::of(symbols, &readings);
        let mut causality = Self {
            density: evaluator.model.bottleneck.sparsity.density(),
            exchanged: 0,
            as_expected: 0,
            examples,
        };
        for (index, reading) in readings.iter().enumerate() {
            let mut stream = Stream::new(split, DRAWS + index as u64);
            let exchangeable = evaluator.domain.exchangeable();
            let Some(exchange) = channels.draw(reading, exchangeable, &mut stream) else {
                continue;
            };
            let tokens = exchange.tokens(&reading.truth);
            let output = evaluator.output_of(&channels.give(&reading.motifs, exchange));
            causality.exchanged += 1;
            causality.as_expected += u64::from(output == evaluator.domain.rearranged(tokens));
        }
        causality
    }

    /// The share of exchanges that changed the output as they should.
    pub fn share(&self) -> Option<f64> {
        (self.exchanged > 0).then(|| self.as_expected as f64 / self.exchanged as f64)
    }
}

impl Exchange {
    fn tokens(self, truth: &[usize]) -> Vec<usize> {
        let exchanged = |token: &usize| match *token {
            token if token == self.from => self.to,
            token => token,
        };
        truth.iter().map(exchanged).collect()
    }
}

/// What channels stand for.
struct Channels<'a> {
    /// For each channel its symbol.
    symbols: &'a [Option<usize>],
    /// How often each channel is active.
    activations: Vec<usize>,
}

impl<'a> Channels<'a> {
    fn of(symbols: &'a [Option<usize>], readings: &[Reading]) -> Self {
        let mut activations = vec![0; symbols.len()];
        for motif in readings.iter().flat_map(|reading| &reading.motifs) {
            activations[motif.channel] += 1;
        }
        Self {
            symbols,
            activations,
        }
    }

    /// The channel that stands for a symbol, the most active if there are several.
    fn of_symbol(&self, symbol: usize) -> Option<usize> {
        let mine = (0..self.symbols.len()).filter(|channel| self.symbols[*channel] == Some(symbol));
        mine.max_by_key(|channel| self.activations[*channel])
    }

    /// A symbol that is in the output once and has motifs, and one that is not in it and has a channel;
    /// `None` if the output is wrong or there are no such symbols.
    fn draw(
        &self,
        reading: &Reading,
        exchangeable: std::ops::Range<usize>,
        stream: &mut Stream,
    ) -> Option<Exchange> {
        let Reading {
            truth, prediction, ..
        } = reading;
        if truth != prediction {
            return None;
        }
        let times = |symbol: usize| truth.iter().filter(|token| **token == symbol).count();
        let marked = |symbol: usize| {
            let mut motifs = reading.motifs.iter();
            motifs.any(|motif| self.symbols[motif.channel] == Some(symbol))
        };
        let there = exchangeable.clone();
        let there: Vec<usize> = there
            .filter(|symbol| times(*symbol) == 1 && marked(*symbol))
            .collect();
        let absent: Vec<usize> = exchangeable
            .filter(|symbol| times(*symbol) == 0 && self.of_symbol(*symbol).is_some())
            .collect();
        if there.is_empty() || absent.is_empty() {
            return None;
        }
        let mut one_of = |symbols: &[usize]| symbols[stream.below(symbols.len() as u64) as usize];
        Some(Exchange {
            from: one_of(&there),
            to: one_of(&absent),
        })
    }

    /// The motifs after an exchange.
    fn give(&self, motifs: &[Motif], exchange: Exchange) -> Vec<Motif> {
        let given = |motif: &Motif| match self.of_symbol(exchange.to) {
            Some(channel) if self.symbols[motif.channel] == Some(exchange.from) => {
                Motif { channel, ..*motif }
            }
            _ => *motif,
        };
        motifs.iter().map(given).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels 0 and 3 stand for symbol 1, channel 1 for symbol 0, channel 2 for none, channel 4 for
    /// symbol 2.
    const SYMBOLS: [Option<usize>; 5] = [Some(1), Some(0), None, Some(1), Some(2)];

    fn reading(truth: &[usize], prediction: &[usize]) -> Reading {
        Reading {
            input: Vec::new(),
            motifs: vec![
                Motif::new(0, 2, 3, 1.0),
                Motif::new(3, 2, 4, 0.5),
                Motif::new(1, 6, 6, 2.0),
                Motif::new(3, 9, 9, 1.0),
            ],
            prediction: prediction.to_vec(),
            truth: truth.to_vec(),
            footprints: Vec::new(),
        }
    }

    #[test]
    fn a_symbol_that_is_there_once_becomes_one_that_is_not() {
        let reading = reading(&[0, 1, 1, 5], &[0, 1, 1, 5]);
        let channels = Channels::of(&SYMBOLS, std::slice::from_ref(&reading));
        let mut stream = Stream::new(Split::Test, 0);
        // Symbol 1 is there twice, symbol 3 has no channel.
        let exchange = channels.draw(&reading, 0..4, &mut stream).unwrap();
        assert_eq!(exchange, Exchange { from: 0, to: 2 });
        assert_eq!(exchange.tokens(&reading.truth), [2, 1, 1, 5]);
        let mut expected = reading.motifs.clone();
        expected[2].channel = 4;
        assert_eq!(channels.give(&reading.motifs, exchange), expected);
    }

    #[test]
    fn all_channels_of_a_symbol_give_to_the_most_active_one() {
        let reading = reading(&[1], &[1]);
        let channels = Channels::of(&SYMBOLS, std::slice::from_ref(&reading));
        assert_eq!(channels.of_symbol(1), Some(3));
        let given = channels.give(&reading.motifs, Exchange { from: 1, to: 0 });
        assert!(given.iter().all(|motif| motif.channel == 1), "{given:?}");
    }

    #[test]
    fn what_was_read_wrongly_is_left_out() {
        let reading = reading(&[0, 1], &[1, 0]);
        let channels = Channels::of(&SYMBOLS, std::slice::from_ref(&reading));
        let mut stream = Stream::new(Split::Test, 0);
        assert_eq!(channels.draw(&reading, 0..4, &mut stream), None);
    }
}
