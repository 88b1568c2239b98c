//! Archives made into folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::{Archive, Entry};

use super::ArchiveKind;
use super::copy::{CopyError, copy};

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
    let file = File::open(path).map_err(failed(path))?;
    let ArchiveKind::TarGz = kind;
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
    let rest = &mut archive.into_inner();
    io::copy(rest, &mut io::sink()).map_err(UnpackError::Damaged)?;
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
