//! A folder of one's own: looked over, trained on, killed, resumed, evaluated and read with.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/copied.rs"]
mod copied;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use copied::copy;
use measured::events;
use program::{printed, sparling};
use serde_json::Value;
use tempfile::TempDir;

/// 420 strips of handwritten digits, in three splits, with boxes.
const STRIPS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../datasets/handwriting-sample"
);

/// What makes any recipe so small that a run takes seconds. Each check cuts though nothing is learnt.
const TINY: [&str; 18] = [
    "motif_model.width=4",
    "motif_model.units=1",
    "decoder.width=16",
    "decoder.heads=2",
    "decoder.encoder_layers=1",
    "decoder.decoder_layers=1",
    "decoder.feed_forward=32",
    "training.batch_size=5",
    "training.log_every_samples=50",
    "annealing.initial_density=0.2",
    "annealing.minimum_density=0.05",
    "annealing.initial_target=0.1",
    "annealing.target_decay_per_sample=2e-3",
    "annealing.density_update=0.7",
    "annealing.check_every_samples=100",
    "last_phase.samples=100",
    "validation.examples=30",
    "splitting.examples=10",
];

fn tiny(command: &mut Command) -> &mut Command {
    command.args(TINY.iter().flat_map(|setting| ["--set", setting]))
}

/// The configuration that `init` writes for the strips.
static WRITTEN: LazyLock<(TempDir, PathBuf, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("strips.toml");
    let said = printed(sparling(&["init", STRIPS, "--out"]).arg(&file));
    (folder, file, said)
});

fn train(out: &Path, name: &str) -> Command {
    let mut command = sparling(&["train", "folder", "--name", name, "--config"]);
    command.arg(&WRITTEN.1).arg("--out").arg(out);
    tiny(&mut command);
    command
}

/// A run that was trained to its end.
static FINISHED: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let said = printed(&mut train(out.path(), "finished"));
    assert!(said.contains("finished:"), "{said}");
    let run = out.path().join("folder/finished");
    (out, run)
});

/// Runs it to its failure, and gives its error.
fn error(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{command:?} succeeded");
    assert!(!error.contains("panicked"), "{command:?}: {error}");
    error
}

fn assert_has(message: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

/// A copy of the strips for one test to change.
fn strips() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let strips = folder.path().join("strips");
    copy(Path::new(STRIPS), &strips);
    (folder, strips)
}

#[test]
fn init_writes_what_it_has_found_and_chosen() {
    let (_, file, said) = &*WRITTEN;
    let wanted = [
        "300 files to train on, 60 for validation, 60 for the test; 10 symbols, 3 to 5 in a label",
        "boxes in 420 files",
        "inputs of 24x88 pixels, 20 channels",
        "samples a second here",
        "strips.toml; train with `",
    ];
    assert_has(said, &wanted);
    let text = fs::read_to_string(file).unwrap();
    let wanted = [
        "height = 24 # all pictures are 24x88",
        "ground = 0",
        "channels = 20 # 2 for each of 10 symbols",
        "# 300 files are few",
    ];
    assert_has(&text, &wanted);
    let again = error(sparling(&["init", STRIPS, "--out"]).arg(file));
    assert_has(&again, &["strips.toml exists already", "--out"]);
}

#[test]
fn a_run_describes_itself() {
    let run = &FINISHED.1;
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let domain = config["domain"].as_table().unwrap();
    assert_eq!(domain["vocabulary"].as_array().map(Vec::len), Some(10));
    assert_eq!(domain["checksum"].as_str().map(str::len), Some(16));
    for picture in ["examples.png", "channels.png", "curves.png"] {
        assert!(run.join(picture).exists(), "{picture}");
    }
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("folder/killed");
    let mut train = train(out.path(), "killed");
    let mut child = train.stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while events(&run).len() < 3 {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "there are no events"
        );
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    printed(sparling(&["train", "--resume"]).arg(&run));
    assert_eq!(events(&run), events(&FINISHED.1), "metrics.jsonl");
}

#[test]
fn an_evaluation_takes_what_there_is() {
    let run = &FINISHED.1;
    let both = printed(sparling(&["evaluate", "--json", "--split", "both"]).arg(run));
    let both = json(&both);
    for split in ["validation", "test"] {
        assert_eq!(both[split]["examples"], 60, "{both}");
        assert!(both[split]["fne"].is_number(), "{both}");
    }
}

#[test]
fn pictures_are_read_as_examples_are_made() {
    let run = &FINISHED.1;
    let folder = tempfile::tempdir().unwrap();
    let larger = folder.path().join("larger.png");
    let strip = Path::new(STRIPS).join("test/00003.png");
    let picture = image::open(&strip).unwrap();
    let filter = image::imageops::FilterType::Triangle;
    picture
        .resize_exact(352, 96, filter)
        .to_rgb8()
        .save(&larger)
        .unwrap();
    let mut predict = sparling(&["predict", "--json"]);
    predict
        .arg(run)
        .args([&strip, &larger])
        .arg("--out")
        .arg(folder.path());
    let predictions = json(&printed(&mut predict));
    for prediction in predictions.as_array().unwrap() {
        assert!(prediction["tokens"].is_array() && prediction["motifs"].is_array());
    }
    assert!(folder.path().join("larger-motifs.png").exists());
}

#[test]
fn data_that_has_changed_is_refused_and_nothing_is_lost() {
    let (folder, strips) = strips();
    let mut train = sparling(&["train", "folder", "--name", "run", "--max-samples", "20"]);
    train
        .arg("--data")
        .arg(&strips)
        .arg("--out")
        .arg(folder.path());
    let said = printed(tiny(&mut train));
    assert_has(
        &said,
        &["300 files to train on", "chosen: inputs of 24x88 pixels"],
    );
    let run = folder.path().join("folder/run");
    let labels = strips.join("train/metadata.jsonl");
    let text = fs::read_to_string(&labels).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let mut changed: Value = json(first);
    changed["text"] = "111".into();
    fs::write(&labels, format!("{changed}\n{rest}")).unwrap();

    let saved = fs::read(run.join("checkpoints/last.json")).unwrap();
    let mut resume = sparling(&["train", "--max-samples", "40", "--resume"]);
    resume.arg(&run);
    let wanted = ["cannot resume", "strips has changed since", "--data"];
    assert_has(&error(&mut resume), &wanted);
    assert_eq!(fs::read(run.join("checkpoints/last.json")).unwrap(), saved);
    let mut evaluate = sparling(&["evaluate", "--examples", "5"]);
    evaluate.arg(&run);
    assert_has(&error(&mut evaluate), &["has changed since", "--data"]);

    printed(resume.arg("--data").arg(&strips));
    printed(evaluate.arg("--data").arg(&strips));
    fs::rename(&strips, folder.path().join("moved")).unwrap();
    assert_has(&error(&mut evaluate), &["there is no folder", "strips"]);
}

#[test]
fn without_boxes_places_are_not_judged() {
    let (folder, strips) = strips();
    for split in ["train", "validation", "test"] {
        let path = strips.join(split).join("metadata.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| {
            let line = json(line);
            let file = line["file_name"].as_str().unwrap();
            format!("{file},\"{}\"\n", line["text"].as_str().unwrap())
        });
        let table = format!("file_name,text\n{}", lines.collect::<String>());
        fs::write(strips.join(split).join("metadata.csv"), table).unwrap();
        fs::remove_file(path).unwrap();
    }
    let mut train = sparling(&["train", "folder", "--max-samples", "100"]);
    train
        .arg("--data")
        .arg(&strips)
        .arg("--out")
        .arg(folder.path());
    let said = printed(tiny(&mut train));
    assert_has(&said, &["no boxes"]);
    let run = folder.path().join("folder/strips-seed1");
    let figures = json(&printed(sparling(&["evaluate", "--json"]).arg(&run)));
    assert!(
        figures["fne"].is_null() && figures["fpe"].is_null(),
        "{figures}"
    );
    assert!(figures["empirical_density"].is_number(), "{figures}");
    assert!(figures["e2ee"].is_number(), "{figures}");
}

/// Samples of a domain are a folder that can be trained on.
fn samples_are_a_folder(domain: &str, config: &str, wanted: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let samples = folder.path().join("samples");
    let config = format!("{}/tests/data/{config}", env!("CARGO_MANIFEST_DIR"));
    let mut sample = sparling(&["sample", domain, "--config", &config, "--seed", "1"]);
    printed(sample.args(["--count", "60", "--out"]).arg(&samples));
    let mut train = sparling(&["train", "folder", "--max-samples", "20"]);
    train
        .arg("--data")
        .arg(&samples)
        .arg("--out")
        .arg(folder.path());
    assert_has(&printed(tiny(&mut train)), wanted);
    let run = folder.path().join("folder/samples-seed1");
    let figures = json(&printed(sparling(&["evaluate", "--json"]).arg(&run)));
    assert!(figures["fne"].is_number(), "{figures}");
}

#[test]
fn samples_of_digitcircle_are_a_folder() {
    let wanted = ["boxes in 60 files", "inputs of 40x40 pixels"];
    samples_are_a_folder("digitcircle", "tiny.toml", &wanted);
}

#[test]
fn samples_of_audiomnist_are_a_folder() {
    let wanted = ["boxes in 60 files", "frames)"];
    samples_are_a_folder("audiomnist", "tiny-audio.toml", &wanted);
}

#[test]
fn folders_that_cannot_be_used_begin_no_run() {
    let out = tempfile::tempdir().unwrap();
    let train = |more: &[&str]| {
        let mut command = sparling(&["train", "folder", "--out"]);
        command.arg(out.path().join("runs")).args(more);
        error(&mut command)
    };
    assert_has(&train(&[]), &["--data DIR", "init DIR"]);
    assert_has(
        &train(&["--data", STRIPS, "--preset", "full"]),
        &["leave --preset out"],
    );
    assert_has(
        &train(&["--data", "no-such-folder"]),
        &["there is no folder no-such-folder"],
    );
    let empty = out.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    assert_has(
        &train(&["--data", empty]),
        &["no labels in", empty, "metadata.jsonl"],
    );
    assert_has(
        &train(&["--data", STRIPS, "--set", "domain.input.height=3"]),
        &["input.height", "is 3"],
    );
    assert_has(
        &train(&["--data", STRIPS, "--set", "decoder.pool=25"]),
        &["decoder.pool", "is 25"],
    );
    assert_has(
        &train(&["--data", STRIPS, "--set", "domain.memory_mib=0"]),
        &["domain.memory_mib = 0"],
    );
    assert_has(
        &error(&mut sparling(&["init", empty])),
        &["no labels in", empty],
    );
    assert!(!out.path().join("runs").exists(), "a run was begun");
}

/// Copies some strips in red, with green ones upside down over them.
fn coloured(to: &Path) {
    for split in ["train", "validation", "test"] {
        let (from, to) = (Path::new(STRIPS).join(split), to.join(split));
        fs::create_dir_all(&to).expect("a folder can be made");
        let open = |index: usize| {
            let picture = image::open(from.join(format!("{index:05}.png")));
            picture.expect("a strip can be read").to_luma8()
        };
        let metadata = fs::read_to_string(from.join("metadata.jsonl")).expect("there are labels");
        let mut lines = String::new();
        for (index, line) in metadata.lines().take(30).enumerate() {
            let (red, green) = (open(index), open(index + 1));
            let picture = image::RgbImage::from_fn(red.width(), red.height(), |x, y| {
                let below = red.height() - 1 - y;
                image::Rgb([red.get_pixel(x, y).0[0], green.get_pixel(x, below).0[0], 0])
            });
            let path = to.join(format!("{index:05}.png"));
            picture.save(path).expect("a picture can be written");
            lines += &format!("{line}\n");
        }
        fs::write(to.join("metadata.jsonl"), lines).expect("labels can be written");
    }
}

#[test]
fn what_colours_tell_apart_is_read_in_colours() {
    let folder = tempfile::tempdir().unwrap();
    let strips = folder.path().join("strips");
    coloured(&strips);
    let mut train = sparling(&["train", "folder", "--name", "run", "--max-samples", "20"]);
    train
        .arg("--data")
        .arg(&strips)
        .arg("--out")
        .arg(folder.path());
    tiny(&mut train);
    printed(&mut train);
    let run = folder.path().join("folder/run");
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("colour = true"), "{config}");
    assert!(run.join("examples.png").exists() && run.join("channels.png").exists());
    let mut predict = sparling(&["predict", "--json"]);
    predict.arg(&run).arg(strips.join("test/00003.png"));
    let predictions = json(&printed(&mut predict));
    assert_eq!(predictions.as_array().unwrap().len(), 1);
}
