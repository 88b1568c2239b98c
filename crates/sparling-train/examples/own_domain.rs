//! A domain of one's own: three kinds of shapes in a row, to be read from left to right. All that makes
//! it a domain is in this file, and this program can do with it whatever `sparling` does with its own:
//!
//! ```sh
//! cargo run --release -p sparling-train --example own_domain -- \
//!     train shapes --config crates/sparling-train/examples/own_domain.toml
//! ```

use std::process::ExitCode;

use clap::Parser;
use serde::{Deserialize, Serialize};
use sparling_data::seed::Stream;
use sparling_data::{ConfigError, Domain, DomainConfig, Example, Footprint, Split, Vocabulary};
use sparling_train::cli::Cli;

const SHAPES: [(&str, [&str; 5]); 3] = [
    ("cross", ["..#..", "..#..", "#####", "..#..", "..#.."]),
    ("ring", [".###.", "#...#", "#...#", "#...#", ".###."]),
    ("slash", ["....#", "...#.", "..#..", ".#...", "#...."]),
];
const SIDE: usize = 5;

/// The section `[domain]` of an experiment file with `name = "shapes"`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapesConfig {
    /// The places for shapes in a row, half of which are empty on average.
    places: usize,
}

#[typetag::serde(name = "shapes")]
impl DomainConfig for ShapesConfig {
    fn build(&self) -> Result<Box<dyn Domain>, ConfigError> {
        if self.places == 0 {
            return Err(ConfigError::value("places", 0, "choose 1 or more"));
        }
        Ok(Box::new(Shapes {
            places: self.places,
            vocabulary: Vocabulary::new(SHAPES.map(|(name, _)| name)),
        }))
    }
}

struct Shapes {
    places: usize,
    vocabulary: Vocabulary,
}

impl Domain for Shapes {
    fn input_shape(&self) -> [usize; 3] {
        [1, 2 * SIDE, (SIDE + 1) * self.places]
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn longest_output(&self) -> usize {
        self.places
    }

    fn example(&self, split: Split, index: u64) -> Example {
        let mut stream = Stream::new(split, index);
        let width = (SIDE + 1) * self.places;
        let mut input = vec![0.0; 2 * SIDE * width];
        let mut tokens = Vec::new();
        let mut footprints = Vec::new();
        for place in 0..self.places {
            if stream.below(2) == 0 {
                continue;
            }
            let shape = stream.below(SHAPES.len() as u64) as usize;
            let top = stream.below(SIDE as u64) as usize;
            let left = place * (SIDE + 1);
            for (row, ink) in SHAPES[shape].1.iter().enumerate() {
                for (column, _) in ink.match_indices('#') {
                    input[(top + row) * width + left + column] = 1.0;
                }
            }
            tokens.push(shape);
            footprints.push(Footprint {
                symbol: shape,
                top,
                bottom: top + SIDE,
                left,
                right: left + SIDE,
            });
        }
        Example {
            input,
            tokens,
            footprints,
        }
    }
}

fn main() -> ExitCode {
    sparling_train::cli::main(Cli::parse())
}
