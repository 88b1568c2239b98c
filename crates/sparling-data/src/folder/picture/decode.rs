//! Pictures out of files.

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

use crate::picture_file;

/// Decodes a PNG or JPEG of any colours as greys, upright. What is transparent shows the ground.
///
/// # Errors
///
/// Says what is wrong with it.
pub(in crate::folder) fn decode(bytes: &[u8], ground: u8) -> Result<GrayImage, String> {
    Ok(grey(picture_file::decode(bytes)?, ground))
}

/// As [`decode`], with its colours.
pub(in crate::folder) fn decode_colours(bytes: &[u8], ground: u8) -> Result<RgbImage, String> {
    let picture = picture_file::decode(bytes)?;
    if !picture.color().has_alpha() {
        return Ok(picture.into_rgb8());
    }
    let picture = picture.into_rgba8();
    Ok(RgbImage::from_fn(
        picture.width(),
        picture.height(),
        |x, y| {
            let [red, green, blue, opaque] = picture.get_pixel(x, y).0;
            Rgb([red, green, blue].map(|colour| over(colour, opaque, ground)))
        },
    ))
}

fn grey(picture: DynamicImage, ground: u8) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let picture = picture.into_luma_alpha8();
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [grey, opaque] = picture.get_pixel(x, y).0;
        Luma([over(grey, opaque, ground)])
    })
}

/// A colour over the ground, through which that shows.
fn over(colour: u8, opaque: u8, ground: u8) -> u8 {
    let [colour, opaque, ground] = [colour, opaque, ground].map(u32::from);
    let mixed = colour * opaque + ground * (255 - opaque);
    ((mixed + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Cursor;

    use image::{ImageFormat, LumaA};

    fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn colours_are_greys() {
        let picture = RgbImage::from_pixel(4, 3, Rgb([255, 255, 255]));
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let grey = decode(&file(picture.clone(), format), 0).unwrap();
            assert_eq!(grey.dimensions(), (4, 3));
            assert!(grey.pixels().all(|pixel| pixel.0[0] >= 254));
        }
        let green = RgbImage::from_pixel(1, 1, Rgb([0, 255, 0]));
        let grey = decode(&file(green, ImageFormat::Png), 0).unwrap();
        assert!((150..200).contains(&grey.get_pixel(0, 0).0[0]));
    }

    #[test]
    fn colours_are_kept_where_they_are_wanted() {
        let picture = image::RgbaImage::from_fn(2, 1, |x, _| {
            image::Rgba([200, 10, 0, if x == 0 { 255 } else { 0 }])
        });
        let colours = decode_colours(&file(picture, ImageFormat::Png), 30).unwrap();
        assert_eq!(colours.as_raw(), &[200, 10, 0, 30, 30, 30]);
        let grey = GrayImage::from_pixel(1, 1, Luma([7]));
        let colours = decode_colours(&file(grey, ImageFormat::Png), 0).unwrap();
        assert_eq!(colours.as_raw(), &[7, 7, 7]);
    }

    #[test]
    fn what_is_transparent_shows_the_ground() {
        let mut picture = image::GrayAlphaImage::from_pixel(2, 1, LumaA([200, 0]));
        picture.put_pixel(1, 0, LumaA([200, 255]));
        let grey = decode(&file(picture, ImageFormat::Png), 30).unwrap();
        assert_eq!(grey.as_raw(), &[30, 200]);
    }

    #[test]
    fn what_is_no_picture_says_so() {
        for bytes in [&b""[..], b"not a picture", b"\x89PNG\r\n\x1a\n"] {
            let error = decode(bytes, 0).unwrap_err();
            assert!(error.starts_with("cannot be read as a picture"), "{error}");
        }
    }

    /// A PNG of a few bytes that announces 20,000 by 20,000 pixels.
    #[test]
    fn sizes_are_checked_before_pixels_are_decoded() {
        let mut bytes = file(GrayImage::new(1, 1), ImageFormat::Png);
        // The header's chunk: length, name, width, height, five bytes more, checksum.
        bytes[16..20].copy_from_slice(&20_000_u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&20_000_u32.to_be_bytes());
        let checksum = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = decode(&bytes, 0).unwrap_err();
        assert!(
            error.contains("20000x20000 pixels, more than 50 million"),
            "{error}"
        );
    }

    /// A palette of more colours than there can be.
    #[test]
    fn palettes_are_checked() {
        let chunk = |name: &[u8; 4], contents: &[u8]| {
            let named = [&name[..], contents].concat();
            let length = (contents.len() as u32).to_be_bytes();
            [&length[..], &named, &crc32(&named).to_be_bytes()].concat()
        };
        let header = [0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0];
        let png = |colours: usize| {
            [
                b"\x89PNG\r\n\x1a\n".to_vec(),
                chunk(b"IHDR", &header),
                chunk(b"PLTE", &vec![7; 3 * colours]),
                // A row of one pixel, stored by zlib.
                chunk(b"IDAT", b"\x78\x01\x01\x02\0\xfd\xff\0\0\0\x02\0\x01"),
                chunk(b"IEND", b""),
            ]
            .concat()
        };
        assert_eq!(decode(&png(256), 0).unwrap().dimensions(), (1, 1));
        let error = decode(&png(257), 0).unwrap_err();
        assert!(error.contains("palette has 257 colours"), "{error}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
                1 => (crc >> 1) ^ 0xedb8_8320,
                _ => crc >> 1,
            })
        };
        !bytes.iter().fold(!0, step)
    }
}
