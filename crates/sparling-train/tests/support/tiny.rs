//! A data set so small that it is made anew for each test.

use std::collections::BTreeSet;
use std::io::Cursor;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use sparling_train::dataset::Dataset;

/// A recording at 8 kHz of so many samples.
pub fn wav(length: usize) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).expect("memory can be written");
    for index in 0..length {
        writer
            .write_sample((index * index) as i16)
            .expect("memory can be written");
    }
    writer.finalize().expect("memory can be written");
    file.into_inner()
}

/// A tenth of a second of each digit by each of two speakers, by name.
pub fn recordings() -> Vec<(String, Vec<u8>)> {
    let digits = (0..10).flat_map(|digit| ["ada", "grace"].map(|speaker| (digit, speaker)));
    digits
        .map(|(digit, speaker)| (format!("{digit}_{speaker}_0.wav"), wav(800)))
        .collect()
}

/// Packs files under their names, whatever these are.
pub fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, contents) in files {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive
            .append(&header, &contents[..])
            .expect("memory can be written");
    }
    let packed = archive.into_inner().expect("memory can be written");
    packed.finish().expect("memory can be written")
}

/// The archive of the whole data set, and more than one buffer of random bytes.
pub fn archive() -> Vec<u8> {
    let mut files = vec![("tiny-1.0/README.md".to_owned(), b"Tiny.".to_vec())];
    for (name, contents) in recordings() {
        files.push((format!("tiny-1.0/recordings/{name}"), contents));
    }
    let noise =
        (0..200_000_u64).map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8);
    files.push(("tiny-1.0/noise".to_owned(), noise.collect()));
    pack(&files)
}

/// A SHA-256 checksum.
pub fn checksum(contents: impl AsRef<[u8]>) -> String {
    Sha256::digest(contents)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The checksum of all recordings, in hexadecimal digits.
fn manifest() -> String {
    let line = |(name, contents): (String, Vec<u8>)| {
        let checksum = checksum(contents);
        format!("{checksum}  {name}\n")
    };
    let lines: BTreeSet<String> = recordings().into_iter().map(line).collect();
    let text: String = lines.into_iter().collect();
    checksum(text)
}

/// The data set as it should be, at an address.
pub fn tiny(url: &str) -> Dataset {
    let mut dataset = Dataset::all().remove(0);
    dataset.name = "tiny".to_owned();
    dataset.title = "Tiny".to_owned();
    dataset.archive.url = url.to_owned();
    dataset.archive.sha256 = None;
    dataset.contents.recordings = 20;
    dataset.contents.speakers = 2;
    dataset.contents.manifest_sha256 = Some(manifest());
    dataset
}
