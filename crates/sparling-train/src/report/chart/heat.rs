//! A matrix of shares, as shades with their numbers.

use svg::node::element::{Group, Rectangle};

use crate::report::drawing::{
    Anchor, INK, LABEL_TYPE, LIGHT, PAPER, Pixels, TITLE_TYPE, document, text, text_width,
};

/// Side of a cell, in pixels.
const CELL: i32 = 46;

/// Room for the columns' names.
const HEAD: i32 = 84;

/// Shares in percent below this are left blank.
const LEAST: f64 = 0.05;

/// A matrix of shares between 0 and 1.
pub(in crate::report) struct HeatMap {
    pub(in crate::report) title: String,
    /// What stands before each row.
    pub(in crate::report) rows: Vec<String>,
    pub(in crate::report) columns: Vec<String>,
    /// Row by row.
    pub(in crate::report) shares: Vec<Vec<f64>>,
}

impl HeatMap {
    /// Draws it as SVG, darker where the share is larger.
    pub(in crate::report) fn draw(&self) -> String {
        let (rows, columns) = (self.rows.len() as i32, self.columns.len() as i32);
        let names = self.rows.iter().map(|name| text_width(name, LABEL_TYPE));
        let left = 16 + names.max().unwrap_or(0) + 12;
        let width = left + columns * CELL + 20;
        let size = (width.max(420), HEAD + rows * CELL + 20);
        let mut group = Group::new().add(text(&self.title, TITLE_TYPE, Anchor::Start, (16, 26)));
        for (column, name) in self.columns.iter().enumerate() {
            let x = left + column as i32 * CELL + CELL / 2;
            group = group.add(text(name, LABEL_TYPE, Anchor::Middle, (x, HEAD - 16)));
        }
        for (row, name) in self.rows.iter().enumerate() {
            let y = HEAD + row as i32 * CELL;
            group = group.add(text(
                name,
                LABEL_TYPE,
                Anchor::End,
                (left - 12, y + CELL / 2),
            ));
            for (column, share) in self.shares[row].iter().enumerate() {
                let x = left + column as i32 * CELL;
                group = group.add(cell((x, y), *share));
            }
        }
        document(size, [group])
    }
}

fn cell((x, y): Pixels, share: f64) -> Group {
    // The square root shows small shares.
    let shade = (255.0 * (1.0 - 0.85 * share.clamp(0.0, 1.0).sqrt())).round() as u8;
    let block = Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", CELL - 2)
        .set("height", CELL - 2)
        .set("fill", format!("#{shade:02x}{shade:02x}{shade:02x}"))
        .set("stroke", LIGHT);
    let group = Group::new().add(block);
    let percent = 100.0 * share;
    if percent < LEAST {
        return group;
    }
    let number = match percent {
        9.95.. => format!("{percent:.0}"),
        _ => format!("{percent:.1}"),
    };
    let ink = if shade < 140 { PAPER } else { INK };
    let at = (x + CELL / 2 - 1, y + CELL / 2 - 1);
    group.add(text(&number, LABEL_TYPE, Anchor::Middle, at).set("fill", ink))
}
