//! Trains, evaluates and looks inside SPARLING models.
//!
//! In reading order: [`config`] says what a run does; [`training`] is the loop, its step and what
//! comes after the annealing; [`sparling_layer::annealing`] decides when the density is cut;
//! `evaluate` and `metrics` measure; `run` keeps what was done; [`study`] asks more of trained
//! runs; `reading` reads files of one's own; `report` draws; [`serve`] is a page that does both live;
//! [`files`] and [`dataset`] read inputs; `golden` compares with PyTorch; and
//! [`cli`] is what the user types.

pub mod backend;
mod bench;
mod causes;
pub mod cli;
pub mod config;
pub mod dataset;
mod evaluate;
pub mod files;
#[cfg(test)]
mod fuzz;
mod golden;
mod host;
mod metrics;
mod program;
mod reading;
mod recipe;
mod report;
mod run;
pub mod serve;
pub mod study;
pub mod training;
