//! The sizes that every form of the operator shares.

use burn::tensor::Shape;

/// Motifs `[batch, channels, height, width]`, embedded by `[features, channels]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolShape {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) features: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Rows and columns of a window; it fits into the map.
    pub(super) window: [usize; 2],
}

impl PoolShape {
    pub(super) fn new(motifs: &Shape, weight: &Shape, window: [usize; 2]) -> Self {
        let [batch, channels, height, width] = motifs.dims();
        let [features, _] = weight.dims();
        Self {
            batch,
            channels,
            features,
            height,
            width,
            window,
        }
    }

    /// Rows and columns of whole windows.
    pub(super) fn cells(&self) -> [usize; 2] {
        [self.height / self.window[0], self.width / self.window[1]]
    }

    /// Of the pooled embedding: `[batch, rows, columns, features]`.
    pub(super) fn pooled(&self) -> [usize; 4] {
        let [rows, columns] = self.cells();
        [self.batch, rows, columns, self.features]
    }
}
