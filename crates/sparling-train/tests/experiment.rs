//! Experiments: what is run, what is skipped, and what is gone on with.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use measured::events;
use program::{printed, sparling};
use serde_json::Value;
use tempfile::TempDir;

/// The configuration that all its runs start from.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.toml");

/// An experiment of three variants in a folder of its own.
struct Experiment {
    folder: TempDir,
}

impl Experiment {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let text = format!(
            r#"
            title = "a test"
            domain = "digitcircle"
            base = "{TINY}"
            seeds = [1, 2]
            max_samples = 120

            [[variant]]
            name = "mt"
            then = ["binning", "direct", "causality"]

            [[variant]]
            name = "l1"
            seeds = [1]
            set = [
                "splitting=",
                "bottleneck.competition=",
                "bottleneck.baseline={{ kind = 'l1', weight = 0.5 }}",
            ]

            [[variant]]
            name = "retrained"
            seeds = [1]
            retrain = "mt"
            "#
        );
        fs::write(folder.path().join("test.toml"), text).expect("it can be written");
        Self { folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = sparling(&["experiment"]);
        command.arg(self.folder.path().join("test.toml"));
        command.arg("--out").arg(self.folder.path().join("runs"));
        command.args(arguments);
        command
    }

    fn run(&self, name: &str) -> PathBuf {
        self.folder
            .path()
            .join("runs/digitcircle")
            .join(format!("test-{name}"))
    }
}

const RUNS: [&str; 4] = ["mt-seed1", "mt-seed2", "l1-seed1", "retrained-seed1"];

/// Runs a command that cannot succeed, and gives what it says of that.
fn failed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(!output.status.success(), "{command:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("it is there");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn every_run_is_trained_and_measured_once() {
    let experiment = Experiment::new();
    printed(&mut experiment.command(&["--jobs", "2"]));
    for name in RUNS {
        let results = json(&experiment.run(name).join("results.json"));
        assert!(results["test"]["e2ee"].is_number(), "{results}");
    }
    let binning = json(&experiment.run("mt-seed1").join("binning.json"));
    assert_eq!(binning[0]["binned"].as_array().map(Vec::len), Some(6));
    let direct = json(&experiment.run("mt-seed2").join("direct.json"));
    let shown = direct["test"]["shown"]
        .as_array()
        .expect("symbol by symbol");
    let shown: Option<Vec<u64>> = shown.iter().map(serde_json::Value::as_u64).collect();
    let shown: u64 = shown.iter().flatten().sum();
    assert_eq!(shown, 1000, "{direct}");
    let causality = json(&experiment.run("mt-seed1").join("causality.json"));
    assert_eq!(causality["examples"], 1000, "{causality}");

    let before = RUNS.map(|name| events(&experiment.run(name)));
    let said = printed(&mut experiment.command(&[]));
    assert!(!said.contains("output in"), "{said}");
    assert_eq!(said.matches(" done ").count(), 4, "{said}");
    assert_eq!(RUNS.map(|name| events(&experiment.run(name))), before);
}

#[test]
fn what_is_retrained_keeps_its_motif_model() {
    let experiment = Experiment::new();
    printed(&mut experiment.command(&["--seeds", "1"]));
    let weights = |name: &str, checkpoint: &str| {
        let checkpoint = json(&experiment.run(name).join("checkpoints").join(checkpoint));
        let file = checkpoint["weights"]["file"]
            .as_str()
            .expect("it has weights")
            .to_owned();
        fs::read(experiment.run(name).join("checkpoints").join(file)).expect("they are there")
    };
    let before = weights("mt-seed1", "density-5.000e-1.json");
    let after = weights("retrained-seed1", "last.json");
    let tensors = |bytes| safetensors::SafeTensors::deserialize(bytes).expect("they are whole");
    let (before, after) = (tensors(&before), tensors(&after));
    let mut changed = 0;
    for (name, tensor) in before.tensors() {
        if name.starts_with("bottleneck") {
            continue;
        }
        let same = after.tensor(&name).expect("it has the same tensors").data() == tensor.data();
        let is_decoder = name.starts_with("decoder");
        assert!(same || is_decoder, "{name} has changed");
        changed += usize::from(!same);
    }
    let names = after.names();
    assert!(
        !names
            .iter()
            .any(|name| name.contains("norm.running") && name.starts_with("bottleneck")),
        "{names:?}"
    );
    assert!(changed > 0, "nothing was learnt");
}

#[test]
fn shards_share_the_runs_out() {
    let experiment = Experiment::new();
    let names = |said: &str| {
        let runs = said.lines().filter(|line| line.contains("not begun"));
        let names = runs.filter_map(|line| line.split_whitespace().next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let shard = |shard| {
        names(&printed(
            &mut experiment.command(&["--status", "--shard", shard]),
        ))
    };
    assert_eq!(
        shard("1/2"),
        ["test-mt-seed1", "test-l1-seed1", "test-retrained-seed1"]
    );
    assert_eq!(shard("2/2"), ["test-mt-seed2"]);

    let script = experiment.folder.path().join("job.sbatch");
    printed(experiment.command(&["--slurm"]).arg(&script));
    let script = fs::read_to_string(script).unwrap();
    assert!(script.contains("--array=1-3"), "{script}");
    assert!(
        script.contains("--shard \"$SLURM_ARRAY_TASK_ID/3\""),
        "{script}"
    );
    assert!(!experiment.run("mt-seed1").exists());
}

/// Whatever a path is called, the job reads it as one word and runs nothing of it.
#[test]
fn a_job_script_quotes_its_paths() {
    let experiment = Experiment::new();
    let script = experiment.folder.path().join("job.sbatch");
    let mut command = sparling(&["experiment", "--out", "my $(touch ran) runs", "--jobs", "2"]);
    command.arg(experiment.folder.path().join("test.toml"));
    printed(command.arg("--slurm").arg(&script));
    let script = fs::read_to_string(script).unwrap();
    let expected = "--out 'my $(touch ran) runs' --jobs 2 --shard";
    assert!(script.contains(expected), "{script}");
}

#[cfg(unix)]
#[test]
fn a_sweep_killed_in_the_middle_goes_on() {
    use std::os::unix::process::CommandExt;
    use std::process::Stdio;
    use std::thread::sleep;
    use std::time::Duration;

    let whole = Experiment::new();
    printed(&mut whole.command(&["--seeds", "1"]));

    let experiment = Experiment::new();
    let mut command = experiment.command(&["--seeds", "1"]);
    // A group of its own, so that the run in progress can be killed with it.
    let mut sweep = command
        .process_group(0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while events(&experiment.run("l1-seed1")).is_empty() {
        assert!(sweep.try_wait().unwrap().is_none(), "it ended too early");
        sleep(Duration::from_millis(5));
    }
    let group = format!("-{}", sweep.id());
    assert!(
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .status()
            .unwrap()
            .success()
    );
    sweep.wait().unwrap();

    let said = printed(&mut experiment.command(&["--seeds", "1"]));
    assert!(!said.contains("test-mt-seed1: train"), "{said}");
    for name in ["mt-seed1", "l1-seed1", "retrained-seed1"] {
        assert_eq!(
            events(&experiment.run(name)),
            events(&whole.run(name)),
            "{name}"
        );
    }
}

/// As a scheduler does, which knows of the sweep's process alone.
#[cfg(unix)]
#[test]
fn a_sweep_that_is_terminated_stops_its_runs() {
    use std::process::Stdio;
    use std::thread::sleep;
    use std::time::Duration;

    let names = ["mt-seed1", "mt-seed2"];
    let arguments = ["--seeds", "1-2", "--jobs", "2"];
    let [whole, stopped] = [(); 2].map(|()| {
        let experiment = Experiment::new();
        let file = experiment.folder.path().join("test.toml");
        let text = fs::read_to_string(&file).unwrap();
        let alone = text.split("[[variant]]").take(2).collect::<Vec<_>>();
        let text = alone.join("[[variant]]").replace("= 120", "= 1000");
        fs::write(
            &file,
            text.replace("\"binning\", \"direct\", \"causality\"", ""),
        )
        .unwrap();
        experiment
    });
    printed(&mut whole.command(&arguments));

    let mut command = stopped.command(&arguments);
    let mut sweep = command.stdout(Stdio::piped()).spawn().unwrap();
    while names
        .iter()
        .any(|name| events(&stopped.run(name)).is_empty())
    {
        assert!(sweep.try_wait().unwrap().is_none(), "it ended too early");
        sleep(Duration::from_millis(5));
    }
    let id = sweep.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(sent.success());
    let output = sweep.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    for name in names {
        let asked = format!("test-{name}: asked to save and stop");
        assert!(said.contains(&asked), "{said}");
        assert!(!stopped.run(name).join("results.json").exists());
        let last = json(&stopped.run(name).join("checkpoints/last.json"));
        assert!(last["samples"].as_u64().unwrap() < 1000, "{last}");
    }
    printed(&mut stopped.command(&arguments));
    for name in names {
        assert_eq!(events(&stopped.run(name)), events(&whole.run(name)));
    }
}

#[test]
fn files_that_make_no_sense() {
    let experiment = Experiment::new();
    let file = experiment.folder.path().join("test.toml");
    let text = fs::read_to_string(&file).unwrap();
    for (wrong, right, message) in [
        (
            "retrain = \"mt\"",
            "retrain = \"st\"",
            "there is no variant st before it",
        ),
        (
            "name = \"l1\"",
            "name = \"mt\"",
            "there are two variants mt",
        ),
        ("name = \"l1\"", "name = \"../l1\"", "variant `../l1`"),
        ("weight = 0.5", "weight = -0.5", "variant l1"),
        ("title", "titel", "unknown field `titel`"),
    ] {
        assert!(text.contains(wrong));
        fs::write(&file, text.replace(wrong, right)).unwrap();
        let said = failed(&mut experiment.command(&[]));
        assert!(
            said.contains("test.toml") && said.contains(message),
            "{said}"
        );
    }
    for [option, value] in [["--seeds", "3-1"], ["--seeds", "one"], ["--shard", "3/2"]] {
        assert!(failed(&mut experiment.command(&[option, value])).contains("expected"));
    }
}
