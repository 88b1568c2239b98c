//! The `sparling` program.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use sparling_train::cli::Cli;

/// Training allocates and frees large tensors all the time; the system's allocator hands their
/// pages back and forth.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
