//! From a web address to a folder that is whole.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Dataset;
use super::download::{DownloadError, download};
use super::unpack::{UnpackError, unpack};
use super::verify::{Found, VerifyError, verify};

/// Why a data set could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is something where it would go.
    #[error(
        "{0} is already there and stays as it is; verify it with --from or choose another --out"
    )]
    Exists(PathBuf),
    /// The archive could not be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The archive could not be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The archive holds something else than expected.
    #[error("the archive does not hold what was expected and was removed")]
    Contents(#[from] VerifyError),
    /// A file or folder could not be made, renamed or removed.
    #[error("cannot write {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The archive comes in.
    Downloading {
        /// How many bytes there are, those of earlier attempts too.
        bytes: u64,
        /// How many there will be, if the server tells.
        total: Option<u64>,
    },
    /// The archive is unpacked.
    Unpacking,
    /// Its contents are checked.
    Verifying,
}

/// A folder that is removed in the end, with what is then in it.
struct Temporary(PathBuf);

impl Temporary {
    /// Makes it; nothing may be there.
    fn new(path: PathBuf) -> Result<Self, FetchError> {
        fs::create_dir(&path).map_err(failed(&path))?;
        Ok(Self(path))
    }

    /// The folder that archives of repositories have everything in, or the folder itself.
    fn root(&self) -> Result<PathBuf, FetchError> {
        let entries = fs::read_dir(&self.0).map_err(failed(&self.0))?;
        let entries: Vec<_> = entries.collect::<Result<_, _>>().map_err(failed(&self.0))?;
        match &entries[..] {
            [only] if only.path().is_dir() => Ok(only.path()),
            _ => Ok(self.0.clone()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What matters was told already; the folder's name says what is left in it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Downloads a data set, unpacks it and verifies it; only then it is put at `out`.
///
/// Until then the archive is kept beside `out`, as `NAME.download.part`, so that another call goes on
/// with it. Nothing else that exists is changed.
///
/// # Errors
///
/// If `out` exists, the archive cannot be downloaded or unpacked, or what is in it is not the data
/// set.
pub fn fetch(
    dataset: &Dataset,
    out: &Path,
    progress: &mut dyn FnMut(Stage),
) -> Result<Found, FetchError> {
    if out.symlink_metadata().is_ok() {
        return Err(FetchError::Exists(out.to_owned()));
    }
    let parent = out.parent().unwrap_or(out);
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let part = beside(out, ".download.part");
    download(&dataset.archive, &part, &mut |bytes, total| {
        progress(Stage::Downloading { bytes, total });
    })?;
    let result = install(dataset, &part, out, progress);
    if result.as_ref().err().is_none_or(is_about_the_archive) {
        fs::remove_file(&part).map_err(failed(&part))?;
    }
    result
}

/// Whether another download might help.
fn is_about_the_archive(error: &FetchError) -> bool {
    match error {
        FetchError::Contents(_) => true,
        FetchError::Unpack(error) => !matches!(error, UnpackError::Io { .. }),
        FetchError::Exists(_) | FetchError::Download(_) | FetchError::Io { .. } => false,
    }
}

/// Unpacks, verifies, renames.
fn install(
    dataset: &Dataset,
    archive: &Path,
    out: &Path,
    progress: &mut dyn FnMut(Stage),
) -> Result<Found, FetchError> {
    progress(Stage::Unpacking);
    let folder = Temporary::new(beside(out, &format!(".unpacking-{}", std::process::id())))?;
    unpack(archive, dataset.archive.kind, &folder.0)?;
    let root = folder.root()?;
    progress(Stage::Verifying);
    let found = verify(dataset, &root)?;
    fs::rename(&root, out).map_err(failed(out))?;
    Ok(found)
}

/// A path whose last part has an end more.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(end);
    path.with_file_name(name)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    |source| FetchError::Io { path, source }
}
