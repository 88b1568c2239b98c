//! A run for a test to damage.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::circle::train;
use crate::program::{printed, sparling};

/// Runs it to its failure with this exit code, and checks that its error holds all of `wanted`.
pub fn fails_with(code: i32, command: &mut Command, wanted: &[&str]) {
    let output = command.output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {error}");
    assert!(!error.contains("panicked"), "{command:?}: {error}");
    for part in wanted {
        assert!(error.contains(part), "{command:?}: no `{part}` in: {error}");
    }
}

/// The same with the exit code of an error.
pub fn fails(command: &mut Command, wanted: &[&str]) {
    fails_with(1, command, wanted);
}

/// As text.
pub fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// A run after its first cut, for one test to damage.
pub struct Run {
    /// Its folder.
    pub path: PathBuf,
    /// What is in it, by the paths in its folder.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    _folder: TempDir,
}

impl Run {
    /// Of 105 samples.
    pub fn new() -> Self {
        /// What all copies are of.
        static ORIGINAL: LazyLock<BTreeMap<PathBuf, Vec<u8>>> = LazyLock::new(|| {
            let out = tempfile::tempdir().expect("a temporary folder can be made");
            printed(train(out.path(), "run").args(["--max-samples", "105"]));
            contents(&out.path().join("digitcircle/run"))
        });
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("run");
        fs::create_dir_all(path.join("checkpoints")).expect("a folder can be made");
        for (name, contents) in &*ORIGINAL {
            fs::write(path.join(name), contents).expect("a file can be written");
        }
        Self {
            path,
            files: ORIGINAL.clone(),
            _folder: folder,
        }
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Goes on with it.
    pub fn resume(&self) -> Command {
        self.command(&["train", "--resume"])
    }

    /// Evaluates it.
    pub fn evaluate(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["evaluate"]);
        command.args(["--examples", "10"]).args(arguments);
        command
    }

    /// A command on it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = sparling(arguments);
        command.arg(&self.path);
        command
    }

    /// Checks that all files but the `changed` ones are as they were.
    pub fn assert_untouched_but(&self, changed: &[&str]) {
        let now = contents(&self.path);
        for (name, original) in &self.files {
            if !changed.iter().any(|changed| name == Path::new(changed)) {
                assert!(
                    now.get(name) == Some(original),
                    "{} changed",
                    name.display()
                );
            }
        }
    }
}

/// The files of a run.
pub fn contents(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in ["", "checkpoints"] {
        let entries = fs::read_dir(run.join(folder)).expect("a run's folder can be listed");
        for entry in entries {
            let path = entry.expect("a run's folder can be listed").path();
            if path.is_file() {
                let name = path.strip_prefix(run).expect("it is in the folder");
                let contents = fs::read(&path).expect("a run's file can be read");
                files.insert(name.to_owned(), contents);
            }
        }
    }
    files
}
