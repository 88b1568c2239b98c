//! What a checkpoint's numbers can be: its JSON is read from a disk, and not believed.

use std::time::Duration;

use super::{Checkpoint, FileRef, TrainingState};

/// The furthest that motifs are moved, in positions: more than any input has.
const FURTHEST: usize = 65_536;

impl Checkpoint {
    /// Checks everything that can be told without the run's configuration.
    ///
    /// # Errors
    ///
    /// Names the field, and says what it may be.
    pub(super) fn validate(&self) -> Result<(), String> {
        density("density", self.density)?;
        file("weights.file", &self.weights)?;
        let near = |offset: &[isize; 2]| offset.iter().all(|by| by.unsigned_abs() <= FURTHEST);
        require(self.offsets.iter().all(near), "offsets", "within the input")?;
        if let Some(figures) = &self.validation {
            density("validation.density", figures.density)?;
        }
        match &self.training {
            Some(training) => training.validate(self),
            None => Ok(()),
        }
    }
}

impl TrainingState {
    fn validate(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        file("training.optimizer.file", &self.optimizer)?;
        let annealer = &self.annealer;
        let same = annealer.density.to_bits() == checkpoint.density.to_bits();
        require(
            same,
            "training.annealer.density",
            "the checkpoint's density",
        )?;
        let finite = annealer.target.is_finite();
        require(finite, "training.annealer.target", "finite")?;
        let since = annealer.samples_at_last_check <= checkpoint.samples;
        let key = "training.annealer.samples_at_last_check";
        require(since, key, "at most the checkpoint's samples")?;
        let cuts = annealer.cuts.is_none_or(|cuts| cuts >= 0);
        require(cuts, "training.annealer.cuts", "0 or more")?;
        if let Some(best) = self.best {
            density("training.best.density", best.density)?;
            let share = (0.0..=1.0).contains(&best.accuracy);
            require(share, "training.best.accuracy", "from 0 to 1")?;
        }
        let finite = self.losses.iter().all(|loss| loss.is_finite());
        require(finite, "training.losses", "finite")?;
        let elapsed = Duration::try_from_secs_f64(self.elapsed_seconds);
        let possible = elapsed.is_ok_and(|elapsed| elapsed < LONGEST);
        let key = "training.elapsed_seconds";
        require(possible, key, "0 or more, and less than a thousand years")
    }
}

/// A thousand years.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 86_400);

fn density(key: &str, density: f64) -> Result<(), String> {
    require(
        density > 0.0 && density <= 1.0,
        key,
        "above 0 and at most 1",
    )
}

/// A file beside the JSON, and none elsewhere.
fn file(key: &str, file: &FileRef) -> Result<(), String> {
    let name = file.file.as_str();
    let plain = !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    require(plain, key, "the name of a file beside it")
}

fn require(holds: bool, key: &str, wanted: &str) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(format!("its `{key}` is not {wanted}")),
    }
}
