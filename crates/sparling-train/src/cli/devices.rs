//! `sparling devices`.

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::output::say;
use crate::backend::{Backend, BackendError};

/// What `devices` takes.
#[derive(Debug, Args)]
pub struct Devices {}

impl Devices {
    pub(super) fn run(self) -> Result<()> {
        for backend in Backend::value_variants() {
            match Backend::choose(Some(*backend), "devices") {
                Ok(backend) => say!("{backend:<8} {:?}", backend.device()),
                Err(BackendError::NotCompiled { .. }) => {
                    say!("{backend:<8} not compiled in: build with `--features {backend}`")
                }
                Err(BackendError::NoDevice { reason, .. }) => {
                    say!("{backend:<8} no device: {reason}");
                }
            }
        }
        Ok(())
    }
}
