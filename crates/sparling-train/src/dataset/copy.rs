//! Copying that tells which side failed.

use std::io::{self, ErrorKind, Read, Write};

/// The side that failed, and why.
#[derive(Debug)]
pub(super) enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// Copies all there is, and reports after each piece how many bytes that were. Gives their sum.
pub(super) fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    mut copied: impl FnMut(u64),
) -> Result<u64, CopyError> {
    let mut buffer = vec![0; 1 << 16];
    let mut sum = 0;
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return to.flush().map(|()| sum).map_err(CopyError::Write),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        to.write_all(&buffer[..length]).map_err(CopyError::Write)?;
        sum += length as u64;
        copied(length as u64);
    }
}
