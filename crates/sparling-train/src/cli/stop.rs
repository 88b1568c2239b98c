//! Signals that ask a training to save and stop.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// What the system calls ending by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// A flag that Ctrl-C sets, and whatever else asks politely: SIGTERM (a scheduler, a shutdown) and
/// SIGHUP (a terminal that was closed). Ctrl-C once the flag is set ends the program at once.
///
/// A signal that was ignored when the program was started, as `nohup` does, stays ignored.
///
/// # Errors
///
/// If the system refuses.
pub fn on_request() -> Result<Arc<AtomicBool>> {
    let requested = Arc::new(AtomicBool::new(false));
    for signal in signals() {
        let register = || {
            if signal == SIGINT {
                // Before the flag is set, so that it takes a second one.
                flag::register_conditional_shutdown(signal, INTERRUPTED, requested.clone())?;
            }
            flag::register(signal, requested.clone())
        };
        register().with_context(|| format!("cannot listen for signal {signal}"))?;
    }
    Ok(requested)
}

/// Asks a process of this program to save and stop. Elsewhere than on Unix Ctrl-C reaches it by itself.
pub fn ask(child: &Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        // One that has ended already needs nothing.
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = child;
}

#[cfg(unix)]
fn signals() -> impl Iterator<Item = i32> {
    use signal_hook::consts::{SIGHUP, SIGTERM};

    [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| !is_ignored(*signal))
}

#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action `sigaction` changes nothing; it fills in the one there is, of which
    // all zeros is a valid value.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn signals() -> impl Iterator<Item = i32> {
    [SIGINT, signal_hook::consts::SIGTERM].into_iter()
}
