//! Batch normalisation followed by the spatial sparsity layer, as the paper uses them, and what the
//! two are compared with.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::baseline::Baseline;
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
    /// Whether there is a normalisation. Without, the model does not learn (paper, section 5.2).
    #[config(default = true)]
    pub batch_norm: bool,
    /// What stands in for the sparsity layer, to compare with; `None` is the layer itself.
    #[config(default = "None")]
    pub baseline: Option<Baseline>,
}

/// Normalises each channel, then lets through only its largest activations.
#[derive(Module, Debug)]
pub struct SparseBottleneck {
    /// The normalisation; the paper's model always has it.
    pub norm: Option<BatchNorm>,
    /// The sparsity layer.
    pub sparsity: SpatialSparsity,
    #[module(skip)]
    baseline: Option<Baseline>,
}

impl SparseBottleneckConfig {
    /// Initialises both layers.
    pub fn init(&self, device: &Device) -> SparseBottleneck {
        let norm = BatchNormConfig::new(self.sparsity.channels).with_affine(self.affine);
        SparseBottleneck {
            norm: self.batch_norm.then(|| norm.init(device)),
            sparsity: self.sparsity.init(device),
            baseline: self.baseline,
        }
    }
}

impl SparseBottleneck {
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`, rank 2 to 5
    /// - output: the same, with all but the density's share of it zero
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_with_penalty(input).0
    }

    /// What passes, and what a [`Baseline`] or competing channels add to the loss.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`, rank 2 to 5
    /// - output: the same, and `[1]`
    pub fn forward_with_penalty<const D: usize>(
        &self,
        input: Tensor<D>,
    ) -> (Tensor<D>, Option<Tensor<1>>) {
        if let Some(baseline) = &self.baseline {
            let density = self.sparsity.density();
            return baseline.forward(self.normalise(input), density);
        }
        #[cfg(feature = "flex")]
        if let Some(norm) = &self.norm
            && let Some(output) = sparse_forward::forward(norm, &self.sparsity, &input)
        {
            return self.sparsity.compete(output);
        }
        self.sparsity.forward_with_penalty(self.normalise(input))
    }

    fn normalise<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        match &self.norm {
            Some(norm) => norm.forward(input),
            None => input,
        }
    }
}
