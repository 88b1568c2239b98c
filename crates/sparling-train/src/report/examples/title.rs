//! What stands above an example: the true tokens and the predicted ones.

use super::ExamplePicture;
use crate::report::lettering::text_width;

/// The size of a title's type, in pixels.
pub(super) const TYPE: u32 = 16;

/// A line of a title, and whether what it says is wrong.
pub(super) struct TitleLine {
    pub(super) text: String,
    pub(super) wrong: bool,
}

/// The true tokens and the predicted ones below them, broken into lines that fit.
pub(super) fn lines(example: &ExamplePicture<'_>, width: i32) -> Vec<TitleLine> {
    let letters = (width / text_width("0", TYPE)).max(8) as usize;
    let mut lines = Vec::new();
    let mut add = |name: &str, text: &str, wrong: bool| {
        for (index, part) in wrap(text, letters - name.chars().count())
            .into_iter()
            .enumerate()
        {
            let indent = " ".repeat(name.chars().count());
            let name = if index == 0 { name } else { &indent };
            lines.push(TitleLine {
                text: format!("{name}{part}"),
                wrong,
            });
        }
    };
    if let Some(truth) = example.truth {
        add("true  ", truth, false);
    }
    if let Some(prediction) = example.prediction {
        match example.truth {
            Some(truth) if truth == prediction => add("model ", &format!("{prediction} ✓"), false),
            Some(_) => add("model ", &format!("{prediction} ✗"), true),
            None => add("model ", prediction, false),
        }
    }
    lines
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
}
