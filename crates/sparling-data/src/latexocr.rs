//! LaTeX-OCR (paper, section 5.1): noisy images of formulas, to be read as tokens.
//!
//! A formula's length in tokens is drawn uniformly, then a formula of that length from a
//! grammar of sums, products, scripts, parentheses and fractions. It is set in display
//! style in Computer Modern, centred on a white canvas (cut off on both sides where it is larger), and
//! made black and white; then pixels are blackened at random. Ink is 0, the ground 1.
//!
//! Characters, `+`, both parentheses and fractions' bars have footprints: the box around their ink,
//! a little larger on each side. What the canvas cuts off entirely has none.
//!
//! # Beside LaTeX
//!
//! Formulas are laid out by RaTeX in KaTeX's fonts. 50 of the paper's test formulas at 200 dpi were
//! compared with `latex` and `dvipng` (TeX Live 2022, 10 points, binarised at 0.75) by
//! `experiments/beside_latex.py`. The ten without scripts are as wide as LaTeX's to within a pixel. Each script
//! makes a formula 1.2 pixels narrower on average: KaTeX shrinks the text's glyphs to 70 and 50 percent, where
//! Computer Modern has wider ones of their own for 7 and 5 points. Fractions' bars are narrower with what they
//! cover. All other marks, in the 42 formulas where the same marks touch, have LaTeX's size to within 2 pixels, and
//! so have the heights, but in one formula, whose outer parentheses KaTeX takes one size larger.

mod formula;
mod grammar;

mod config;
mod ink;
mod single;
mod typeset;

pub use config::LatexOcrConfig;
pub use formula::{Alphabet, Formula};
pub use grammar::GrammarConfig;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::domain::Domain;
use crate::example::{Example, Footprint, Typeset};
use crate::seed::{Probability, Split, Stream};
use crate::vocab::Vocabulary;
use grammar::Grammar;
use ink::{Bitmap, Pen};

/// How many formulas tell how many symbols one has, and how many are larger than the canvas.
const COUNTED: u64 = 10_000;

/// The LaTeX-OCR domain; made by [`LatexOcrConfig::validate`].
#[derive(Debug)]
pub struct LatexOcr {
    config: LatexOcrConfig,
    alphabet: Alphabet,
    grammar: Grammar,
    pen: Pen,
    noise: Probability,
    vocabulary: Vocabulary,
    symbols: Vec<String>,
    note: OnceLock<Option<String>>,
}

/// A formula on the canvas, before noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Row-major; 0 is ink, 1 the ground.
    pub pixels: Vec<f32>,
    /// The box around each mark's ink, unpadded, in the order in which they were drawn.
    pub boxes: Vec<Footprint>,
    /// Whether the canvas cuts some of it off.
    pub cropped: bool,
}

/// A mark on the canvas, or beside it.
#[derive(Clone, Debug)]
struct Placed {
    symbol: usize,
    top: i32,
    left: i32,
    bitmap: Arc<Bitmap>,
}

impl Placed {
    fn bottom(&self) -> i32 {
        self.top + self.bitmap.rows()
    }

    fn right(&self) -> i32 {
        self.left + self.bitmap.columns as i32
    }
}

impl LatexOcr {
    fn new(
        alphabet: Alphabet,
        grammar: Grammar,
        pen: Pen,
        noise: Probability,
        config: LatexOcrConfig,
    ) -> Self {
        Self {
            vocabulary: alphabet.vocabulary(),
            symbols: alphabet.symbols(),
            config,
            alphabet,
            grammar,
            pen,
            noise,
            note: OnceLock::new(),
        }
    }

    /// The characters, and how formulas are written with them.
    pub fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// The formula of one example.
    pub fn formula(&self, split: Split, index: u64) -> Formula {
        self.draw(&mut Stream::new(split, index))
    }

    /// Sets a formula and draws it.
    pub fn picture(&self, formula: &Formula) -> Picture {
        let (placed, cropped) = self.place(formula);
        let [height, width] = self.size();
        let mut picture = Picture {
            pixels: vec![1.0; height * width],
            boxes: Vec::with_capacity(placed.len()),
            cropped,
        };
        for mark in &placed {
            picture.boxes.extend(self.paste(&mut picture.pixels, mark));
        }
        picture
    }

    /// Sets a formula in the middle of the canvas, and says whether it is larger than that.
    fn place(&self, formula: &Formula) -> (Vec<Placed>, bool) {
        let mut placed = self.set(formula);
        let cropped = self.centre(&mut placed);
        (placed, cropped)
    }

    /// The marks of a formula, anywhere.
    fn set(&self, formula: &Formula) -> Vec<Placed> {
        let marks = typeset::typeset(&self.alphabet, formula);
        let placed = marks.iter().map(|mark| {
            let ([row, column], bitmap) = self.pen.draw(mark);
            Placed {
                symbol: mark.symbol,
                top: row + bitmap.top,
                left: column + bitmap.left,
                bitmap,
            }
        });
        placed.collect()
    }

    /// Moves marks into the middle of the canvas, and says whether they are larger than that.
    fn centre(&self, placed: &mut [Placed]) -> bool {
        let [height, width] = self.size();
        let rows = placed.iter().map(|mark| mark.top..mark.bottom());
        let (down, too_tall) = centred(rows, height);
        let columns = placed.iter().map(|mark| mark.left..mark.right());
        let (right, too_wide) = centred(columns, width);
        for mark in placed {
            mark.top += down;
            mark.left += right;
        }
        too_tall || too_wide
    }

    /// Draws what of a mark lies on the canvas, and says where that is, if anything does.
    fn paste(&self, pixels: &mut [f32], mark: &Placed) -> Option<Footprint> {
        let [height, width] = self.size();
        let rows = on_canvas(mark.top..mark.bottom(), height)?;
        let columns = on_canvas(mark.left..mark.right(), width)?;
        for row in rows.clone() {
            let line = (row as i32 - mark.top) as usize * mark.bitmap.columns;
            for column in columns.clone() {
                if mark.bitmap.ink[line + (column as i32 - mark.left) as usize] {
                    pixels[row * width + column] = 0.0;
                }
            }
        }
        Some(Footprint {
            symbol: mark.symbol,
            top: rows.start,
            bottom: rows.end,
            left: columns.start,
            right: columns.end,
        })
    }

    fn draw(&self, stream: &mut Stream) -> Formula {
        let lengths =
            i64::from(self.config.minimum_tokens)..i64::from(self.config.maximum_tokens) + 1;
        let length = stream.integer(lengths) as usize;
        self.grammar.draw(length, stream)
    }

    /// Height and width.
    fn size(&self) -> [usize; 2] {
        [self.config.height.into(), self.config.width.into()]
    }

    /// How many formulas are cropped, if any are.
    fn cropped(&self) -> Option<String> {
        let formulas = (0..COUNTED).map(|index| self.formula(Split::Validation, index));
        let cropped = formulas.filter(|formula| self.place(formula).1).count();
        let share = 100.0 * cropped as f64 / COUNTED as f64;
        (cropped > 0).then(|| format!("{share:.2} % of the formulas larger than the canvas"))
    }

    fn padded(&self, ink: &Footprint) -> Footprint {
        let padding = usize::from(self.config.padding);
        let [height, width] = self.size();
        Footprint {
            symbol: ink.symbol,
            top: ink.top.saturating_sub(padding),
            bottom: (ink.bottom + padding).min(height),
            left: ink.left.saturating_sub(padding),
            right: (ink.right + padding).min(width),
        }
    }
}

impl Domain for LatexOcr {
    fn input_shape(&self) -> [usize; 3] {
        let [height, width] = self.size();
        [1, height, width]
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn symbols(&self) -> &[String] {
        &self.symbols
    }

    fn symbol_of(&self, token: usize) -> Option<usize> {
        self.alphabet.symbol_of(token)
    }

    fn centres_pictures(&self) -> bool {
        true
    }

    /// The characters: other marks make other formulas.
    fn exchangeable(&self) -> Range<usize> {
        0..self.config.characters.chars().count()
    }

    fn longest_output(&self) -> usize {
        self.config.maximum_tokens.into()
    }

    fn note(&self) -> Option<&str> {
        self.note.get_or_init(|| self.cropped()).as_deref()
    }

    fn ink(&self) -> f32 {
        0.0
    }

    fn is_well_formed(&self, tokens: &[usize]) -> Option<bool> {
        Some(self.alphabet.parse(tokens).is_some())
    }

    fn typeset(&self, tokens: &[usize]) -> Option<Typeset> {
        let formula = self.alphabet.parse(tokens)?;
        Some(Typeset {
            source: self.alphabet.latex(&formula).to_string(),
            input: self.picture(&formula).pixels,
        })
    }

    fn example(&self, split: Split, index: u64) -> Example {
        let mut stream = Stream::new(split, index);
        let formula = self.draw(&mut stream);
        let mut picture = self.picture(&formula);
        blacken(&mut picture.pixels, self.noise, &mut stream);
        Example {
            input: picture.pixels,
            tokens: self.alphabet.tokens(&formula),
            footprints: picture.boxes.iter().map(|ink| self.padded(ink)).collect(),
        }
    }
}

/// How far ranges are to be moved for all of them together to lie in the middle, and whether they do
/// not fit.
fn centred(ranges: impl Iterator<Item = Range<i32>> + Clone, side: usize) -> (i32, bool) {
    let start = ranges.clone().map(|range| range.start).min().unwrap_or(0);
    let end = ranges.map(|range| range.end).max().unwrap_or(0);
    let room = side as i32 - (end - start);
    (room.div_euclid(2) - start, room < 0)
}

/// The part of a range that lies on a canvas, if any does.
fn on_canvas(range: Range<i32>, side: usize) -> Option<Range<usize>> {
    let (from, to) = (range.start.max(0), range.end.min(side as i32));
    (from < to).then_some(from as usize..to as usize)
}

/// Makes each pixel ink with the same probability, independently.
fn blacken(pixels: &mut [f32], probability: Probability, stream: &mut Stream) {
    for pixels in pixels.chunks_mut(64) {
        let inked = stream.flips(probability);
        for (bit, pixel) in pixels.iter_mut().enumerate() {
            *pixel *= f32::from((inked >> bit & 1) as u8 ^ 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each mark's pixels, drawn alone where it lies.
    fn alone(domain: &LatexOcr, mark: &Placed) -> (Vec<f32>, Option<Footprint>) {
        let mut pixels = vec![1.0; domain.size().iter().product()];
        let ink = domain.paste(&mut pixels, mark);
        (pixels, ink)
    }

    /// Blanking a mark's box removes all of its ink, and other ink only where marks overlap.
    #[test]
    fn boxes_hold_exactly_their_marks() {
        let domain = config::tests::paper().validate().unwrap();
        let [_, width] = domain.size();
        let (mut boxes, mut overlapping) = (0, 0);
        for index in 0..500 {
            let formula = domain.formula(Split::Test, index);
            let picture = domain.picture(&formula);
            let (placed, _) = domain.place(&formula);
            let marks: Vec<_> = placed.iter().map(|mark| alone(&domain, mark)).collect();
            let visible = marks.iter().filter_map(|(_, ink)| ink.clone());
            assert_eq!(picture.boxes, visible.collect::<Vec<_>>());

            let is_ink = |pixels: &[f32], at: usize| pixels[at] == 0.0;
            for (pixels, ink) in &marks {
                let Some(ink) = ink else { continue };
                boxes += 1;
                let mut others = false;
                for at in 0..picture.pixels.len() {
                    let inside = ink.contains(at / width, at % width);
                    assert!(inside || !is_ink(pixels, at), "ink outside its box");
                    let total = marks
                        .iter()
                        .filter(|(pixels, _)| is_ink(pixels, at))
                        .count();
                    assert_eq!(is_ink(&picture.pixels, at), total > 0);
                    others |= inside && total > usize::from(is_ink(pixels, at));
                }
                overlapping += usize::from(others);
                assert_tight(pixels, ink, width);
            }
        }
        // Italic letters lean into their neighbours' boxes, and nothing else does.
        assert!(overlapping * 20 < boxes, "{overlapping} of {boxes} boxes");
    }

    /// Ink reaches all four sides of its box.
    fn assert_tight(pixels: &[f32], ink: &Footprint, width: usize) {
        let row =
            |row: usize| (ink.left..ink.right).any(|column| pixels[row * width + column] == 0.0);
        let column =
            |column: usize| (ink.top..ink.bottom).any(|row| pixels[row * width + column] == 0.0);
        assert!(row(ink.top) && row(ink.bottom - 1), "{ink:?}");
        assert!(column(ink.left) && column(ink.right - 1), "{ink:?}");
    }
}
