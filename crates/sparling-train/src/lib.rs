//! Trains, evaluates and looks inside SPARLING models.
//!
//! In reading order: [`config`] says what a run does, [`trainer`] is the loop, [`anneal`] decides
//! when the density is cut, [`last_phase`] what follows, [`learner`] with [`loss`], [`clip`] and [`adam`] is one
//! step, [`evaluate`] and [`metrics`] measure, [`run`], [`event`] and [`checkpoint`] keep what was done,
//! [`report`] draws it, [`picture`] and [`sound`] read and write inputs, [`golden`] compares with
//! PyTorch, and [`cli`] is what the user types.

pub mod adam;
pub mod anneal;
pub mod atomic;
pub mod backend;
pub mod bench;
pub mod binning;
pub mod causality;
pub mod checkpoint;
pub mod cli;
pub mod clip;
pub mod config;
pub mod dataset;
pub mod direct;
pub mod evaluate;
pub mod event;
pub mod experiment;
pub mod golden;
pub mod host;
pub mod input;
pub mod inside;
pub mod intervene;
pub mod last_phase;
pub mod learner;
pub mod loss;
pub mod metrics;
pub mod model;
pub mod picture;
pub mod report;
pub mod run;
pub mod sound;
pub mod splitting;
pub mod statistics;
pub mod study;
pub mod support;
pub mod trainer;
