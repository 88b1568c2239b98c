//! Re-embedding and max pooling on every CubeCL runtime, at a cost that follows the motifs.
//!
//! As on the CPU, of the positions of a window without any active motif the first stands for the
//! rest. Sums are taken in a fixed order, so that results repeat bit by bit.

mod kernels;

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::{empty_device_contiguous_dtype, zeros_client};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::shape::PoolShape;
use kernels::{Find, Sizes};

/// Units of a cube.
const UNITS: u32 = 64;

/// As [`EmbedMax::embed_max`](super::operator::EmbedMax::embed_max).
pub(super) fn forward(
    shape: &PoolShape,
    motifs: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
) -> CubeTensor {
    let [motifs, weight, bias] = [motifs, weight, bias].map(into_contiguous);
    CubeTensor {
        dtype: DType::F32,
        ..search(shape, &motifs, &weight, &bias, Find::Maximum)
    }
}

/// As [`EmbedMaxGradient::embed_max_gradient`](super::operator::EmbedMaxGradient::embed_max_gradient).
pub(super) fn backward(
    shape: &PoolShape,
    motifs: CubeTensor,
    weight: CubeTensor,
    output_grad: CubeTensor,
) -> (CubeTensor, CubeTensor) {
    let [motifs, weight, output_grad] = [motifs, weight, output_grad].map(into_contiguous);
    // Positions do not depend on the bias, so that anything does in its place.
    let winners = search(shape, &motifs, &weight, &weight, Find::Position);
    let client = motifs.client.clone();
    let motif_grad = zeros_client(
        client.clone(),
        motifs.device.clone(),
        Shape::from([shape.batch, shape.channels, shape.height, shape.width]),
        DType::F32,
    );
    let parameters = shape.features * shape.channels;
    let partial = uninitialised(&motifs, [shape.batch, parameters], DType::F32);
    let pieces = parameters.div_ceil(UNITS as usize);
    // Safety: every index is below the length of what it indexes: the sizes are what the buffers were
    // made with, and winners are positions of a window.
    unsafe {
        kernels::motif_gradient::launch_unchecked(
            &client,
            each_window(shape),
            CubeDim::new_1d(UNITS),
            motifs.clone().into_buffer_arg(),
            weight.clone().into_buffer_arg(),
            winners.clone().into_buffer_arg(),
            output_grad.clone().into_buffer_arg(),
            motif_grad.clone().into_buffer_arg(),
            shape.channels as u32,
            shape.features as u32,
            sizes(shape),
        );
        kernels::weight_gradient::launch_unchecked(
            &client,
            CubeCount::Static(pieces as u32, shape.batch as u32, 1),
            CubeDim::new_1d(UNITS),
            motifs.into_buffer_arg(),
            winners.into_buffer_arg(),
            output_grad.into_buffer_arg(),
            partial.clone().into_buffer_arg(),
            shape.channels as u32,
            shape.features as u32,
            sizes(shape),
        );
    }
    let weight_grad: FloatTensor<CubeBackend> = CubeBackend::float_sum_dim(partial, 0);
    let weight_shape = Shape::from([shape.features, shape.channels]);
    let weight_grad = CubeBackend::float_reshape(weight_grad, weight_shape);
    (motif_grad, weight_grad)
}

/// What is told of each window and feature, `[batch, rows, columns, features]`.
fn search(
    shape: &PoolShape,
    motifs: &CubeTensor,
    weight: &CubeTensor,
    bias: &CubeTensor,
    find: Find,
) -> CubeTensor {
    let output = uninitialised(motifs, shape.pooled(), DType::U32);
    // Safety: as in `backward`.
    unsafe {
        kernels::search::launch_unchecked(
            &motifs.client,
            each_window(shape),
            CubeDim::new_1d(UNITS),
            motifs.clone().into_buffer_arg(),
            weight.clone().into_buffer_arg(),
            bias.clone().into_buffer_arg(),
            output.clone().into_buffer_arg(),
            shape.channels as u32,
            shape.features as u32,
            sizes(shape),
            find,
        );
    }
    output
}

/// Cubes over windows and examples.
fn each_window(shape: &PoolShape) -> CubeCount {
    let [rows, columns] = shape.cells();
    CubeCount::Static((rows * columns) as u32, shape.batch as u32, 1)
}

fn sizes(shape: &PoolShape) -> Sizes {
    Sizes {
        height: shape.height as u32,
        width: shape.width as u32,
        window_rows: shape.window[0] as u32,
        window_columns: shape.window[1] as u32,
    }
}

fn uninitialised(like: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        shape.into(),
        dtype,
    )
}
