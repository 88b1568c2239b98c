//! Whether this machine's memory can hold a training.

use std::fs;

use anyhow::{Result, ensure};
use sparling_data::Domain;

use crate::backend::Backend;
use crate::config::RunConfig;

/// Refuses a configuration whose steps take more memory than this machine has, where that is known: else the system
/// would end the program without a word.
pub(super) fn require(config: &RunConfig, domain: &dyn Domain, backend: Backend) -> Result<()> {
    let least = config.least_memory(domain);
    let there = match backend {
        Backend::Flex | Backend::Ndarray => of_machine(),
        _ => None,
    };
    ensure!(
        there.is_none_or(|there| least <= there),
        "a step takes at least {} GiB of memory, but this machine has {}: lower training.batch_size ({}), \
         motif_model.width ({}) or the inputs' size",
        gibibytes(least),
        gibibytes(there.unwrap_or_default()),
        config.training.batch_size,
        config.motif_model.width,
    );
    Ok(())
}

fn gibibytes(bytes: u128) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 30))
}

/// The memory of this machine in bytes, on systems that tell (Linux).
fn of_machine() -> Option<u128> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u128 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
