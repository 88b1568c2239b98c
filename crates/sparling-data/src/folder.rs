//! A data set of one's own: a folder of pictures or recordings, and what is written or said in each.
//!
//! The layout is that of Hugging Face's `imagefolder` and `audiofolder`:
//!
//! ```text
//! numbers/train/metadata.jsonl        {"file_name": "00000.png", "text": "3017"}, a line for each file
//! numbers/train/00000.png ...
//! numbers/validation/ ...             likewise
//! numbers/test/ ...
//! ```
//!
//! - Without folders for validation and test, or without any, shares of the files are held out, by a hash
//!   of each file.
//! - `metadata.csv` does as well, with commas, semicolons or tabs. Another column may have the labels.
//! - Pictures are PNG or JPEG, recordings WAV.
//! - Boxes are for evaluation alone: `"objects": {"bbox": [[x, y, width, height], ..], "categories":
//!   ["3", ..]}` in a picture's line, in pixels, or `"seconds": [[start, end], ..]` in place of `bbox` in a
//!   recording's. They may be there for some files or for none.
//!
//! A file is scaled and padded to an input of one size, as the configuration says. Everything is decoded
//! when the domain is prepared, and checked: what is wrong with it is said then, and nothing of it is read
//! again. In training each epoch has every file once, in an order drawn from the seed, and each time it
//! may be varied; validation and test have the files in the order of their names.

mod config;
mod data;
mod error;
mod input;
mod labels;
mod listing;
mod order;
mod picture;
mod recording;
mod survey;
mod tokens;

use std::path::Path;
use std::sync::OnceLock;

pub use config::{FolderConfig, SplitBy, SplitConfig};
pub use error::{Cases, FolderError};
pub use input::InputConfig;
pub use listing::{Media, labels};
pub use picture::{PictureAugmentation, PictureConfig};
pub use recording::RecordingConfig;
pub use survey::{PictureSurvey, RecordingSurvey, Spread, Survey, Surveyed, Wishes};
pub use tokens::Tokens;

use crate::domain::{Domain, Recordings};
use crate::error::ConfigError;
use crate::example::{Example, OwnPicture, Sound};
use crate::seed::Split;
use crate::vocab::Vocabulary;
use data::Data;
use input::{Content, FrontEnd};
use picture::ink;
use tokens::Tokenizer;

/// The domain of a folder; made by [`FolderConfig::validate`].
#[derive(Debug)]
pub struct Folder {
    config: FolderConfig,
    front_end: FrontEnd,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    data: OnceLock<Data>,
}

impl Folder {
    /// The configuration that this is.
    pub fn config(&self) -> &FolderConfig {
        &self.config
    }

    fn data(&self) -> &Data {
        let data = self.data.get();
        data.expect("prepared before examples are made")
    }
}

impl Domain for Folder {
    fn input_shape(&self) -> [usize; 3] {
        self.front_end.input_shape()
    }

    fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    fn longest_output(&self) -> usize {
        self.config.longest_label
    }

    fn prepare(&self) -> Result<(), ConfigError> {
        if self.data.get().is_none() {
            let data = Data::load(&self.config, &self.front_end, &self.tokenizer)?;
            // Whoever came first has loaded the same.
            let _ = self.data.set(data);
        }
        Ok(())
    }

    fn count(&self, split: Split) -> Option<u64> {
        match split {
            Split::Train { .. } => None,
            Split::Validation | Split::Test => Some(self.data().count(split)),
        }
    }

    fn example(&self, split: Split, index: u64) -> Example {
        let item = self.data().item(split, index);
        let (input, footprints) =
            self.front_end
                .example(&item.content, &item.footprints, split, index);
        Example {
            input,
            tokens: item.tokens.clone(),
            footprints,
        }
    }

    fn tokens_of(&self, label: &str) -> Option<Vec<usize>> {
        self.tokenizer.read(label).ok()
    }

    fn label(&self) -> Option<&str> {
        Some(&self.config.label)
    }

    fn read_picture(&self, file: &Path) -> Option<Result<OwnPicture, ConfigError>> {
        let FrontEnd::Pictures(canvas) = &self.front_end else {
            return None;
        };
        let read = data::contents(file).and_then(|bytes| canvas.read(&bytes));
        let refused = |problem| ConfigError::Source(format!("{} {problem}", file.display()).into());
        let own = read.map(|(canvas, view)| OwnPicture {
            input: ink(&canvas).collect(),
            view,
        });
        Some(own.map_err(refused))
    }

    fn recordings(&self) -> Option<&dyn Recordings> {
        match &self.front_end {
            FrontEnd::Pictures(_) => None,
            FrontEnd::Recordings(ear) => Some(ear),
        }
    }

    fn sound(&self, split: Split, index: u64) -> Option<Sound> {
        let item = self.data().item(split, index);
        match (&self.front_end, &item.content) {
            (FrontEnd::Recordings(ear), Content::Recording(samples)) => Some(Sound {
                samples: ear.example(samples, &[], split, index).0,
                sample_rate: ear.sample_rate(),
            }),
            _ => None,
        }
    }
}
