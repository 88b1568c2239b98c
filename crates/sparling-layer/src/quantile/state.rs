//! What a selection leaves for the next one: a bracket around its answer.

use burn::tensor::{Device, Tensor, TensorData};

/// The columns of a state: the k-th smallest value, the bracket for the next batch, and how often
/// a bracket did not hold the value.
pub(super) const COLUMNS: usize = 4;

/// The state before the first selection: an empty bracket, no miss.
pub(super) fn unknown(groups: usize, device: &Device) -> Tensor<2> {
    let row: [f32; COLUMNS] = [0.0, 1.0, 0.0, 0.0];
    let rows = row.repeat(groups);
    Tensor::from_data(TensorData::new(rows, [groups, COLUMNS]), device)
}

/// How many ranks a bracket reaches to either side of the one asked for.
pub(super) fn margin(size: usize, rank: usize) -> usize {
    let share = rank as f64 / size as f64;
    let deviation = (rank as f64 * (1.0 - share)).sqrt();
    (16.0 * deviation) as usize + 32
}
