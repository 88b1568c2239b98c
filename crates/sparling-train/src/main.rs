//! The `sparling` program.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use sparling_train::cli::{self, Cli};

/// Training allocates and frees large tensors all the time; the system's allocator hands their
/// pages back and forth.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Keeps freed pages for the next tensors: handing them back to the system and zeroing them anew
/// costs some percent of training.
fn keep_freed_pages() {
    /// `mi_option_purge_delay` of `mimalloc.h`, in milliseconds; -1 is never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets one integer among mimalloc's options, which any thread may do at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
}

/// A file that grows beyond a limit of the system's is an error to be told, as any other that cannot be written,
/// and not the end of the program without a word.
#[cfg(unix)]
fn survive_limits_of_files() {
    // SAFETY: sets what a signal does before any thread is started; ignoring one runs no code.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

fn main() -> ExitCode {
    keep_freed_pages();
    #[cfg(unix)]
    survive_limits_of_files();
    cli::main(Cli::parse())
}
