//! Downloads that can be interrupted.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use super::Archive;
use super::checksum;
use super::copy::{CopyError, copy};

/// How long a server may take to be connected to.
const CONNECT: Duration = Duration::from_secs(30);

/// How long a server may be silent. GitHub packs archives when they are asked for.
const SILENCE: Duration = Duration::from_secs(120);

const OK: u16 = 200;
const PARTIAL_CONTENT: u16 = 206;
const RANGE_NOT_SATISFIABLE: u16 = 416;

/// Why a download did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The server does not answer.
    #[error(
        "cannot download {url}: {reason}; check the network, or download and unpack it elsewhere \
         and give the folder as --from"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// What went wrong.
        reason: Box<ureq::Error>,
    },
    /// The server answers something else.
    #[error("cannot download {url}: the server answers with status {status}; it may have moved")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status code.
        status: u16,
    },
    /// The connection ended before the file did.
    #[error(
        "the download of {url} broke off after {bytes} bytes: {reason}; run the same command again \
         to go on from there"
    )]
    Interrupted {
        /// The address.
        url: String,
        /// How much there is by now.
        bytes: u64,
        /// What went wrong.
        reason: io::Error,
    },
    /// The file that is being filled cannot be used.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not the one expected.
    #[error(
        "{url} has the checksum {actual} instead of {expected}; it was removed, since it is damaged \
         or another file: try again, and if that does not help, ask the project"
    )]
    Checksum {
        /// The address.
        url: String,
        /// The SHA-256 checksum expected.
        expected: String,
        /// The one it has.
        actual: String,
    },
}

/// What a server gives.
struct Answer {
    /// Where in the file the body begins, in bytes.
    start: u64,
    /// The file's length in bytes, if the server tells.
    total: Option<u64>,
    /// None if there is nothing left to be had.
    body: Option<Body>,
}

/// Fills a file with an archive, after the bytes that it already has if the server can do that, and
/// compares the checksum if that is known. `progress` is told how many bytes there are and will be.
pub(super) fn download(
    archive: &Archive,
    part: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), DownloadError> {
    let write = |source| DownloadError::Write {
        path: part.to_owned(),
        source,
    };
    let present = match fs::metadata(part) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(write(error)),
    };
    let answer = ask(&archive.url, present)?;
    if let Some(mut body) = answer.body {
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(answer.start > 0);
        options.truncate(answer.start == 0);
        let mut file = options.open(part).map_err(write)?;
        let mut bytes = answer.start;
        progress(bytes, answer.total);
        let copied = copy(&mut body.as_reader(), &mut file, |length| {
            bytes += length;
            progress(bytes, answer.total);
        });
        match copied {
            Ok(_) if answer.total.is_none_or(|total| bytes == total) => {}
            Ok(_) => {
                return Err(interrupted(
                    archive,
                    bytes,
                    io::ErrorKind::UnexpectedEof.into(),
                ));
            }
            Err(CopyError::Read(reason)) => return Err(interrupted(archive, bytes, reason)),
            Err(CopyError::Write(source)) => return Err(write(source)),
        }
        file.sync_all().map_err(write)?;
    }
    compare(archive, part)
}

fn interrupted(archive: &Archive, bytes: u64, reason: io::Error) -> DownloadError {
    DownloadError::Interrupted {
        url: archive.url.clone(),
        bytes,
        reason,
    }
}

/// Asks for a file from byte `start` on; from its beginning if the server will not have that.
fn ask(url: &str, start: u64) -> Result<Answer, DownloadError> {
    let response = get(url, start)?;
    let (first, total) = content_range(&response);
    match response.status().as_u16() {
        OK => Ok(Answer {
            start: 0,
            total: response.body().content_length(),
            body: Some(response.into_body()),
        }),
        PARTIAL_CONTENT if first == Some(start) => Ok(Answer {
            start,
            total,
            body: Some(response.into_body()),
        }),
        RANGE_NOT_SATISFIABLE if total == Some(start) => Ok(Answer {
            start,
            total,
            body: None,
        }),
        // What there is belongs to another file.
        PARTIAL_CONTENT | RANGE_NOT_SATISFIABLE if start > 0 => ask(url, 0),
        status => Err(DownloadError::Status {
            url: url.to_owned(),
            status,
        }),
    }
}

fn get(url: &str, start: u64) -> Result<Response<Body>, DownloadError> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(url.starts_with("https:"))
        .timeout_connect(Some(CONNECT))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("sparling/", env!("CARGO_PKG_VERSION")));
    let mut request = config.build().new_agent().get(url);
    if start > 0 {
        request = request.header("Range", format!("bytes={start}-"));
    }
    request.call().map_err(|error| DownloadError::Unreachable {
        url: url.to_owned(),
        reason: Box::new(error),
    })
}

/// The first byte and the file's length that `Content-Range` tells: `bytes 100-199/200`, or
/// `bytes */200` where a range was asked for that is not there.
fn content_range(response: &Response<Body>) -> (Option<u64>, Option<u64>) {
    let header = response.headers().get("content-range");
    let range = header.and_then(|value| value.to_str().ok()?.strip_prefix("bytes "));
    let Some((range, total)) = range.and_then(|range| range.split_once('/')) else {
        return (None, None);
    };
    let first = range
        .split_once('-')
        .and_then(|(first, _)| first.parse().ok());
    (first, total.parse().ok())
}

/// Compares the checksum if it is known, and removes a file that has another.
fn compare(archive: &Archive, part: &Path) -> Result<(), DownloadError> {
    let Some(expected) = &archive.sha256 else {
        return Ok(());
    };
    let write = |source| DownloadError::Write {
        path: part.to_owned(),
        source,
    };
    let actual = checksum::of_file(part).map_err(write)?;
    if actual == *expected {
        return Ok(());
    }
    fs::remove_file(part).map_err(write)?;
    Err(DownloadError::Checksum {
        url: archive.url.clone(),
        expected: expected.clone(),
        actual,
    })
}
