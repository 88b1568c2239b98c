//! What stands above an example: the true tokens and the predicted ones.

use svg::node::element::Group;

use super::{ExamplePicture, MOST_MOTIFS};
use crate::report::drawing::{Anchor, GREY, INK, TITLE_TYPE, text, text_width};

/// The height of a line, in pixels.
const LINE: i32 = 26;

/// The ink of what is wrong, which has a cross, too.
const WRONG: &str = "#be1432";

/// What stands before the tokens and the number of motifs.
const NAMES: [&str; 3] = ["true", "model", "drawn"];

/// The true tokens and the predicted ones below them, broken into lines that fit, and how many motifs are
/// drawn, if not all.
pub(super) struct Title(Vec<Line>);

#[derive(Debug, PartialEq)]
struct Line {
    name: &'static str,
    tokens: String,
    wrong: bool,
}

impl Title {
    /// The title of an example in lines no wider than `width`, unless there is less room than for two
    /// tokens or so.
    pub(super) fn of(example: &ExamplePicture<'_>, width: i32) -> Self {
        let letters = ((width - indent()) / text_width("0", TITLE_TYPE)).max(8) as usize;
        let mut lines = Vec::new();
        let mut add = |name, tokens: &str, wrong| {
            let parts = wrap(tokens, letters).into_iter().enumerate();
            lines.extend(parts.map(|(index, tokens)| Line {
                name: if index == 0 { name } else { "" },
                tokens,
                wrong,
            }));
        };
        let [true_name, model, drawn] = NAMES;
        if let Some(truth) = example.truth {
            add(true_name, truth, false);
        }
        match (example.prediction, example.truth) {
            (Some(prediction), Some(truth)) if truth == prediction => {
                add(model, &format!("{prediction} ✓"), false);
            }
            (Some(prediction), Some(_)) => add(model, &format!("{prediction} ✗"), true),
            (Some(prediction), None) => add(model, prediction, false),
            (None, _) => {}
        }
        let all = example.motifs.len();
        if all > MOST_MOTIFS {
            add(drawn, &format!("{MOST_MOTIFS} of {all} motifs"), false);
        }
        Self(lines)
    }

    /// In pixels.
    pub(super) fn height(&self) -> i32 {
        self.0.len() as i32 * LINE + 4
    }

    /// Draws it with its top left corner at the origin.
    pub(super) fn draw(&self) -> Group {
        let lines = self.0.iter().enumerate();
        lines.fold(Group::new(), |title, (index, line)| {
            let middle = LINE / 2 + index as i32 * LINE;
            let written = |line, left| text(line, TITLE_TYPE, Anchor::Start, (left, middle));
            let ink = if line.wrong { WRONG } else { INK };
            title
                .add(written(line.name, 0).set("fill", GREY))
                .add(written(&line.tokens, indent()).set("fill", ink))
        })
    }
}

/// Where tokens begin, in pixels.
fn indent() -> i32 {
    let widths = NAMES.map(|name| text_width(name, TITLE_TYPE));
    widths.into_iter().max().unwrap_or(0) + text_width(" ", TITLE_TYPE)
}

/// Breaks text between words into lines of at most so many letters; longer words stay whole.
fn wrap(text: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= letters {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_break_between_words() {
        assert_eq!(wrap("1 2 3 4", 3), ["1 2", "3 4"]);
        assert_eq!(wrap("FRACMID 2", 3), ["FRACMID", "2"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn what_is_wrong_has_a_sign_and_what_nobody_knows_has_none() {
        let mut example = ExamplePicture {
            truth: Some("1 2"),
            prediction: Some("1 2"),
            ..ExamplePicture::new(&[], [1, 0, 0])
        };
        let model = |example: &ExamplePicture<'_>| {
            let line = Title::of(example, 300).0.pop().unwrap();
            (line.name, line.tokens, line.wrong)
        };
        assert_eq!(model(&example), ("model", "1 2 ✓".to_owned(), false));
        example.prediction = Some("1 3");
        assert_eq!(model(&example), ("model", "1 3 ✗".to_owned(), true));
        example.truth = None;
        assert_eq!(model(&example), ("model", "1 3".to_owned(), false));
        example.prediction = None;
        assert_eq!(Title::of(&example, 300).0, []);
    }
}
