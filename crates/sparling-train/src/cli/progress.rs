//! What is shown while training: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::say;
use super::pace::Pace;
use super::tables::{self, density, percent};
use crate::backend::Backend;
use crate::run::event::{Event, Outcome, TrainEvent, ValidationEvent};
use crate::training::trainer::{Limits, Monitor, Trainer};

/// Shows a run on the terminal.
pub struct Console {
    bar: Option<ProgressBar>,
    limits: Limits,
    pace: Pace,
    minimum_density: f64,
    samples: u64,
    begun: (u64, Instant),
    loss: Option<f64>,
    accuracy: Option<f64>,
    target: f64,
    density: f64,
}

impl Console {
    /// Says what is about to happen; `events` are those so far.
    pub fn begin(
        trainer: &Trainer,
        events: &[Event],
        folder: &Path,
        backend: Backend,
        limits: Limits,
    ) -> Self {
        let config = trainer.config();
        let note = trainer.domain().note();
        say!(
            "training {}{} on {backend}, seed {}, in {}",
            config.domain_name(),
            note.map_or(String::new(), |note| format!(" ({note})")),
            config.seed,
            folder.display()
        );
        Self {
            bar: bar(),
            limits,
            pace: Pace::new(config, events),
            minimum_density: config.annealing.minimum_density,
            samples: trainer.samples(),
            begun: (trainer.samples(), Instant::now()),
            loss: None,
            accuracy: None,
            target: trainer.annealer().state().target,
            density: trainer.annealer().density(),
        }
    }

    /// Clears the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say!("{line}"),
        }
    }

    fn speed(&self) -> f64 {
        let (samples, time) = self.begun;
        (self.samples - samples) as f64 / time.elapsed().as_secs_f64().max(1e-9)
    }

    /// The time left: to the run's end, or to a limit if that is sooner. `None` if neither is known.
    fn remaining(&self) -> Option<Duration> {
        let speed = self.speed().max(1e-9);
        let time = |samples: u64| samples as f64 / speed;
        let Limits {
            samples,
            time: limit,
        } = self.limits;
        let ends = [
            self.pace.samples_left(self.samples).map(time),
            samples.map(|limit| time(limit.saturating_sub(self.samples))),
            limit.map(|limit| limit.saturating_sub(self.begun.1.elapsed()).as_secs_f64()),
        ];
        let first = ends.into_iter().flatten().reduce(f64::min)?;
        Some(Duration::from_secs_f64(first.min(1e9)))
    }

    fn message(&self) -> String {
        format!(
            "{} samples  {:.0}/s  loss {}  exact {} of {}  density {} to {}  left {}",
            self.samples,
            self.speed(),
            self.loss
                .map_or("-".to_owned(), |loss| format!("{loss:.3}")),
            percent(self.accuracy),
            percent(Some(self.target)),
            density(self.density),
            density(self.minimum_density),
            self.remaining().map_or("unknown".to_owned(), clock),
        )
    }

    fn train(&mut self, event: &TrainEvent) {
        self.loss = Some(event.loss);
        if self.bar.is_none() {
            say!("{}", self.message());
        }
    }

    fn validation(&mut self, event: &ValidationEvent) {
        self.pace.observe(event);
        self.accuracy = event.figures.exact_match;
        self.target = event.target;
        self.density = event.next_density;
        let decision = match event.decision {
            Outcome::Keep => "kept".to_owned(),
            Outcome::Cut => format!("cut to {}", density(event.next_density)),
            Outcome::Settle => "lowest density: last phase".to_owned(),
            Outcome::Finish => "finished".to_owned(),
        };
        self.say(&format!(
            "{:>9} samples  density {}  {} (target {})  {decision}",
            event.samples,
            density(event.figures.density),
            tables::named(&event.figures),
            percent(Some(event.target)),
        ));
        if !event.splits.is_empty() {
            let pairs = event.splits.iter();
            let pairs: Vec<_> = pairs
                .map(|[channel, spare]| format!("{channel} with {spare}"))
                .collect();
            self.say(&format!("          split channel {}", pairs.join(", ")));
        }
    }
}

impl Monitor for Console {
    fn step(&mut self, samples: u64) {
        self.samples = samples;
        if let Some(bar) = &self.bar {
            bar.set_message(self.message());
            bar.tick();
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Train(event) => self.train(event),
            Event::Validation(event) => self.validation(event),
        }
    }
}

/// A line that is drawn anew in place, where the terminal can do that and shows both streams.
fn bar() -> Option<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {msg}").expect("the template is valid");
    let bar = ProgressBar::new_spinner().with_style(style);
    (std::io::stdout().is_terminal() && !bar.is_hidden()).then_some(bar)
}

fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
