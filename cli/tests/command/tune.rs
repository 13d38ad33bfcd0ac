//! `mfnet tune`: what it tries, how it judges, what it keeps, and that no result depends on the number of threads.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{mfnet, parts};
use crate::folder::names;

/// The JSON object of a command that goes well.
fn done(folder: &Path, command: &str, arguments: &str) -> Value {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let arguments = [&[command], &arguments[..], &["--json", "--quiet"]].concat();
    let (code, out, err) = parts(&mut mfnet(folder, &arguments));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&out).unwrap()
}

fn tuned(folder: &Path, arguments: &str) -> Value {
    done(folder, "tune", arguments)
}

/// The trials without what they took.
fn trials(result: &Value) -> Vec<Value> {
    let mut trials = result["trials"].as_array().unwrap().clone();
    for trial in &mut trials {
        trial.as_object_mut().unwrap().remove("seconds").unwrap();
    }
    trials
}

/// Points in a square, of three classes that no line tells apart.
fn points() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut points = "x,y,kind\n".to_owned();
    let mut heights = "x,y,z\n".to_owned();
    for row in 0..150 {
        let (x, y) = (
            f64::from(row * 37 % 101) / 50.0 - 1.0,
            f64::from(row * 53 % 97) / 48.0 - 1.0,
        );
        let kind = match x * x + y * y {
            square if square < 0.4 => "inner",
            square if square < 1.0 => "middle",
            _ => "outer",
        };
        points += &format!("{x:.3},{y:.3},{kind}\n");
        heights += &format!("{x:.3},{y:.3},{:.4}\n", 3.0 * x * y - x);
    }
    fs::write(folder.path().join("points.csv"), points).unwrap();
    fs::write(folder.path().join("heights.csv"), heights).unwrap();
    folder
}

#[test]
fn a_grid_is_tried_and_the_best_is_a_configuration_to_train() {
    let folder = points();
    let at = folder.path();
    let result = tuned(
        at,
        "points.csv --lr 0.03,0.0001 --hidden 32,2x2 --epochs 40 --batch-size 20 --test 0.2 --out found",
    );
    for (key, value) in [
        ("task", Value::from("classification")),
        ("score", "accuracy".into()),
        ("samples", 120.into()),
        ("asked", 4.into()),
        ("validation", 0.2.into()),
        ("folds", Value::Null),
        ("stopped", false.into()),
    ] {
        assert_eq!(result[key], value, "{key}");
    }
    let trials = trials(&result);
    assert_eq!(trials.len(), 4);
    let accuracies: Vec<f64> = trials
        .iter()
        .map(|trial| trial["accuracy"].as_f64().unwrap())
        .collect();
    assert!(
        accuracies.is_sorted_by(|one, other| one >= other),
        "{accuracies:?}"
    );
    assert!(accuracies[0] > 0.75 && accuracies[3] < 0.75, "{accuracies:?}");
    let best = &trials[0];
    assert_eq!(
        best["settings"],
        serde_json::json!({ "hidden": [32], "lr": 0.03 })
    );
    assert_eq!(best["accuracies"].as_array().unwrap().len(), 1);
    assert_eq!(best["accuracy_deviation"], Value::Null);

    let expected = [
        "config.toml",
        "model.safetensors",
        "ranking.png",
        "ranking.svg",
        "summary.json",
        "trials.csv",
    ];
    assert_eq!(names(&at.join("found")), expected);
    let read = |name: &str| fs::read_to_string(at.join("found").join(name)).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&read("summary.json")).unwrap(),
        result
    );
    let table = read("trials.csv");
    let heading = "rank,trial,hidden,lr,accuracy,accuracy_deviation,loss,loss_deviation,seconds,failed";
    assert_eq!(table.lines().next(), Some(heading));
    assert!(
        table.lines().nth(1).unwrap().starts_with("1,1,32,0.03,"),
        "{table}"
    );
    assert!(read("ranking.svg").contains("hidden 32, lr 0.03"));

    // The very training whose test error was told.
    let trained = done(at, "train", "--config found/config.toml --out model");
    assert_eq!(trained["samples"], 120);
    assert_eq!(trained["final"]["test"]["accuracy"], result["test"]["accuracy"]);
    assert_eq!(trained["test_accuracy"][39], result["test"]["accuracy"]);
    assert_eq!(trained["test_loss"][39], result["test"]["loss"]);
    let error = result["test"]["error"].as_f64().unwrap();
    assert!((1.0 - error - result["test"]["accuracy"].as_f64().unwrap()).abs() < 1e-12);
    let written = fs::read_to_string(at.join("model/config.toml")).unwrap();
    assert_eq!(written, read("config.toml"), "nothing was left open");

    // And the trial itself is a training on what the validation samples leave.
    let split = "points.csv --lr 0.03 --hidden 32 --epochs 40 --batch-size 20 --test 0.2";
    let again = done(at, "train", &format!("{split} --validation 0.2"));
    assert_eq!(again["validation_accuracy"][39], best["accuracy"]);
    assert_eq!(again["validation_loss"][39], best["loss"]);
}

#[test]
fn folds_judge_in_turn_whatever_the_number_of_threads() {
    let folder = points();
    let search = "heights.csv --lr 0.01,0.001 --hidden 8,16 --epochs 15 --batch-size 20 --folds 4 --seed 1,2";
    let result = tuned(folder.path(), search);
    assert_eq!((&result["folds"], &result["score"]), (&4.into(), &"loss".into()));
    assert_eq!(result["test"], Value::Null, "there are no samples to test with");
    let found = trials(&result);
    assert_eq!(found.len(), 4);
    for trial in &found {
        let losses: Vec<f64> = trial["losses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|loss| loss.as_f64().unwrap())
            .collect();
        assert_eq!(losses.len(), 8, "4 folds, 2 seeds");
        let mean = losses.iter().sum::<f64>() / 8.0;
        let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
        assert!((trial["loss"].as_f64().unwrap() - mean).abs() < 1e-12);
        assert!((trial["loss_deviation"].as_f64().unwrap() - (squares / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(trial["accuracy"], Value::Null);
    }
    for threads in ["1", "3"] {
        let again = tuned(folder.path(), &format!("{search} --threads {threads}"));
        assert_eq!(trials(&again), found, "{threads} threads");
    }
}

#[test]
fn draws_follow_the_seed_alone() {
    let folder = points();
    let search = |more: &str| {
        let common = "points.csv --lr 0.001..0.1 --dropout 0..0.5 --hidden 4..32 --optimizer sgd,adamw --momentum 0.9 \
                      --epochs 3 --trials 6";
        tuned(folder.path(), &format!("{common} {more}"))
    };
    let found = trials(&search("--threads 1"));
    assert_eq!(found.len(), 6);
    assert_eq!(trials(&search("--threads 2")), found);
    assert_ne!(trials(&search("--seed 9")), found);
    for trial in &found {
        let settings = &trial["settings"];
        assert!(
            (0.001..=0.1).contains(&settings["lr"].as_f64().unwrap()),
            "{settings}"
        );
        assert!(
            (0.0..=0.5).contains(&settings["dropout"].as_f64().unwrap()),
            "{settings}"
        );
        assert!(
            (4..=32).contains(&settings["hidden"][0].as_u64().unwrap()),
            "{settings}"
        );
    }
    // Momentum is left out where it has no place.
    let both = tuned(
        folder.path(),
        "points.csv --optimizer sgd,adam --momentum 0,0.9 --epochs 2",
    );
    assert_eq!(trials(&both).len(), 3);
}

#[test]
fn a_trial_that_diverges_has_failed_and_the_others_go_on() {
    let folder = points();
    let at = folder.path();
    let common = [
        "tune",
        "heights.csv",
        "--optimizer",
        "sgd",
        "--epochs",
        "5",
        "--lr",
    ];
    let (code, out, err) = parts(&mut mfnet(
        at,
        &[&common[..], &["1e30,0.01", "--out", "found"]].concat(),
    ));
    assert_eq!(code, Some(0), "{err}");
    let rows: Vec<&str> = out.lines().take(3).collect();
    assert!(
        rows[0].starts_with("rank") && rows[1].trim_start().starts_with("1  0.01"),
        "{out}"
    );
    assert!(
        rows[2].contains("1e30") && rows[2].contains("failed: diverged in epoch 2"),
        "{out}"
    );
    assert!(
        out.contains("2, 1 failed") && err.contains("best so far"),
        "{out}{err}"
    );
    let table = fs::read_to_string(at.join("found/trials.csv")).unwrap();
    assert!(
        table.lines().nth(2).unwrap().ends_with("diverged in epoch 2"),
        "{table}"
    );

    let (code, out, err) = parts(&mut mfnet(
        at,
        &[&common[..], &["1e30,1e31", "--out", "none"]].concat(),
    ));
    assert_eq!(code, Some(1));
    assert!(
        out.contains("failed: diverged") && err.contains("no trial came through"),
        "{out}{err}"
    );
    assert_eq!(names(&at.join("none")), ["summary.json", "trials.csv"]);
}

#[test]
fn early_stopping_does_not_see_what_judges() {
    let folder = points();
    let at = folder.path();
    let search = "points.csv --hidden 8,16 --epochs 60 --lr 0.02 --early-stopping 3 --test 0.2 --out found";
    let result = tuned(at, search);
    let trained = done(at, "train", "--config found/config.toml --out model");
    assert_eq!(trained["samples"], 108, "a tenth of 120 is apart");
    let kept = trained["best_epoch"]
        .as_u64()
        .unwrap_or(trained["epochs"].as_u64().unwrap());
    assert_eq!(trained["test_loss"][kept as usize - 1], result["test"]["loss"]);
}

#[test]
fn wrong_input_ends_with_one_message_and_nothing_written() {
    let folder = points();
    let at = folder.path();
    fs::write(at.join("same.csv"), "a,b,y\n1,7,2.5\n2,7,2.5\n3,7,2.5\n4,7,2.5\n").unwrap();
    let before = names(at);
    for (arguments, code, part) in [
        ("points.csv --lr 0.1,x", 2, "'x' for '--lr"),
        ("points.csv --lr 0.3..0.1 --trials 3", 2, "lesser number"),
        ("points.csv --lr 0.1..0.3", 2, "--trials N"),
        ("points.csv --optimizer sgd,adm", 2, "adm"),
        ("points.csv --hidden 16,x", 2, "--hidden"),
        ("points.csv --folds 1", 2, "at least 2"),
        ("points.csv --folds 151", 2, "only 150 samples"),
        ("points.csv --folds 3 --validation 0.2", 2, "cannot be used with"),
        ("points.csv --trials 0", 2, "from 1 to"),
        ("points.csv --momentum 0.9 --optimizer adam", 2, "--optimizer sgd"),
        ("heights.csv --score accuracy", 2, "the targets are numbers"),
        ("nothing.csv --lr 0.1,0.2", 2, "there is no such file"),
        ("points.csv --out .", 2, "not empty"),
        ("points.csv --out points.csv", 1, "cannot be used as a folder"),
        ("same.csv --task regression --out found", 1, "nothing to learn"),
        ("points.csv --config nothing.toml", 1, "nothing.toml"),
    ] {
        let split: Vec<&str> = arguments.split(' ').collect();
        let (found, out, err) = parts(&mut mfnet(at, &[&["tune"], &split[..]].concat()));
        assert_eq!((found, out.as_str()), (Some(code), ""), "{arguments}: {err}");
        assert!(err.contains("error: ") && !err.contains("panicked"), "{err}");
        assert!(err.contains(part), "{arguments}: {err}");
        assert_eq!(names(at), before, "{arguments}");
    }
}

#[test]
fn options_that_some_trials_use_are_no_fault() {
    let folder = points();
    let at = folder.path();
    let result = tuned(at, "circle --hidden 4,4x3 --epochs 1 --validation 0.2");
    assert_eq!(result["asked"], 2);
    let result = tuned(
        at,
        "points.csv --lr-schedule constant,plateau --lr-factor 0.5 --epochs 1 --hidden 3",
    );
    assert_eq!(result["asked"], 2);
    let arguments = ["tune", "points.csv", "--lr", "0.1,0.2", "--lr-factor", "0.5"];
    let (code, out, err) = parts(&mut mfnet(at, &arguments));
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("--lr-factor has no effect here"), "{err}");
}
