//! Batch normalisation followed by the spatial sparsity layer, as the paper always uses them.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::batch_norm::{BatchNorm, BatchNormConfig};
#[cfg(feature = "flex")]
use crate::sparse_forward;
use crate::spatial::{SpatialSparsity, SpatialSparsityConfig};

/// Configures a [`SparseBottleneck`].
#[derive(Config, Debug, PartialEq)]
pub struct SparseBottleneckConfig {
    /// The sparsity layer.
    pub sparsity: SpatialSparsityConfig,
    /// Whether the normalisation before it learns a scale and an offset.
    #[config(default = true)]
    pub affine: bool,
}

/// Normalises each channel, then lets through only its largest activations.
///
/// Without the normalisation the model does not learn (paper, section 5.2).
#[derive(Module, Debug)]
pub struct SparseBottleneck {
    /// The normalisation.
    pub norm: BatchNorm,
    /// The sparsity layer.
    pub sparsity: SpatialSparsity,
}

impl SparseBottleneckConfig {
    /// Initialises both layers.
    pub fn init(&self, device: &Device) -> SparseBottleneck {
        SparseBottleneck {
            norm: BatchNormConfig::new(self.sparsity.channels)
                .with_affine(self.affine)
                .init(device),
            sparsity: self.sparsity.init(device),
        }
    }
}

impl SparseBottleneck {
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`, rank 2 to 5
    /// - output: the same, with all but the density's share of it zero
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        #[cfg(feature = "flex")]
        if let Some(output) = sparse_forward::forward(&self.norm, &self.sparsity, &input) {
            return self.sparsity.compete(output);
        }
        self.sparsity.forward(self.norm.forward(input))
    }
}
