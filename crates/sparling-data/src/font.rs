//! The typeface that digits are stamped with and pictures are labelled in.

/// DejaVu Sans Mono 2.37, a TrueType file.
///
/// Its licence (that of Bitstream Vera and Arev; DejaVu's changes are in the public domain) lies
/// beside it in `fonts/LICENSE-DejaVu.txt`.
pub const FONT: &[u8] = include_bytes!("../fonts/DejaVuSansMono.ttf");
