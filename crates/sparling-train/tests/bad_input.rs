//! Bad input ends in an error that names the file, the key or the value and what to do, and loses
//! nothing that was saved.

// Errors are the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/copied.rs"]
mod copied;
#[path = "support/damaged.rs"]
mod damaged;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use circle::{TINY, train};
use copied::copy;
use damaged::{Run, contents, fails, fails_with, path};
use program::{printed, sparling};
use sparling_train::config::RunConfig;

/// Samples without training: the quickest way to have a configuration checked.
fn with(file: &Path, settings: &[&str]) -> Command {
    let mut command = sparling(&["sample", "digitcircle", "--out", "never-made", "--config"]);
    command.arg(file);
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command
}

#[test]
fn keys_that_do_not_exist() {
    let tiny = Path::new(TINY);
    fails(
        &mut with(tiny, &["training.momentum=0.9"]),
        &["training", "unknown field `momentum`", "learning_rate"],
    );
    fails(
        &mut with(tiny, &["trainer.learning_rate=1"]),
        &["trainer.learning_rate=1", "no section `trainer`"],
    );
    // The setting is to blame, not the file, and in words that are not a library's.
    for value in ["fast", "1.5", "-3", "18446744073709551615"] {
        let setting = format!("training.batch_size={value}");
        let said = format!("error: --set {setting}: ");
        fails(
            &mut with(tiny, &[&setting]),
            &[&said, "training.batch_size"],
        );
    }
    fails(
        &mut with(tiny, &["training.batch_size=fast"]),
        &["expected a whole number of at least 0"],
    );
    fails(&mut with(tiny, &["seed"]), &["--set seed", "key=value"]);
    fails(&mut with(tiny, &["=1"]), &["--set =1", "the key is empty"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("typo.toml");
    let text = fs::read_to_string(TINY).unwrap();
    fs::write(&file, text.replace("learning_rate", "lerning_rate")).unwrap();
    fails(
        &mut with(&file, &[]),
        &["typo.toml", "unknown field `lerning_rate`"],
    );
    fs::write(&file, text.replace("learning_rate = 1e-3", "")).unwrap();
    fails(
        &mut with(&file, &[]),
        &["typo.toml", "missing field `learning_rate`"],
    );
}

#[test]
fn values_out_of_range() {
    let cases: &[(&str, &[&str])] = &[
        ("annealing.initial_density=0", &["above 0 and at most 1"]),
        ("annealing.initial_density=1.5", &["1.5", "at most 1"]),
        ("annealing.density_update=1.0", &["below 1", "is 1"]),
        ("annealing.minimum_density=0.7", &["0.7", "initial_density"]),
        ("annealing.check_every_samples=0", &["at least 1"]),
        ("motif_model.width=0", &["at least 1", "is 0"]),
        ("motif_model.channels=0", &["at least 1", "is 0"]),
        ("motif_model.width=-1", &["-1"]),
        ("decoder.heads=3", &["must divide width (16)", "(3)"]),
        ("decoder.heads=0", &["must be positive"]),
        ("decoder.width=0", &["must be positive"]),
        ("decoder.dropout=1.0", &["below 1", "got 1"]),
        ("decoder.pool=0", &["must be positive"]),
        ("decoder.pool=41", &["at most 40", "is 41"]),
        ("training.learning_rate=-1e-3", &["above 0", "-0.001"]),
        ("training.learning_rate=nan", &["above 0", "NaN"]),
        ("training.learning_rate=fast", &["fast"]),
        ("training.batch_size=0", &["at least 1"]),
        ("training.beta_2=1.0", &["[0, 1)", "is 1"]),
        ("training.epsilon=0", &["above 0"]),
        ("training.gradient_clip_norm=0", &["above 0"]),
        ("training.log_every_samples=0", &["at least 1"]),
        ("training.save_every_minutes=0", &["above 0"]),
        ("last_phase.samples=0", &["at least 1"]),
        ("last_phase.learning_rate=0", &["above 0"]),
        (
            "decoder.positions=columns",
            &["columns", "rows_and_columns"],
        ),
        ("bottleneck.momentum=1.0", &["[0, 1)", "is 1"]),
        ("bottleneck.accumulate=-1.0", &["above 0", "-1"]),
        ("bottleneck.competition.share=1.5", &["1.5", "at most 1"]),
        ("bottleneck.competition.radius=-1", &["-1"]),
        (
            "bottleneck.competition.inhibition={ weight = 0.0, from_density = 1e-3 }",
            &["weight", "above 0", "is 0"],
        ),
        (
            "bottleneck.competition.inhibition={ weight = 0.2, from_density = 2.0 }",
            &["from_density", "at most 1", "is 2"],
        ),
        ("splitting.spare_below=2", &["from 0 to 1", "is 2"]),
        ("splitting.until_density=2", &["at most 1", "is 2"]),
        ("splitting.examples=0", &["at least 1"]),
        ("splitting.crowded_above=-1", &["at least 0", "is -1"]),
        ("splitting.step=0", &["above 0"]),
        ("bottleneck.scope=per_pixel", &["per_pixel", "per_channel"]),
        ("domain.noise_after=1.5", &["1.5", "from 0 to 1"]),
        ("domain.noise_before=-0.5", &["-0.5", "from 0 to"]),
        ("domain.size=20", &["20", "larger size"]),
        ("domain.margin=6", &["`jitter` 1", "at least 7"]),
        ("domain.maximum_digits=11", &["11", "at most 10"]),
        ("domain.minimum_digits=0", &["1 or more"]),
        ("validation.examples=0", &["at least 1"]),
        ("validation.batch_size=0", &["at least 1"]),
    ];
    for (setting, wanted) in cases {
        let (key, _) = setting.split_once('=').unwrap();
        let mut wanted = wanted.to_vec();
        wanted.extend(key.split('.').next_back());
        fails(&mut with(Path::new(TINY), &[setting]), &wanted);
    }
}

#[test]
fn a_sequence_has_neither_columns_nor_rows_to_read() {
    let error = |setting: &str| {
        let settings = [setting.to_owned()];
        let error = RunConfig::load("audiomnist", "small", None, &settings).unwrap_err();
        error.to_string()
    };
    let expected = "decoder.positions must be \"rows\", the only axis of a sequence, but is \
                    \"rows_and_columns\"";
    assert_eq!(error("decoder.positions=rows_and_columns"), expected);
    let expected = "decoder.row_lstm must be absent, where inputs are sequences, but is there";
    let lstm = "decoder.row_lstm={input_gain=1.0, forget_bias=0.0}";
    assert_eq!(error(lstm), expected);
}

#[test]
fn configurations_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    fails(
        &mut with(&file, &[]),
        &["cannot read configuration", path(&file)],
    );
    fs::write(&file, "a learning rate of 1e-3, say").unwrap();
    fails(&mut with(&file, &[]), &[path(&file), "TOML"]);
    fs::write(&file, "").unwrap();
    fails(&mut with(&file, &[]), &[path(&file), "missing field"]);
}

#[test]
fn names_that_do_not_exist() {
    fails(
        &mut sparling(&["train", "digitsquare"]),
        &[
            "no preset for a domain `digitsquare`",
            "digitcircle",
            "--config",
        ],
    );
    fails(
        &mut sparling(&["train", "digitcircle", "--preset", "huge"]),
        &["no preset `huge`", "small, full, paper"],
    );
    fails(
        &mut sparling(&["train", "latexocr", "--config", TINY]),
        &["tiny.toml", "digitcircle", "not latexocr"],
    );
    fails_with(
        2,
        &mut sparling(&["train", "digitcircle", "--backend", "abacus"]),
        &["abacus", "flex"],
    );
    fails_with(2, &mut sparling(&["train"]), &["DOMAIN"]);
    fails_with(
        2,
        &mut sparling(&["train", "--resume", "run", "--set", "seed=2"]),
        &["--set", "--resume"],
    );
    fails_with(
        2,
        &mut sparling(&["train", "digitcircle", "--max-time", "5 parsecs"]),
        &["5 parsecs", "10m"],
    );
}

#[test]
fn a_backend_that_is_not_compiled_in() {
    #[cfg(not(feature = "cuda"))]
    fails(
        &mut sparling(&["train", "digitcircle", "--backend", "cuda"]),
        &[
            "cuda is not compiled in",
            "cargo xtask train --backend cuda",
            "cargo build --release -p sparling-train --no-default-features --features cuda",
        ],
    );
}

#[test]
fn a_name_that_is_taken() {
    let out = tempfile::tempdir().unwrap();
    let run = Run::new();
    let taken = out.path().join("digitcircle/taken");
    copy(&run.path, &taken);
    fails(
        train(out.path(), "taken").args(["--set", "motif_model.width=5"]),
        &[path(&taken), "exists already", "--resume", "--name"],
    );
    assert!(contents(&taken) == run.files, "the run changed");
    fails(
        &mut train(out.path(), "../taken"),
        &["../taken", "single folder"],
    );
}

#[test]
fn resuming_what_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    for wrong in [folder.path(), &nothing] {
        fails(
            sparling(&["train", "--resume"]).arg(wrong),
            &[path(wrong), "not a run"],
        );
        fails(
            sparling(&["evaluate"]).arg(wrong),
            &[path(wrong), "not a run"],
        );
    }
}

#[test]
fn a_run_that_is_in_use() {
    let run = Run::new();
    let lock = fs::File::open(run.file(".lock")).unwrap();
    lock.lock().unwrap();
    fails(&mut run.resume(), &[".lock", "in use by another process"]);
    run.assert_untouched_but(&[]);
    // Looking at it is allowed.
    printed(&mut run.evaluate(&[]));
}

#[test]
fn densities_out_of_range() {
    let run = Run::new();
    for density in ["0", "2", "-0.1", "nan"] {
        let argument = format!("--density={density}");
        fails(
            &mut run.evaluate(&[&argument]),
            &["--density", "above 0 and at most 1"],
        );
    }
    fails_with(
        2,
        &mut run.evaluate(&["--density", "low"]),
        &["--density", "low"],
    );
}

#[test]
fn pictures_that_are_no_inputs() {
    let run = Run::new();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("other-size");
    printed(
        sparling(&[
            "sample",
            "digitcircle",
            "--preset",
            "small",
            "--count",
            "1",
            "--out",
        ])
        .arg(&out),
    );
    let other_size = out.join("00000.png");
    let text = folder.path().join("notes.png");
    fs::write(&text, "not a picture").unwrap();
    let missing = folder.path().join("none.png");
    let cases: [(&Path, &[&str]); 3] = [
        (&other_size, &["48x48", "40x40", "crop or scale"]),
        (&text, &["cannot read picture"]),
        (&missing, &["cannot read picture"]),
    ];
    for (picture, wanted) in cases {
        let mut wanted = wanted.to_vec();
        wanted.push(path(picture));
        fails(run.command(&["predict"]).arg(picture), &wanted);
    }
    assert!(!run.file("predictions").exists(), "something was written");
}

/// Neither pipes nor devices, which would be read for ever, are files.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_not_waited_for() {
    let run = Run::new();
    let device = Path::new("/dev/zero");
    fails(&mut with(device, &[]), &["/dev/zero", "it is not a file"]);
    fails(
        run.command(&["intervene"]).arg(device),
        &["/dev/zero", "it is not a file"],
    );
    let recording = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/dc_offset_silence.wav"
    );
    let wanted = [recording, "neither a PNG nor a JPEG"];
    fails(run.command(&["intervene"]).arg(recording), &wanted);
}

/// A relative path means the same wherever a run is gone on with, and what was moved can be named anew.
#[test]
fn paths_hold_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let stamps = folder.path().join("stamps.txt");
    let embedded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../sparling-data/tests/data/embedded_stamps.txt"
    );
    fs::copy(embedded, &stamps).unwrap();
    let mut begin = train(folder.path(), "run");
    begin.args(["--max-samples", "5", "--set", "domain.stamps=stamps.txt"]);
    printed(begin.current_dir(folder.path()));
    let run = folder.path().join("digitcircle/run");
    let resume = || {
        let mut resume = sparling(&["train", "--max-samples", "10", "--resume"]);
        resume.arg(&run);
        resume
    };
    printed(&mut resume());
    let moved = folder.path().join("moved.txt");
    fs::rename(&stamps, &moved).unwrap();
    fails(&mut resume(), &[path(&stamps)]);
    printed(resume().arg("--data").arg(&moved));
}

/// A limit of the system's on files is told as a full disk is.
#[test]
#[cfg(target_os = "linux")]
fn files_that_may_not_grow() {
    let out = tempfile::tempdir().unwrap();
    let train = train(out.path(), "limited");
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 20; exec \"$@\"", "sh"]);
    shell.arg(train.get_program()).args(train.get_args());
    fails(
        shell.args(["--max-samples", "5"]),
        &["cannot save", "File too large"],
    );
}
