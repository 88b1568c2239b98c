//! `sparling experiment`.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::output::{say, say_part};
use super::{stop, tables};
use crate::backend::Backend;
use crate::program::{self, quoted};
use crate::run::event::Event;
use crate::run::folder::{RunError, RunFolder};
use crate::study::experiment::{Experiment, Planned, Progress};

/// How often the runs in progress are looked at.
const POLL: Duration = Duration::from_millis(200);

/// The most seeds that are run.
const MOST_SEEDS: u64 = 10_000;

/// The largest seed that a configuration's file can hold.
const MOST_SEED: u64 = i64::MAX as u64;

/// What `experiment` takes.
#[derive(Debug, Args)]
pub struct Run {
    /// The experiment's file.
    file: PathBuf,
    /// These seeds instead of the file's, e.g. 1-9 or 1,4,7.
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<Numbers>,
    /// So many runs beside each other; the processor's threads are shared out among them.
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Of n machines this is the i-th: it takes every n-th run.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Write a Slurm job array that runs one shard a job, and train nothing.
    #[arg(long, value_name = "FILE")]
    slurm: Option<PathBuf>,
    /// Show how far each run is, and train nothing.
    #[arg(long)]
    status: bool,
    /// Where runs are kept.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

/// Whole numbers and ranges of them.
#[derive(Clone, Debug, PartialEq)]
struct Numbers(Vec<u64>);

/// One of several machines, from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shard {
    index: usize,
    of: usize,
}

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected seeds such as 1-9 or 1,4,7, got {text}");
        let mut numbers = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let [first, last] = [first, last].map(|number| number.trim().parse::<u64>());
            let (first, last) = (first.map_err(|_| wrong())?, last.map_err(|_| wrong())?);
            if first > last {
                return Err(wrong());
            }
            if last > MOST_SEED || last - first >= MOST_SEEDS - numbers.len() as u64 {
                return Err(format!(
                    "expected at most {MOST_SEEDS} seeds, none above {MOST_SEED}, got {text}"
                ));
            }
            numbers.extend(first..=last);
        }
        Ok(Self(numbers))
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let parsed = numbers.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err(format!("expected I/N with I from 1 to N, got {text}")),
        }
    }
}

impl Run {
    pub(super) fn run(self) -> Result<()> {
        let experiment = Experiment::load(&self.file)?;
        let seeds = self.seeds.as_ref().map(|seeds| seeds.0.as_slice());
        let runs = experiment.runs(&self.out, seeds);
        // A login node may have no device: the script needs none to be written.
        if let Some(script) = &self.slurm {
            return self.write_slurm(script, &runs);
        }
        let backend = Backend::choose(self.backend, "experiment")?;
        let runs: Vec<Planned> = match self.shard {
            Some(shard) => of_shard(runs, shard),
            None => runs,
        };
        let failed = if self.status {
            Vec::new()
        } else {
            Sweep {
                runs: &runs,
                domain: &experiment.domain,
                backend,
                jobs: self.jobs.max(1),
                failed: Vec::new(),
            }
            .run()?
        };
        say!("\n{}", experiment.title);
        print_table(&runs)?;
        match failed.as_slice() {
            [] => Ok(()),
            [log, ..] => bail!("{} runs failed; the first says why in {log}", failed.len()),
        }
    }

    fn write_slurm(&self, script: &Path, runs: &[Planned]) -> Result<()> {
        let count = runs.iter().filter(|run| run.retrain.is_none()).count();
        let seeds = self.seeds.as_ref().map_or(String::new(), |seeds| {
            let seeds: Vec<String> = seeds.0.iter().map(u64::to_string).collect();
            format!(" --seeds {}", seeds.join(","))
        });
        let backend = self
            .backend
            .map_or(String::new(), |backend| format!(" --backend {backend}"));
        let jobs = match self.jobs {
            0 | 1 => String::new(),
            jobs => format!(" --jobs {jobs}"),
        };
        let [file, out] = [&self.file, &self.out].map(|path| quoted(&path.to_string_lossy()));
        let text = format!(
            "#!/bin/sh\n\
             #SBATCH --array=1-{count}\n\
             # Every job goes on where it was stopped: submit it again if time ran out.\n\
             {} experiment {file} --out {out}{seeds}{backend}{jobs} --shard \"$SLURM_ARRAY_TASK_ID/{count}\"\n",
            program::name(),
        );
        fs::write(script, text).with_context(|| format!("cannot write {}", script.display()))?;
        say!("{count} jobs: sbatch {}", quoted(&script.to_string_lossy()));
        Ok(())
    }
}

/// Every n-th run that trains from the start, each with those that retrain it.
fn of_shard(runs: Vec<Planned>, shard: Shard) -> Vec<Planned> {
    let first: Vec<&Planned> = runs.iter().filter(|run| run.retrain.is_none()).collect();
    let mine: Vec<PathBuf> = first
        .iter()
        .skip(shard.index - 1)
        .step_by(shard.of)
        .map(|run| run.folder.clone())
        .collect();
    runs.into_iter()
        .filter(|run| mine.contains(run.retrain.as_ref().unwrap_or(&run.folder)))
        .collect()
}

/// Runs in progress, in processes of their own.
struct Sweep<'a> {
    runs: &'a [Planned],
    domain: &'a str,
    backend: Backend,
    jobs: usize,
    /// The logs of those that failed.
    failed: Vec<String>,
}

struct Job<'a> {
    run: &'a Planned,
    /// How far it was before.
    progress: Progress,
    child: Child,
    log: PathBuf,
}

impl<'a> Sweep<'a> {
    fn run(mut self) -> Result<Vec<String>> {
        let stop = stop::on_request()?;
        let mut told = false;
        let mut jobs: Vec<Job<'a>> = Vec::new();
        let mut given_up: Vec<&'a Path> = Vec::new();
        loop {
            let mut index = 0;
            while index < jobs.len() {
                let Some(status) = jobs[index].child.try_wait()? else {
                    index += 1;
                    continue;
                };
                let job = jobs.swap_remove(index);
                if !status.success() {
                    say!("{}: failed, see {}", job.run.name(), job.log.display());
                    self.failed.push(job.log.display().to_string());
                    given_up.push(&job.run.folder);
                    continue;
                }
                let progress = job.run.progress()?;
                // Stopped by the user, or no further for all that was done.
                if matches!(progress, Progress::Begun) || progress == job.progress {
                    given_up.push(&job.run.folder);
                }
            }
            let stopping = stop.load(Ordering::Relaxed);
            if stopping && !told {
                told = true;
                for job in &mut jobs {
                    say!("{}: asked to save and stop", job.run.name());
                    stop::ask(&job.child);
                }
            }
            while jobs.len() < self.jobs && !stopping {
                match self.next(&jobs, &given_up)? {
                    Some((run, progress, arguments)) => {
                        jobs.push(self.start(run, progress, &arguments)?)
                    }
                    None => break,
                }
            }
            if jobs.is_empty() {
                return Ok(self.failed);
            }
            thread::sleep(POLL);
        }
    }

    /// A run with something to do that nothing stands in the way of.
    fn next(
        &self,
        jobs: &[Job],
        given_up: &[&Path],
    ) -> Result<Option<(&'a Planned, Progress, Vec<String>)>> {
        for run in self.runs {
            let in_progress = jobs.iter().any(|job| job.run.folder == run.folder);
            if in_progress || given_up.contains(&run.folder.as_path()) {
                continue;
            }
            let first = self
                .runs
                .iter()
                .find(|first| Some(&first.folder) == run.retrain.as_ref());
            if let Some(first) = first
                && matches!(first.progress()?, Progress::Missing | Progress::Begun)
            {
                continue;
            }
            let progress = run.progress()?;
            if progress != Progress::Missing {
                match RunFolder::open(&run.folder)?.lock() {
                    Ok(_) => {}
                    Err(RunError::InUse(_)) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            if let Some(arguments) = run.command(progress, self.domain) {
                return Ok(Some((run, progress, arguments)));
            }
        }
        Ok(None)
    }

    fn start(&self, run: &'a Planned, progress: Progress, arguments: &[String]) -> Result<Job<'a>> {
        let folder = run.folder.parent().unwrap_or(Path::new(""));
        let log = folder.join(format!("{}.log", run.name()));
        let (out, errors) =
            open_log(&log).with_context(|| format!("cannot write {}", log.display()))?;
        say!(
            "{}: {}, output in {}",
            run.name(),
            arguments[0],
            log.display()
        );
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(arguments)
            .args(["--backend", &self.backend.to_string()]);
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        if std::env::var_os("RAYON_NUM_THREADS").is_none() {
            let threads = thread::available_parallelism().map_or(1, usize::from) / self.jobs;
            command.env("RAYON_NUM_THREADS", threads.max(1).to_string());
        }
        let child = command.spawn().context("cannot start this program anew")?;
        Ok(Job {
            run,
            progress,
            child,
            log,
        })
    }
}

fn open_log(path: &Path) -> io::Result<(File, File)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok((file.try_clone()?, file))
}

fn print_table(runs: &[Planned]) -> Result<()> {
    let width = runs.iter().map(|run| run.name().len()).max().unwrap_or(0);
    say!("{:width$}  {:>16} {}", "run", "state", tables::header());
    for run in runs {
        let progress = match run.progress()? {
            Progress::Missing => "not begun".to_owned(),
            Progress::Begun => "begun".to_owned(),
            Progress::Trained(measurement) => format!("lacks {}", measurement.name()),
            Progress::Done => "done".to_owned(),
        };
        say_part!("{:width$}  {progress:>16}", run.name());
        let events = match RunFolder::open(&run.folder) {
            Ok(folder) => folder.events()?,
            Err(_) => Vec::new(),
        };
        if let Some(last) = events.into_iter().rev().find_map(Event::check) {
            say_part!(" {}", tables::row(last.samples, &last.figures));
        }
        say!();
    }
    Ok(())
}
