//! The operators on the backends that have kernels.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, DispatchDevice, backend_extension};
#[cfg(feature = "cube")]
use burn::tensor::Shape;
use burn::tensor::Tensor;

/// Whether the operators take these values.
pub(super) fn takes(values: &Tensor<3>) -> bool {
    let device = values.device();
    match device.as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(_) => true,
        _ => false,
    }
}

/// Selection among the values of a batch; those of a group are ranked together.
#[backend_extension(
    Flex: cfg(feature = "flex"),
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
    fn select(values: FloatTensor<Self>, state: FloatTensor<Self>, k: usize) -> FloatTensor<Self>;

    /// Collects the `count` largest values of each group, in no particular order.
    ///
    /// # Shapes
    ///
    /// - `values`: `[batch, groups, plane]`
    /// - output: `[groups, count]`
    #[fusion(dtype = values, shape = {
        Shape::new([values[1], *count])
    })]
    fn largest(values: FloatTensor<Self>, count: usize) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
mod flex {
    use burn::backend::{Flex, TensorMetadata};
    use sparling_kernels::flex::{FlexFloat, Values};

    use super::super::host;
    use super::Selection;

    impl Selection for Flex {
        fn select(values: FlexFloat, state: FlexFloat, k: usize) -> FlexFloat {
            let shape = values.shape();
            let [values, state] = [values, state].map(Values::new);
            FlexFloat::from_data(host::select(values.get(), &shape, state.get(), k))
        }

        fn largest(values: FlexFloat, count: usize) -> FlexFloat {
            let shape = values.shape();
            FlexFloat::from_data(host::largest(Values::new(values).get(), &shape, count))
        }
    }
}

#[cfg(feature = "cube")]
mod cube {
    use burn_cubecl::CubeBackend;
    use burn_cubecl::tensor::CubeTensor;

    use super::super::cube;
    use super::Selection;

    impl Selection for CubeBackend {
        fn select(values: CubeTensor, state: CubeTensor, k: usize) -> CubeTensor {
            cube::select(values, state, k)
        }

        fn largest(values: CubeTensor, count: usize) -> CubeTensor {
            cube::largest(values, count)
        }
    }
}
