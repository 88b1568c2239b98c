//! Which files a folder has, and what is written down about each. No picture or recording is read.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{FolderError, unless_none};
use super::labels::{Line, Metadata, Objects};

/// The folders of the splits, by the names that are understood.
const SPLITS: [(&str, Part); 6] = [
    ("train", Part::Train),
    ("validation", Part::Validation),
    ("valid", Part::Validation),
    ("val", Part::Validation),
    ("dev", Part::Validation),
    ("test", Part::Test),
];

/// Which examples a file is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Train,
    Validation,
    Test,
}

/// What kind of files there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// PNG or JPEG.
    Pictures,
    /// WAV.
    Recordings,
}

impl Media {
    /// What a file is by its name's ending; `None` of what is not read.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "png" | "jpg" | "jpeg" => Some(Self::Pictures),
            "wav" => Some(Self::Recordings),
            _ => None,
        }
    }
}

/// A file with its label.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its path within the folder, with slashes.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The split whose folder it is in, if it is in one.
    pub part: Option<Part>,
    /// The label.
    pub text: String,
    /// Where its symbols are, if that is known.
    pub objects: Option<Objects>,
    /// Where the label is written, such as `train/metadata.jsonl, line 7`.
    pub origin: String,
}

/// The labelled files of a folder.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// By name.
    pub entries: Vec<Entry>,
    /// What they are.
    pub media: Media,
    /// The column that labels were taken from.
    pub label: String,
}

impl Entry {
    /// The file and where its label is written, for messages.
    pub(super) fn place(&self) -> String {
        format!("{} ({})", self.name, self.origin)
    }
}

impl Listing {
    /// Lists a folder, and checks that every file has one label and every label a file. Without the
    /// name of the labels' column it is guessed.
    pub(super) fn read(folder: &Path, label: Option<&str>) -> Result<Self, FolderError> {
        let path = folder.to_owned();
        if !folder.exists() {
            return Err(FolderError::Missing { path });
        }
        if !folder.is_dir() {
            return Err(FolderError::NotAFolder { path });
        }
        let metadata = find_metadata(folder)?;
        let Some((_, first)) = metadata.first() else {
            return Err(FolderError::NoLabels { path });
        };
        let label = match label {
            Some(label) => label.to_owned(),
            None => first.guess_label()?.ok_or(FolderError::Empty { path })?,
        };
        let mut entries = Vec::new();
        for (prefix, metadata) in &metadata {
            entries.extend(labelled(folder, prefix, metadata, &label)?);
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let media = check(folder, &entries)?;
        Ok(Self {
            entries,
            media,
            label,
        })
    }
}

/// What a folder's metadata says of the files that are there: each with its label. Unlike a data set's,
/// files may have none. Without the name of the labels' column it is guessed.
///
/// # Errors
///
/// If a line cannot be read.
pub fn labels(folder: &Path, label: Option<&str>) -> Result<Vec<(PathBuf, String)>, FolderError> {
    let metadata = find_metadata(folder)?;
    let guessed = match (label, metadata.first()) {
        (None, Some((_, first))) => first.guess_label()?,
        _ => label.map(str::to_owned),
    };
    let Some(label) = guessed else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for (prefix, metadata) in &metadata {
        let entries = labelled(folder, prefix, metadata, &label)?;
        all.extend(entries.into_iter().map(|entry| (entry.path, entry.text)));
    }
    Ok(all)
}

/// The metadata in the folder and in those of the splits, each with its path within the folder.
fn find_metadata(folder: &Path) -> Result<Vec<(&'static str, Metadata)>, FolderError> {
    let mut found = Vec::new();
    for name in [""].into_iter().chain(SPLITS.map(|(name, _)| name)) {
        if let Some(metadata) = Metadata::find(&folder.join(name))? {
            found.push((name, metadata));
        }
    }
    Ok(found)
}

/// The files that one metadata names, whether or not they are there.
fn labelled(
    folder: &Path,
    prefix: &str,
    metadata: &Metadata,
    label: &str,
) -> Result<Vec<Entry>, FolderError> {
    let within = metadata.path.strip_prefix(folder);
    let within = within.unwrap_or(&metadata.path).display();
    let entry = |line: &Line| {
        let file = line.text("file_name")?;
        let name = tidy(prefix, &file)?;
        Ok(Entry {
            path: folder.join(&name),
            part: part_of(&name),
            text: line.text(label)?,
            objects: line.objects()?,
            origin: format!("{within}, line {}", line.number),
            name,
        })
    };
    let entries = metadata.lines.iter();
    entries
        .map(|line| entry(line).map_err(|problem: String| metadata.error(line, problem)))
        .collect()
}

/// A file's path within the folder: with slashes, and neither outside nor in a roundabout way.
fn tidy(prefix: &str, file: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    let file = file.replace('\\', "/");
    if file.is_empty() || file.starts_with('/') || file.split('/').any(|part| part == "..") {
        return Err(format!(
            "`file_name` is `{file}`; give a path below the folder that this line is in"
        ));
    }
    let file = file
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    parts.extend(file);
    Ok(parts.join("/"))
}

fn part_of(name: &str) -> Option<Part> {
    let (folder, _) = name.split_once('/')?;
    let known = SPLITS.iter().find(|(split, _)| *split == folder);
    known.map(|(_, part)| *part)
}

/// Checks that labels and files belong together, and says what the files are.
fn check(folder: &Path, entries: &[Entry]) -> Result<Media, FolderError> {
    let path = folder.to_owned();
    if entries.is_empty() {
        return Err(FolderError::Empty { path });
    }
    let mut first: HashMap<&str, &Entry> = HashMap::new();
    let mut twice = Vec::new();
    for entry in entries {
        if let Some(before) = first.insert(&entry.name, entry) {
            twice.push(format!("{} and {}", before.place(), entry.origin));
        }
    }
    let remedy = "leave one label for each";
    unless_none("files that have two labels", remedy, twice)?;
    let empty = entries.iter().filter(|entry| entry.text.is_empty());
    let remedy = "write down what is in them, or take file and line away";
    unless_none(
        "files whose label is empty",
        remedy,
        empty.map(Entry::place),
    )?;

    let files = files(folder)?;
    let missing = entries
        .iter()
        .filter(|entry| !files.contains_key(&entry.name) && !entry.path.is_file());
    let remedy = "put the files there or take the lines out";
    unless_none(
        "labels whose file is missing",
        remedy,
        missing.map(Entry::place),
    )?;
    let media = media(entries)?;
    let unlabelled = files
        .iter()
        .filter(|(name, kind)| **kind == media && !first.contains_key(name.as_str()));
    let remedy = "write a line for each into its folder's metadata, or move the files away";
    unless_none(
        "files without a label",
        remedy,
        unlabelled.map(|(name, _)| name.clone()),
    )?;
    Ok(media)
}

/// What all labelled files are.
fn media(entries: &[Entry]) -> Result<Media, FolderError> {
    let kinds = || {
        entries
            .iter()
            .map(|entry| (entry, Media::of(Path::new(&entry.name))))
    };
    let unknown = kinds().filter(|(_, kind)| kind.is_none());
    let remedy = "make PNG, JPEG or WAV files of them";
    unless_none(
        "files of a format that is not read",
        remedy,
        unknown.map(|(entry, _)| entry.place()),
    )?;
    let media = Media::of(Path::new(&entries[0].name)).unwrap_or(Media::Pictures);
    let others = kinds().filter(|(_, kind)| *kind != Some(media));
    let what = match media {
        Media::Pictures => "recordings among pictures",
        Media::Recordings => "pictures among recordings",
    };
    unless_none(
        what,
        "put them into a folder of their own",
        others.map(|(entry, _)| entry.place()),
    )?;
    Ok(media)
}

/// The pictures and recordings in a folder and in those within it, by their path, but hidden ones.
fn files(folder: &Path) -> Result<BTreeMap<String, Media>, FolderError> {
    let mut files = BTreeMap::new();
    let mut unnamed = Vec::new();
    let mut pending = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        let list = |source| FolderError::List {
            path: folder.clone(),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(list)? {
            let entry = entry.map_err(list)?;
            // Not through links to folders, which may lead in a circle.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let file_name = entry.file_name();
            let shown = file_name.to_string_lossy();
            if shown.starts_with('.') || shown == "__MACOSX" {
                continue;
            }
            let media = Media::of(Path::new(&*shown));
            match file_name.to_str() {
                Some(name) if is_folder => {
                    pending.push((entry.path(), format!("{prefix}{name}/")));
                }
                Some(name) => {
                    files.extend(media.map(|media| (format!("{prefix}{name}"), media)));
                }
                None if media.is_some() => unnamed.push(format!("{prefix}{shown}")),
                None => {}
            }
        }
    }
    unnamed.sort();
    let remedy = "rename them: metadata can only name files in UTF-8";
    unless_none("files whose names are not in UTF-8", remedy, unnamed)?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_paths_within_the_folder() {
        let tidied = |file: &str| tidy("train", file).ok();
        assert_eq!(tidied("7.png").as_deref(), Some("train/7.png"));
        assert_eq!(tidied("./a/7.png").as_deref(), Some("train/a/7.png"));
        assert_eq!(tidied("a\\7.png").as_deref(), Some("train/a/7.png"));
        for outside in ["", "/etc/7.png", "../7.png", "a/../../7.png"] {
            assert_eq!(tidied(outside), None, "{outside}");
        }
    }

    #[test]
    fn folders_of_splits_have_several_names() {
        for (name, part) in [
            ("train/7.png", Some(Part::Train)),
            ("val/a/7.png", Some(Part::Validation)),
            ("dev/7.png", Some(Part::Validation)),
            ("test/7.png", Some(Part::Test)),
            ("tests/7.png", None),
            ("test.png", None),
        ] {
            assert_eq!(part_of(name), part, "{name}");
        }
    }
}
