//! How much training is still to come.

use crate::config::RunConfig;
use crate::run::event::{Event, Outcome, ValidationEvent};

/// Of how many cuts, the newest, the pace is taken.
const RECENT: usize = 5;

/// What a run has to go through, and how fast it has been.
pub struct Pace {
    minimum_density: f64,
    density_update: f64,
    last_phase: u64,
    density: f64,
    /// The training samples at each cut.
    cuts: Vec<u64>,
    settled: Option<u64>,
}

impl Pace {
    /// The pace of a run with these events so far.
    pub fn new(config: &RunConfig, events: &[Event]) -> Self {
        let mut pace = Self {
            minimum_density: config.annealing.minimum_density,
            density_update: config.annealing.density_update,
            last_phase: config.last_phase.map_or(0, |phase| phase.samples),
            density: config.annealing.initial_density,
            cuts: Vec::new(),
            settled: None,
        };
        for event in events {
            if let Event::Validation(event) = event {
                pace.observe(event);
            }
        }
        pace
    }

    /// Takes in what a check decided.
    pub fn observe(&mut self, event: &ValidationEvent) {
        match event.decision {
            Outcome::Cut => self.cuts.push(event.samples),
            Outcome::Settle => self.settled = Some(event.samples),
            Outcome::Keep | Outcome::Finish => {}
        }
        self.density = event.next_density;
    }

    /// The training samples until the run's end, after `samples` of them: for each cut to come as many
    /// as the newest ones have taken. `None` before the second cut.
    pub fn samples_left(&self, samples: u64) -> Option<u64> {
        if let Some(settled) = self.settled {
            return Some((settled + self.last_phase).saturating_sub(samples));
        }
        let recent = &self.cuts[self.cuts.len().saturating_sub(RECENT + 1)..];
        let [first, .., newest] = recent else {
            return None;
        };
        let per_cut = (newest - first) as f64 / (recent.len() - 1) as f64;
        let since = samples.saturating_sub(*newest) as f64;
        let annealing = self.cuts_left() * per_cut - since.min(per_cut);
        Some(annealing as u64 + self.last_phase)
    }

    /// The cuts still to come, with the check that takes the place of the last.
    fn cuts_left(&self) -> f64 {
        let cuts = (self.minimum_density / self.density).ln() / self.density_update.ln();
        cuts.floor() + 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace {
            minimum_density: 0.1,
            density_update: 0.5,
            last_phase: 1000,
            density: 1.0,
            cuts: Vec::new(),
            settled: None,
        }
    }

    #[test]
    fn nothing_is_known_before_the_second_cut() {
        let mut pace = pace();
        assert_eq!(pace.samples_left(0), None);
        pace.cuts.push(500);
        assert_eq!(pace.samples_left(600), None);
    }

    #[test]
    fn cuts_take_as_long_as_they_took() {
        let mut pace = pace();
        pace.cuts = vec![500, 700];
        pace.density = 0.25;
        // To 0.125, and the check after it.
        assert_eq!(pace.samples_left(700), Some(2 * 200 + 1000));
        assert_eq!(pace.samples_left(750), Some(2 * 200 - 50 + 1000));
        // Later than the ones before: it may come at any time.
        assert_eq!(pace.samples_left(5000), Some(200 + 1000));
    }

    #[test]
    fn the_last_phase_has_a_known_end() {
        let mut pace = pace();
        pace.settled = Some(3000);
        assert_eq!(pace.samples_left(3400), Some(600));
        assert_eq!(pace.samples_left(4000), Some(0));
    }
}
