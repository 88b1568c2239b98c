//! The share of activations that a layer lets through, which training lowers step by step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A layer's density, shared by the layer, its clones and whoever asked for it with
/// [`density_handle`](crate::SpatialSparsity::density_handle): a training loop that owns the model
/// by value can be told a new density from outside.
#[derive(Clone, Debug)]
pub struct DensityHandle(Arc<AtomicU64>); // the bits of an f64

/// A density outside `(0, 1]`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("density must be above 0 and at most 1, got {0}")]
pub struct DensityError(pub f64);

impl DensityHandle {
    pub(crate) fn new(density: f64) -> Result<Self, DensityError> {
        Ok(Self(Arc::new(AtomicU64::new(validate(density)?.to_bits()))))
    }

    /// The share of activations let through.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Changes it; the thresholds follow with the next batches.
    ///
    /// # Errors
    ///
    /// Refuses a density outside `(0, 1]`.
    pub fn set(&self, density: f64) -> Result<(), DensityError> {
        self.0
            .store(validate(density)?.to_bits(), Ordering::Relaxed);
        Ok(())
    }
}

fn validate(density: f64) -> Result<f64, DensityError> {
    if density > 0.0 && density <= 1.0 {
        Ok(density)
    } else {
        Err(DensityError(density))
    }
}
