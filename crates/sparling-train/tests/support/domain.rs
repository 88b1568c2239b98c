//! A domain's tiny configuration on the command line.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::measured::events;
use crate::program::{printed, sparling};

/// A domain, and a configuration that trains on it in seconds.
pub struct Tiny {
    /// Its name.
    pub domain: &'static str,
    /// The file.
    pub config: &'static str,
}

impl Tiny {
    /// The folder of a run.
    pub fn run_of(&self, out: &Path, name: &str) -> PathBuf {
        out.join(self.domain).join(name)
    }

    /// Trains a run.
    pub fn train(&self, out: &Path, name: &str, more: &[&str]) -> Command {
        let mut command = sparling(&["train", self.domain, "--config", self.config]);
        command.args(["--name", name, "--out"]).arg(out).args(more);
        command
    }

    /// Trains a run called `finished` to its end; gives its folder's folder and what was printed.
    pub fn finished(&self) -> (TempDir, String) {
        let out = tempfile::tempdir().expect("a temporary folder can be made");
        let shown = printed(&mut self.train(out.path(), "finished", &[]));
        assert!(shown.contains("finished:"), "{shown}");
        (out, shown)
    }

    /// Stops a run after some samples and resumes it; it must measure what `finished` did.
    pub fn assert_resumes(&self, finished: &Path, stop: &str) -> TempDir {
        let out = tempfile::tempdir().expect("a temporary folder can be made");
        let shown = printed(&mut self.train(out.path(), "stopped", &["--max-samples", stop]));
        assert!(shown.contains("--resume"), "{shown}");
        let run = self.run_of(out.path(), "stopped");
        printed(sparling(&["train", "--resume"]).arg(&run));
        let expected = events(&self.run_of(finished, "finished"));
        assert_eq!(events(&run), expected, "metrics.jsonl");
        out
    }
}
