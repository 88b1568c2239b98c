//! What a WAV file says about its samples.

use std::io::{BufRead, BufReader, Read, Seek};

use super::WavProblem;

/// Format tags of `mmreg.h`.
const INTEGERS: u16 = 1;
const FLOATS: u16 = 3;
/// The tag is found further on.
const EXTENSIBLE: u16 = 0xfffe;

/// How samples are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Integers: unsigned of 8 bits, else signed.
    Integers {
        /// 8, 16, 24 or 32.
        bits: u16,
    },
    /// Floats of 32 bits.
    Floats,
}

/// What there is to know before samples can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub numbers: Numbers,
    /// At least one.
    pub channels: u16,
    /// Frames per second.
    pub sample_rate: u32,
    /// Bytes of samples, all of which the file has: whole frames.
    pub data_length: u32,
    /// Whether there is a part of a frame after them.
    pub cut: bool,
}

/// From this on a size is none: programs that write to a pipe fill it with as much as they can.
const STREAMED: u32 = 0x7fff_f000;

impl Header {
    /// Reads up to the first sample of a file of `length` bytes.
    ///
    /// hound could do so too, but it loses its way after chunks of odd length and does not tell
    /// which encoding it does not know.
    pub(super) fn read<F: Read + Seek>(
        file: &mut BufReader<F>,
        length: u64,
    ) -> Result<Self, WavProblem> {
        let announced = read_riff(file, length)?;
        let mut format = None;
        let mut position = 12;
        while position + 8 <= length {
            let name: [u8; 4] = read_array(file)?;
            let mut size = u32::from_le_bytes(read_array(file)?);
            let left = length - position - 8;
            if name == *b"data" && is_streamed(file, size, left)? {
                size = u32::try_from(left).unwrap_or(u32::MAX);
            }
            let end = position + 8 + u64::from(size);
            if end > length {
                let present = length;
                return Err(WavProblem::Truncated {
                    announced: end,
                    present,
                });
            }
            if name == *b"data" {
                let format: Format =
                    format.ok_or(WavProblem::NotWav("samples come before their format"))?;
                return format.header(size);
            }
            let mut left = u64::from(size);
            if name == *b"fmt " {
                format = Some(Format::read(file, &mut left)?);
            }
            // Chunks begin at even offsets.
            let padding = end % 2;
            file.seek_relative((left + padding) as i64)?;
            position = end + padding;
        }
        if announced > length {
            let present = length;
            return Err(WavProblem::Truncated { announced, present });
        }
        Err(WavProblem::NotWav("it has no `data` chunk"))
    }

    /// How many frames there are.
    pub(super) fn frames(&self) -> u64 {
        let bits = match self.numbers {
            Numbers::Integers { bits } => bits,
            Numbers::Floats => 32,
        };
        u64::from(self.data_length) / (u64::from(self.channels) * u64::from(bits / 8))
    }

    /// A file's first bytes that say the same in the simplest way, up to the first sample.
    pub(super) fn plain(&self) -> Vec<u8> {
        let (tag, bits) = match self.numbers {
            Numbers::Integers { bits } => (INTEGERS, bits),
            Numbers::Floats => (FLOATS, 32),
        };
        let frame_bytes = self.channels.wrapping_mul(bits / 8);
        let bytes_per_second = self.sample_rate.wrapping_mul(u32::from(frame_bytes));
        let mut bytes = Vec::with_capacity(44);
        bytes.extend(b"RIFF");
        bytes.extend(self.data_length.saturating_add(36).to_le_bytes());
        bytes.extend(b"WAVEfmt ");
        bytes.extend(16_u32.to_le_bytes());
        bytes.extend(tag.to_le_bytes());
        bytes.extend(self.channels.to_le_bytes());
        bytes.extend(self.sample_rate.to_le_bytes());
        bytes.extend(bytes_per_second.to_le_bytes());
        bytes.extend(frame_bytes.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(self.data_length.to_le_bytes());
        bytes
    }
}

/// Whether a size stands for all that is left of the file: `left` bytes, in front of which the file is.
fn is_streamed<F: Read + Seek>(
    file: &mut BufReader<F>,
    size: u32,
    left: u64,
) -> Result<bool, WavProblem> {
    match size {
        // Either no samples, and perhaps other chunks, or no size.
        0 => Ok(left > 0 && !are_chunks(file, left)?),
        STREAMED.. => Ok(u64::from(size) > left),
        _ => Ok(false),
    }
}

/// Whether what is left of the file is chunk after chunk, to its end. The file stays where it is.
fn are_chunks<F: Read + Seek>(file: &mut BufReader<F>, left: u64) -> Result<bool, WavProblem> {
    let mut at = 0;
    while at + 8 <= left {
        file.seek_relative(4)?;
        let size = u64::from(u32::from_le_bytes(read_array(file)?));
        at += 8 + size + size % 2;
        if at > left + 1 {
            file.seek_relative(-((at - size - size % 2) as i64))?;
            return Ok(false);
        }
        file.seek_relative((size + size % 2) as i64)?;
    }
    file.seek_relative(-(at as i64))?;
    Ok(at == left || at == left + 1)
}

/// The contents of the `fmt ` chunk.
struct Format {
    tag: u16,
    channels: u16,
    sample_rate: u32,
    frame_bytes: u16,
    bits: u16,
}

impl Format {
    /// Reads from the chunk's beginning; takes what it has read off the bytes left.
    fn read(file: &mut impl Read, left: &mut u64) -> Result<Self, WavProblem> {
        if *left < 16 {
            return Err(WavProblem::NotWav("its `fmt ` chunk is too short"));
        }
        let mut bytes = [0; 40];
        let known = bytes.len().min(*left as usize);
        file.read_exact(&mut bytes[..known])?;
        *left -= known as u64;
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let mut format = Self {
            tag: u16_at(0),
            channels: u16_at(2),
            sample_rate: u32::from(u16_at(4)) | u32::from(u16_at(6)) << 16,
            frame_bytes: u16_at(12),
            bits: u16_at(14),
        };
        if format.tag == EXTENSIBLE && known == bytes.len() {
            // Of the bits that a sample takes the lowest may be unused, which changes nothing.
            format.tag = u16_at(24);
        }
        Ok(format)
    }

    /// What is to be read, given how many bytes of samples there are.
    fn header(&self, data_length: u32) -> Result<Header, WavProblem> {
        let bits = self.bits;
        let numbers = match (self.tag, bits) {
            (INTEGERS, 8 | 16 | 24 | 32) => Numbers::Integers { bits },
            (FLOATS, 32) => Numbers::Floats,
            _ => return Err(WavProblem::Encoding(self.encoding())),
        };
        if self.channels == 0 {
            return Err(WavProblem::NotWav("it has no channels"));
        }
        let frame_bytes = u32::from(self.channels) * u32::from(bits / 8);
        if u32::from(self.frame_bytes) != frame_bytes {
            return Err(WavProblem::Encoding(format!(
                "{bits}-bit samples in {} bytes per frame of {} channels",
                self.frame_bytes, self.channels
            )));
        }
        let cut = data_length % frame_bytes;
        Ok(Header {
            numbers,
            channels: self.channels,
            sample_rate: self.sample_rate,
            data_length: data_length - cut,
            cut: cut > 0,
        })
    }

    /// The encoding's name.
    fn encoding(&self) -> String {
        let name = match self.tag {
            INTEGERS => return format!("{}-bit integers", self.bits),
            FLOATS => return format!("{}-bit floats", self.bits),
            0x02 => "ADPCM",
            0x06 => "A-law",
            0x07 => "mu-law",
            0x11 => "IMA ADPCM",
            0x31 => "GSM 6.10",
            0x50 => "MPEG audio",
            0x55 => "MP3",
            0xff => "AAC",
            tag => return format!("format {tag:#06x}"),
        };
        name.to_owned()
    }
}

/// Reads the twelve bytes that make a file a WAV file; gives the length it says it has.
fn read_riff(file: &mut impl BufRead, length: u64) -> Result<u64, WavProblem> {
    if length < 12 {
        return Err(WavProblem::NotWav("it is too short"));
    }
    let riff: [u8; 4] = read_array(file)?;
    let size = u32::from_le_bytes(read_array(file)?);
    let wave: [u8; 4] = read_array(file)?;
    if riff != *b"RIFF" || wave != *b"WAVE" {
        return Err(WavProblem::NotWav("it does not begin as one"));
    }
    Ok(u64::from(size) + 8)
}

fn read_array<const N: usize>(file: &mut impl Read) -> Result<[u8; N], WavProblem> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
