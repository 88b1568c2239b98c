//! Pictures of what a model found and of how it was trained.
//!
//! Everything is told apart by shape or dash as well as by colour, so that it survives a grey
//! print. Nothing here knows models: pictures are drawn from plain data.

mod canvas;
pub mod channels;
mod chart;
pub mod curves;
pub mod evidence;
pub mod examples;
mod lettering;
pub mod page;
pub mod scaling;
