//! `sparling train`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::configuration::{self, Configuration};
use super::output::{self, say};
use super::progress::Console;
use super::{memory, stop, summary};
use crate::backend::Backend;
use crate::config::{Retrain, RunConfig};
use crate::program;
use crate::recipe;
use crate::run::begin::begin;
use crate::run::folder::{Environment, RunFolder, free_path};
use crate::run::lock::Lock;
use crate::training::trainer::{Ended, Limits, Trainer};

/// What `train` takes.
#[derive(Debug, Args)]
pub struct Train {
    /// The domain: folder (your own pictures or recordings, see --data), digitcircle, audiomnist or latexocr.
    #[arg(required_unless_present_any = ["resume", "retrain"])]
    domain: Option<String>,
    #[command(flatten)]
    configuration: Configuration,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
    /// Decides training examples, initial weights and dropout.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// The run's name; by default that of the preset, file or folder, and the seed.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where runs are kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Stop after so many training samples.
    #[arg(long, value_name = "N")]
    max_samples: Option<u64>,
    /// Stop after so long, e.g. 90s, 10m or 2h.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    max_time: Option<Duration>,
    /// Begin with a trained run's motif model, which stays as it is, and train its decoder on
    /// without the bottleneck, until --max-samples.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["domain", "resume", "preset", "config", "settings"])]
    retrain: Option<PathBuf>,
    /// For --retrain: the state of that run whose density is nearest; by default the lowest.
    #[arg(long, value_name = "D", requires = "retrain")]
    density: Option<f64>,
    /// Go on with the run in this folder.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["preset", "config", "settings", "seed", "name", "out"])]
    resume: Option<PathBuf>,
    /// For --resume: go on although config.toml or metrics.jsonl is not what the run was saved with. What
    /// was changed is written to changes.jsonl.
    #[arg(long, requires = "resume")]
    changed: bool,
}

impl Train {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "train")?;
        let limits = Limits {
            samples: self.max_samples,
            time: self.max_time,
        };
        let (folder, lock, fresh) = match &self.resume {
            Some(path) => {
                let folder = RunFolder::open(path)?;
                let lock = folder.lock()?;
                folder.remove_temporaries();
                (folder, lock, None)
            }
            None => {
                let config = self.load()?.with_absolute_paths()?;
                let domain = config.build_domain()?;
                memory::require(&config, &*domain, backend)?;
                domain.prepare()?;
                let (folder, lock) = self.create(&config, backend)?;
                (folder, lock, Some((config, domain)))
            }
        };
        if let Some(warning) = lock.warning() {
            output::warn(format_args!("{warning}"));
        }
        let mut trainer = match fresh {
            Some((config, domain)) => Trainer::new(folder.clone(), config, domain, backend)?,
            None => {
                let resume = || -> Result<Trainer> {
                    let data = self.configuration.data.as_deref();
                    let config = configuration::of_run(&folder, data)?;
                    memory::require(&config, &*config.build_domain()?, backend)?;
                    let resumed = Trainer::resume(folder.clone(), config, backend, self.changed);
                    Ok(resumed?)
                };
                resume().with_context(|| format!("cannot resume {}", folder.path().display()))?
            }
        };
        for warning in trainer.warnings() {
            output::warn(format_args!("{warning}"));
        }
        let stop = stop::on_request()?;
        let begun = trainer.samples();
        let events = folder.events()?;
        let mut console = Console::begin(&trainer, &events, folder.path(), backend, limits);
        // On a thread of the pool, parallel operators start without waking another thread first.
        let ended = rayon::scope(|_| trainer.train(limits, &stop, &mut console));
        console.finish();
        let steps = (trainer.samples() - begun) / trainer.config().training.batch_size as u64;
        say!(
            "{steps} steps; {} times the selection missed a threshold and was repeated",
            trainer.selection_misses()
        );
        conclude(&trainer, &folder, ended?, backend)
    }

    fn load(&self) -> Result<RunConfig> {
        let Some(run) = &self.retrain else {
            let domain = self.domain.as_deref().unwrap_or_default();
            return self.configuration.load(domain, self.seed);
        };
        let folder = RunFolder::open(run)?;
        let (checkpoint, _) = folder.checkpoints().nearest(self.density)?;
        let mut config = folder.config()?;
        config.seed = self.seed.unwrap_or(config.seed);
        Ok(config.without_bottleneck(Retrain {
            run: run.clone(),
            checkpoint,
        }))
    }

    fn create(&self, config: &RunConfig, backend: Backend) -> Result<(RunFolder, Lock)> {
        let parent = self.out.join(config.domain_name());
        let path = match &self.name {
            Some(name) if Path::new(name).components().count() == 1 => parent.join(name),
            Some(name) => bail!("--name {name}: expected a single folder's name"),
            None => {
                let seeded = |base: &str| format!("{base}-seed{}", config.seed);
                let Configuration {
                    config: file, data, ..
                } = &self.configuration;
                let name = match (&self.retrain, file, data) {
                    (Some(run), ..) => format!("{}-retrained", stem(run)),
                    (None, Some(file), _) => seeded(&stem(file)),
                    (None, None, Some(folder)) if config.domain_name() == recipe::DOMAIN => {
                        seeded(&stem(folder))
                    }
                    (None, None, _) => seeded(self.configuration.preset()),
                };
                free_path(&parent, &name)
            }
        };
        Ok(begin(&path, config, &Environment::of(backend))?)
    }
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Says how it ended and what to do next.
fn conclude(trainer: &Trainer, folder: &RunFolder, ended: Ended, backend: Backend) -> Result<()> {
    summary::show(folder, trainer.domain().clone(), backend, ended)?;
    let path = folder.path().display();
    let program = program::name();
    let samples = trainer.samples();
    let minutes = trainer.elapsed().as_secs_f64() / 60.0;
    say!("{samples} samples in {minutes:.1} min, saved in {path}");
    match ended {
        Ended::Finished => say!("finished: evaluate it with `{program} evaluate {path}`"),
        Ended::Limit | Ended::Interrupted => {
            say!("stopped: go on with `{program} train --resume {path}`");
        }
    }
    Ok(())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a number with s, m or h, such as 10m, got {text}");
    let (digits, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let seconds = match unit {
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert!(parse_duration("10 parsecs").is_err());
        assert!(parse_duration("-1s").is_err());
        assert!(parse_duration("m").is_err());
    }
}
