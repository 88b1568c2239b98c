//! How a run begins: its folder is made whole under another name and then renamed, so that a name is
//! either free or a run's, whenever the process dies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::RunConfig;
use crate::files::atomic;
use crate::run::folder::{Environment, RunError, RunFolder};
use crate::run::lock::Lock;

/// What a run's folder is called until it is whole, after the process that makes it.
const BEGUN: &str = "-begun";

/// Makes the folder of a new run, writes down what it is to do, and takes it for this process.
///
/// # Errors
///
/// If the name is taken, or the folder cannot be written; nothing is left behind then.
pub fn begin(
    path: &Path,
    config: &RunConfig,
    environment: &Environment,
) -> Result<(RunFolder, Lock), RunError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(io_at(parent))?;
    clear_remains(parent);
    refuse_taken(path)?;
    let config = config.to_toml()?;
    let temporary = parent.join(format!(".{}{BEGUN}", std::process::id()));
    fs::create_dir(&temporary).map_err(io_at(path))?;
    let begun = make(&temporary, &config, environment).and_then(|lock| {
        rename(&temporary, path)?;
        Ok(lock)
    });
    match begun {
        Ok(lock) => Ok((RunFolder::open(path)?, lock)),
        Err(error) => {
            // The error that matters is the one reported.
            let _ = fs::remove_dir_all(&temporary);
            Err(error)
        }
    }
}

fn make(folder: &Path, config: &str, environment: &Environment) -> Result<Lock, RunError> {
    let lock = Lock::take(folder)?;
    let checkpoints = folder.join("checkpoints");
    fs::create_dir(&checkpoints).map_err(io_at(&checkpoints))?;
    let environment = serde_json::to_vec_pretty(environment).expect("plain structs serialise");
    atomic::write(&folder.join("environment.json"), &environment)?;
    atomic::write(&folder.join("config.toml"), config.as_bytes())?;
    Ok(lock)
}

fn rename(from: &Path, to: &Path) -> Result<(), RunError> {
    match fs::rename(from, to).and_then(|()| atomic::sync_parent(to)) {
        Ok(()) => Ok(()),
        // Another process was quicker.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(RunError::Exists(to.to_owned()))
        }
        Err(source) => Err(io_at(to)(source)),
    }
}

/// Whether a name is free for a run. What a run that was never begun has left under it is removed.
fn refuse_taken(path: &Path) -> Result<(), RunError> {
    if RunFolder::open(path).is_ok() {
        return Err(match Lock::take(path) {
            Err(RunError::InUse(_)) => RunError::ExistsInUse(path.to_owned()),
            _ => RunError::Exists(path.to_owned()),
        });
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io_at(path)(source)),
        Ok(there) if there.is_dir() && is_remains(path).map_err(io_at(path))? => {
            fs::remove_dir_all(path).map_err(io_at(path))
        }
        Ok(_) => Err(RunError::NotFree(path.to_owned())),
    }
}

/// Whether a folder holds nothing but what is written before a run begins.
fn is_remains(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let remains = match name.to_string_lossy().as_ref() {
            "environment.json" | ".lock" => true,
            "checkpoints" => fs::read_dir(entry.path())?.next().is_none(),
            name => atomic::is_temporary(name),
        };
        if !remains {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes the folders that processes which died had begun to make. What cannot be removed does no harm.
fn clear_remains(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_abandoned = name.ends_with(BEGUN) && atomic::is_abandoned(&name);
        // A process of another machine that still makes it has its lock.
        if is_abandoned && Lock::take(&entry.path()).is_ok_and(|lock| lock.warning().is_none()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> RunError {
    let path: PathBuf = path.to_owned();
    move |source| RunError::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;

    fn begin_in(folder: &Path) -> Result<(RunFolder, Lock), RunError> {
        let config = RunConfig::load("digitcircle", "small", None, &[]).expect("a preset is valid");
        begin(
            &folder.join("run"),
            &config,
            &Environment::of(Backend::Flex),
        )
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder can be listed");
        let name = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.expect("a folder can be listed");
            entry.file_name().to_string_lossy().into_owned()
        };
        entries.map(name).collect()
    }

    #[test]
    fn a_run_is_there_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (run, lock) = begin_in(folder.path()).unwrap();
        assert!(run.config().is_ok());
        let taken = begin_in(folder.path()).unwrap_err().to_string();
        assert!(taken.contains("another process trains it"), "{taken}");
        drop(lock);
        let taken = begin_in(folder.path()).unwrap_err().to_string();
        assert!(taken.contains("--resume"), "{taken}");
        assert_eq!(names(folder.path()), ["run"]);
    }

    #[test]
    fn what_was_never_begun_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let half = folder.path().join(format!(".2147483647{BEGUN}"));
        fs::create_dir_all(half.join("checkpoints")).unwrap();
        let old = folder.path().join("run");
        fs::create_dir_all(old.join("checkpoints")).unwrap();
        fs::write(old.join("environment.json"), "{}").unwrap();
        fs::write(old.join(".17-config.toml"), "seed =").unwrap();
        begin_in(folder.path()).unwrap();
        assert_eq!(names(folder.path()), ["run"]);
    }

    #[test]
    fn what_somebody_keeps_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("run/checkpoints/notes.txt");
        fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        fs::write(&theirs, "mine").unwrap();
        let error = begin_in(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("is no run") && error.contains("--name"),
            "{error}"
        );
        assert!(theirs.exists());
    }
}
