//! `mfnet tune`: what it tries, how it judges, what it keeps, and that no result depends on the number of threads.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{assert_refused, done, json, object, refused, run};
use crate::folder::{Folder, folder_with, names, read};

fn tuned(folder: &Path, options: &str) -> Value {
    json(folder, &format!("tune {options} --json --quiet"))
}

fn train(folder: &Path, options: &str) -> Value {
    json(folder, &format!("train {options} --json --quiet"))
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
fn points() -> Folder {
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
    folder_with(&[("points.csv", &points), ("heights.csv", &heights)])
}

#[test]
fn a_grid_is_tried_and_the_best_is_a_configuration_to_train() {
    let at = &points();
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
    let read = |name: &str| read(&at.join("found"), name);
    assert_eq!(object(&read("summary.json")), result);
    let table = read("trials.csv");
    let heading = "rank,trial,hidden,lr,accuracy,accuracy_deviation,loss,loss_deviation,seconds,failed";
    assert_eq!(table.lines().next(), Some(heading));
    assert!(
        table.lines().nth(1).unwrap().starts_with("1,1,32,0.03,"),
        "{table}"
    );
    assert!(read("ranking.svg").contains("hidden 32, lr 0.03"));

    // The very training whose test error was told.
    let trained = train(at, "--config found/config.toml --out model");
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
    let again = train(at, &format!("{split} --validation 0.2"));
    assert_eq!(again["validation_accuracy"][39], best["accuracy"]);
    assert_eq!(again["validation_loss"][39], best["loss"]);
}

#[test]
fn folds_judge_in_turn_whatever_the_number_of_threads() {
    let folder = points();
    let search = "heights.csv --lr 0.01,0.001 --hidden 8,16 --epochs 15 --batch-size 20 --folds 4 --seed 1,2";
    let result = tuned(&folder, search);
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
        let again = tuned(&folder, &format!("{search} --threads {threads}"));
        assert_eq!(trials(&again), found, "{threads} threads");
    }
}

#[test]
fn draws_follow_the_seed_alone() {
    let folder = points();
    let search = |more: &str| {
        let common = "points.csv --lr 0.001..0.1 --dropout 0..0.5 --hidden 4..32 --optimizer sgd,adamw --momentum 0.9 \
                      --epochs 3 --trials 6";
        tuned(&folder, &format!("{common} {more}"))
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
        &folder,
        "points.csv --optimizer sgd,adam --momentum 0,0.9 --epochs 2",
    );
    assert_eq!(trials(&both).len(), 3);
}

#[test]
fn a_trial_that_diverges_has_failed_and_the_others_go_on() {
    let at = &points();
    let common = "tune heights.csv --optimizer sgd --epochs 5";
    let (out, err) = done(at, &format!("{common} --lr 1e30,0.01 --out found"));
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
    let table = read(at, "found/trials.csv");
    assert!(
        table.lines().nth(2).unwrap().ends_with("diverged in epoch 2"),
        "{table}"
    );

    let (code, out, err) = run(at, &format!("{common} --lr 1e30,1e31 --out none"));
    assert_eq!(code, Some(1));
    assert!(
        out.contains("failed: diverged") && err.contains("no trial came through"),
        "{out}{err}"
    );
    assert_eq!(names(&at.join("none")), ["summary.json", "trials.csv"]);
}

#[test]
fn early_stopping_does_not_see_what_judges() {
    let at = &points();
    let search = "points.csv --hidden 8,16 --epochs 60 --lr 0.02 --early-stopping 3 --test 0.2 --out found";
    let result = tuned(at, search);
    let trained = train(at, "--config found/config.toml --out model");
    assert_eq!(trained["samples"], 108, "a tenth of 120 is apart");
    let kept = trained["best_epoch"]
        .as_u64()
        .unwrap_or(trained["epochs"].as_u64().unwrap());
    assert_eq!(trained["test_loss"][kept as usize - 1], result["test"]["loss"]);
}

#[test]
fn wrong_input_ends_with_one_message_and_nothing_written() {
    let at = &points();
    fs::write(at.join("same.csv"), "a,b,y\n1,7,2.5\n2,7,2.5\n3,7,2.5\n4,7,2.5\n").unwrap();
    assert_refused(
        at,
        "
        2 tune points.csv --lr 0.1,x => 'x' for '--lr
        2 tune points.csv --lr 0.3..0.1 --trials 3 => smaller number
        2 tune points.csv --lr 0.1..0.3 => --trials N
        2 tune points.csv --optimizer sgd,adm => adm
        2 tune points.csv --hidden 16,x => --hidden
        2 tune points.csv --folds 1 => at least 2
        2 tune points.csv --folds 151 => only 150 samples
        2 tune points.csv --folds 3 --validation 0.2 => cannot be used with
        2 tune points.csv --trials 0 => from 1 to
        2 tune points.csv --momentum 0.9 --optimizer adam => --optimizer sgd
        2 tune heights.csv --score accuracy => the targets are numbers
        2 tune nothing.csv --lr 0.1,0.2 => there is no such file
        2 tune points.csv --out . => not empty
        1 tune points.csv --out points.csv => cannot be used as a folder
        1 tune same.csv --task regression --out found => nothing to learn
        1 tune points.csv --config nothing.toml => nothing.toml
        ",
    );
}

#[test]
fn options_that_some_trials_use_are_no_fault() {
    let at = &points();
    let result = tuned(at, "circle --hidden 4,4x3 --epochs 1 --validation 0.2");
    assert_eq!(result["asked"], 2);
    let result = tuned(
        at,
        "points.csv --lr-schedule constant,plateau --lr-factor 0.5 --epochs 1 --hidden 3",
    );
    assert_eq!(result["asked"], 2);
    let message = refused(at, "tune points.csv --lr 0.1,0.2 --lr-factor 0.5", 2);
    assert!(message.contains("--lr-factor has no effect here"), "{message}");
}
