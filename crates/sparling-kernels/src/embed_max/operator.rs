//! The operator on Burn's backends, and its gradients.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, DispatchDevice, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape, Tensor};

use super::shape::PoolShape;
use crate::autodiff::track;
use crate::switch;

/// Whether the operator takes these motifs.
pub(super) fn takes(motifs: &Tensor<4>) -> bool {
    let device = motifs.device().inner();
    let has_kernel = match device.as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(_) => true,
        _ => false,
    };
    has_kernel && switch::is_on() && motifs.dtype() == DType::F32
}

/// Embedding, max pooling and the bias in one.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cube"),
    Autodiff
)]
pub(super) trait EmbedMax: Backend {
    /// # Shapes
    ///
    /// - motifs: `[batch, channels, height, width]`
    /// - weight: `[features, channels]`
    /// - bias: `[features]`
    /// - output: `[batch, rows, columns, features]`, as many rows and columns as whole windows fit
    #[fusion(dtype = motifs, shape = pooled_shape(motifs, weight, *window))]
    fn embed_max(
        motifs: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        window: [usize; 2],
    ) -> FloatTensor<Self>;
}

/// What flows back through [`EmbedMax`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cube")
)]
pub(super) trait EmbedMaxGradient: Backend {
    /// The gradients of motifs and weight, from the output's.
    #[fusion(meta = |motifs, weight, _, _| (motifs.clone(), weight.clone()))]
    fn embed_max_gradient(
        motifs: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        output_grad: FloatTensor<Self>,
        window: [usize; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

#[cfg(feature = "cube")]
fn pooled_shape(motifs: &Shape, weight: &Shape, window: [usize; 2]) -> Shape {
    Shape::from(PoolShape::new(motifs, weight, window).pooled())
}

#[cfg(feature = "flex")]
mod flex {
    use burn::backend::Flex;

    use super::super::cpu;
    use super::{EmbedMax, EmbedMaxGradient, PoolShape};
    use crate::flex::{FlexFloat, Values, tensor};

    impl EmbedMax for Flex {
        fn embed_max(
            motifs: FlexFloat,
            weight: FlexFloat,
            bias: FlexFloat,
            window: [usize; 2],
        ) -> FlexFloat {
            let shape = shape_of(&motifs, &weight, window);
            let [motifs, weight, bias] = [motifs, weight, bias].map(Values::new);
            let pooled = cpu::forward(&shape, motifs.get(), weight.get(), bias.get());
            tensor(pooled, shape.pooled())
        }
    }

    impl EmbedMaxGradient for Flex {
        fn embed_max_gradient(
            motifs: FlexFloat,
            weight: FlexFloat,
            output_grad: FlexFloat,
            window: [usize; 2],
        ) -> (FlexFloat, FlexFloat) {
            let shape = shape_of(&motifs, &weight, window);
            let shapes = [&motifs, &weight].map(|tensor| tensor.layout().shape().clone());
            let [motifs, weight, output_grad] = [motifs, weight, output_grad].map(Values::new);
            let gradient = cpu::backward(&shape, motifs.get(), weight.get(), output_grad.get());
            let [motifs, weight] = shapes;
            (
                tensor(gradient.motifs, motifs),
                tensor(gradient.weight, weight),
            )
        }
    }

    fn shape_of(motifs: &FlexFloat, weight: &FlexFloat, window: [usize; 2]) -> PoolShape {
        PoolShape::new(motifs.layout().shape(), weight.layout().shape(), window)
    }
}

#[cfg(feature = "cube")]
mod gpu {
    use burn::backend::TensorMetadata;
    use burn_cubecl::CubeBackend;
    use burn_cubecl::tensor::CubeTensor;

    use super::super::cube;
    use super::{EmbedMax, EmbedMaxGradient, PoolShape};

    impl EmbedMax for CubeBackend {
        fn embed_max(
            motifs: CubeTensor,
            weight: CubeTensor,
            bias: CubeTensor,
            window: [usize; 2],
        ) -> CubeTensor {
            let shape = PoolShape::new(&motifs.shape(), &weight.shape(), window);
            cube::forward(&shape, motifs, weight, bias)
        }
    }

    impl EmbedMaxGradient for CubeBackend {
        fn embed_max_gradient(
            motifs: CubeTensor,
            weight: CubeTensor,
            output_grad: CubeTensor,
            window: [usize; 2],
        ) -> (CubeTensor, CubeTensor) {
            let shape = PoolShape::new(&motifs.shape(), &weight.shape(), window);
            cube::backward(&shape, motifs, weight, output_grad)
        }
    }
}

impl<B: EmbedMax + EmbedMaxGradient, C: CheckpointStrategy> EmbedMax for Autodiff<B, C> {
    fn embed_max(
        motifs: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        window: [usize; 2],
    ) -> FloatTensor<Self> {
        let nodes = [motifs.node(), weight.node(), bias.node()];
        let [motifs, weight, bias] = [motifs, weight, bias].map(|tensor| tensor.into_primitive());
        let output = B::embed_max(motifs.clone(), weight.clone(), bias, window);
        track::<C, B, _, _>(nodes, output, |_| (motifs, weight, window), gradients::<B>)
    }
}

/// Of motifs, weight and bias, from the first two and the window.
fn gradients<B: EmbedMaxGradient>(
    (motifs, weight, window): (FloatTensor<B>, FloatTensor<B>, [usize; 2]),
    grad: FloatTensor<B>,
    [_, _, bias_wanted]: [bool; 3],
) -> [Option<FloatTensor<B>>; 3] {
    let bias = bias_wanted.then(|| {
        // Axis by axis: on Flex to the bit what Burn's own addition gives.
        let bias = (0..3).fold(grad.clone(), B::float_sum_dim);
        let features = bias.shape().num_elements();
        B::float_reshape(bias, Shape::from([features]))
    });
    let (motifs, weight) = B::embed_max_gradient(motifs, weight, grad, window);
    [Some(motifs), Some(weight), bias]
}
