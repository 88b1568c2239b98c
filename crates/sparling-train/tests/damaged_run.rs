//! What was damaged in a run is refused by name or made good, and nothing else in it changes.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/copied.rs"]
mod copied;
#[path = "support/damaged.rs"]
mod damaged;
#[path = "support/measured.rs"]
mod measured;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use burn::tensor::{bf16, f16};
use circle::train;
use copied::copy;
use damaged::{Run, fails, path};
use measured::events;
use program::{printed, sparling};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

/// The newest state of it.
const LAST: &str = "checkpoints/last.json";

/// The state before that.
const PREVIOUS: &str = "checkpoints/previous.json";

/// What the run measures that nothing happens to, up to 160 samples.
static UNDAMAGED: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let run = Run::new();
    printed(run.resume().args(["--max-samples", "160"]));
    events(&run.path)
});

/// Resumes it with a warning that holds all of `wanted`; it must measure what an undamaged run does.
fn is_made_good(run: &Run, more: &[&str], wanted: &[&str]) {
    let output = run
        .resume()
        .args(["--max-samples", "160"])
        .args(more)
        .output();
    let output = output.expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    for part in wanted {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }
    assert_eq!(events(&run.path), *UNDAMAGED);
}

/// A run without the state before the last, which would be gone on from.
fn without_previous() -> Run {
    let run = Run::new();
    fs::remove_file(run.file(PREVIOUS)).expect("there is one");
    run
}

/// Changes the JSON of a checkpoint.
fn edit(run: &Run, name: &str, change: impl FnOnce(&mut Value)) {
    let path = run.file(name);
    let text = fs::read(&path).expect("a checkpoint can be read");
    let mut json = serde_json::from_slice(&text).expect("a checkpoint is JSON");
    change(&mut json);
    fs::write(&path, json.to_string()).expect("a checkpoint can be written");
}

#[test]
fn a_missing_checkpoint() {
    for name in [
        LAST,
        "checkpoints/last-105.safetensors",
        "checkpoints/last-105.optimizer",
    ] {
        let run = Run::new();
        fs::remove_file(run.file(name)).unwrap();
        // What is evaluated is another checkpoint, which is whole.
        printed(&mut run.evaluate(&[]));
        is_made_good(
            &run,
            &[],
            &["warning: ", name, "going on from the one before it, of 100"],
        );

        let run = without_previous();
        fs::remove_file(run.file(name)).unwrap();
        match name {
            LAST => fails(&mut run.resume(), &[path(&run.path), "lost its checkpoint"]),
            _ => fails(&mut run.resume(), &[name, "cannot read"]),
        }
        run.assert_untouched_but(&[name, PREVIOUS]);
    }
}

#[test]
fn a_damaged_checkpoint() {
    for name in [
        "checkpoints/last-105.safetensors",
        "checkpoints/last-105.optimizer",
    ] {
        let run = without_previous();
        let whole = &run.files[Path::new(name)];
        fs::write(run.file(name), &whole[..whole.len() / 2]).unwrap();
        fails(
            &mut run.resume(),
            &[name, "is damaged", "use another checkpoint"],
        );
        let mut flipped = whole.clone();
        flipped[whole.len() - 9] ^= 1;
        fs::write(run.file(name), &flipped).unwrap();
        fails(&mut run.resume(), &[name, "is damaged", "CRC-32"]);
        run.assert_untouched_but(&[name, PREVIOUS]);

        let run = Run::new();
        fs::write(run.file(name), flipped).unwrap();
        is_made_good(
            &run,
            &[],
            &["warning: ", name, "is damaged", "of 100 samples"],
        );
    }
}

#[test]
fn a_damaged_rung_is_in_no_other_rungs_way() {
    let run = Run::new();
    printed(run.resume().args(["--max-samples", "205"]));
    let name = "checkpoints/density-4.250e-1-200.safetensors";
    fs::write(run.file(name), "").unwrap();
    fails(&mut run.evaluate(&[]), &[name, "is damaged", "0 bytes"]);
    printed(&mut run.evaluate(&["--density", "0.5"]));
    let name = "checkpoints/density-4.250e-1.json";
    fs::write(run.file(name), "{}").unwrap();
    fails(&mut run.evaluate(&[]), &[name, "not a checkpoint"]);
    printed(&mut run.evaluate(&["--density", "0.5"]));
    // A run whose rung is damaged still ends.
    let output = run
        .resume()
        .args(["--max-samples", "210"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(name), "{told}");
}

#[test]
fn a_truncated_description() {
    for length in [0, 100] {
        let damage = |run: &Run| {
            let whole = &run.files[Path::new(LAST)];
            fs::write(run.file(LAST), &whole[..length]).expect("it can be written");
        };
        let run = without_previous();
        damage(&run);
        fails(
            &mut run.resume(),
            &[LAST, "not a checkpoint of this program"],
        );
        run.assert_untouched_but(&[LAST, PREVIOUS]);
        let run = Run::new();
        damage(&run);
        is_made_good(&run, &[], &[LAST, "not a checkpoint of this program"]);
    }
}

#[test]
fn a_checkpoint_of_something_else() {
    let run = without_previous();
    fs::write(run.file(LAST), r#"{"epoch": 3, "lr": 0.1}"#).unwrap();
    fails(&mut run.resume(), &[LAST, "not a checkpoint", "no format"]);

    let run = without_previous();
    edit(&run, LAST, |json| json["format"] = 2.into());
    let wanted = [LAST, "its format is 2, this program's is 1"];
    fails(&mut run.resume(), &wanted);
    run.assert_untouched_but(&[LAST, PREVIOUS]);
}

/// What was changed shows by the checksum; without one, as before there were any, by what cannot be.
#[test]
fn a_description_that_was_edited() {
    let last = "last-105.safetensors";
    let cases: &[(&str, Value, &str)] = &[
        ("/flavour", json!("vanilla"), "flavour"),
        ("/density", json!(0.0), "`density` is not above 0"),
        ("/density", json!(5), "`density` is not above 0"),
        ("/samples", json!(-1), "-1"),
        (
            "/weights/file",
            json!("../last-105.safetensors"),
            "weights.file",
        ),
        ("/offsets", json!([[0, 0]]), last),
        ("/offsets", json!([[0, 99_999_999]]), "offsets"),
        ("/training/elapsed_seconds", json!(1e300), "elapsed_seconds"),
        ("/training/elapsed_seconds", json!(-1), "elapsed_seconds"),
        ("/training/annealer/density", json!(0.3), "annealer.density"),
        ("/training/annealer/target", json!(7), "target must be"),
        ("/training/annealer/cuts", json!(-3), "cuts"),
        (
            "/training/annealer/samples_at_last_check",
            json!(900),
            "samples_at_last_check",
        ),
        ("/training/best/accuracy", json!(2), "best.accuracy"),
        ("/training/losses", json!([1e39]), "losses"),
        (
            "/training/pending",
            json!({"values": 9, "exact_ranks": 1, "largest": [[1.0]]}),
            last,
        ),
        (
            "/training/pending",
            json!({"values": 9, "exact_ranks": 1, "largest": [[], []]}),
            last,
        ),
    ];
    for (pointer, value, wanted) in cases {
        let run = without_previous();
        let change = |json: &mut Value| match json.pointer_mut(pointer) {
            Some(field) => *field = value.clone(),
            None => json[&pointer[1..]] = value.clone(),
        };
        edit(&run, LAST, change);
        fails(&mut run.resume(), &[LAST, "is damaged", "CRC-32"]);
        edit(&run, LAST, |json| {
            json.as_object_mut().expect("an object").remove("crc32");
        });
        fails(&mut run.resume(), &[wanted]);
        run.assert_untouched_but(&[LAST, PREVIOUS]);
    }
}

/// As programs wrote it that knew none of this.
#[test]
fn a_checkpoint_without_checksums() {
    let run = Run::new();
    edit(&run, LAST, |json| {
        json.as_object_mut().expect("an object").remove("crc32");
        let training = json["training"].as_object_mut().expect("an object");
        training.remove("configuration");
        training.remove("events");
    });
    fs::remove_file(run.file(PREVIOUS)).unwrap();
    is_made_good(&run, &[], &[]);
}

#[test]
fn a_configuration_that_was_edited() {
    let run = Run::new();
    let config = run.file("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let edit = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        fs::write(&config, text.replace(from, to)).expect("it can be written");
    };
    edit("beta_1 = 0.9\n", "beta_1 = 0.8\n");
    let wanted = [
        "config.toml",
        "training.beta_1 was 0.9 and is 0.8",
        "--changed",
    ];
    fails(&mut run.resume(), &wanted);
    run.assert_untouched_but(&["config.toml"]);
    printed(run.resume().args(["--changed", "--max-samples", "110"]));
    let record = fs::read_to_string(run.file("changes.jsonl")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let expected = json!({"samples": 105, "key": "training.beta_1", "was": 0.9, "is": 0.8});
    assert_eq!(record, expected);
    // From now on it is the run's.
    printed(run.resume().args(["--max-samples", "115"]));

    // How often it is saved changes nothing that is learnt.
    let run = Run::new();
    let config = run.file("config.toml");
    fs::write(
        &config,
        text.replace("save_every_minutes = 5.0", "save_every_minutes = 1.0"),
    )
    .unwrap();
    is_made_good(&run, &[], &[]);
}

#[test]
fn the_state_of_another_seed() {
    let out = tempfile::tempdir().unwrap();
    printed(train(out.path(), "other").args(["--seed", "4", "--max-samples", "105"]));
    let run = Run::new();
    fs::remove_dir_all(run.file("checkpoints")).unwrap();
    copy(
        &out.path().join("digitcircle/other/checkpoints"),
        &run.file("checkpoints"),
    );
    fails(&mut run.resume(), &["config.toml", "seed was 4 and is 3"]);
}

/// The optimiser's moments, whole, but of another model.
#[test]
fn moments_of_another_shape() {
    let out = tempfile::tempdir().unwrap();
    printed(train(out.path(), "wider").args([
        "--set",
        "motif_model.width=5",
        "--max-samples",
        "105",
    ]));
    let run = without_previous();
    let name = "checkpoints/last-105.optimizer";
    let theirs = fs::read(out.path().join("digitcircle/wider").join(name)).unwrap();
    fs::write(run.file(name), &theirs).unwrap();
    edit(&run, LAST, |json| {
        json["training"]["optimizer"]["bytes"] = theirs.len().into();
        json["training"]["optimizer"]["crc32"] = crc32fast::hash(&theirs).into();
        json.as_object_mut().expect("an object").remove("crc32");
    });
    fails(
        &mut run.resume(),
        &[name, "moment", "is of shape", "but its parameter of"],
    );
}

/// Changes the weights of a checkpoint, and makes its JSON fit.
fn edit_weights(run: &Run, name: &str, change: impl Fn(&mut Vec<u8>)) {
    edit(run, name, |json| {
        let file = json["weights"]["file"].as_str().expect("a name").to_owned();
        let path = run.file("checkpoints").join(file);
        let mut bytes = fs::read(&path).expect("they can be read");
        change(&mut bytes);
        fs::write(path, &bytes).expect("they can be written");
        json["weights"]["bytes"] = bytes.len().into();
        json["weights"]["crc32"] = crc32fast::hash(&bytes).into();
        json.as_object_mut().expect("an object").remove("crc32");
    });
}

#[test]
fn weights_that_are_not_finite() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let run = Run::new();
        let rung = "checkpoints/density-5.000e-1.json";
        edit_weights(&run, rung, |bytes| {
            let end = bytes.len() - 4;
            bytes[end..].copy_from_slice(&value.to_le_bytes());
        });
        fails(
            &mut run.evaluate(&[]),
            &["density-5.000e-1-100.safetensors", "is not finite"],
        );
    }
}

#[test]
fn weights_of_another_precision_are_converted() {
    for kind in [Dtype::F16, Dtype::BF16, Dtype::F64, Dtype::I32] {
        let run = Run::new();
        edit_weights(&run, "checkpoints/density-5.000e-1.json", |bytes| {
            *bytes = as_type(bytes, kind)
        });
        match kind {
            Dtype::I32 => fails(&mut run.evaluate(&[]), &["is of type I32"]),
            _ => assert!(printed(&mut run.evaluate(&["--json"])).contains("e2ee")),
        }
    }
}

/// The same weights, rounded to another type.
fn as_type(bytes: &[u8], kind: Dtype) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(bytes).expect("they are safetensors");
    let converted: Vec<(&str, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let (values, _) = tensor.data().as_chunks::<4>();
            let values = values.iter().map(|value| f32::from_le_bytes(*value));
            let bytes: Vec<u8> = values.flat_map(|value| rounded(value, kind)).collect();
            (name, tensor.shape().to_vec(), bytes)
        })
        .collect();
    let views = converted.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(kind, shape.clone(), bytes);
        (*name, view.expect("as many values as before"))
    });
    safetensors::serialize(views, None).expect("they serialise")
}

fn rounded(value: f32, kind: Dtype) -> Vec<u8> {
    match kind {
        Dtype::F16 => f16::from_f32(value).to_le_bytes().to_vec(),
        Dtype::BF16 => bf16::from_f32(value).to_le_bytes().to_vec(),
        Dtype::F64 => f64::from(value).to_le_bytes().to_vec(),
        _ => (value as i32).to_le_bytes().to_vec(),
    }
}

#[test]
fn weights_of_another_model() {
    let out = tempfile::tempdir().unwrap();
    for (name, setting) in [
        ("wider", "motif_model.width=5"),
        ("deeper", "motif_model.units=2"),
        ("shallower", "motif_model.units=0"),
    ] {
        let run = Run::new();
        printed(train(out.path(), name).args(["--max-samples", "5", "--set", setting]));
        let other = out.path().join("digitcircle").join(name);
        fs::remove_dir_all(run.file("checkpoints")).unwrap();
        copy(&other.join("checkpoints"), &run.file("checkpoints"));
        let key = setting.split_once('=').expect("a setting").0;
        fails(&mut run.resume(), &["config.toml", key]);
        let wanted = ["last-5.safetensors", "not a checkpoint of this program"];
        fails(run.resume().arg("--changed"), &wanted);
        fails(&mut run.evaluate(&[]), &wanted);
    }
}

#[test]
fn damaged_metrics() {
    let name = "metrics.jsonl";
    let whole = Run::new().files[Path::new(name)].clone();
    let half = whole.len() / 2;
    let damaged: [(Vec<u8>, &str); 4] = [
        ([b"epoch,loss\n", &whole[..]].concat(), "other events"),
        (whole[..half].to_vec(), "bytes"),
        (Vec::new(), "nothing"),
        ([&whole[..half], &whole[..]].concat(), "other events"),
    ];
    for (bytes, wanted) in damaged {
        let run = Run::new();
        fs::write(run.file(name), &bytes).unwrap();
        fails(
            &mut run.resume(),
            &[name, "not what it was", wanted, "--changed"],
        );
        run.assert_untouched_but(&[name]);
        assert_eq!(fs::read(run.file(name)).unwrap(), bytes);
    }
    // With what is left of it, if that is wanted.
    let run = Run::new();
    fs::write(run.file(name), [b"epoch,loss\n", &whole[..]].concat()).unwrap();
    is_made_good(
        &run,
        &["--changed"],
        &[name, "1 of its lines are no events"],
    );
}

/// What a killed process leaves at the end, whatever it is.
#[test]
fn a_torn_end_of_metrics() {
    let name = "metrics.jsonl";
    for tail in [
        &b"{\"kind\":\"tra"[..],
        b"\xff\xfe",
        b"\0\0\0\n",
        b"{\"loss\":null}\n",
    ] {
        let run = Run::new();
        let whole = &run.files[Path::new(name)];
        fs::write(run.file(name), [whole, tail].concat()).unwrap();
        is_made_good(&run, &[], &[]);
    }
}

/// Files that processes were writing when they died.
#[test]
fn what_the_dead_left_is_cleared_away() {
    let run = Run::new();
    let left = [
        "checkpoints/.2147483647-last.json",
        ".2147483647-config.toml",
    ];
    for name in left {
        fs::write(run.file(name), "half").unwrap();
    }
    is_made_good(&run, &[], &[]);
    assert!(left.iter().all(|name| !run.file(name).exists()));
}

#[test]
fn a_checkpoint_that_cannot_be_saved() {
    let run = Run::new();
    // A folder in its place blocks the file whoever the user is.
    let blocked = run.file("checkpoints/last-110.safetensors");
    fs::create_dir(&blocked).unwrap();
    let mut resume = run.resume();
    resume.args(["--max-samples", "110"]);
    fails(
        &mut resume,
        &[
            "cannot save",
            path(&blocked),
            "was saved before is untouched",
        ],
    );
    run.assert_untouched_but(&["metrics.jsonl"]);
    fs::remove_dir(&blocked).unwrap();
    printed(&mut resume);
}

#[test]
fn a_loss_that_is_not_finite() {
    let out = tempfile::tempdir().unwrap();
    let run = out.path().join("digitcircle/diverging");
    let last = run.join("checkpoints/last.json");
    fails(
        train(out.path(), "diverging").args(["--set", "training.learning_rate=1e30"]),
        &[
            "the loss is NaN at step 2 (10 samples)",
            path(&last),
            "training.learning_rate",
        ],
    );
    // The state before it still loads.
    printed(sparling(&["evaluate", "--examples", "10"]).arg(&run));
    printed(sparling(&["train", "--max-samples", "5", "--resume"]).arg(&run));
}
