//! Small signs, told apart by their shape.

use svg::node::element::{Circle, Group, Path, Polygon};

use super::drawing::{PAPER, Pixels};

/// A small sign at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// A disc.
    Dot,
    /// A star with five points.
    Star,
    /// A diagonal cross.
    Cross,
    /// A square on its side.
    Square,
    /// A triangle.
    Triangle,
}

impl Marker {
    /// Draws it in a colour, with a white rim so that it stands out from any ground.
    pub(super) fn draw(self, at: Pixels, radius: i32, fill: &str) -> Group {
        let rimmed = Group::new()
            .set("fill", fill)
            .set("stroke", PAPER)
            .set("stroke-width", 2)
            .set("paint-order", "stroke");
        match self {
            Self::Dot => rimmed.add(
                Circle::new()
                    .set("cx", at.0)
                    .set("cy", at.1)
                    .set("r", radius),
            ),
            Self::Cross => {
                let [left, right] = [at.0 - radius, at.0 + radius];
                let [top, bottom] = [at.1 - radius, at.1 + radius];
                let lines = format!("M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}");
                let stroke = |colour: &str, width| {
                    let cross = Path::new().set("d", lines.as_str()).set("fill", "none");
                    cross.set("stroke", colour).set("stroke-width", width)
                };
                Group::new().add(stroke(PAPER, 5)).add(stroke(fill, 2))
            }
            Self::Star | Self::Square | Self::Triangle => {
                let corners = self.outline(at, radius);
                let corners: Vec<String> = corners
                    .iter()
                    .map(|(x, y)| format!("{x:.2},{y:.2}"))
                    .collect();
                rimmed.add(Polygon::new().set("points", corners.join(" ")))
            }
        }
    }

    /// The corners of a marker that is a polygon, clockwise from the top.
    fn outline(self, at: Pixels, radius: i32) -> Vec<(f64, f64)> {
        let (corners, inner) = match self {
            Self::Star => (10, 0.42),
            Self::Square => (4, 1.0),
            _ => (3, 1.0),
        };
        (0..corners)
            .map(|corner| {
                let angle = std::f64::consts::TAU * f64::from(corner) / f64::from(corners);
                // So much farther out that they look as large as a disc.
                let reach = f64::from(radius) * if corner % 2 == 1 { inner } else { 1.0 } * 1.4;
                let (sine, cosine) = angle.sin_cos();
                (
                    f64::from(at.0) + reach * sine,
                    f64::from(at.1) - reach * cosine,
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::tests::rendered;

    #[test]
    fn markers_differ_without_colour() {
        use Marker::{Cross, Dot, Square, Star, Triangle};
        let drawn = [Dot, Star, Cross, Square, Triangle]
            .map(|marker| rendered(marker.draw((10, 10), 5, "#000000"), (20, 20)));
        for (index, one) in drawn.iter().enumerate() {
            assert!(one.contains(&[0; 3]), "marker {index} has no ink");
            for other in &drawn[..index] {
                let differing = one.iter().zip(other).filter(|(one, other)| one != other);
                assert!(differing.count() >= 20, "marker {index} looks like another");
            }
        }
    }
}
