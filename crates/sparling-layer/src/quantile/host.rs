//! Selection in the host's memory: in place on Flex, and the composed path of every backend without
//! a kernel, whose values are read.

use burn::tensor::{Shape, Tensor, TensorData};

use super::cpu::{self, Bracket, Group};
use super::state::COLUMNS;

/// As [`Selection::select`](super::operator::Selection::select), on any backend.
pub(super) fn select_read(values: Tensor<3>, state: Tensor<2>, k: usize) -> Tensor<2> {
    let (device, shape) = (values.device(), values.shape());
    let (values, state) = (values.into_data(), state.into_data());
    let rows = select(slice(&values), &shape, slice(&state), k);
    Tensor::from_data(rows, &device)
}

/// As [`Selection::largest`](super::operator::Selection::largest), on any backend.
pub(super) fn largest_read(values: Tensor<3>, count: usize) -> Tensor<2> {
    let (device, shape) = (values.device(), values.shape());
    Tensor::from_data(largest(slice(&values.into_data()), &shape, count), &device)
}

fn slice(data: &TensorData) -> &[f32] {
    data.as_slice().expect("cast to f32 before")
}

/// The values that are ranked together, of `[batch, groups, plane]`.
fn groups<'a>(values: &'a [f32], shape: &Shape) -> Vec<Group<'a>> {
    let [_, groups, plane] = shape.dims();
    let planes = values.chunks_exact(plane.max(1));
    (0..groups)
        .map(|group| planes.clone().skip(group).step_by(groups).collect())
        .collect()
}

/// The next state, given the values `[batch, groups, plane]`.
pub(super) fn select(values: &[f32], shape: &Shape, state: &[f32], k: usize) -> TensorData {
    let (rows, _) = state.as_chunks::<COLUMNS>();
    let brackets: Vec<Bracket> = rows
        .iter()
        .map(|&[_, low, high, _]| Bracket { low, high })
        .collect();
    let found = cpu::select(&groups(values, shape), k, &brackets);
    let rows: Vec<f32> = found
        .iter()
        .zip(rows)
        .flat_map(|(found, row)| {
            let misses = row[3] + f32::from(u8::from(found.missed));
            [found.kth, found.next.low, found.next.high, misses]
        })
        .collect();
    let groups = rows.len() / COLUMNS;
    TensorData::new(rows, [groups, COLUMNS])
}

/// The largest values, `[groups, count]`, given all values `[batch, groups, plane]`.
pub(super) fn largest(values: &[f32], shape: &Shape, count: usize) -> TensorData {
    let rows = cpu::largest(&groups(values, shape), count);
    let groups = rows.len();
    TensorData::new(rows.concat(), [groups, count])
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::super::state::unknown;
    use super::super::{ThresholdScope, largest, select};
    use super::*;

    /// Batch after batch, state and misses and all; the default backend has a kernel.
    #[test]
    fn reading_the_values_selects_what_a_kernel_does() {
        let device = Device::default();
        let mut state = unknown(3, &device);
        for mean in [0.0, 0.01, 5.0] {
            let normal = Distribution::Normal(mean, 1.0);
            let values = Tensor::<3>::random([4, 3, 700], normal, &device);
            let next = select(values.clone(), state.clone(), 2700);
            let read = select_read(values.clone(), state, 2700);
            assert_eq!(read.to_data(), next.to_data());
            let all = largest(values.clone(), 9, ThresholdScope::PerChannel);
            assert_eq!(largest_read(values, 9).to_data(), all.to_data());
            state = next;
        }
    }
}
