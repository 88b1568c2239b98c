//! Data sets fetched from a server on this machine, and verified where they are.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/server.rs"]
mod server;
#[path = "support/tiny.rs"]
mod tiny;

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use server::{Habits, Server};
use sparling_train::dataset::{
    Dataset, DownloadError, FetchError, Found, Stage, UnpackError, VerifyError, fetch, verify,
};
use tempfile::TempDir;
use tiny::{archive, checksum, pack, recordings, tiny, wav};

const RANGES: Habits = Habits {
    ranges: true,
    chunked: false,
    missing: false,
    cut: None,
};

/// A folder for the test, and where to put the data set.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("the test can set itself up");
    let out = folder.path().join("sets/tiny");
    (folder, out)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let names = entries.map(|entry| entry.expect("the folder can be listed").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// What is beside the data set, and itself.
fn beside(out: &Path) -> BTreeSet<String> {
    names(out.parent().expect("it has a parent"))
}

fn quietly(dataset: &Dataset, out: &Path) -> Result<Found, FetchError> {
    fetch(dataset, out, &mut |_| ())
}

/// That the data set is there, and nothing else.
fn assert_whole(out: &Path) {
    assert_eq!(beside(out), BTreeSet::from(["tiny".to_owned()]));
    for (name, contents) in recordings() {
        assert_eq!(
            fs::read(out.join("recordings").join(name)).expect("it is there"),
            contents
        );
    }
    assert_eq!(
        fs::read(out.join("README.md")).expect("it is there"),
        b"Tiny."
    );
}

/// That this archive is refused and leaves nothing behind; gives the error.
fn refused(archive: Vec<u8>, change: impl FnOnce(&mut Dataset)) -> FetchError {
    let server = Server::start(archive, RANGES);
    let (folder, out) = place();
    let mut dataset = tiny(&server.url);
    change(&mut dataset);
    let error = quietly(&dataset, &out).expect_err("the archive is wrong");
    assert_eq!(beside(&out), BTreeSet::new());
    assert_eq!(names(folder.path()), BTreeSet::from(["sets".to_owned()]));
    error
}

#[test]
fn a_data_set_is_downloaded_unpacked_and_verified() {
    for chunked in [false, true] {
        let habits = Habits {
            chunked,
            ..Habits::default()
        };
        let server = Server::start(archive(), habits);
        let (_folder, out) = place();
        let mut dataset = tiny(&server.url);
        dataset.archive.sha256 = Some(checksum(archive()));
        let mut stages = Vec::new();
        let found = fetch(&dataset, &out, &mut |stage| stages.push(stage)).unwrap();
        assert_whole(&out);
        assert_eq!(
            (found.recordings, found.speakers, found.checksum),
            (20, 2, true)
        );
        assert!((found.seconds - 2.0).abs() < 1e-9);
        assert_eq!(found.sample_rates, BTreeSet::from([8_000]));
        let bytes = archive().len() as u64;
        let total = (!chunked).then_some(bytes);
        assert_eq!(stages[0], Stage::Downloading { bytes: 0, total });
        let end = [
            Stage::Downloading { bytes, total },
            Stage::Unpacking,
            Stage::Verifying,
        ];
        assert_eq!(stages[stages.len() - 3..], end);
        assert_eq!(server.requests(), [None]);
    }
}

#[test]
fn a_download_that_was_cut_off_goes_on() {
    let archive = archive();
    let half = archive.len() / 2;
    for (ranges, chunked) in [(true, false), (true, true), (false, false), (false, true)] {
        let habits = Habits {
            ranges,
            chunked,
            missing: false,
            cut: Some(half),
        };
        let server = Server::start(archive.clone(), habits);
        let (_folder, out) = place();
        let dataset = tiny(&server.url);
        let error = quietly(&dataset, &out).unwrap_err().to_string();
        assert!(error.contains("run the same command again"), "{error}");
        assert!(error.contains(&format!("after {half} bytes")), "{error}");
        assert_eq!(
            beside(&out),
            BTreeSet::from(["tiny.download.part".to_owned()])
        );
        let mut first = None;
        fetch(&dataset, &out, &mut |stage| first = first.or(Some(stage))).unwrap();
        assert_whole(&out);
        assert_eq!(server.requests(), [None, Some(half)]);
        let Some(Stage::Downloading { bytes, .. }) = first else {
            panic!("{first:?}");
        };
        assert_eq!(bytes, if ranges { half as u64 } else { 0 });
    }
}

#[test]
fn what_an_earlier_attempt_left_is_used_if_it_can_be() {
    let archive = archive();
    let longer = [&archive[..], b"more"].concat();
    for (left, requests) in [
        (archive.clone(), vec![Some(archive.len())]),
        (longer.clone(), vec![Some(longer.len()), None]),
        (Vec::new(), vec![None]),
    ] {
        let server = Server::start(archive.clone(), RANGES);
        let (_folder, out) = place();
        fs::create_dir_all(out.parent().unwrap()).unwrap();
        fs::write(out.with_file_name("tiny.download.part"), left).unwrap();
        quietly(&tiny(&server.url), &out).unwrap();
        assert_whole(&out);
        assert_eq!(server.requests(), requests);
    }
}

#[test]
fn what_an_earlier_attempt_left_of_another_file_is_found_out() {
    let archive = archive();
    let server = Server::start(archive.clone(), RANGES);
    let (_folder, out) = place();
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    fs::write(out.with_file_name("tiny.download.part"), vec![7; 1_000]).unwrap();
    let error = quietly(&tiny(&server.url), &out).unwrap_err();
    assert!(
        matches!(error, FetchError::Unpack(UnpackError::Damaged(_))),
        "{error}"
    );
    assert_eq!(beside(&out), BTreeSet::new());
    quietly(&tiny(&server.url), &out).unwrap();
    assert_whole(&out);
}

#[test]
fn an_archive_with_another_checksum_is_refused() {
    let error = refused(archive(), |dataset| {
        dataset.archive.sha256 = Some("0".repeat(64))
    });
    assert!(matches!(
        error,
        FetchError::Download(DownloadError::Checksum { .. })
    ));
    let found = checksum(archive());
    assert!(error.to_string().contains(&found), "{error}");
}

#[test]
fn a_damaged_archive_is_refused() {
    let whole = archive();
    for at in [20, whole.len() / 2, whole.len() - 6] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        let error = refused(damaged, |_| ());
        assert!(matches!(error, FetchError::Unpack(_)), "{at}: {error}");
    }
    let cut = whole[..whole.len() / 2].to_vec();
    for archive in [cut, b"<html>Not found</html>".to_vec()] {
        let error = refused(archive, |_| ());
        assert!(
            matches!(error, FetchError::Unpack(UnpackError::Damaged(_))),
            "{error}"
        );
    }
}

#[test]
fn paths_that_lead_out_of_the_folder_are_refused() {
    for name in ["../evil.wav", "tiny-1.0/../../evil.wav", "/evil.wav"] {
        let error = refused(pack(&[(name.to_owned(), wav(10))]), |_| ());
        let FetchError::Unpack(UnpackError::Outside(path)) = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!(path, Path::new(name));
    }
    assert!(!Path::new("/evil.wav").exists());
}

#[test]
fn other_contents_are_refused() {
    let change = |dataset: &mut Dataset| dataset.contents.recordings = 21;
    let error = format!("{:#}", anyhow::Error::new(refused(archive(), change)));
    assert!(
        error.contains("has 20 recordings instead of the 21 of Tiny"),
        "{error}"
    );
    let change = |dataset: &mut Dataset| dataset.contents.manifest_sha256 = Some("f".repeat(64));
    let error = refused(archive(), change);
    assert!(
        matches!(error, FetchError::Contents(VerifyError::Checksum { .. })),
        "{error}"
    );
    let error = refused(pack(&[]), |_| ());
    assert!(
        matches!(error, FetchError::Contents(VerifyError::Folder(_))),
        "{error}"
    );
}

#[test]
fn what_is_there_stays_as_it_is() {
    let server = Server::start(archive(), RANGES);
    let (_folder, out) = place();
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("mine"), "precious").unwrap();
    for taken in [out.clone(), out.join("mine")] {
        let error = quietly(&tiny(&server.url), &taken).unwrap_err();
        assert!(matches!(error, FetchError::Exists(_)));
        assert!(error.to_string().contains("stays as it is"), "{error}");
    }
    assert_eq!(fs::read(out.join("mine")).unwrap(), b"precious");
    assert_eq!(names(&out).len(), 1);
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tiny.tar.gz", listener.local_addr().unwrap());
    drop(listener);
    let (_folder, out) = place();
    let error = quietly(&tiny(&url), &out).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot download {url}: ")),
        "{error}"
    );
    assert!(error.contains("--from"), "{error}");
    assert!(!out.exists());
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let missing = Habits {
        missing: true,
        ..RANGES
    };
    let server = Server::start(Vec::new(), missing);
    let (_folder, out) = place();
    let error = quietly(&tiny(&server.url), &out).unwrap_err().to_string();
    assert!(error.contains("answers with status 404"), "{error}");
    assert_eq!(beside(&out), BTreeSet::new());
}

#[test]
fn a_data_set_is_verified_where_it_is() {
    let (folder, _) = place();
    let root = folder.path().join("tiny");
    let inside = root.join("recordings");
    fs::create_dir_all(&inside).unwrap();
    for (name, contents) in recordings() {
        fs::write(inside.join(name), contents).unwrap();
    }
    let mut dataset = tiny("");
    for path in [&root, &inside] {
        assert!(verify(&dataset, path).unwrap().checksum);
    }
    fs::write(inside.join("3_ada_0.wav"), wav(801)).unwrap();
    let error = verify(&dataset, &root).unwrap_err();
    assert!(matches!(error, VerifyError::Checksum { .. }), "{error}");
    dataset.contents.manifest_sha256 = None;
    assert!(!verify(&dataset, &root).unwrap().checksum);
    fs::write(inside.join("3_ada_0.wav"), "three").unwrap();
    let error = verify(&dataset, &root).unwrap_err();
    assert!(matches!(error, VerifyError::Wav(_)), "{error}");
    dataset.contents.speakers = 3;
    let error = verify(&dataset, &root).unwrap_err().to_string();
    assert!(
        error.contains("has 2 speakers instead of the 3 of Tiny"),
        "{error}"
    );
}

fn data(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sparling"));
    command
        .arg("data")
        .args(arguments)
        .output()
        .expect("the program starts")
}

#[test]
fn the_command_lists_and_verifies() {
    let listed = data(&[]);
    assert!(listed.status.success());
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in ["audiomnist ", "fsdd "] {
        assert!(
            listed.lines().any(|line| line.starts_with(name)),
            "{listed}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, contents) in recordings() {
        fs::write(folder.path().join(name), contents).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    for (arguments, expected) in [
        (
            &["fsdd", "--from", path][..],
            "has 20 recordings instead of the 3000 of Free",
        ),
        (
            &["fsdd", "--out", path],
            "is already there and stays as it is",
        ),
        (&["song"], "no data set is called song"),
        (&["--from", path], "<NAME>"),
    ] {
        let output = data(arguments);
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

/// A member whose name alone would take memory without end.
#[test]
fn names_without_end_are_refused() {
    let mut packed = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let name = vec![b'a'; 70_000];
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(name.len() as u64);
    header.set_cksum();
    packed.append(&header, &name[..]).unwrap();
    let packed = packed.into_inner().unwrap().finish().unwrap();
    let error = refused(packed, |dataset| dataset.archive.sha256 = None).to_string();
    assert!(error.contains("a name or note of 70000 bytes"), "{error}");
}
