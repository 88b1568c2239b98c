//! Which files to read: those named, those in folders, and those that fit a pattern.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sparling_data::folder::{Media, labels};

/// A file to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Its name: within the folder that was given, with slashes; of a file that was given its path.
    pub name: String,
    /// What metadata beside it says is in it.
    pub label: Option<String>,
}

/// The files to read, in the order given and sorted within folders and patterns, and what was odd.
///
/// Folders are searched for files of this kind, but not through links to folders or in hidden ones.
///
/// # Errors
///
/// If a folder cannot be listed, or there is nothing in one, or nothing fits a pattern.
pub fn find(
    paths: &[PathBuf],
    media: Media,
    column: Option<&str>,
) -> Result<(Vec<Found>, Vec<String>)> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(within(path, media)?);
        } else if let Some(pattern) = pattern(path) {
            found.extend(fitting(pattern)?);
        } else {
            found.push(Found::file(path));
        }
    }
    let odd = label(&mut found, paths, column);
    Ok((found, odd))
}

impl Found {
    /// A file that was named.
    fn file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            name: path.to_string_lossy().into_owned(),
            label: None,
        }
    }
}

/// The files of a folder and of those within it.
fn within(folder: &Path, media: Media) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut pending = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        let list = || format!("cannot list {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(list)? {
            let entry = entry.with_context(list)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push((path, format!("{prefix}{name}/")));
            } else if Media::of(&path) == Some(media) {
                found.push(Found {
                    path,
                    name: format!("{prefix}{name}"),
                    label: None,
                });
            }
        }
    }
    let wanted = match media {
        Media::Pictures => "a picture (PNG or JPEG)",
        Media::Recordings => "a recording (WAV)",
    };
    ensure!(
        !found.is_empty(),
        "{} has no file that this model could read: it reads {wanted}",
        folder.display()
    );
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// A path that is no file but may be a pattern, as where no shell has filled it in.
fn pattern(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    (!path.exists() && text.contains(['*', '?', '['])).then_some(text)
}

fn fitting(pattern: &str) -> Result<Vec<Found>> {
    let paths = glob::glob(pattern).with_context(|| format!("`{pattern}` is no pattern"))?;
    let mut found = Vec::new();
    for path in paths {
        let path = path?;
        if path.is_file() {
            found.push(Found::file(&path));
        }
    }
    ensure!(!found.is_empty(), "no file fits `{pattern}`");
    Ok(found)
}

/// Adds what metadata says, of the folders given and of those that files are in; returns what cannot be
/// used of it.
fn label(found: &mut [Found], paths: &[PathBuf], column: Option<&str>) -> Vec<String> {
    let mut folders: Vec<&Path> = paths
        .iter()
        .filter(|path| path.is_dir())
        .map(PathBuf::as_path)
        .collect();
    folders.extend(found.iter().filter_map(|file| file.path.parent()));
    folders.sort_unstable();
    folders.dedup();
    let mut odd = Vec::new();
    let mut known = BTreeMap::new();
    for folder in folders {
        match labels(folder, column) {
            Ok(labels) => known.extend(labels),
            Err(error) => odd.push(format!(
                "labels in {} are left out: {error}",
                folder.display()
            )),
        }
    }
    for file in found {
        file.label = known.get(&file.path).cloned();
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf]) -> Vec<String> {
        let (found, odd) = find(paths, Media::Pictures, None).unwrap();
        assert_eq!(odd, Vec::<String>::new());
        let name = |file: Found| match file.label {
            Some(label) => format!("{}={label}", file.path.file_name().unwrap().display()),
            None => file.path.file_name().unwrap().display().to_string(),
        };
        found.into_iter().map(name).collect()
    }

    #[test]
    fn folders_patterns_and_files_are_found_with_their_labels() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("test/.hidden")).unwrap();
        for name in ["b.png", "test/a.jpg", "test/c.wav", "test/.hidden/d.png"] {
            fs::write(at(name), "").unwrap();
        }
        let line = "{\"file_name\": \"a.jpg\", \"text\": \"17\"}\n";
        fs::write(at("test/metadata.jsonl"), line).unwrap();
        let all = ["b.png", "a.jpg=17"];
        assert_eq!(names(&[folder.path().to_owned()]), all);
        assert_eq!(names(&[at("*.png"), at("test/a.jpg")]), all);
        assert_eq!(
            names(&[at("*/*.jpg"), at("none.png")]),
            ["a.jpg=17", "none.png"]
        );

        let fails = |path: PathBuf| {
            find(&[path], Media::Recordings, None)
                .unwrap_err()
                .to_string()
        };
        assert!(fails(at("*.gif")).contains("no file fits"));
        fs::remove_file(at("test/c.wav")).unwrap();
        assert!(fails(at("test")).contains("it reads a recording"));
    }

    #[test]
    fn metadata_of_something_else_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        fs::write(&file, "").unwrap();
        fs::write(folder.path().join("metadata.csv"), "size,colour\n3,red\n").unwrap();
        let (found, odd) = find(&[file], Media::Pictures, None).unwrap();
        assert_eq!((found.len(), odd.len()), (1, 1));
        assert!(
            found[0].label.is_none() && odd[0].contains("left out"),
            "{odd:?}"
        );
    }
}
