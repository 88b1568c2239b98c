//! A run that was killed, stopped or interrupted and then resumed is, bit for bit, the run that
//! never was.

// What is saved is the same on every backend, but a GPU may add in another order each time.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use circle::train;
use measured::{events, without_clock};
use program::{printed, sparling};
use serde_json::Value;

/// Everything a run leaves that does not depend on the clock.
struct Outcome {
    events: Vec<Value>,
    /// The JSON of each checkpoint.
    checkpoints: BTreeMap<String, Value>,
    /// Their weights. Burn lays out an optimiser's state in another order each time, so that only
    /// shows in what it does to the weights.
    weights: BTreeMap<String, Vec<u8>>,
}

/// The run that is never interrupted.
static REFERENCE: LazyLock<Outcome> = LazyLock::new(|| {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    printed(&mut train(out.path(), "reference"));
    Outcome::of(&out.path().join("digitcircle/reference"))
});

impl Outcome {
    fn of(run: &Path) -> Self {
        let mut result = Self {
            events: events(run),
            checkpoints: BTreeMap::new(),
            weights: BTreeMap::new(),
        };
        let checkpoints = run.join("checkpoints");
        let entries = fs::read_dir(&checkpoints).expect("a run has checkpoints");
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // What a killed process had not finished writing, and the state before the last, which depends on
            // when the run was saved.
            let is_other = name.starts_with('.') || name == "previous.json";
            if is_other || !name.ends_with(".json") {
                continue;
            }
            let contents = fs::read(&path).expect("a checkpoint's file can be read");
            let json = serde_json::from_slice(&contents).expect("it is JSON");
            let mut json = without_clock(json);
            if let Some(training) = json["training"].as_object_mut() {
                training.remove("optimizer");
                training.remove("events");
            }
            let fields = json.as_object_mut().expect("a checkpoint is an object");
            fields.remove("crc32");
            let weights = fields["weights"]["file"].as_str();
            let weights = weights.expect("a checkpoint names its weights").to_owned();
            let values = fs::read(checkpoints.join(&weights)).expect("they can be read");
            result.weights.insert(weights, values);
            result.checkpoints.insert(name.into_owned(), json);
        }
        result
    }

    /// Names what differs, rather than printing megabytes.
    fn assert_is_the_reference(&self) {
        let expected = &*REFERENCE;
        for (index, (event, expected)) in self.events.iter().zip(&expected.events).enumerate() {
            assert_eq!(event, expected, "line {} of metrics.jsonl", index + 1);
        }
        assert_eq!(self.events.len(), expected.events.len());
        assert_eq!(
            differing(&self.checkpoints, &expected.checkpoints),
            [""; 0],
            "checkpoints"
        );
        assert_eq!(
            differing(&self.weights, &expected.weights),
            [""; 0],
            "weights"
        );
    }
}

/// The names whose values are not the same in both.
fn differing<'a, T: PartialEq>(
    ours: &'a BTreeMap<String, T>,
    theirs: &'a BTreeMap<String, T>,
) -> Vec<&'a str> {
    ours.keys()
        .chain(theirs.keys())
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(String::as_str)
        .collect()
}

/// The samples at the last event, and whether it is a check.
type Moment = fn(u64, bool) -> bool;

const AFTER_ITS_FIRST_EVENT: Moment = |_, _| true;
const IN_THE_MIDDLE: Moment = |samples, _| samples >= 650;
const AFTER_A_CHECK: Moment = |samples, check| samples >= 900 && check;

fn resume(run: &Path) -> Command {
    let mut command = sparling(&["train", "--resume"]);
    command.arg(run);
    command
}

/// Starts it and waits for the moment.
fn start_until(command: &mut Command, run: &Path, moment: impl Fn(u64, bool) -> bool) -> Child {
    let mut child = command.spawn().expect("the program starts");
    let begun = Instant::now();
    loop {
        let events = events(run);
        if let Some(event) = events.last() {
            let samples = event["samples"].as_u64().expect("each event has samples");
            if moment(samples, event["kind"] == "validation") {
                return child;
            }
        }
        let ended = child.try_wait().expect("its state can be asked for");
        assert!(ended.is_none(), "the run ended before the moment came");
        if begun.elapsed() > Duration::from_secs(120) {
            child.kill().expect("it can be killed");
            panic!("the moment never came");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a run at each of the moments, resumes it to its end and compares.
fn kill_at(moments: &[Moment]) {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let run = out.path().join("digitcircle/killed");
    let mut command = train(out.path(), "killed");
    for moment in moments {
        let mut child = start_until(command.stdout(Stdio::null()), &run, *moment);
        child.kill().expect("it can be killed");
        let status = child.wait().expect("it ends");
        assert!(!status.success(), "the run ended before it could be killed");
        command = resume(&run);
    }
    let last = printed(&mut command);
    assert!(last.contains("finished: evaluate it with"), "{last}");
    Outcome::of(&run).assert_is_the_reference();
}

#[test]
fn the_reference_saves_every_density() {
    let reference = &*REFERENCE;
    let names: Vec<&String> = reference.checkpoints.keys().collect();
    assert!(names.len() > 10, "{names:?}");
    for name in ["last.json", "best.json", "density-5.000e-1.json"] {
        assert!(reference.checkpoints.contains_key(name), "{names:?}");
    }
    assert_eq!(reference.weights.len(), names.len());
    let pending = &reference.checkpoints["last.json"]["training"]["pending"];
    assert!(
        !pending["largest"].as_array().unwrap().is_empty(),
        "the tests should cover batches gathered for a threshold"
    );
    assert!(
        reference
            .events
            .iter()
            .any(|event| event.get("splits").is_some()),
        "the tests should cover channels being split"
    );
}

#[test]
fn killed_after_its_first_event() {
    kill_at(&[AFTER_ITS_FIRST_EVENT]);
}

#[test]
fn killed_in_the_middle() {
    kill_at(&[IN_THE_MIDDLE]);
}

#[test]
fn killed_after_a_check() {
    kill_at(&[AFTER_A_CHECK]);
}

#[test]
fn killed_again_and_again() {
    // The second time at once, while it reads what was saved.
    kill_at(&[
        AFTER_ITS_FIRST_EVENT,
        AFTER_ITS_FIRST_EVENT,
        IN_THE_MIDDLE,
        AFTER_A_CHECK,
    ]);
}

/// Killed between two checks, a run goes on where it was saved last, not at the check.
#[test]
fn saved_every_few_minutes() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/often");
    let mut command = train(out.path(), "often");
    command.args(["--set", "training.save_every_minutes=1e-9"]);
    let mut child = start_until(command.stdout(Stdio::null()), &run, IN_THE_MIDDLE);
    child.kill().unwrap();
    child.wait().unwrap();
    let saved = fs::read(run.join("checkpoints/last.json")).unwrap();
    let saved: Value = serde_json::from_slice(&saved).unwrap();
    assert!(saved["samples"].as_u64().unwrap() >= 645, "{saved}");
    printed(&mut resume(&run));
    Outcome::of(&run).assert_is_the_reference();
}

#[test]
fn stopped_by_limits() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/stopped");
    // Neither where an event is due nor, the second, where thresholds have just been updated.
    let first = printed(train(out.path(), "stopped").args(["--max-samples", "230"]));
    let again = format!(
        "stopped: go on with `sparling train --resume {}`",
        run.display()
    );
    assert!(first.contains(&again), "{first}");
    let second = printed(resume(&run).args(["--max-samples", "1385"]));
    assert!(second.contains(&again), "{second}");
    printed(&mut resume(&run));
    Outcome::of(&run).assert_is_the_reference();
}

/// Sends a signal once so many samples are in the events, and resumes: nothing is lost but the step in
/// progress.
#[cfg(unix)]
fn stop_by(signal: &str) {
    for (index, samples) in STOPS.into_iter().enumerate() {
        let out = tempfile::tempdir().expect("a temporary folder can be made");
        let run = out.path().join("digitcircle/stopped");
        let mut command = train(out.path(), "stopped");
        let child = start_until(command.stdout(Stdio::piped()), &run, |last, _| {
            last >= samples
        });
        // Not only just after an event.
        thread::sleep(Duration::from_millis(7 * index as u64));
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        let sent = sent.expect("kill starts");
        assert!(sent.success());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{signal}: {:?}", output.status);
        let said = String::from_utf8(output.stdout).expect("it prints UTF-8");
        let again = format!(
            "stopped: go on with `sparling train --resume {}`",
            run.display()
        );
        assert!(said.contains(&again), "{signal}: {said}");
        let saved = fs::read(run.join("checkpoints/last.json")).expect("it saved");
        let saved: Value = serde_json::from_slice(&saved).expect("it is JSON");
        assert!(saved["samples"].as_u64() >= Some(samples), "{signal}");
        printed(&mut resume(&run));
        Outcome::of(&run).assert_is_the_reference();
    }
}

/// Training samples at the last event before a run is stopped, checks and others among them.
const STOPS: [u64; 3] = [50, 600, 1550];

#[test]
#[cfg(unix)]
fn interrupted_from_the_keyboard() {
    stop_by("-INT");
}

#[test]
#[cfg(unix)]
fn terminated() {
    stop_by("-TERM");
}

#[test]
#[cfg(unix)]
fn left_by_its_terminal() {
    stop_by("-HUP");
}

/// As `nohup` starts it, and a shell's background job.
#[test]
#[cfg(unix)]
fn ignored_signals_stay_ignored() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/background");
    let train = train(out.path(), "background");
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh"]);
    shell.arg(train.get_program()).args(train.get_args());
    let child = start_until(shell.stdout(Stdio::piped()), &run, AFTER_ITS_FIRST_EVENT);
    let id = child.id().to_string();
    for signal in ["-HUP", "-INT", "-INT"] {
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Outcome::of(&run).assert_is_the_reference();
}

/// As `| head` does.
#[test]
fn nobody_reads_what_it_prints() {
    for lines in [1, 3, 10] {
        let out = tempfile::tempdir().unwrap();
        let run = out.path().join("digitcircle/unread");
        let mut child = train(out.path(), "unread")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            reader.read_line(&mut String::new()).unwrap();
        }
        drop(reader);
        assert!(child.wait().unwrap().success());
        Outcome::of(&run).assert_is_the_reference();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_it_prints_finds_no_room() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/full");
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = train(out.path(), "full")
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        errors.starts_with("error: some output could not be written: No space left on device"),
        "{errors}"
    );
    Outcome::of(&run).assert_is_the_reference();
}

#[test]
fn events_later_than_the_checkpoint_are_measured_again() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/ahead");
    printed(train(out.path(), "ahead").args(["--max-samples", "300"]));
    // As if killed after a check had written its event, but not its checkpoint, and half a line.
    let path = run.join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let last = text.lines().last().unwrap();
    let later = last.replace("\"samples\":300", "\"samples\":400");
    assert_ne!(later, last);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    write!(file, "{later}\n{{\"kind\":\"tra").unwrap();
    printed(&mut resume(&run));
    Outcome::of(&run).assert_is_the_reference();
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/finished");
    printed(&mut train(out.path(), "finished"));
    let said = printed(&mut resume(&run));
    assert!(said.contains("finished: evaluate it with"), "{said}");
    Outcome::of(&run).assert_is_the_reference();
}

/// A run that retrains another is the same, however often it was interrupted.
#[test]
fn a_retrained_run_goes_on_as_if_never_stopped() {
    let out = tempfile::tempdir().unwrap();
    let source = out.path().join("digitcircle/source");
    // At its end its density is lower than the one that runs begin with.
    printed(train(out.path(), "source").args(["--max-samples", "305"]));
    let retrain = |name: &str, samples: &str| {
        let mut command = sparling(&["train", "--name", name, "--max-samples", samples]);
        command.arg("--retrain").arg(&source);
        printed(command.arg("--out").arg(out.path()));
        out.path().join("digitcircle").join(name)
    };
    let whole = retrain("whole", "455");
    let stopped = retrain("stopped", "130");
    printed(resume(&stopped).args(["--max-samples", "320"]));
    printed(resume(&stopped).args(["--max-samples", "455"]));
    assert_eq!(events(&stopped), events(&whole));
    let [whole, stopped] = [Outcome::of(&whole), Outcome::of(&stopped)];
    assert_eq!(differing(&stopped.checkpoints, &whole.checkpoints), [""; 0]);
    assert_eq!(differing(&stopped.weights, &whole.weights), [""; 0]);
    assert!(whole.checkpoints.contains_key("best.json"));
}

/// Killed at moments that nobody chose, also before there is a run and while it is saved. So many of them, or
/// as `SPARLING_KILLS` says.
#[test]
fn killed_at_any_moment() {
    let kills = std::env::var("SPARLING_KILLS");
    let kills: u64 = kills.map_or(20, |kills| kills.parse().expect("a number"));
    let saves_often = ["--set", "training.save_every_minutes=1e-9"];
    let out = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    printed(train(out.path(), "whole").args(saves_often));
    let whole = begun.elapsed();
    let mut moment: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut done = 0;
    while done < kills {
        let name = format!("killed-{done}");
        let run = out.path().join("digitcircle").join(&name);
        // Several times each, so that what is gone on with was itself gone on with.
        for _ in 0..4.min(kills - done) {
            moment = moment
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let share = (moment >> 40) as f64 / f64::from(1 << 24);
            let mut command = match run.exists() {
                true => resume(&run),
                false => train(out.path(), &name),
            };
            if !run.exists() {
                command.args(saves_often);
            }
            let mut child = command.stdout(Stdio::null()).spawn().unwrap();
            thread::sleep(whole.mul_f64(share * 0.6));
            child.kill().unwrap();
            child.wait().unwrap();
            done += 1;
        }
        match run.exists() {
            true => printed(&mut resume(&run)),
            false => printed(train(out.path(), &name).args(saves_often)),
        };
        Outcome::of(&run).assert_is_the_reference();
        fs::remove_dir_all(&run).unwrap();
    }
    println!("{done} kills");
}
