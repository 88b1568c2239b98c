//! The kernels of [`super`].

use cubecl::prelude::*;

use super::UNITS;

/// Of the map and its windows, known when a kernel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sizes {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) window_rows: u32,
    pub(super) window_columns: u32,
}

impl Sizes {
    fn plane(&self) -> u32 {
        self.height * self.width
    }

    fn area(&self) -> u32 {
        self.window_rows * self.window_columns
    }

    /// Whole windows side by side.
    fn columns(&self) -> u32 {
        self.width / self.window_columns
    }

    fn cells(&self) -> u32 {
        self.height / self.window_rows * self.columns()
    }
}

/// What a search tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Find {
    /// The largest embedding with the bias, as bits.
    Maximum,
    /// Its position in the window.
    Position,
}

/// Where a position of a window is in a plane.
#[cube]
fn locate(cell: u32, position: u32, #[comptime] sizes: Sizes) -> u32 {
    let columns = comptime![sizes.columns()];
    let row = cell / columns * sizes.window_rows + position / sizes.window_columns;
    let column = cell % columns * sizes.window_columns + position % sizes.window_columns;
    row * sizes.width + column
}

/// Where the motifs of this cube's example begin.
#[cube]
fn example(channels: u32, #[comptime] sizes: Sizes) -> u32 {
    CUBE_POS_Y * channels * comptime![sizes.plane()]
}

/// Marks the positions of this cube's window with 1 where a motif is active, with 2 if it is the first
/// where none is, else with 0: a maximum can only be at a mark.
#[cube]
fn mark(motifs: &[f32], marks: &mut Shared<[u32]>, channels: u32, #[comptime] sizes: Sizes) {
    let area = comptime![sizes.area()];
    let plane = comptime![sizes.plane()];
    let base = example(channels, sizes);
    let mut position = UNIT_POS;
    while position < area {
        let at = base + locate(CUBE_POS_X, position, sizes);
        let mut active = 0u32;
        for channel in 0..channels {
            if motifs[(at + channel * plane) as usize] != 0.0 {
                active = 1;
            }
        }
        marks[position as usize] = active;
        position += UNITS;
    }
    sync_cube();
    if UNIT_POS == 0 {
        let mut first = 0u32;
        while first < area && marks[min(first, area - 1) as usize] == 1 {
            first += 1;
        }
        if first < area {
            marks[first as usize] = 2;
        }
    }
    sync_cube();
}

/// Finds each feature's largest embedding in a window, the first of equal ones in row-major order; NaN
/// is larger than any number.
///
/// Cubes: windows, examples. `output` is `[examples, windows, features]`.
#[cube(launch_unchecked)]
pub(super) fn search(
    motifs: &[f32],
    weight: &[f32],
    bias: &[f32],
    output: &mut [u32],
    channels: u32,
    features: u32,
    #[comptime] sizes: Sizes,
    #[comptime] find: Find,
) {
    let area = comptime![sizes.area()];
    let plane = comptime![sizes.plane()];
    let mut marks = Shared::<[u32]>::new_slice(area as usize);
    mark(motifs, &mut marks, channels, sizes);
    let base = example(channels, sizes);
    let row = (CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X) * features;
    let mut feature = UNIT_POS;
    while feature < features {
        let mut best = 0.0f32;
        let mut winner = area.runtime();
        for position in 0..area {
            let kind = marks[position as usize];
            if kind != 0 {
                let mut embedded = 0.0f32;
                if kind == 1 {
                    let at = base + locate(CUBE_POS_X, position, sizes);
                    for channel in 0..channels {
                        let motif = motifs[(at + channel * plane) as usize];
                        embedded += motif * weight[(feature * channels + channel) as usize];
                    }
                }
                if winner == area || embedded > best || embedded.is_nan() {
                    best = embedded;
                    winner = position;
                }
            }
        }
        output[(row + feature) as usize] = match comptime![find] {
            Find::Maximum => u32::reinterpret(best + bias[feature as usize]),
            Find::Position => winner,
        };
        feature += UNITS;
    }
}

/// What flows back to the motifs; positions that won nothing are left as they are.
///
/// Cubes: windows, examples.
#[cube(launch_unchecked)]
pub(super) fn motif_gradient(
    motifs: &[f32],
    weight: &[f32],
    winners: &[u32],
    output_grad: &[f32],
    motif_grad: &mut [f32],
    channels: u32,
    features: u32,
    #[comptime] sizes: Sizes,
) {
    let area = comptime![sizes.area()];
    let plane = comptime![sizes.plane()];
    let mut marks = Shared::<[u32]>::new_slice(area as usize);
    mark(motifs, &mut marks, channels, sizes);
    let base = example(channels, sizes);
    let row = (CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X) * features;
    let mut index = UNIT_POS;
    while index < area * channels {
        let (position, channel) = (index / channels, index % channels);
        if marks[position as usize] != 0 {
            let mut gradient = 0.0f32;
            for feature in 0..features {
                if winners[(row + feature) as usize] == position {
                    let slope = output_grad[(row + feature) as usize];
                    gradient += slope * weight[(feature * channels + channel) as usize];
                }
            }
            let at = base + channel * plane + locate(CUBE_POS_X, position, sizes);
            motif_grad[at as usize] = gradient;
        }
        index += UNITS;
    }
}

/// What flows back to the weight from each example, `[examples, features, channels]`.
///
/// Cubes: pieces of the weight, examples.
#[cube(launch_unchecked)]
pub(super) fn weight_gradient(
    motifs: &[f32],
    winners: &[u32],
    output_grad: &[f32],
    partial: &mut [f32],
    channels: u32,
    features: u32,
    #[comptime] sizes: Sizes,
) {
    let cells = comptime![sizes.cells()];
    let parameter = CUBE_POS_X * UNITS + UNIT_POS;
    let parameters = features * channels;
    if parameter < parameters {
        let (feature, channel) = (parameter / channels, parameter % channels);
        let base = example(channels, sizes) + channel * comptime![sizes.plane()];
        let mut gradient = 0.0f32;
        for cell in 0..cells {
            let at = ((CUBE_POS_Y * cells + cell) * features + feature) as usize;
            let motif = motifs[(base + locate(cell, winners[at], sizes)) as usize];
            gradient += output_grad[at] * motif;
        }
        partial[(CUBE_POS_Y * parameters + parameter) as usize] = gradient;
    }
}
