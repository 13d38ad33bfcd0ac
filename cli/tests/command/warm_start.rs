//! `mfnet train --warm-start`: a model goes on with its own columns, classes and scaling.

use std::fs;
use std::path::Path;

use mfnet::Model;
use mfnet::data::Scaling;
use serde_json::Value;

use crate::command::{assert_refused, done, json, silent};
use crate::folder::{Folder, folder_with};

/// Trees of two kinds; those of another year are larger, and their columns stand in another order.
fn folder() -> Folder {
    let (mut first, mut second) = ("height,bark,kind\n".to_owned(), "kind,height,bark\n".to_owned());
    for row in 0..120 {
        let oak = row % 3 == 0;
        let (kind, bark) = if oak { ("oak", "rough") } else { ("birch", "white") };
        let height = 8.0 + f64::from(row * 37 % 101) / 20.0 + if oak { 4.0 } else { 0.0 };
        first += &format!("{height:.2},{bark},{kind}\n");
        second += &format!("{kind},{:.2},{bark}\n", 3.0 * height);
    }
    folder_with(&[("first.csv", &first), ("second.csv", &second)])
}

fn train(at: &Path, options: &str) -> Value {
    json(at, &format!("train {options} --json --quiet"))
}

fn means(model: &Model<f32>) -> Vec<f32> {
    match &model.schema().scaling {
        Scaling::Normalized(scale) => scale.means().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_model_goes_on_with_its_own_preparation() {
    let at = &folder();
    train(at, "first.csv --hidden 6,5 --epochs 3 --seed 4 --out first");
    let before = json(at, "evaluate first second.csv --json");
    let arguments =
        "train second.csv --warm-start first --epochs 1 --lr 1e-12 --optimizer sgd --json --quiet";
    let trained = json(at, &format!("{arguments} --out second"));
    let (first, second) = (
        Model::<f32>::load(at.join("first/model.safetensors")).unwrap(),
        Model::<f32>::load(at.join("second/model.safetensors")).unwrap(),
    );
    assert_eq!(second.network().architecture(), first.network().architecture());
    assert_eq!((means(&second), second.schema()), (means(&first), first.schema()));
    // A step of no length: the model is that of the beginning, by the same scaling.
    let loss = |value: &Value| value.as_f64().unwrap();
    assert!(
        (loss(&trained["final"]["train"]["loss"]) - loss(&before["loss"])).abs() < 1e-6,
        "{trained}"
    );
    // With a rate, the model learns the samples.
    let learned = train(
        at,
        "second.csv --warm-start first/model.safetensors --epochs 60 --lr 0.02",
    );
    assert!(loss(&learned["final"]["train"]["loss"]) < loss(&before["loss"]) / 2.0);
    // A start from the weights alone scales by the new samples.
    train(
        at,
        "second.csv --init first --hidden 6,5 --epochs 1 --out weights",
    );
    let weights = Model::<f32>::load(at.join("weights/model.safetensors")).unwrap();
    assert_ne!(means(&weights), means(&first));
}

#[test]
fn settings_of_the_run_repeat_it_and_resume_continues_it() {
    let at = &folder();
    train(at, "first.csv --hidden 6 --epochs 3 --out first");
    let whole = train(
        at,
        "second.csv --warm-start first --epochs 6 --validation 0.2 --out whole",
    );
    let again = train(at, "--config whole/config.toml");
    assert_eq!(again["train_loss"], whole["train_loss"]);
    train(
        at,
        "second.csv --warm-start first --epochs 3 --validation 0.2 --checkpoint-every 3 --out part",
    );
    let resumed = train(at, "--resume part --epochs 6");
    assert_eq!(resumed["train_loss"], whole["train_loss"]);
    assert_eq!(
        fs::read(at.join("part/model.safetensors")).unwrap(),
        fs::read(at.join("whole/model.safetensors")).unwrap()
    );
}

#[test]
fn options_that_the_model_decides_and_other_samples_are_refused() {
    let at = &folder();
    train(at, "first.csv --hidden 6 --epochs 1 --out first");
    fs::write(
        at.join("third.csv"),
        "height,bark,kind\n9,white,birch\n9,smooth,oak\n",
    )
    .unwrap();
    assert_refused(
        at,
        "
        2 train second.csv --warm-start first --hidden 8 => --hidden has no effect here
        2 train second.csv --warm-start first --activation tanh => --activation has no effect here
        2 train second.csv --warm-start first --target height => --target has no effect here
        2 train second.csv --warm-start first --no-normalize => --no-normalize has no effect here
        2 train second.csv --warm-start first --linear => and --warm-start continues a model
        2 train second.csv --warm-start first --init first => cannot be used with
        1 train digits --warm-start first => features and
        2 train --warm-start first => DATA
        1 train second.csv --warm-start second.csv => second.csv
        1 train third.csv --warm-start first => line 3, column 2
        1 train third.csv --warm-start first => smooth
        ",
    );
}

#[test]
fn weights_and_groups_of_the_other_samples_count() {
    let at = &folder();
    train(at, "first.csv --hidden 6 --epochs 3 --out first");
    let mut table = "bark,height,kind,weight,forest\n".to_owned();
    for row in 0..60 {
        let (kind, bark) = if row % 2 == 0 {
            ("oak", "rough")
        } else {
            ("birch", "white")
        };
        table += &format!("{bark},{},{kind},{},{}\n", 8 + row % 7, row % 3, row / 10);
    }
    fs::write(at.join("forests.csv"), table).unwrap();
    let common = "train forests.csv --warm-start first --epochs 2 --json --quiet";
    let plain = json(at, &format!("{common} --test 0.34"));
    let grouped = json(at, &format!("{common} --test 0.34 --split-by-group forest"));
    assert_eq!(grouped["final"]["test"]["samples"], 20, "two forests of ten");
    assert_eq!(grouped["split_by"]["group"], "forest");
    let weighted = json(at, &format!("{common} --test 0.34 --weights weight"));
    assert_ne!(weighted["train_loss"], plain["train_loss"]);
}

#[test]
fn the_loss_goes_on_with_its_options() {
    let at = &folder();
    silent(
        at,
        "train first.csv --target height --loss huber --huber-delta 0.25 --epochs 1 --out heights --quiet",
    );
    assert!(silent(at, "train second.csv --warm-start heights --epochs 1 --quiet").contains("delta 0.25"));
    let other = "train second.csv --warm-start heights --loss huber --huber-delta 2 --epochs 1 --quiet";
    assert!(silent(at, other).contains("delta 2"));
    silent(
        at,
        "train first.csv --class-weight balanced --epochs 1 --out kinds --quiet",
    );
    assert!(
        silent(at, "train second.csv --warm-start kinds --epochs 1 --quiet").contains("weighted by class")
    );
    assert_refused(
        at,
        "2 train second.csv --warm-start kinds --weights height --epochs 1 => cannot be both",
    );
}

#[test]
fn another_precision_than_the_model_s_is_told() {
    let at = &folder();
    json(
        at,
        "train first.csv --epochs 1 --precision f64 --out first --json --quiet",
    );
    let said = |options: &str| {
        let (_, err) = done(
            at,
            &format!("train second.csv --warm-start first --epochs 1 {options}"),
        );
        err.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        said("--precision f32"),
        "continuing the model in first, whose numbers are f64, in f32: --precision f64 keeps them"
    );
    assert_eq!(said("--precision f64"), "continuing the model in first");
}
