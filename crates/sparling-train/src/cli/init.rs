//! `sparling init`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use sparling_data::folder::{Tokens, Wishes};

use super::output::say;
use crate::backend::Backend;
use crate::config::RunConfig;
use crate::files::atomic;
use crate::program;
use crate::recipe::{self, Recipe, pace};

/// What `init` takes.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder: pictures or recordings, and a metadata.jsonl or metadata.csv with `file_name` and
    /// `text` for each; in train, validation and test if you have split them.
    folder: PathBuf,
    /// The file to write; by default the folder's name with .toml, here.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The column of the metadata with the labels; by default `text`, or the only one there is.
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// How labels are cut into symbols; by default words where a few come again and again, else characters.
    #[arg(long, value_enum, conflicts_with = "symbols")]
    tokens: Option<Cut>,
    /// The symbols that labels consist of, with commas between them, where some are longer than a
    /// character: s,c,h,sch.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    symbols: Vec<String>,
    /// Where to measure how long training takes.
    #[arg(long)]
    backend: Option<Backend>,
}

/// How labels are cut into symbols.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Cut {
    /// Each character is one.
    Characters,
    /// What is between spaces is one.
    Words,
}

impl Init {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "init")?;
        let out = self.out.unwrap_or_else(|| file_for(&self.folder));
        ensure!(
            !out.exists(),
            "{} exists already; choose another file as --out",
            out.display()
        );
        let wishes = Wishes {
            label: self.label,
            tokens: self.tokens.map(|cut| match cut {
                Cut::Characters => Tokens::Characters,
                Cut::Words => Tokens::Words,
            }),
            listed: self.symbols,
        };
        let recipe = Recipe::write(&self.folder, &wishes)?;
        recipe.summary.iter().for_each(|line| say!("{line}"));
        let config = RunConfig::parse(recipe::DOMAIN, recipe::ORIGIN, &recipe.text, &[])?;
        let pace = rayon::scope(|_| pace::measure(&config, backend))?;
        say!("{pace}");
        atomic::write(&out, recipe.text.as_bytes())?;
        say!(
            "written, with reasons, to {file}; train with `{program} train {domain} --config {file}`",
            file = out.display(),
            program = program::name(),
            domain = recipe::DOMAIN,
        );
        Ok(())
    }
}

/// The folder's name with `.toml`.
fn file_for(folder: &Path) -> PathBuf {
    let whole = folder.canonicalize();
    let whole = whole.as_deref().unwrap_or(folder);
    let name = whole.file_name().unwrap_or("folder".as_ref());
    PathBuf::from(name).with_added_extension("toml")
}
