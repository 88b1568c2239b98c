//! Extremely sparse activations for [Burn] models: the spatial sparsity layer of SPARLING.
//!
//! The layer lets through only the largest activations of each channel and holds their share, the
//! *density*, at any value asked for, down to a few in a million (paper, section 4.1):
//!
//! ```text
//! y = relu(z - t)        t <- momentum * t + (1 - momentum) * quantile(z, 1 - density)
//! ```
//!
//! The threshold `t` follows the batches during training, gets no gradient, and is frozen in
//! evaluation. Whoever trains lowers the density step by step as the model learns (section 4.2).
//!
//! ```
//! use burn::tensor::{Device, Distribution, Tensor};
//! use sparling_layer::{SparseBottleneckConfig, SpatialSparsityConfig};
//!
//! let device = Device::default().autodiff();
//! let mut bottleneck = SparseBottleneckConfig::new(SpatialSparsityConfig::new(10, 0.5)).init(&device);
//!
//! let features = Tensor::<4>::random([8, 10, 32, 32], Distribution::Default, &device);
//! let motifs = bottleneck.forward(features); // [8, 10, 32, 32], half of it zero once `t` settles
//! assert_eq!(motifs.dims(), [8, 10, 32, 32]);
//!
//! bottleneck.sparsity.set_density(0.5 * 0.75)?;
//! # Ok::<(), sparling_layer::DensityError>(())
//! ```
//!
//! Modules, in reading order: [`spatial`] is the layer, [`density`] the share that it lets through,
//! and [`annealing`] the paper's Algorithm 1, which lowers that; [`accumulate`] gathers batches
//! where one is not enough; [`batch_norm`] is the normalisation that the paper puts before it,
//! [`bottleneck`] the two together, [`competition`] what may be done to its activations in
//! training, [`baseline`] what the layer is compared with, and [`quantile`] the order statistic
//! underneath.
//!
//! [Burn]: https://burn.dev

pub mod spatial;

pub mod accumulate;
pub mod annealing;
pub mod density;

pub mod baseline;
pub mod batch_norm;
pub mod bottleneck;
pub mod competition;
#[cfg(feature = "flex")]
mod sparse_forward;

pub mod quantile;

pub use accumulate::{Pending, PendingError};
pub use baseline::Baseline;
pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use bottleneck::{SparseBottleneck, SparseBottleneckConfig};
pub use competition::{Competition, Inhibition};
pub use density::{DensityError, DensityHandle};
pub use quantile::{ThresholdScope, Tracker, kth_smallest};
pub use spatial::{SpatialSparsity, SpatialSparsityConfig};
