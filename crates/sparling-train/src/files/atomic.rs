//! Files that are either the old ones or the new ones, never half of each.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// So many letters of a name are in that of its temporary file.
const LONGEST_END: usize = 40;

/// A file that could not be written; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("cannot save {path}: {source}; what was saved before is untouched")]
pub struct SaveError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Replaces a file by new contents: written under a temporary name beside it, synced, renamed.
///
/// # Errors
///
/// If the folder cannot be written or is full. The old file is untouched then.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), SaveError> {
    replace(path, |temporary| {
        let mut file = File::create(temporary)?;
        file.write_all(contents)?;
        file.sync_all()
    })
}

/// As [`write()`], for contents that a closure writes to the temporary path it is given, whose
/// extension is that of `path`.
///
/// # Errors
///
/// What the closure says, or if the rename fails.
pub fn replace(
    path: &Path,
    fill: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<(), SaveError> {
    let temporary = temporary(path);
    let result = fill(&temporary)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_parent(path));
    result.map_err(|source| {
        // The temporary file is of no use; the error that matters is the one reported.
        let _ = fs::remove_file(&temporary);
        SaveError {
            path: path.to_owned(),
            source,
        }
    })
}

/// The name that a file has until it is whole: the process that writes it, and the end of its own name,
/// which may be as long as a name can be.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let skipped = name.chars().count().saturating_sub(LONGEST_END);
    let end: String = name.chars().skip(skipped).collect();
    path.with_file_name(format!(".{}-{end}", std::process::id()))
}

/// Whether a file's name is one that files have until they are whole.
pub fn is_temporary(name: &str) -> bool {
    writer(name).is_some()
}

/// Whether it is, and the process that was to finish the file is dead.
pub fn is_abandoned(name: &str) -> bool {
    writer(name).is_some_and(|process| !lives(process))
}

/// The process that writes a file of such a name.
fn writer(name: &str) -> Option<u32> {
    let (process, _) = name.strip_prefix('.')?.split_once('-')?;
    process.parse().ok()
}

/// Removes the files in a folder that processes had not finished when they died.
pub fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if is_abandoned(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a process of this machine is still there, or is this one.
#[cfg(unix)]
fn lives(process: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| test_kill_process(process) != Err(Errno::SRCH))
}

#[cfg(not(unix))]
fn lives(_process: u32) -> bool {
    true
}

/// Makes a rename itself last.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        write(&path, b"old").unwrap();
        let error = replace(&path, |temporary| {
            fs::write(temporary, b"half of the n")?;
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        });
        assert!(error.unwrap_err().to_string().contains("state.json"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn what_the_dead_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        // No process has so high a number.
        let abandoned = folder.path().join(".2147483647-last.json");
        let mine = format!(".{}-last.json", std::process::id());
        let kept =
            [mine.as_str(), ".lock", ".a-b", "1-last.json"].map(|name| folder.path().join(name));
        fs::write(&abandoned, "half").unwrap();
        for file in &kept {
            fs::write(file, "kept").unwrap();
        }
        remove_abandoned(folder.path());
        assert!(!abandoned.exists());
        assert!(kept.iter().all(|file| file.exists()));
    }

    #[test]
    fn names_may_be_as_long_as_the_system_lets_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder
            .path()
            .join(format!("{}.json", "\u{5b57}".repeat(82)));
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
