//! Changing motifs by hand, to see what the output makes of it.

use std::str::FromStr;

use crate::metrics::Motif;
use crate::metrics::channel::{channel_name, channel_number};

/// A channel at a position of the motif map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The channel.
    pub channel: usize,
    /// The row; 0 in sound.
    pub row: usize,
    /// The column, or in sound the frame.
    pub column: usize,
}

/// A motif that is to be moved: `C@20,14:30,25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it is.
    pub from: Place,
    /// Where it is to be, in the same channel.
    pub to: Place,
}

/// A motif that is to be there: `C@20,14`, or with a strength `C@20,14=1.5`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Addition {
    /// Where.
    pub at: Place,
    /// How strong; by default as the median of the input's motifs.
    pub strength: Option<f32>,
}

/// What is changed: first motifs are removed, then moved, then added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits {
    /// Motifs to remove.
    pub remove: Vec<Place>,
    /// Motifs to move.
    pub moves: Vec<Move>,
    /// Motifs to add.
    pub add: Vec<Addition>,
}

/// Motifs cannot be changed as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// No motif is there.
    #[error("there is no motif {place}; there are: {known}")]
    Nowhere {
        /// The place asked for.
        place: String,
        /// Those there are.
        known: String,
    },
    /// The motif map has no such place.
    #[error("{place} is outside the motif map of {channels} channels, {height} by {width}")]
    Outside {
        /// The place asked for.
        place: String,
        /// The map's channels.
        channels: usize,
        /// Its rows.
        height: usize,
        /// Its columns.
        width: usize,
    },
}

impl Edits {
    /// Changes the motifs of a map of `[channels, height, width]`.
    ///
    /// # Errors
    ///
    /// If a motif that is to be removed or moved is not there, or a place is outside the map.
    pub fn apply(
        &self,
        motifs: &[Motif],
        [channels, height, width]: [usize; 3],
    ) -> Result<Vec<Motif>, EditError> {
        let mut changed = motifs.to_vec();
        let find = |motifs: &[Motif], place: Place| {
            motifs
                .iter()
                .position(|motif| Place::of(motif) == place)
                .ok_or_else(|| EditError::Nowhere {
                    place: place.to_string(),
                    known: names(motifs),
                })
        };
        let inside = |place: Place| {
            let Place {
                channel,
                row,
                column,
            } = place;
            if channel < channels && row < height && column < width {
                return Ok(place);
            }
            Err(EditError::Outside {
                place: place.to_string(),
                channels,
                height,
                width,
            })
        };
        for place in &self.remove {
            let index = find(&changed, *place)?;
            changed.remove(index);
        }
        for Move { from, to } in &self.moves {
            let index = find(&changed, *from)?;
            let to = inside(*to)?;
            let mut moved = changed[index];
            (moved.row, moved.column) = (to.row, to.column);
            changed[index] = moved;
            // A place holds one motif of a channel: of two that meet there the stronger stays.
            let met = (0..changed.len())
                .find(|other| *other != index && Place::of(&changed[*other]) == to);
            if let Some(met) = met {
                let stronger = moved.strength.max(changed[met].strength);
                changed[index].strength = stronger;
                changed.remove(met);
            }
        }
        let mut strengths: Vec<f32> = motifs.iter().map(|motif| motif.strength).collect();
        strengths.sort_by(f32::total_cmp);
        let median = strengths.get(strengths.len() / 2).copied().unwrap_or(1.0);
        for Addition { at, strength } in &self.add {
            let at = inside(*at)?;
            changed.retain(|motif| Place::of(motif) != at);
            changed.push(Motif {
                channel: at.channel,
                row: at.row,
                column: at.column,
                strength: strength.unwrap_or(median),
            });
        }
        Ok(changed)
    }
}

impl Place {
    fn of(motif: &Motif) -> Self {
        Self {
            channel: motif.channel,
            row: motif.row,
            column: motif.column,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = channel_name(self.channel);
        write!(f, "{name}@{},{}", self.row, self.column)
    }
}

impl FromStr for Place {
    type Err = String;

    /// `C@20,14`: channel, row and column; in sound `C@14`, channel and frame.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a motif such as C@20,14 (in sound C@14), got {text}");
        let (name, position) = text.split_once('@').ok_or_else(wrong)?;
        let channel = channel_number(name).ok_or_else(wrong)?;
        let (row, column) = position_of(position).ok_or_else(wrong)?;
        Ok(Self {
            channel,
            row,
            column,
        })
    }
}

impl FromStr for Move {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a motif and where to, such as C@20,14:30,25, got {text}");
        let (from, to) = text.split_once(':').ok_or_else(wrong)?;
        let from: Place = from.parse().map_err(|_| wrong())?;
        let (row, column) = position_of(to).ok_or_else(wrong)?;
        let to = Place {
            row,
            column,
            ..from
        };
        Ok(Self { from, to })
    }
}

impl FromStr for Addition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (at, strength) = match text.split_once('=') {
            Some((at, strength)) => (at, Some(strength)),
            None => (text, None),
        };
        let strength = match strength.map(str::parse::<f32>) {
            None => None,
            Some(Ok(strength)) if strength > 0.0 && strength.is_finite() => Some(strength),
            Some(_) => return Err(format!("expected a strength above 0 after =, got {text}")),
        };
        Ok(Self {
            at: at.parse()?,
            strength,
        })
    }
}

/// Row and column, or a column alone.
fn position_of(text: &str) -> Option<(usize, usize)> {
    match text.split_once(',') {
        Some((row, column)) => Some((row.trim().parse().ok()?, column.trim().parse().ok()?)),
        None => Some((0, text.trim().parse().ok()?)),
    }
}

fn names(motifs: &[Motif]) -> String {
    let names: Vec<String> = motifs
        .iter()
        .map(|motif| Place::of(motif).to_string())
        .collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motifs_are_removed_moved_and_added() {
        let motifs = [
            Motif::new(0, 1, 2, 1.0),
            Motif::new(2, 3, 4, 3.0),
            Motif::new(2, 9, 9, 2.0),
        ];
        let edits = Edits {
            remove: vec!["A@1,2".parse().unwrap()],
            moves: vec!["C@3,4:5,6".parse().unwrap()],
            add: vec!["B@0,0".parse().unwrap(), "C@9,9=7".parse().unwrap()],
        };
        assert_eq!(
            edits.apply(&motifs, [3, 10, 10]).unwrap(),
            [
                Motif::new(2, 5, 6, 3.0),
                Motif::new(1, 0, 0, 2.0),
                Motif::new(2, 9, 9, 7.0)
            ]
        );
        assert_eq!(
            Edits::default().apply(&motifs, [3, 10, 10]).unwrap(),
            motifs
        );
    }

    #[test]
    fn motifs_that_meet_are_merged() {
        let motifs = [
            Motif::new(0, 0, 0, 1.0),
            Motif::new(0, 0, 7, 3.0),
            Motif::new(1, 0, 7, 2.0),
        ];
        let moved = |text: &str| {
            let edits = Edits {
                moves: vec![text.parse().expect("a move")],
                ..Edits::default()
            };
            edits
                .apply(&motifs, [2, 1, 10])
                .expect("there are such motifs")
        };
        assert_eq!(moved("A@0,0:0,7"), [Motif::new(0, 0, 7, 3.0), motifs[2]]);
        assert_eq!(moved("A@0,7:0,0"), [Motif::new(0, 0, 0, 3.0), motifs[2]]);
        // To where it is.
        assert_eq!(moved("B@0,7:0,7"), motifs);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let motifs = [Motif::new(0, 1, 2, 1.0)];
        let error = |edits: Edits| edits.apply(&motifs, [3, 10, 10]).unwrap_err().to_string();
        let remove = Edits {
            remove: vec!["B@1,2".parse().unwrap()],
            ..Edits::default()
        };
        assert_eq!(error(remove), "there is no motif B@1,2; there are: A@1,2");
        let add = Edits {
            add: vec!["D@10,2".parse().unwrap()],
            ..Edits::default()
        };
        assert!(error(add).starts_with("D@10,2 is outside"));
        for wrong in ["A", "A@", "@1", "A@1,", "A@-1", "1@2"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
        assert!("A@1=0".parse::<Addition>().is_err());
        assert!("A@1".parse::<Move>().is_err());
        assert_eq!(
            "AA@7".parse(),
            Ok(Place {
                channel: 26,
                row: 0,
                column: 7
            })
        );
    }
}
