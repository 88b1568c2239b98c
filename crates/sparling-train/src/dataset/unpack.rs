//! Archives made into folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry};

use super::ArchiveKind;
use super::copy::{CopyError, copy};

/// The most bytes of a member's name and of what else is told of it.
const LONGEST_NOTE: u64 = 1 << 16;

/// The most bytes after the last member.
const LONGEST_REST: u64 = 1 << 24;

/// The most members of an archive.
const MOST_MEMBERS: u64 = 1_000_000;

/// The most bytes of all members together.
const MOST_BYTES: u64 = 1 << 36;

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// It is cut off, or not of the kind expected.
    #[error("the archive is damaged: {0}; it was removed, download it again")]
    Damaged(io::Error),
    /// A path in it leads out of the folder it is unpacked into.
    #[error("the archive was removed: it would write to {0}, outside its folder")]
    Outside(PathBuf),
    /// It holds more than any data set does.
    #[error("the archive was removed: it has {0}; download another")]
    TooLarge(String),
    /// The system does not let it be read or its files be written.
    #[error("cannot unpack {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Unpacks an archive's files and folders into a folder. Links and devices are left out: data sets
/// have none.
pub(super) fn unpack(path: &Path, kind: ArchiveKind, folder: &Path) -> Result<(), UnpackError> {
    let ArchiveKind::TarGz = kind;
    check_sizes(path)?;
    let file = File::open(path).map_err(failed(path))?;
    let mut archive = Archive::new(GzDecoder::new(file));
    for entry in archive.entries().map_err(UnpackError::Damaged)? {
        let mut entry = entry.map_err(UnpackError::Damaged)?;
        let name = entry.path().map_err(UnpackError::Damaged)?.into_owned();
        let target = inside(folder, &name).ok_or(UnpackError::Outside(name))?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            fs::create_dir_all(&target).map_err(failed(&target))?;
        } else if kind.is_file() {
            write(&mut entry, &target)?;
        }
    }
    // The archive's own checksum comes last and is compared when it is read.
    let mut rest = archive.into_inner().take(LONGEST_REST + 1);
    match io::copy(&mut rest, &mut io::sink()).map_err(UnpackError::Damaged)? {
        0..=LONGEST_REST => Ok(()),
        _ => Err(UnpackError::TooLarge(format!(
            "more than {LONGEST_REST} bytes after its last member"
        ))),
    }
}

/// Looks through all headers before anything is written or kept: names and what else is told of members come as
/// members of their own, of any size.
fn check_sizes(path: &Path) -> Result<(), UnpackError> {
    let file = File::open(path).map_err(failed(path))?;
    let mut archive = Archive::new(GzDecoder::new(file));
    let (mut members, mut bytes) = (0_u64, 0_u64);
    let entries = archive.entries().map_err(UnpackError::Damaged)?;
    for entry in entries.raw(true) {
        let entry = entry.map_err(UnpackError::Damaged)?;
        let size = entry.size();
        let kind = entry.header().entry_type();
        let is_note = kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions();
        members += 1;
        bytes = bytes.saturating_add(size);
        if is_note && size > LONGEST_NOTE {
            let note = format!("a name or note of {size} bytes, more than {LONGEST_NOTE}");
            return Err(UnpackError::TooLarge(note));
        }
        if members > MOST_MEMBERS || bytes > MOST_BYTES {
            let most = format!(
                "more than {MOST_MEMBERS} members or {} GiB",
                MOST_BYTES >> 30
            );
            return Err(UnpackError::TooLarge(most));
        }
    }
    Ok(())
}

fn write(entry: &mut Entry<'_, impl Read>, target: &Path) -> Result<(), UnpackError> {
    let parent = target.parent().unwrap_or(target);
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let mut file = File::create_new(target).map_err(failed(target))?;
    let size = entry.size();
    match copy(entry, &mut file, |_| ()) {
        Ok(copied) if copied == size => Ok(()),
        Ok(_) => Err(UnpackError::Damaged(io::ErrorKind::UnexpectedEof.into())),
        Err(CopyError::Read(error)) => Err(UnpackError::Damaged(error)),
        Err(CopyError::Write(error)) => Err(failed(target)(error)),
    }
}

/// Where an archive's path leads to, if that is in the folder. Nothing that was unpacked can lead
/// out of it, since links are not.
fn inside(folder: &Path, path: &Path) -> Option<PathBuf> {
    let mut target = folder.to_owned();
    for component in path.components() {
        match component {
            Component::Normal(name) => target.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(target)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> UnpackError {
    let path = path.to_owned();
    |source| UnpackError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let inside = |path: &str| inside(Path::new("here"), Path::new(path));
        assert_eq!(inside("a/./b.wav"), Some("here/a/b.wav".into()));
        assert_eq!(inside("./a"), Some("here/a".into()));
        for path in ["../a", "a/../../b", "/etc/passwd", "a/.."] {
            assert_eq!(inside(path), None, "{path}");
        }
    }
}
