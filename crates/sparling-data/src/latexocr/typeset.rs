//! Where the marks of a formula are: LaTeX in, positions out.

use ratex_layout::{LayoutOptions, layout, to_display_list};
use ratex_types::display_item::DisplayItem;

use super::formula::{Alphabet, Formula};

/// The typefaces that formulas are set in: Computer Modern, as KaTeX ships it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Face {
    /// Digits, `+` and parentheses.
    Main,
    /// Letters.
    MathItalic,
    /// Parentheses one step larger, and so on.
    Size1,
    /// Two steps.
    Size2,
    /// Three steps.
    Size3,
    /// Four steps.
    Size4,
}

impl Face {
    pub(super) const ALL: [Self; 6] = [
        Self::Main,
        Self::MathItalic,
        Self::Size1,
        Self::Size2,
        Self::Size3,
        Self::Size4,
    ];

    /// The typeface's name in a layout and in the name of its file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Main => "Main-Regular",
            Self::MathItalic => "Math-Italic",
            Self::Size1 => "Size1-Regular",
            Self::Size2 => "Size2-Regular",
            Self::Size3 => "Size3-Regular",
            Self::Size4 => "Size4-Regular",
        }
    }
}

/// A symbol's mark, in ems; `x` grows to the right and `y` downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Index into [`Alphabet::symbols`].
    pub symbol: usize,
    /// The left end: a glyph's origin.
    pub x: f64,
    /// A glyph's baseline, or the middle of a bar.
    pub y: f64,
    /// What is drawn there.
    pub shape: Shape,
}

/// What a mark looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// A glyph.
    Glyph {
        /// Its typeface.
        face: Face,
        /// Its code point.
        character: char,
        /// Its size as a multiple of the text's.
        scale: f64,
    },
    /// A fraction's bar.
    Bar {
        /// In ems.
        width: f64,
        /// In ems.
        thickness: f64,
    },
}

/// Sets a formula in display style; its marks come in the order of the source, but that a bar
/// follows both sides of its fraction.
///
/// # Panics
///
/// If the typesetter finds a mark that formulas do not have.
pub fn typeset(alphabet: &Alphabet, formula: &Formula) -> Vec<Mark> {
    let source = alphabet.latex(formula).to_string();
    let nodes = ratex_parser::parse(&source)
        .unwrap_or_else(|error| panic!("{source} is a formula, but: {error}"));
    let list = to_display_list(&layout(&nodes, &LayoutOptions::default()));
    let mark = |item: &DisplayItem| {
        mark(alphabet, item).unwrap_or_else(|| panic!("{source} was set with {item:?}"))
    };
    list.items.iter().map(mark).collect()
}

fn mark(alphabet: &Alphabet, item: &DisplayItem) -> Option<Mark> {
    match *item {
        DisplayItem::GlyphPath {
            x,
            y,
            scale,
            ref font,
            char_code,
            ..
        } => {
            let character = char::from_u32(char_code)?;
            Some(Mark {
                symbol: alphabet.symbol(character)?,
                x,
                y,
                shape: Shape::Glyph {
                    face: Face::ALL.into_iter().find(|face| face.name() == font)?,
                    character,
                    scale,
                },
            })
        }
        DisplayItem::Line {
            x,
            y,
            width,
            thickness,
            ..
        } => Some(Mark {
            symbol: alphabet.bar(),
            x,
            y,
            shape: Shape::Bar { width, thickness },
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source's symbols, sizes and positions in thousandths of an em.
    fn set(tokens: &str) -> Vec<String> {
        let alphabet = Alphabet::new("0123456789xyzabc".chars().collect());
        let vocabulary = alphabet.vocabulary();
        let ids: Vec<usize> = tokens
            .split_whitespace()
            .map(|name| vocabulary.id(name).unwrap())
            .collect();
        let formula = alphabet.parse(&ids).unwrap();
        let symbols = alphabet.symbols();
        let lines = typeset(&alphabet, &formula).into_iter().map(|mark| {
            let name = &symbols[mark.symbol];
            let milli = |em: f64| (em * 1000.0).round();
            let place = format!("{name} at {} {}", milli(mark.x), milli(mark.y));
            match mark.shape {
                Shape::Glyph { face, scale, .. } => format!("{place} {} x{scale}", face.name()),
                Shape::Bar { width, thickness } => {
                    format!("{place} {} by {}", milli(width), milli(thickness))
                }
            }
        });
        lines.collect()
    }

    #[test]
    fn layouts_are_pinned() {
        let fraction =
            "FRAC( 1 + x SUP( 2 SUP) FRACMID PAREN( PAREN( a SUB( 0 SUB) PAREN) PAREN) FRAC)";
        let expected = [
            "1 at 120 814 Main-Regular x1",
            "+ at 842 814 Main-Regular x1",
            "x at 1842 814 Math-Italic x1",
            "2 at 2414 451 Main-Regular x0.7",
            "( at 225 2177 Main-Regular x1",
            "( at 614 2177 Main-Regular x1",
            "a at 1003 2177 Math-Italic x1",
            "0 at 1531 2327 Main-Regular x0.7",
            ") at 1931 2177 Main-Regular x1",
            ") at 2320 2177 Main-Regular x1",
            "bar at 120 1241 2694 by 40",
        ];
        assert_eq!(set(fraction), expected);
        let nested = "FRAC( FRAC( 1 FRACMID 2 FRAC) FRACMID \
                      FRAC( FRAC( 3 FRACMID a FRAC) FRACMID c FRAC) FRAC)";
        let expected = [
            "1 at 281 451 Main-Regular x0.7",
            "2 at 281 1190 Main-Regular x0.7",
            "bar at 281 595 350 by 40",
            "3 at 331 1792 Main-Regular x0.5",
            "a at 324 2302 Math-Italic x0.5",
            "bar at 324 1886 264 by 34",
            "c at 305 2957 Math-Italic x0.7",
            "bar at 240 2362 432 by 40",
            "bar at 120 1330 672 by 40",
        ];
        assert_eq!(set(nested), expected);
    }
}
