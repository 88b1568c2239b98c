//! What a folder has in it, looked over before anything is decided: the basis of `sparling init`.

mod picture;
mod recording;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

pub use picture::PictureSurvey;
pub use recording::RecordingSurvey;

use super::config::SplitConfig;
use super::data::{Hash, checksum, contents, hash, parts, usable};
use super::error::{FolderError, unless_none};
use super::listing::{Entry, Listing, Media};
use super::tokens::{Tokenizer, Tokens};
use crate::vocab::Vocabulary;

/// Labels are taken for words if there are at most so many different ones,
const MOST_WORDS: usize = 200;
/// and each is there so often on average.
const WORDS_REPEAT: usize = 5;

/// What the user says about a folder; what is absent is found out.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The column of the metadata with the labels.
    pub label: Option<String>,
    /// How labels are cut into tokens.
    pub tokens: Option<Tokens>,
    /// The tokens that labels consist of: labels are then cut into [these](Tokens::Listed).
    pub listed: Vec<String>,
}

/// What a folder has in it.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The folder.
    pub path: PathBuf,
    /// The column with the labels.
    pub label: String,
    /// What names, contents and labels hash to.
    pub checksum: String,
    /// How many files train, validate and test.
    pub parts: [usize; 3],
    /// How labels are cut into tokens.
    pub tokens: Tokens,
    /// The tokens, sorted, and how often each is there.
    pub symbols: Vec<(String, usize)>,
    /// The tokens of a label.
    pub lengths: Spread,
    /// The mean number of them.
    pub mean_length: f64,
    /// The files that have boxes.
    pub boxed: usize,
    /// The files whose contents another file has, too.
    pub duplicates: usize,
    /// The files held out for validation or test that are equal to one to train on.
    pub leaked: usize,
    /// Two equal files with different labels, if there are such.
    pub contradiction: Option<[String; 2]>,
    /// What is in the files.
    pub content: Surveyed,
}

/// What is in the files.
#[derive(Clone, Debug)]
pub enum Surveyed {
    /// Pictures.
    Pictures(PictureSurvey),
    /// Recordings.
    Recordings(RecordingSurvey),
}

/// How far some numbers are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub least: f64,
    /// The median.
    pub middle: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// Of some numbers; zeros of none.
    pub(super) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0.0);
        Self {
            least: at(0),
            middle: at(numbers.len() / 2),
            most: at(numbers.len().saturating_sub(1)),
        }
    }
}

impl Survey {
    /// Looks a folder over, of which `split` holds some files out.
    ///
    /// # Errors
    ///
    /// If no examples could be made from it.
    pub fn take(folder: &Path, wishes: &Wishes, split: &SplitConfig) -> Result<Self, FolderError> {
        let listing = Listing::read(folder, wishes.label.as_deref())?;
        let entries = &listing.entries;
        let (tokens, symbols, lengths) = cut(folder, entries, wishes)?;
        let (hashes, content) = match listing.media {
            Media::Pictures => {
                let (hashes, pictures) = read(entries, picture::Look::at)?;
                (hashes, Surveyed::Pictures(PictureSurvey::new(&pictures)))
            }
            Media::Recordings => {
                let (hashes, recordings) = read(entries, |entry, _| recording::listen(entry))?;
                let survey = RecordingSurvey::new(&recordings);
                (hashes, Surveyed::Recordings(survey))
            }
        };
        let (duplicates, contradiction) = duplicates(entries, &hashes);
        let total: f64 = lengths.iter().sum();
        let parts = parts(folder, split, entries, &hashes)?;
        Ok(Self {
            path: folder.to_owned(),
            checksum: checksum(entries, &hashes),
            leaked: leaked(&parts, &hashes),
            parts: parts.map(|part| part.len()),
            tokens,
            symbols,
            mean_length: total / lengths.len() as f64,
            lengths: Spread::of(lengths),
            boxed: entries
                .iter()
                .filter(|entry| entry.objects.is_some())
                .count(),
            duplicates,
            contradiction,
            content,
            label: listing.label,
        })
    }
}

/// Each file's hash, and what is found in it.
fn read<T: Send>(
    entries: &[Entry],
    look: impl Fn(&Entry, &[u8]) -> Result<T, String> + Sync,
) -> Result<(Vec<Hash>, Vec<T>), FolderError> {
    let found = usable(entries, |entry| {
        let bytes = contents(&entry.path)?;
        Ok((hash(&bytes), look(entry, &bytes)?))
    })?;
    Ok(found.into_iter().unzip())
}

/// How labels are cut, into which symbols, and into how many each.
type Cut = (Tokens, Vec<(String, usize)>, Vec<f64>);

fn cut(folder: &Path, entries: &[Entry], wishes: &Wishes) -> Result<Cut, FolderError> {
    let labels = || entries.iter().map(|entry| entry.text.as_str());
    let tokens = match (wishes.listed.is_empty(), wishes.tokens) {
        (false, _) => Tokens::Listed,
        (true, Some(tokens)) => tokens,
        (true, None) => guess(labels().collect::<Vec<_>>().as_slice()),
    };
    let names: Vec<String> = match tokens {
        Tokens::Listed => wishes.listed.clone(),
        how => how.names(labels()).into_keys().map(str::to_owned).collect(),
    };
    if let [only] = &names[..] {
        return Err(FolderError::OneSymbol {
            path: folder.to_owned(),
            symbol: only.clone(),
        });
    }
    let tokenizer = Tokenizer::new(tokens, &Vocabulary::new(names.clone()));
    let mut counts = vec![0; names.len()];
    let mut lengths = Vec::with_capacity(entries.len());
    let mut unknown = Vec::new();
    for entry in entries {
        match tokenizer.read(&entry.text) {
            Ok(read) => {
                lengths.push(read.len() as f64);
                read.into_iter().for_each(|token| counts[token] += 1);
            }
            Err(symbol) => unknown.push(format!("`{symbol}` in {}", entry.place())),
        }
    }
    let remedy = "list them, too";
    unless_none("labels with symbols that are not listed", remedy, unknown)?;
    Ok((tokens, names.into_iter().zip(counts).collect(), lengths))
}

/// Words where a few come again and again, else characters.
fn guess(labels: &[&str]) -> Tokens {
    let words = || labels.iter().flat_map(|label| label.split_whitespace());
    let different: BTreeSet<&str> = words().collect();
    let spaced = labels
        .iter()
        .any(|label| label.contains(char::is_whitespace));
    let few = different.len() <= MOST_WORDS && WORDS_REPEAT * different.len() <= words().count();
    match spaced && few {
        true => Tokens::Words,
        false => Tokens::Characters,
    }
}

/// How many files another one is equal to, and two equal ones with different labels.
fn duplicates(entries: &[Entry], hashes: &[Hash]) -> (usize, Option<[String; 2]>) {
    let mut first: HashMap<&Hash, &Entry> = HashMap::new();
    let mut contradiction = None;
    let mut count = 0;
    for (entry, hash) in entries.iter().zip(hashes) {
        let before = *first.entry(hash).or_insert(entry);
        if before.name != entry.name {
            count += 1;
            if before.text != entry.text && contradiction.is_none() {
                contradiction = Some([before.place(), entry.place()]);
            }
        }
    }
    (count, contradiction)
}

/// How many held-out files are equal to one to train on.
fn leaked([train, validation, test]: &[Vec<usize>; 3], hashes: &[Hash]) -> usize {
    let seen: HashSet<&Hash> = train.iter().map(|index| &hashes[*index]).collect();
    let held_out = validation.iter().chain(test);
    held_out
        .filter(|index| seen.contains(&hashes[**index]))
        .count()
}

/// The value in the middle, where each counts as often as its weight says; `None` of none.
fn weighted_median<K: Ord + Copy>(weights: &BTreeMap<K, u64>) -> Option<K> {
    let total: u64 = weights.values().sum();
    let mut before = 0;
    weights.iter().find_map(|(value, weight)| {
        before += weight;
        (2 * before >= total && *weight > 0).then_some(*value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_files_that_are_trained_on_are_counted() {
        let hashes = [[1; 32], [2; 32], [1; 32], [2; 32], [3; 32]];
        let parts = [vec![0, 1], vec![2, 4], vec![3]];
        assert_eq!(leaked(&parts, &hashes), 2);
    }

    #[test]
    fn a_few_words_again_and_again_are_words() {
        let digits = ["one two three"; 10];
        assert_eq!(guess(&digits), Tokens::Words);
        assert_eq!(guess(&["3017", "25"]), Tokens::Characters);
        assert_eq!(guess(&["the cat sat", "on a mat"]), Tokens::Characters);
    }

    #[test]
    fn spreads_and_medians() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((spread.least, spread.middle, spread.most), (1.0, 2.0, 3.0));
        let weights = BTreeMap::from([(1, 1), (5, 2), (9, 1)]);
        assert_eq!(weighted_median(&weights), Some(5));
        assert_eq!(weighted_median::<u8>(&BTreeMap::new()), None);
    }
}
