//! Who trains a run: at most one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::folder::RunError;

/// A run taken for this process, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    /// Why the file system could not lock, if it could not.
    unlocked: Option<io::Error>,
    path: PathBuf,
}

impl Lock {
    /// Takes the run in `folder`.
    ///
    /// # Errors
    ///
    /// If another process has it, or the lock's file cannot be made. A file system that cannot lock is no
    /// error: [`warning`](Self::warning) says so.
    pub fn take(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(".lock");
        let file = open(&path).map_err(|source| RunError::Io {
            path: path.clone(),
            source,
        })?;
        let unlocked = match file.try_lock() {
            Ok(()) => None,
            Err(TryLockError::WouldBlock) => return Err(RunError::InUse(path)),
            Err(TryLockError::Error(error)) => match lock_record(&file) {
                Ok(true) => None,
                Ok(false) => return Err(RunError::InUse(path)),
                Err(_) => Some(error),
            },
        };
        Ok(Self {
            _file: file,
            unlocked,
            path,
        })
    }

    /// What the user must know where the file system has no locks.
    pub fn warning(&self) -> Option<String> {
        let error = self.unlocked.as_ref()?;
        Some(format!(
            "{} cannot be locked ({error}): see to it that no other process trains this run",
            self.path.display()
        ))
    }
}

/// Never through a link, and never cutting what is there.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW);
    }
    options.open(path)
}

/// The other way of locking, which some network file systems have alone; `false` if another process has it.
#[cfg(unix)]
fn lock_record(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;
    match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn lock_record(_file: &File) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_process_has_it_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        assert_eq!(lock.warning(), None);
        let error = Lock::take(folder.path()).unwrap_err();
        assert!(matches!(error, RunError::InUse(_)), "{error}");
        drop(lock);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_a_link_points_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("thesis.tex");
        fs::write(&precious, "all of it").unwrap();
        std::os::unix::fs::symlink(&precious, folder.path().join(".lock")).unwrap();
        Lock::take(folder.path()).unwrap_err();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "all of it");
    }
}
