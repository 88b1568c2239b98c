//! `metrics.jsonl`: what a run measured, an event a line.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::files::atomic;
use crate::run::checkpoint::Extent;
use crate::run::event::Event;
use crate::run::folder::RunError;

/// The file of a run's events.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends an event and waits until it is on disk.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn append(&self, event: &Event) -> Result<(), RunError> {
        let append = || {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)?;
            file.write_all(&line(event))?;
            file.sync_data()
        };
        append().map_err(|source| self.io(source))
    }

    /// All events so far.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a line is damaged, but for the last, which may be cut off. So is one
    /// that goes back to samples which an earlier one was about.
    pub fn events(&self) -> Result<Vec<Event>, RunError> {
        let bytes = self.bytes()?;
        let mut events: Vec<Event> = Vec::new();
        for (index, line) in whole_lines(&bytes).enumerate() {
            let wrong = |message: String| RunError::Metrics {
                path: self.path.clone(),
                line: index + 1,
                message,
            };
            let event = parse(line).map_err(wrong)?;
            if !follows(&event, &events) {
                let samples = event.samples();
                return Err(wrong(format!(
                    "it is about {samples} samples, as a line before it"
                )));
            }
            events.push(event);
        }
        Ok(events)
    }

    /// How far it is, for a checkpoint to remember.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn extent(&self) -> Result<Extent, RunError> {
        Ok(extent(&self.bytes()?))
    }

    /// Cuts it back to where a checkpoint found it: a resumed run will measure what came later again.
    ///
    /// # Errors
    ///
    /// If what should be there is not, or it cannot be written.
    pub fn rewind(&self, to: Extent) -> Result<(), RunError> {
        let bytes = self.bytes()?;
        let length = usize::try_from(to.bytes).unwrap_or(usize::MAX);
        match bytes.get(..length) {
            Some(kept) if extent(kept) == to => {
                if kept.len() < bytes.len() {
                    atomic::write(&self.path, kept)?;
                }
                Ok(())
            }
            kept => Err(RunError::LogChanged {
                path: self.path.clone(),
                found: match kept {
                    Some(_) => "other events".to_owned(),
                    None if bytes.is_empty() => "nothing".to_owned(),
                    None => format!("{} of {length} bytes", bytes.len()),
                },
            }),
        }
    }

    /// Drops the events after `samples`, and all that is none: of lines that are damaged or go back, nothing is
    /// kept. Gives how many lines were dropped that nothing will replace.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written.
    pub fn salvage(&self, samples: u64) -> Result<usize, RunError> {
        let bytes = self.bytes()?;
        let mut kept: Vec<Event> = Vec::new();
        let mut dropped = 0;
        for line in whole_lines(&bytes) {
            match parse(line) {
                Ok(event) if event.samples() > samples => {}
                Ok(event) if follows(&event, &kept) => kept.push(event),
                _ => dropped += 1,
            }
        }
        let text: Vec<u8> = kept.iter().flat_map(line).collect();
        atomic::write(&self.path, &text)?;
        Ok(dropped)
    }

    /// Nothing, where there is no such file yet.
    fn bytes(&self) -> Result<Vec<u8>, RunError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(self.io(source)),
        }
    }

    fn io(&self, source: io::Error) -> RunError {
        RunError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

fn line(event: &Event) -> Vec<u8> {
    let mut line = serde_json::to_vec(event).expect("plain structs serialise");
    line.push(b'\n');
    line
}

/// The lines but for what follows the last end of one, which a killed process had not finished.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
}

fn parse(line: &[u8]) -> Result<Event, String> {
    let event: Event = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    event.validate()?;
    Ok(event)
}

/// Whether an event can come after others: training and checks each go on.
fn follows(event: &Event, earlier: &[Event]) -> bool {
    let last = earlier.last().map_or(0, Event::samples);
    let same = |other: &&Event| {
        matches!(event, Event::Train(_)) == matches!(other, Event::Train(_))
            && other.samples() == event.samples()
    };
    event.samples() >= last && !earlier.iter().rev().take(2).any(|other| same(&other))
}

fn extent(bytes: &[u8]) -> Extent {
    Extent {
        bytes: bytes.len() as u64,
        crc32: crc32fast::hash(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::tests::check;

    fn log() -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = Log::new(folder.path().join("metrics.jsonl"));
        (folder, log)
    }

    fn events(log: &Log) -> Vec<u64> {
        let events = log.events().expect("the log is whole");
        events.iter().map(Event::samples).collect()
    }

    #[test]
    fn what_came_after_a_checkpoint_is_cut_off_whatever_it_is() {
        let (_folder, log) = log();
        assert_eq!(events(&log), [0; 0]);
        log.append(&Event::Validation(check(100, 0.5))).unwrap();
        let saved = log.extent().unwrap();
        let whole = fs::read(&log.path).unwrap();
        for tail in [&b"{\"kind\":\"tr"[..], b"\xff\xfe\n\x00", &whole] {
            fs::write(&log.path, [&whole, tail].concat()).unwrap();
            log.rewind(saved).unwrap();
            assert_eq!(fs::read(&log.path).unwrap(), whole);
        }
    }

    #[test]
    fn a_gap_before_a_checkpoint_is_refused_and_what_is_left_can_be_kept() {
        let (_folder, log) = log();
        log.append(&Event::Validation(check(100, 0.5))).unwrap();
        log.append(&Event::Validation(check(200, 0.5))).unwrap();
        let saved = log.extent().unwrap();
        let whole = fs::read(&log.path).unwrap();
        let half = whole.len() / 2;
        let repeated = [&whole[..half], &whole].concat();
        let torn = [&whole[..half - 9], b"\xff\xff\n", &whole[half..]].concat();
        for (damaged, kept, dropped) in [
            (Vec::new(), vec![], 0),
            (whole[..half].to_vec(), vec![100], 0),
            (repeated, vec![100, 200], 1),
            (torn, vec![200], 1),
        ] {
            fs::write(&log.path, &damaged).unwrap();
            let error = log.rewind(saved).unwrap_err().to_string();
            assert!(error.contains("metrics.jsonl"), "{error}");
            assert_eq!(fs::read(&log.path).unwrap(), damaged);
            assert_eq!(log.salvage(300).unwrap(), dropped);
            assert_eq!(events(&log), kept);
        }
    }

    #[test]
    fn lines_that_say_what_cannot_be_are_named() {
        let (_folder, log) = log();
        log.append(&Event::Validation(check(100, 0.5))).unwrap();
        let whole = fs::read_to_string(&log.path).unwrap();
        for wrong in [
            whole.replace("\"density\":0.5", "\"density\":0.0"),
            whole.replace("\"density\":0.5", "\"density\":null"),
            whole.replace("\"samples\":100", "\"samples\":99"),
            whole.clone(),
            "\n".to_owned(),
        ] {
            fs::write(&log.path, whole.clone() + &wrong).unwrap();
            let error = log.events().unwrap_err().to_string();
            assert!(error.contains("line 2"), "{wrong}: {error}");
        }
    }
}
