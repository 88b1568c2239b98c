//! How data sets lay out their recordings.

use std::fs;
use std::path::{Path, PathBuf};

use super::FolderError;

/// A recording of one digit, not yet read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TakeFile {
    /// Who speaks.
    pub speaker: String,
    /// Which digit, 0 to 9.
    pub digit: usize,
    /// Which of the speaker's takes of it.
    pub take: u32,
    /// Where it is.
    pub path: PathBuf,
}

/// The recordings in a folder: those of the first layout that fits, sorted; perhaps none.
pub(super) fn find(folder: &Path) -> Result<Vec<TakeFile>, FolderError> {
    for root in [folder.join("data").as_path(), folder] {
        let files = audiomnist(root)?;
        if !files.is_empty() {
            return Ok(sorted(files));
        }
    }
    for root in [folder.join("recordings").as_path(), folder] {
        let files = takes(root)?;
        if !files.is_empty() {
            return Ok(sorted(files));
        }
    }
    Ok(Vec::new())
}

/// `NN/D_NN_R.wav`.
fn audiomnist(root: &Path) -> Result<Vec<TakeFile>, FolderError> {
    let mut files = Vec::new();
    for (name, path) in entries(root)? {
        // A foreign folder may hold anything, and more than is worth looking at.
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            let own = takes(&path)?
                .into_iter()
                .filter(|file| file.speaker == name);
            files.extend(own);
        }
    }
    Ok(files)
}

/// `D_SPEAKER_INDEX.wav`.
fn takes(root: &Path) -> Result<Vec<TakeFile>, FolderError> {
    let entries = entries(root)?.into_iter();
    Ok(entries
        .filter_map(|(name, path)| parse(&name, path))
        .collect())
}

/// What is in a folder, by name; nothing where there is no such folder. Names that are not Unicode
/// are no recordings'.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let list = |source| FolderError::List {
        path: folder.to_owned(),
        source,
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(list)? {
        let entry = entry.map_err(list)?;
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.path()));
        }
    }
    Ok(entries)
}

fn parse(name: &str, path: PathBuf) -> Option<TakeFile> {
    let (stem, extension) = name.rsplit_once('.')?;
    let (digit, rest) = stem.split_once('_')?;
    let (speaker, take) = rest.rsplit_once('_')?;
    if !extension.eq_ignore_ascii_case("wav") || digit.len() != 1 || speaker.is_empty() {
        return None;
    }
    Some(TakeFile {
        speaker: speaker.to_owned(),
        digit: digit.parse().ok()?,
        take: take.parse().ok()?,
        path,
    })
}

fn sorted(mut files: Vec<TakeFile>) -> Vec<TakeFile> {
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str) -> Option<(String, usize, u32)> {
        let file = parse(name, PathBuf::new())?;
        Some((file.speaker, file.digit, file.take))
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(
            parsed("7_jackson_32.wav"),
            Some(("jackson".to_owned(), 7, 32))
        );
        assert_eq!(parsed("0_01_4.WAV"), Some(("01".to_owned(), 0, 4)));
        assert_eq!(
            parsed("9_van_der_berg_0.wav"),
            Some(("van_der_berg".to_owned(), 9, 0))
        );
    }

    #[test]
    fn other_names_are_no_recordings() {
        for name in [
            "notes.txt",
            "7_jackson_32.mp3",
            "10_jackson_0.wav",
            "07_jackson_0.wav",
            "x_jackson_0.wav",
            "7_jackson.wav",
            "7__0.wav",
            "7_jackson_last.wav",
            "._7_jackson_0.wav",
            "7_jackson_0",
            "",
        ] {
            assert_eq!(parsed(name), None, "{name}");
        }
    }

    #[test]
    fn takes_are_in_the_order_of_their_numbers() {
        let names = ["1_b_10.wav", "1_b_9.wav", "1_a_11.wav", "0_b_1.wav"];
        let files = names.map(|name| parse(name, name.into()).unwrap()).to_vec();
        let order: Vec<_> = sorted(files).into_iter().map(|file| file.path).collect();
        let expected = ["1_a_11.wav", "0_b_1.wav", "1_b_9.wav", "1_b_10.wav"];
        assert_eq!(order, expected.map(PathBuf::from));
    }
}
