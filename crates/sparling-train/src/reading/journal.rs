//! What was annotated so far, so that a stopped command can go on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Handling;
use super::annotations::Annotation;
use crate::files::atomic;
use crate::run::trained::Trained;

/// The lines so far.
const LINES: &str = ".annotations.jsonl";

/// Which model they are of.
const MODEL: &str = ".annotations.model";

/// Annotations in a folder, a line each, written as they are made.
#[derive(Debug)]
pub struct Journal {
    file: File,
    annotations: Vec<Annotation>,
}

impl Journal {
    /// Opens a folder's journal, or begins one.
    ///
    /// # Errors
    ///
    /// If the folder has annotations of another model, or cannot be written.
    pub fn open(folder: &Path, trained: &Trained, handling: Handling) -> Result<Self> {
        Self::begin(folder, &format!("{} {handling:?}", trained.weights()))
    }

    fn begin(folder: &Path, model: &str) -> Result<Self> {
        let (lines, of) = (folder.join(LINES), folder.join(MODEL));
        if lines.exists() {
            let of = fs::read_to_string(&of).unwrap_or_default();
            ensure!(
                of == model,
                "{} has annotations that were made with another model or other options: choose another folder \
                 with --out",
                folder.display()
            );
        } else {
            atomic::write(&of, model.as_bytes())?;
        }
        let text = fs::read(&lines).unwrap_or_default();
        // What was being written when the command was stopped is a line without an end.
        let whole = text.iter().rposition(|byte| *byte == b'\n');
        let whole = whole.map_or(0, |end| end + 1);
        let annotations = text[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} is damaged: remove it", lines.display()))?;
        let open = || -> std::io::Result<File> {
            let mut options = OpenOptions::new();
            let file = options.create(true).append(true).open(&lines)?;
            file.set_len(whole as u64)?;
            Ok(file)
        };
        let file = open().with_context(|| format!("cannot write {}", lines.display()))?;
        Ok(Self { file, annotations })
    }

    /// The files that are annotated.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let annotations = self.annotations.iter();
        annotations.map(|annotation| annotation.file_name.as_str())
    }

    /// Adds a file's annotation.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn add(&mut self, annotation: Annotation) -> Result<()> {
        let mut line = serde_json::to_vec(&annotation)?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .context("cannot write annotations")?;
        self.annotations.push(annotation);
        Ok(())
    }

    /// All of them.
    pub fn into_annotations(self) -> Vec<Annotation> {
        self.annotations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::annotations::Objects;

    fn annotation(name: &str) -> Annotation {
        Annotation {
            file_name: name.to_owned(),
            text: "17".to_owned(),
            confidence: Some(0.25),
            width: None,
            height: None,
            notes: Vec::new(),
            objects: Objects::default(),
        }
    }

    #[test]
    fn a_stopped_journal_goes_on_after_its_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(folder.path(), "one").unwrap();
        journal.add(annotation("a.png")).unwrap();
        journal.add(annotation("b.png")).unwrap();
        drop(journal);
        let lines = folder.path().join(LINES);
        let text = fs::read(&lines).unwrap();
        fs::write(&lines, &text[..text.len() - 5]).unwrap();

        let mut journal = Journal::begin(folder.path(), "one").unwrap();
        assert_eq!(journal.names().collect::<Vec<_>>(), ["a.png"]);
        journal.add(annotation("c.png")).unwrap();
        let journal = Journal::begin(folder.path(), "one").unwrap();
        assert_eq!(
            journal.into_annotations(),
            ["a.png", "c.png"].map(annotation)
        );

        let other = Journal::begin(folder.path(), "other").unwrap_err();
        assert!(other.to_string().contains("another model"));
    }
}
