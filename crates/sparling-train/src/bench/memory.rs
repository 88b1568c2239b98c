//! How much memory the process holds, on systems that tell (Linux).

use std::fs;

/// The most that this process has held, in bytes.
pub(super) fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// How much more than before this process holds at most while `run` runs, in bytes.
pub(super) fn peak_of(run: impl FnOnce()) -> Option<u64> {
    // Forgets the peak so far.
    fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = status("VmRSS:")?;
    run();
    Some(peak()?.saturating_sub(before))
}

fn status(key: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
