//! What is shown while training: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::backend::Backend;
use crate::event::{Event, Outcome, TrainEvent, ValidationEvent};
use crate::trainer::{Limits, Monitor, Trainer};

/// Shows a run on the terminal.
pub struct Console {
    bar: Option<ProgressBar>,
    limits: Limits,
    goal: Goal,
    samples: u64,
    begun: (u64, Instant),
    loss: f64,
    accuracy: Option<f64>,
    target: f64,
    density: f64,
}

/// What the annealing is on its way to.
struct Goal {
    minimum_density: f64,
    update: f64,
    check_every: u64,
}

impl Goal {
    /// How many cuts are still to come, the last of which ends the run.
    fn cuts_left(&self, density: f64) -> u64 {
        let cuts = (self.minimum_density / density).ln() / self.update.ln();
        (cuts.floor() as u64) + 1
    }
}

impl Console {
    /// Says what is about to happen.
    pub fn begin(trainer: &Trainer, folder: &Path, backend: Backend, limits: Limits) -> Self {
        let annealing = &trainer.config().annealing;
        let note = trainer.domain().note();
        println!(
            "training {}{} on {backend}, seed {}, in {}",
            trainer.config().domain.name(),
            note.map_or(String::new(), |note| format!(" ({note})")),
            trainer.config().seed,
            folder.display()
        );
        let bar = std::io::stdout().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}");
            ProgressBar::new_spinner().with_style(style.expect("the template is valid"))
        });
        Self {
            bar,
            limits,
            goal: Goal {
                minimum_density: annealing.minimum_density,
                update: annealing.density_update,
                check_every: annealing.check_every_samples,
            },
            samples: trainer.samples(),
            begun: (trainer.samples(), Instant::now()),
            loss: f64::NAN,
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
            None => println!("{line}"),
        }
    }

    fn speed(&self) -> f64 {
        let (samples, time) = self.begun;
        (self.samples - samples) as f64 / time.elapsed().as_secs_f64().max(1e-9)
    }

    /// The time left: to a limit if one was given, else if every check from now on cuts.
    fn remaining(&self) -> (Duration, bool) {
        let speed = self.speed().max(1e-9);
        let cuts = self.goal.cuts_left(self.density);
        let fastest = (cuts * self.goal.check_every) as f64 / speed;
        let limits = [
            self.limits
                .samples
                .map(|limit| limit.saturating_sub(self.samples) as f64 / speed),
            self.limits
                .time
                .map(|limit| limit.saturating_sub(self.begun.1.elapsed()).as_secs_f64()),
        ];
        let limit = limits.into_iter().flatten().fold(f64::INFINITY, f64::min);
        (
            Duration::from_secs_f64(fastest.min(limit).min(1e9)),
            limit >= fastest,
        )
    }

    fn message(&self) -> String {
        let (left, at_least) = self.remaining();
        let accuracy = self
            .accuracy
            .map_or("-".to_owned(), |value| percent(Some(value)));
        format!(
            "{} samples  {:.0}/s  loss {:.3}  exact {accuracy} of {}  density {:.2e} to {:.2e}  left {}{}",
            self.samples,
            self.speed(),
            self.loss,
            percent(Some(self.target)),
            self.density,
            self.goal.minimum_density,
            if at_least { "at least " } else { "" },
            clock(left),
        )
    }

    fn train(&mut self, event: &TrainEvent) {
        self.loss = event.loss;
        if self.bar.is_none() {
            println!("{}", self.message());
        }
    }

    fn validation(&mut self, event: &ValidationEvent) {
        self.accuracy = event.figures.exact_match;
        self.target = event.target;
        self.density = event.next_density;
        let figures = &event.figures;
        let decision = match event.decision {
            Outcome::Keep => "kept".to_owned(),
            Outcome::Cut => format!("cut to {:.3e}", event.next_density),
            Outcome::Finish => "finished".to_owned(),
        };
        self.say(&format!(
            "{:>9} samples  density {:.3e}  exact {} (target {})  FNE {}  FPE {}  CE {}  E2EE {}  {decision}",
            event.samples,
            figures.density,
            percent(figures.exact_match),
            percent(Some(event.target)),
            percent(figures.fne),
            percent(figures.fpe),
            percent(figures.ce),
            percent(figures.e2ee),
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

/// A share as a percentage; `-` where there is none.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1}%", 100.0 * share))
}

fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
