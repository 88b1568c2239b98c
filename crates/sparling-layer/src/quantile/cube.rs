//! Selection on every CubeCL runtime, without waiting for the device.
//!
//! Values are ranked by *keys*, unsigned integers in the order of the floats.
//! [`filter`](kernels::filter) counts the keys above each group's bracket and collects those
//! inside; [`settle`](kernels::settle) finds the answer among them, or marks the group as missed.
//! For missed groups four rounds of [`histogram`](kernels::histogram) and
//! [`descend`](kernels::descend) fix eight bits of the answer each, from the top; for the others
//! they return at once.
//!
//! Only what all runtimes have is used: atomic addition of `u32`, workgroups of 256 units, 4 KiB of
//! shared memory, no subgroup operations.

mod kernels;

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::{empty_device_contiguous_dtype, zeros_client};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::state::{COLUMNS, margin};

/// Units of a cube, and values of a digit of a key.
const UNITS: u32 = 256;

/// Values that one unit of [`filter`](kernels::filter) and [`histogram`](kernels::histogram) looks
/// at, if there are so many.
const VALUES_PER_UNIT: usize = 16;

/// Planes of fewer values are not worth cubes of their own.
const FLAT_BELOW: usize = 1024;

/// The most cubes in one dimension that every runtime has.
const MOST_CUBES: usize = 65_535;

/// Values that are collected for a group; with more inside, its bracket counts as missed.
const CAPACITY: usize = 8192;

/// The values of a state's row asked for: the answer and the ends of the next bracket.
const QUERIES: u32 = 3;

/// How the groups lie in memory.
struct Layout {
    groups: usize,
    /// Planes of one group, and their distance from one to the next in planes.
    planes: usize,
    plane: usize,
}

impl Layout {
    fn new(shape: &Shape) -> Self {
        let [planes, groups, plane] = shape.dims();
        Self {
            groups,
            planes,
            plane,
        }
    }

    fn size(&self) -> usize {
        self.planes * self.plane
    }

    /// Whether the values of a group are shared out together, not plane by plane: that costs a
    /// division each, but small planes would leave most units of a cube idle, and there can be more
    /// planes than cubes.
    fn is_flat(&self) -> bool {
        self.plane < FLAT_BELOW || self.planes > MOST_CUBES
    }

    /// Values that cubes share.
    fn shared(&self) -> usize {
        if self.is_flat() {
            self.size()
        } else {
            self.plane
        }
    }

    /// Cubes that share values.
    fn pieces(&self) -> usize {
        self.shared().div_ceil(UNITS as usize * VALUES_PER_UNIT)
    }

    /// Cubes over pieces, groups and planes.
    fn cubes(&self) -> CubeCount {
        let planes = if self.is_flat() { 1 } else { self.planes };
        CubeCount::Static(self.pieces() as u32, self.groups as u32, planes as u32)
    }
}

/// The ranks of the queries from the top, counted from 1; 0 for an end that is infinite.
struct Ranks {
    answer: usize,
    low: usize,
    high: usize,
}

impl Ranks {
    fn new(size: usize, k: usize) -> Self {
        let answer = size - k + 1;
        let margin = margin(size, answer);
        Self {
            answer,
            low: if answer + margin > size {
                0
            } else {
                answer + margin
            },
            high: answer.saturating_sub(margin),
        }
    }
}

/// As [`Selection::select`](super::operator::Selection::select).
pub(super) fn select(values: CubeTensor, state: CubeTensor, k: usize) -> CubeTensor {
    let layout = Layout::new(&values.shape());
    let ranks = Ranks::new(layout.size(), k);
    let values = bits(values);
    let state = bits(state);
    let client = values.client.clone();
    let groups = layout.groups;
    let output = uninitialised(&values, Shape::new([groups, COLUMNS]));
    let inside = uninitialised(&values, Shape::new([groups * CAPACITY]));
    let histograms = uninitialised(&values, Shape::new([groups * (QUERIES * UNITS) as usize]));
    let queries = uninitialised(&values, Shape::new([groups * 2 * QUERIES as usize]));
    let missed = uninitialised(&values, Shape::new([groups]));
    // Above the bracket and inside.
    let counts = zeros_client(
        client.clone(),
        values.device.clone(),
        Shape::new([groups * 2]),
        DType::U32,
    );
    let units = CubeDim::new_1d(UNITS);
    let each_group = || CubeCount::Static(groups as u32, 1, 1);
    // Safety: every index is below the length of what it indexes: `plane`, `groups` and the constants
    // are what the buffers were made with.
    unsafe {
        kernels::filter::launch_unchecked(
            &client,
            layout.cubes(),
            units,
            values.clone().into_buffer_arg(),
            state.clone().into_buffer_arg(),
            counts.clone().into_buffer_arg(),
            inside.clone().into_buffer_arg(),
            layout.plane as u32,
            layout.shared() as u32,
            layout.is_flat(),
        );
        kernels::settle::launch_unchecked(
            &client,
            each_group(),
            units,
            state.into_buffer_arg(),
            counts.into_buffer_arg(),
            inside.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            missed.clone().into_buffer_arg(),
            queries.clone().into_buffer_arg(),
            histograms.clone().into_buffer_arg(),
            ranks.answer as u32,
            ranks.low as u32,
            ranks.high as u32,
        );
        for shift in [24_u32, 16, 8, 0] {
            kernels::histogram::launch_unchecked(
                &client,
                layout.cubes(),
                units,
                values.clone().into_buffer_arg(),
                missed.clone().into_buffer_arg(),
                queries.clone().into_buffer_arg(),
                histograms.clone().into_buffer_arg(),
                layout.plane as u32,
                layout.shared() as u32,
                shift,
                layout.is_flat(),
            );
            kernels::descend::launch_unchecked(
                &client,
                each_group(),
                units,
                missed.clone().into_buffer_arg(),
                histograms.clone().into_buffer_arg(),
                queries.clone().into_buffer_arg(),
                output.clone().into_buffer_arg(),
                shift,
            );
        }
    }
    CubeTensor {
        dtype: DType::F32,
        ..output
    }
}

/// As [`Selection::largest`](super::operator::Selection::largest).
pub(super) fn largest(values: CubeTensor, count: usize) -> CubeTensor {
    let layout = Layout::new(&values.shape());
    let groups = layout.groups;
    let unknown = zeros_client(
        values.client.clone(),
        values.device.clone(),
        Shape::new([groups, COLUMNS]),
        DType::F32,
    );
    let state = select(values.clone(), unknown, layout.size() - count + 1);
    let state = bits(state);
    let values = bits(values);
    let client = values.client.clone();
    let output = uninitialised(&values, Shape::new([groups, count]));
    let counts = zeros_client(
        client.clone(),
        values.device.clone(),
        Shape::new([groups]),
        DType::U32,
    );
    let units = CubeDim::new_1d(UNITS);
    let rows = CubeCount::Static(count.div_ceil(UNITS as usize) as u32, groups as u32, 1);
    // Safety: as in `select`; fewer than `count` values are larger than the `count`-th largest.
    unsafe {
        kernels::fill_with_answer::launch_unchecked(
            &client,
            rows,
            units,
            state.clone().into_buffer_arg(),
            output.clone().into_buffer_arg(),
            count as u32,
        );
        kernels::collect_larger::launch_unchecked(
            &client,
            layout.cubes(),
            units,
            values.into_buffer_arg(),
            state.into_buffer_arg(),
            counts.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            layout.plane as u32,
            layout.shared() as u32,
            count as u32,
            layout.is_flat(),
        );
    }
    CubeTensor {
        dtype: DType::F32,
        ..output
    }
}

/// The same memory, contiguous and read as `u32`.
fn bits(tensor: CubeTensor) -> CubeTensor {
    CubeTensor {
        dtype: DType::U32,
        ..into_contiguous(tensor)
    }
}

fn uninitialised(like: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, DType::U32)
}
