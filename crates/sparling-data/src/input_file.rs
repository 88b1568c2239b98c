//! Files of the user's, read as far as they may be long.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads a file of at most `most` bytes.
///
/// # Errors
///
/// If the system refuses, if it is no file, which a pipe or a device is not and would be waited for for ever, or
/// if it is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    // Files of some file systems do not say how long they are.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let mebibytes = most as f64 / f64::from(1 << 20);
        return Err(io::Error::other(format!(
            "it is longer than {mebibytes} MiB"
        )));
    }
    Ok(bytes)
}

/// As [`read`], for text.
///
/// # Errors
///
/// As [`read`], or if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| io::Error::other("it is not text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_are_short_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_text(&path, 3).unwrap(), "abc");
        assert!(read(&path, 2).unwrap_err().to_string().contains("longer"));
        fs::write(&path, b"\xff").unwrap();
        assert!(
            read_text(&path, 3)
                .unwrap_err()
                .to_string()
                .contains("UTF-8")
        );
        for other in [folder.path(), Path::new("/dev/zero")] {
            assert!(read(other, 3).is_err());
        }
    }
}
