//! `sparling devices`.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::backend::Backend;

/// What `devices` takes.
#[derive(Debug, Args)]
pub struct Devices {}

impl Devices {
    pub(super) fn run(self) -> Result<()> {
        for backend in Backend::value_variants() {
            match Backend::choose(Some(*backend), "devices") {
                Ok(backend) => println!("{backend:<8} {:?}", backend.device()),
                Err(_) => println!(
                    "{:<8} not compiled in: cargo xtask devices --backend {backend}",
                    backend.to_string()
                ),
            }
        }
        Ok(())
    }
}
