//! Charts with up to four curves each, on linear or logarithmic axes.

mod axis;
mod panel;

pub(super) use axis::Axis;
pub(super) use panel::{Panel, Series};
