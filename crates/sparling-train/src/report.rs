//! Pictures of what a model found and of how it was trained, and the page that puts runs side by side.
//!
//! Everything is drawn as SVG ([`drawing`]) in one typeface, and rendered where a file is a PNG.
//! Everything is told apart by shape or dash as well as by colour, so that it survives a grey print.
//! Nothing here knows models: pictures are drawn from plain data.

pub mod channels;
mod chart;
pub mod curves;
mod drawing;
pub mod effects;
pub mod evidence;
pub mod examples;
pub mod flow;
pub(crate) mod greys;
mod marker;
pub mod page;
pub mod scaling;
