//! What a run's channels do to tokens, beside where their motifs lie.

use svg::node::element::{Group, Rectangle};

use super::drawing::{
    Anchor, INK, LABEL_TYPE, LIGHT, PAPER, Pixels, TITLE_TYPE, colour, document, text, text_width,
};
use super::flow::{AGAINST, FOR, LEAST_EFFECT};

/// Side of a cell, and the room above and to the left of all.
const CELL: i32 = 46;
const HEAD: i32 = 96;
const LEFT: i32 = 110;

/// An effect that is drawn as dark as can be, in nats.
const LARGE_EFFECT: f64 = 8.0;

/// A channel.
#[derive(Debug)]
pub struct Row {
    /// Its name, and the symbol it stands for.
    pub name: String,
    /// The mean effect on each token, in nats, where they meet.
    pub effects: Vec<Option<f64>>,
    /// The share of its motifs in each symbol's footprints, and in none; none at all where nobody knows.
    pub places: Vec<f64>,
}

/// Draws both matrices as SVG, a channel in each row. Effects are blue and negative where tokens need the
/// channel, red and positive where it speaks against them.
pub fn draw(title: &str, rows: &[Row], tokens: &[String], places: &[String]) -> String {
    let right = LEFT + tokens.len() as i32 * CELL + 60;
    let size = (
        right + places.len() as i32 * CELL + 20,
        HEAD + rows.len() as i32 * CELL + 20,
    );
    let mut page = Group::new()
        .add(text(title, TITLE_TYPE, Anchor::Start, (16, 26)))
        .add(heading("what tokens lose without it", LEFT))
        .add(heading("where its motifs lie", right));
    for (columns, left) in [(tokens, LEFT), (places, right)] {
        for (column, name) in columns.iter().enumerate() {
            let at = (left + column as i32 * CELL + CELL / 2, HEAD - 14);
            page = page.add(text(name, fitting(name), Anchor::Middle, at));
        }
    }
    for (index, row) in rows.iter().enumerate() {
        let y = HEAD + index as i32 * CELL;
        let name = text(
            &row.name,
            LABEL_TYPE,
            Anchor::End,
            (LEFT - 12, y + CELL / 2),
        );
        page = page.add(name.set("fill", colour(index)));
        for (column, effect) in row.effects.iter().enumerate() {
            page = page.add(effect_cell((LEFT + column as i32 * CELL, y), *effect));
        }
        for (column, share) in row.places.iter().enumerate() {
            page = page.add(place_cell((right + column as i32 * CELL, y), *share));
        }
    }
    document(size, [page])
}

/// The size of type at which a name is no wider than its column.
fn fitting(name: &str) -> i32 {
    let mut sizes = (1..=LABEL_TYPE).rev();
    let fitting = sizes.find(|size| text_width(name, *size) < CELL);
    fitting.unwrap_or(1)
}

fn heading(line: &str, left: i32) -> svg::node::element::Text {
    text(line, LABEL_TYPE, Anchor::Start, (left, HEAD - 42))
}

fn effect_cell(at: Pixels, effect: Option<f64>) -> Group {
    let Some(effect) = effect else {
        return cell(at, (PAPER, 0.0), "");
    };
    let fill = if effect < 0.0 { FOR } else { AGAINST };
    let share = (effect.abs() / LARGE_EFFECT).min(1.0);
    let number = match effect.abs() < LEAST_EFFECT {
        true => String::new(),
        false => format!("{effect:+.1}"),
    };
    cell(at, (fill, share), &number)
}

fn place_cell(at: Pixels, share: f64) -> Group {
    let number = match 100.0 * share {
        percent if percent < 0.5 => String::new(),
        percent => format!("{percent:.0}"),
    };
    cell(at, (INK, share), &number)
}

fn cell((x, y): Pixels, (fill, share): (&str, f64), number: &str) -> Group {
    let block = Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", CELL - 2)
        .set("height", CELL - 2)
        .set("fill", fill)
        // The square root shows small ones.
        .set("fill-opacity", format!("{:.2}", 0.85 * share.sqrt()))
        .set("stroke", LIGHT);
    let ink = if share > 0.3 { PAPER } else { INK };
    let at = (x + CELL / 2 - 1, y + CELL / 2 - 1);
    let number = text(number, LABEL_TYPE - 1, Anchor::Middle, at);
    Group::new().add(block).add(number.set("fill", ink))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_their_columns() {
        assert_eq!(fitting("3"), LABEL_TYPE);
        assert!((8..LABEL_TYPE).contains(&fitting("FRACMID")));
    }

    #[test]
    fn signs_have_two_cues_and_what_never_meets_is_blank() {
        let row = Row {
            name: "A 3".to_owned(),
            effects: vec![Some(-7.25), Some(0.5), Some(0.01), None],
            places: vec![0.98, 0.02],
        };
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let drawn = draw(
            "run",
            &[row],
            &names(&["3", "5", "7", "end"]),
            &names(&["3", "none"]),
        );
        for shown in ["-7.2", "+0.5", "98", "2"] {
            assert!(
                drawn.lines().any(|line| line.trim() == shown),
                "{shown}: {drawn}"
            );
        }
        // The first channel's name has that colour as well.
        assert_eq!(drawn.matches(FOR).count(), 2);
        assert_eq!(drawn.matches(AGAINST).count(), 2);
        assert!(!drawn.contains("+0.0"));
    }
}
