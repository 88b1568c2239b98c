//! Files that are either the old ones or the new ones, never half of each.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

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
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{}-{name}", std::process::id()));
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

/// Makes the rename itself last.
fn sync_parent(path: &Path) -> std::io::Result<()> {
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
}
