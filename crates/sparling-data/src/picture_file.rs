//! Pictures out of files, of limited size whatever these say.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

/// The most bytes that a picture's file may have.
pub const LONGEST_FILE: u64 = 1 << 28;

/// The most pixels a picture may have: a few bytes can announce any number.
pub const MOST_PIXELS: u64 = 50_000_000;

/// The most memory that decoding a picture may take, in bytes.
const MOST_MEMORY: u64 = 1 << 29;

/// The most colours that a PNG's palette has, in bytes of three.
const LONGEST_PALETTE: u32 = 3 * 256;

/// Decodes a PNG or JPEG, upright.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let unreadable = |error: image::ImageError| format!("cannot be read as a picture: {error}");
    check_palette(bytes)?;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| format!("cannot be read: {error}"))?;
    if reader.format().is_none() {
        return Err("cannot be read as a picture: it is neither a PNG nor a JPEG file".to_owned());
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!(
            "has {width}x{height} pixels, more than {} million",
            MOST_PIXELS / 1_000_000
        ));
    }
    // A picture without such a note is upright.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(picture)
}

/// Checks that a PNG's palette has no more colours than a byte can tell apart: version 0.18 of the crate png
/// panics at more.
fn check_palette(bytes: &[u8]) -> Result<(), String> {
    let Some(mut rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") else {
        return Ok(());
    };
    // Length, name, contents, checksum.
    while let [a, b, c, d, name @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]);
        if name.starts_with(b"PLTE") && length > LONGEST_PALETTE {
            let colours = length / 3;
            return Err(format!(
                "cannot be read as a picture: its palette has {colours} colours"
            ));
        }
        rest = name.get(length as usize + 8..).unwrap_or_default();
    }
    Ok(())
}
