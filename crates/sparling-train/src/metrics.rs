//! How well motifs and outputs match the truth (paper, sections 3.2 and 5; appendix A).
//!
//! Nothing here knows about models or tensors: activations come as plain slices, truth as
//! [`Footprint`](sparling_data::Footprint)s. Everything accumulates counts, so that the examples'
//! order never matters, and divides at the end.
//!
//! A ratio whose denominator is zero is `None` (`null` in JSON), never NaN and never a flattering
//! 0: a model without any activation has no confusion error, not a perfect one.

pub mod matching;

pub mod motifs;

pub mod assignment;

pub mod confusion;

pub mod edit;

pub mod channel;

pub mod support;

pub mod names;

pub mod centred;

pub mod figures;

pub mod statistics;

pub use centred::{Centred, CentredCounts};
pub use confusion::AlignedConfusion;
pub use figures::{DetailedFigures, ERRORS, Evaluation, Figures, Share};
pub use matching::{Matching, Motif, Role};
pub use motifs::{MotifCounts, SymbolErrors};
pub use names::{Name, Names};
pub use support::{Support, Supports};

/// `numerator / denominator`, or `None` when there is nothing to divide by.
pub(crate) fn ratio(numerator: u64, denominator: u64) -> Option<f64> {
    (denominator > 0).then(|| numerator as f64 / denominator as f64)
}
