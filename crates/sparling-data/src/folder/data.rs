//! The examples of a folder, all in memory.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::config::{FolderConfig, SplitBy, SplitConfig};
use super::error::{FolderError, unless_none};
use super::input::{Content, FrontEnd};
use super::labels::Objects;
use super::listing::{Entry, Listing, Media, Part};
use super::order::shuffled;
use super::tokens::Tokenizer;
use crate::example::Footprint;
use crate::parallel::{available_threads, in_parallel};
use crate::seed::Split;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// A file's hash.
pub(super) type Hash = [u8; 32];

/// The examples of a folder.
#[derive(Debug)]
pub(super) struct Data {
    items: Vec<Item>,
    /// The items of training, validation and test.
    parts: [Vec<usize>; 3],
}

/// A file with its label.
#[derive(Debug)]
pub(super) struct Item {
    /// The file, decoded.
    pub content: Content,
    /// The label.
    pub tokens: Vec<usize>,
    /// Where its symbols are; empty if nobody has said so.
    pub footprints: Vec<Footprint>,
}

impl Data {
    /// Reads and checks everything.
    pub(super) fn load(
        config: &FolderConfig,
        front_end: &FrontEnd,
        tokenizer: &Tokenizer,
    ) -> Result<Self, FolderError> {
        let listing = Listing::read(&config.path, Some(&config.label))?;
        check_media(config, &listing, front_end)?;
        let entries = &listing.entries;
        check_memory(config, entries.len(), front_end)?;
        let (hashes, decoded): (Vec<Hash>, Vec<Content>) = usable(entries, |entry| {
            let bytes = contents(&entry.path)?;
            let content = front_end.read(&entry.path, &bytes)?;
            Ok((hash(&bytes), content))
        })?
        .into_iter()
        .unzip();
        let is = checksum(entries, &hashes);
        if is != config.checksum {
            return Err(FolderError::Changed {
                path: config.path.clone(),
                was: config.checksum.clone(),
                is,
            });
        }
        let tokens = tokens(config, entries, tokenizer)?;
        let footprints = footprints(entries, &decoded, front_end, tokenizer)?;
        let items = decoded.into_iter().zip(tokens).zip(footprints);
        let items = items.map(|((content, tokens), footprints)| Item {
            content,
            tokens,
            footprints,
        });
        Ok(Self {
            items: items.collect(),
            parts: parts(&config.path, &config.split, entries, &hashes)?,
        })
    }

    /// How many examples a split has.
    pub(super) fn count(&self, split: Split) -> u64 {
        self.part(split).len() as u64
    }

    /// The file of an example: in training in an order drawn from the seed, else one after the other.
    pub(super) fn item(&self, split: Split, index: u64) -> &Item {
        let part = self.part(split);
        let count = part.len() as u64;
        let place = match split {
            Split::Train { seed } => shuffled(seed, index, count),
            Split::Validation | Split::Test => index % count,
        };
        &self.items[part[place as usize]]
    }

    fn part(&self, split: Split) -> &[usize] {
        &self.parts[match split {
            Split::Train { .. } => 0,
            Split::Validation => 1,
            Split::Test => 2,
        }]
    }
}

/// A file's contents, unless it is too large.
pub(super) fn contents(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    if metadata.len() > LARGEST {
        let [size, most] = [metadata.len(), LARGEST].map(|bytes| bytes >> 20);
        return Err(format!("has {size} MiB, more than {most}"));
    }
    fs::read(path).map_err(unreadable)
}

pub(super) fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// What `work` makes of every entry, on all processors; if some cannot be used, an error that says which.
pub(super) fn usable<T: Send>(
    entries: &[Entry],
    work: impl Fn(&Entry) -> Result<T, String> + Sync,
) -> Result<Vec<T>, FolderError> {
    let parts = in_parallel(entries, available_threads(), |part| {
        part.iter().map(&work).collect::<Vec<_>>()
    });
    let mut made = Vec::with_capacity(entries.len());
    let mut problems = Vec::new();
    for (entry, result) in entries.iter().zip(parts.into_iter().flatten()) {
        match result {
            Ok(value) => made.push(value),
            Err(problem) => problems.push(format!("{} {problem}", entry.name)),
        }
    }
    let remedy = "mend them, or take file and line away";
    unless_none("files that cannot be used", remedy, problems)?;
    Ok(made)
}

/// What names, labels and contents hash to, in hexadecimal digits. Boxes are left out: training does not
/// look at them, and they may be added later.
pub(super) fn checksum(entries: &[Entry], hashes: &[Hash]) -> String {
    let mut all = Sha256::new();
    for (entry, hash) in entries.iter().zip(hashes) {
        for part in [entry.name.as_bytes(), entry.text.as_bytes()] {
            all.update((part.len() as u64).to_le_bytes());
            all.update(part);
        }
        all.update(hash);
    }
    let digits = all.finalize();
    digits[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The checksum of a folder whose labels are in this column.
pub(super) fn checksum_of(folder: &Path, label: &str) -> Result<String, FolderError> {
    let entries = Listing::read(folder, Some(label))?.entries;
    let hashes = usable(&entries, |entry| Ok(hash(&contents(&entry.path)?)))?;
    Ok(checksum(&entries, &hashes))
}

fn check_media(
    config: &FolderConfig,
    listing: &Listing,
    front_end: &FrontEnd,
) -> Result<(), FolderError> {
    if listing.media == front_end.media() {
        return Ok(());
    }
    let what = match listing.media {
        Media::Pictures => "pictures where domain.input is of recordings",
        Media::Recordings => "recordings where domain.input is of pictures",
    };
    let remedy = format!(
        "write a configuration for them by `sparling init {}`",
        config.path.display()
    );
    unless_none(what, remedy, listing.entries.iter().map(Entry::place))
}

fn check_memory(
    config: &FolderConfig,
    files: usize,
    front_end: &FrontEnd,
) -> Result<(), FolderError> {
    let needed = (files * front_end.bytes()).div_ceil(1 << 20);
    if needed <= config.memory_mib {
        return Ok(());
    }
    Err(FolderError::Memory {
        path: config.path.clone(),
        files,
        needed,
        bound: config.memory_mib,
    })
}

/// Each label's tokens.
fn tokens(
    config: &FolderConfig,
    entries: &[Entry],
    tokenizer: &Tokenizer,
) -> Result<Vec<Vec<usize>>, FolderError> {
    let mut all = Vec::with_capacity(entries.len());
    let (mut unknown, mut long) = (Vec::new(), Vec::new());
    for entry in entries {
        match tokenizer.read(&entry.text) {
            Err(symbol) => unknown.push(format!("`{symbol}` in {}", entry.place())),
            Ok(tokens) if tokens.len() > config.longest_label => long.push(entry.place()),
            Ok(tokens) => all.push(tokens),
        }
    }
    let remedy = "mend the labels, or begin a new run with these symbols in its vocabulary";
    unless_none(
        "labels with symbols that are not in domain.vocabulary",
        remedy,
        unknown,
    )?;
    let remedy = format!(
        "shorten them, or begin a new run with more than domain.longest_label = {}",
        config.longest_label
    );
    unless_none("labels of too many tokens", remedy, long)?;
    Ok(all)
}

/// Each file's footprints.
fn footprints(
    entries: &[Entry],
    contents: &[Content],
    front_end: &FrontEnd,
    tokenizer: &Tokenizer,
) -> Result<Vec<Vec<Footprint>>, FolderError> {
    let read = |objects: &Objects, content: &Content| {
        let symbols = objects.names().map(|name| {
            let known = tokenizer.id(&name);
            known.ok_or_else(|| format!("`{name}` is not in domain.vocabulary"))
        });
        let symbols: Vec<usize> = symbols.collect::<Result<_, _>>()?;
        front_end.footprints(content, objects, &symbols)
    };
    let mut problems = Vec::new();
    let mut all = Vec::with_capacity(entries.len());
    for (entry, content) in entries.iter().zip(contents) {
        let none = Ok(Vec::new());
        let read = entry
            .objects
            .as_ref()
            .map_or(none, |objects| read(objects, content));
        all.push(read.unwrap_or_else(|problem: String| {
            problems.push(format!("{}: {problem}", entry.place()));
            Vec::new()
        }));
    }
    let remedy = "mend them, or leave `objects` out: nothing but evaluation needs boxes";
    unless_none("boxes that cannot be used", remedy, problems)?;
    Ok(all)
}

/// The entries of training, validation and test. Splits without a folder of their own get their share
/// of the rest.
pub(super) fn parts(
    folder: &Path,
    split: &SplitConfig,
    entries: &[Entry],
    hashes: &[Hash],
) -> Result<[Vec<usize>; 3], FolderError> {
    let has = |part: Part| entries.iter().any(|entry| entry.part == Some(part));
    let share = |part: Part, share: f64| if has(part) { 0.0 } else { share };
    let validation = share(Part::Validation, split.validation);
    let test = validation + share(Part::Test, split.test);
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for (index, (entry, contents)) in entries.iter().zip(hashes).enumerate() {
        let part = match entry.part {
            Some(part @ (Part::Validation | Part::Test)) => part,
            _ => match drawn(split.by, entry, contents) {
                drawn if drawn < validation => Part::Validation,
                drawn if drawn < test => Part::Test,
                _ => Part::Train,
            },
        };
        parts[part as usize].push(index);
    }
    let names = ["train", "validation", "test"];
    let empty = (0..3).find(|part| parts[*part].is_empty());
    match empty {
        None => Ok(parts),
        Some(part) => Err(FolderError::EmptySplit {
            path: folder.to_owned(),
            split: names[part],
            files: entries.len(),
        }),
    }
}

/// A number from 0 to 1 that depends on the file alone.
fn drawn(by: SplitBy, entry: &Entry, contents: &Hash) -> f64 {
    let hash = match by {
        SplitBy::Content => *contents,
        SplitBy::Name => hash(entry.name.as_bytes()),
    };
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    (u64::from_be_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
}
