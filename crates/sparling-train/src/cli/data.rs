//! `sparling data`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::output::say;
use crate::dataset::{Dataset, Found, Stage, fetch, verify};
use crate::program;

/// What `data` takes.
#[derive(Debug, Args)]
pub struct Data {
    /// The data set; without one, those that there are are listed.
    name: Option<String>,
    /// Verify the data set in this folder instead of downloading it.
    #[arg(long, value_name = "DIR", requires = "name", conflicts_with = "out")]
    from: Option<PathBuf>,
    /// Where to put it, instead of datasets/NAME. Nothing may be there yet.
    #[arg(long, value_name = "DIR", requires = "name")]
    out: Option<PathBuf>,
}

impl Data {
    pub(super) fn run(self) -> Result<()> {
        let datasets = Dataset::all();
        let Some(name) = self.name else {
            datasets.iter().for_each(list);
            return Ok(());
        };
        let known = datasets.into_iter().find(|dataset| dataset.name == name);
        let dataset = known
            .with_context(|| format!("no data set is called {name}; `sparling data` lists them"))?;
        let (folder, found) = match self.from {
            Some(folder) => {
                let found = verify(&dataset, &folder)?;
                (folder, found)
            }
            None => {
                let default = || Path::new("datasets").join(&dataset.name);
                let out = self.out.unwrap_or_else(default);
                let found = download(&dataset, &out)?;
                (out, found)
            }
        };
        report(&dataset, &folder, &found);
        Ok(())
    }
}

fn list(dataset: &Dataset) {
    let contents = &dataset.contents;
    say!(
        "{:<12} {}: {} recordings of {} speakers, {} to download, {}",
        dataset.name,
        dataset.title,
        contents.recordings,
        contents.speakers,
        dataset.archive.size,
        dataset.licence
    );
}

/// Downloads with a bar on a terminal, and a line for each stage anywhere.
fn download(dataset: &Dataset, out: &Path) -> Result<Found> {
    let archive = &dataset.archive;
    say!("downloading {}, {}", archive.url, archive.size);
    let bar = ProgressBar::no_length();
    let found = fetch(dataset, out, &mut |stage| match stage {
        Stage::Downloading { bytes, total } => {
            if bar.position() == 0 {
                bar.set_style(style(total));
                total.into_iter().for_each(|total| bar.set_length(total));
                // What an earlier attempt brought says nothing about the speed of this one.
                bar.set_position(bytes);
                bar.reset_eta();
            }
            bar.set_position(bytes);
        }
        Stage::Unpacking => {
            bar.finish_and_clear();
            say!("unpacking");
        }
        Stage::Verifying => say!("verifying"),
    });
    bar.finish_and_clear();
    Ok(found?)
}

fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{bar:40} {bytes} of {total_bytes}  {bytes_per_sec}  left {eta}",
        None => "{spinner} {bytes}  {bytes_per_sec}",
    };
    ProgressStyle::with_template(template).expect("the template is valid")
}

fn report(dataset: &Dataset, folder: &Path, found: &Found) {
    let rates: Vec<String> = found.sample_rates.iter().map(u32::to_string).collect();
    say!(
        "{}: {} recordings of {} speakers, {:.1} minutes at {} Hz",
        folder.display(),
        found.recordings,
        found.speakers,
        found.seconds / 60.0,
        rates.join(" and ")
    );
    if found.checksum {
        say!("every recording is as it was published");
    } else {
        say!("the numbers are right and every recording can be read; no checksum is known");
    }
    say!(
        "{} by {}, {}",
        dataset.title,
        dataset.authors,
        dataset.licence
    );
    say!("cite: {}", dataset.citation);
    say!("more: {}", dataset.homepage);
    say!(
        "train on it: {} train audiomnist --data {}",
        program::name(),
        folder.display()
    );
}
