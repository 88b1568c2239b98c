//! The operators on Burn's backends.

#![cfg_attr(
    feature = "ndarray",
    expect(deprecated, reason = "kept selectable, to check flex against")
)]

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::{Shape, TensorData, read_sync};

use super::cpu::{self, Bracket, Group};
#[cfg(feature = "flex")]
use sparling_kernels::flex::Values;

/// The columns of a state: the k-th smallest value, the bracket for the next batch, and how often
/// a bracket did not hold the value.
pub(super) const COLUMNS: usize = 4;

/// Selection among the values of a batch; those of a group are ranked together.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cube")
)]
pub(super) trait Selection: Backend {
    /// Selects the `k`-th smallest value of each group, looking first where `state` expects it.
    ///
    /// # Shapes
    ///
    /// - `values`: `[batch, groups, plane]`
    /// - `state`: `[groups, COLUMNS]`, the last selection's output
    /// - output: `[groups, COLUMNS]`
    #[fusion(dtype = state, shape = state)]
    fn select(values: FloatTensor<Self>, state: FloatTensor<Self>, k: usize) -> FloatTensor<Self> {
        let device = values.device();
        let shape = values.shape();
        let values = read::<Self>(values);
        let state = read::<Self>(state);
        let rows = select(slice(&values), &shape, slice(&state), k);
        Self::float_from_data(rows, &device)
    }

    /// Collects the `count` largest values of each group, in no particular order.
    ///
    /// # Shapes
    ///
    /// - `values`: `[batch, groups, plane]`
    /// - output: `[groups, count]`
    #[fusion(dtype = values, shape = {
        Shape::new([values[1], *count])
    })]
    fn largest(values: FloatTensor<Self>, count: usize) -> FloatTensor<Self> {
        let device = values.device();
        let shape = values.shape();
        let values = read::<Self>(values);
        Self::float_from_data(largest(slice(&values), &shape, count), &device)
    }
}

#[cfg(feature = "flex")]
impl Selection for burn::backend::Flex {
    fn select(values: FloatTensor<Self>, state: FloatTensor<Self>, k: usize) -> FloatTensor<Self> {
        let shape = values.shape();
        let [values, state] = [values, state].map(Values::new);
        FloatTensor::<Self>::from_data(select(values.get(), &shape, state.get(), k))
    }

    fn largest(values: FloatTensor<Self>, count: usize) -> FloatTensor<Self> {
        let shape = values.shape();
        let values = Values::new(values);
        FloatTensor::<Self>::from_data(largest(values.get(), &shape, count))
    }
}

#[cfg(feature = "ndarray")]
impl Selection for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl Selection for burn_cubecl::CubeBackend {
    fn select(values: FloatTensor<Self>, state: FloatTensor<Self>, k: usize) -> FloatTensor<Self> {
        super::cube::select(values, state, k)
    }

    fn largest(values: FloatTensor<Self>, count: usize) -> FloatTensor<Self> {
        super::cube::largest(values, count)
    }
}

fn read<B: Backend>(tensor: FloatTensor<B>) -> TensorData {
    read_sync(B::float_into_data(tensor)).expect("a tensor that was computed can be read")
}

fn slice(data: &TensorData) -> &[f32] {
    data.as_slice().expect("cast to f32 before dispatch")
}

/// The values that are ranked together, of `[batch, groups, plane]`.
fn groups<'a>(values: &'a [f32], shape: &Shape) -> Vec<Group<'a>> {
    let [_, groups, plane] = shape.dims();
    let planes = values.chunks_exact(plane.max(1));
    (0..groups)
        .map(|group| planes.clone().skip(group).step_by(groups).collect())
        .collect()
}

fn select(values: &[f32], shape: &Shape, state: &[f32], k: usize) -> TensorData {
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

fn largest(values: &[f32], shape: &Shape, count: usize) -> TensorData {
    let rows = cpu::largest(&groups(values, shape), count);
    let groups = rows.len();
    TensorData::new(rows.concat(), [groups, count])
}
