//! `mfnet train` on a user's own files: what it tells from them, what it keeps, and how a run goes on.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{assert_has, assert_refused, done, json, object, refused, silent};
use crate::folder::{folder_with, model_bytes, names, read, write_npy};

/// The JSON object of a training that goes well.
fn trained(folder: &Path, options: &str) -> Value {
    json(folder, &format!("train {options} --json --quiet"))
}

/// Two kinds of trees, told by height and girth, with an identifier in front.
fn trees(rows: usize) -> String {
    let mut table = "id,height,girth,kind\n".to_owned();
    for row in 0..rows {
        let wave = (
            (row * 37 % 101) as f64 / 101.0 - 0.5,
            (row * 53 % 97) as f64 / 97.0 - 0.5,
        );
        let (height, girth, kind) = match row % 2 {
            0 => (20.0 + 6.0 * wave.0, 1.0 + 0.3 * wave.1, "oak"),
            _ => (14.0 + 6.0 * wave.0, 0.7 + 0.3 * wave.1, "birch"),
        };
        table += &format!("{row},{height:.3},{girth:.3},{kind}\n");
    }
    table
}

/// Numbers without times.
fn history(folder: &Path) -> Vec<String> {
    let table = read(folder, "history.csv");
    table
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned())
        .collect()
}

#[test]
fn classes_are_told_from_a_table_and_the_run_is_kept() {
    let at = &folder_with(&[("trees.csv", &trees(200))]);
    let options = "trees.csv --ignore id --epochs 40 --validation 0.2 --out run";
    let result = trained(at, options);
    for (key, value) in [
        ("task", Value::from("classification")),
        ("samples", 160.into()),
        ("features", 2.into()),
        ("outputs", 2.into()),
        ("epochs", 40.into()),
        ("labels", serde_json::json!(["birch", "oak"])),
        ("target_names", serde_json::json!(["kind"])),
        ("out", "run".into()),
    ] {
        assert_eq!(result[key], value, "{key}");
    }
    assert!(
        result["validation_accuracy"][39].as_f64() > Some(0.9),
        "{}",
        result["validation_accuracy"]
    );
    // Without a test set there are no scores of one.
    assert!(result["test_loss"][39].is_null() && result["test_accuracy"][39].is_null());
    let scores = &result["final"];
    assert!(scores["test"].is_null());
    assert_eq!(
        scores["validation"]["accuracy"],
        result["validation_accuracy"][39]
    );
    assert!(scores["train"]["f1_macro"].as_f64() > Some(0.9));
    assert_eq!(
        (&scores["train"]["samples"], &scores["validation"]["samples"]),
        (&160.into(), &40.into())
    );
    let expected = [
        "config.toml",
        "confusion.png",
        "confusion.svg",
        "curves.png",
        "curves.svg",
        "history.csv",
        "model.safetensors",
        "summary.json",
    ];
    assert_eq!(names(&at.join("run")), expected);
    assert_eq!(history(&at.join("run")).len(), 41);
    assert_eq!(object(&read(at, "run/summary.json")), result);
    let confusion = read(at, "run/confusion.svg");
    assert!(confusion.contains("birch") && confusion.contains("oak"));

    let model = mfnet::Model::<f32>::load(at.join("run/model.safetensors")).unwrap();
    assert_eq!(model.schema().feature_names, ["height", "girth"]);
    let design = ndarray::array![[23.0, 1.1], [12.0, 0.6]];
    assert_eq!(model.predict_names(design.view()).unwrap(), ["oak", "birch"]);

    // The same again, from the folder's own settings.
    trained(at, "--config run/config.toml --out again");
    assert_eq!(history(&at.join("again")), history(&at.join("run")));
    assert_eq!(model_bytes(at, "again"), model_bytes(at, "run"));
    // What is given goes before what is written.
    let other = trained(at, "--config run/config.toml --epochs 3 --hidden 5,4");
    assert_eq!(other["epochs"], 3);
    assert_eq!(other["parameters"], 5 * 3 + 4 * 6 + 2 * 5);
    // From the weights of another run.
    let further = trained(
        at,
        "--config run/config.toml --epochs 1 --init run/model.safetensors",
    );
    assert!(further["train_loss"][0].as_f64() < result["train_loss"][5].as_f64());
}

#[test]
fn numbers_are_predicted_in_their_own_unit() {
    let mut table = String::new();
    for row in 0..150 {
        let (x, y) = ((row * 37 % 101) as f64, (row * 53 % 97) as f64);
        table += &format!("{x};{y};{}\n", 1000.0 + 3.0 * x - 2.0 * y);
    }
    let at = &folder_with(&[("plain.csv", &table)]);
    let result = trained(at, "plain.csv --linear --test 0.2 --lr 0.05 --out run");
    assert_eq!(
        (&result["task"], &result["outputs"]),
        (&"regression".into(), &1.into())
    );
    assert!(names(&at.join("run")).contains(&"predictions.png".to_owned()));
    let of_target = &result["final"]["test"]["targets"][0];
    assert!(
        of_target["r2"].as_f64() > Some(0.99) && of_target["rmse"].as_f64() < Some(5.0),
        "{of_target}"
    );
    assert!(of_target["name"].is_null() && result["labels"].is_null() && result["target_names"].is_null());
    let model = mfnet::Model::<f32>::load(at.join("run/model.safetensors")).unwrap();
    let predicted = model.predict(ndarray::array![[50.0, 50.0]].view()).unwrap()[[0, 0]];
    assert!((predicted - 1050.0).abs() < 2.0, "{predicted}");
    let out = silent(at, "train plain.csv --linear --test 0.2 --epochs 5 --quiet");
    assert_has(&out, &["test RMSE", "this network", "mean predictor"]);
}

#[test]
fn every_optimizer_and_schedule_trains() {
    let folder = folder_with(&[("trees.csv", &trees(100))]);
    for options in [
        "--optimizer sgd --momentum 0.9 --nesterov --weight-decay 0.001 --lr-schedule step --lr-step 5",
        "--optimizer adamw --lr-schedule cosine --dropout 0.2 --hidden 32,16 --activation tanh,relu",
        "--optimizer adam --clip-global-norm 1 --lr-schedule plateau --class-weight balanced",
        "--optimizer sgd --clip-norm 1 --reduction sum --lr 0.005 --shuffle batches --initializer xavier",
        "--loss mse --early-stopping 5 --precision f64 --activation sigmoid",
        "--batch-norm --dropout 0.1 --hidden 16,16 --lr 0.01 --checkpoint-every 7 --out normed",
    ] {
        let all = format!("trees.csv --ignore id --epochs 60 --batch-size 20 {options}");
        let result = trained(&folder, &all);
        let losses = result["train_loss"].as_array().unwrap();
        let (first, last) = (
            losses[0].as_f64().unwrap(),
            losses[losses.len() - 1].as_f64().unwrap(),
        );
        assert!(last < 0.7 * first, "{options}: {first} to {last}");
    }
}

#[test]
fn a_run_goes_on_exactly_from_any_checkpoint() {
    let at = &folder_with(&[("trees.csv", &trees(120))]);
    let common = "trees.csv --ignore id --dropout 0.3 --batch-size 16 --validation 0.2 --lr-schedule plateau \
                  --lr-patience 2 --checkpoint-every 2";
    trained(at, &format!("{common} --epochs 12 --out whole"));
    assert!(at.join("whole/checkpoint.safetensors").is_file());
    for epochs in [4, 10] {
        let out = format!("run{epochs}");
        trained(at, &format!("{common} --epochs {epochs} --out {out}"));
        let result = trained(at, &format!("--resume {out} --epochs 12 --threads 1"));
        assert_eq!(result["epochs"], 12);
        assert_eq!(history(&at.join(&out)), history(&at.join("whole")));
        assert_eq!(
            model_bytes(at, &out),
            model_bytes(at, "whole"),
            "after {epochs} epochs"
        );
    }
}

#[test]
fn a_run_that_ended_early_is_over() {
    let at = &folder_with(&[("trees.csv", &trees(60))]);
    fs::write(at.join("more.csv"), trees(30)).unwrap();
    let options = "trees.csv --validation more.csv --ignore id --lr 0.1 --epochs 500 --early-stopping 3 \
                   --checkpoint-every 1 --out run";
    let ended = trained(at, options);
    assert!(
        ended["best_epoch"].is_u64() && ended["epochs"].as_u64() < Some(500),
        "{}",
        ended["epochs"]
    );
    let left = (
        history(&at.join("run")),
        fs::read(at.join("run/model.safetensors")).unwrap(),
    );
    // The last epoch is not the result: early stopping restored an earlier one.
    let best = ended["best_epoch"].as_u64().unwrap() as usize;
    assert_eq!(
        ended["final"]["validation"]["accuracy"],
        ended["validation_accuracy"][best - 1]
    );
    // From another folder, as the settings name files in a way that holds there too.
    let elsewhere = folder_with(&[]);
    let run = at.join("run");
    let again = trained(&elsewhere, &format!("--resume {}", run.display()));
    assert_eq!(
        (&again["epochs"], &again["best_epoch"]),
        (&ended["epochs"], &ended["best_epoch"])
    );
    assert_eq!(
        (history(&run), fs::read(run.join("model.safetensors")).unwrap()),
        left
    );
    let further = trained(at, "--resume run --epochs 600");
    assert!(further["epochs"].as_u64() > ended["epochs"].as_u64());
}

#[test]
fn fewer_epochs_than_a_run_has_are_refused() {
    let at = &folder_with(&[("trees.csv", &trees(60))]);
    let options = "trees.csv --ignore id --epochs 10 --checkpoint-every 1 --out run";
    trained(at, options);
    let config = fs::read(at.join("run/config.toml")).unwrap();
    let message = refused(at, "train --resume run --epochs 5", 2);
    assert_has(&message, &["--epochs 5", "trained 10 epochs already"]);
    assert_eq!(fs::read(at.join("run/config.toml")).unwrap(), config);
    // Other data are refused before the settings are written.
    fs::write(at.join("trees.csv"), trees(61)).unwrap();
    assert_refused(at, "1 train --resume run --epochs 20 => the training set is");
    assert_eq!(fs::read(at.join("run/config.toml")).unwrap(), config);
    fs::write(at.join("trees.csv"), trees(60)).unwrap();
    // A complete run says how to train it further.
    let (_, err) = done(at, "train --resume run");
    let parts = [
        "complete after 10 of 10 epochs",
        "--epochs N",
        "--init run/model.safetensors",
    ];
    assert_has(&err, &parts);
    assert_eq!(trained(at, "--resume run --epochs 12")["epochs"], 12);
}

#[test]
fn a_schedule_over_all_epochs_is_not_trained_further() {
    let at = &folder_with(&[("trees.csv", &trees(60))]);
    let options = "trees.csv --ignore id --epochs 4 --lr-schedule cosine --checkpoint-every 1 --out run";
    trained(at, options);
    let message = refused(at, "train --resume run --epochs 8", 1);
    assert!(
        message.contains("changes all learning rates of --lr-schedule cosine") && message.contains("--init"),
        "{message}"
    );
}

#[test]
fn times_in_seconds_need_double_precision() {
    let rows: String = (0..60)
        .map(|row| format!("{},{row}\n", 1_600_000_000 + row))
        .collect();
    let at = &folder_with(&[("log.csv", &format!("seconds,y\n{rows}"))]);
    let message = refused(at, "train log.csv --epochs 2", 1);
    assert_has(&message, &["column `seconds`", "--precision f64"]);
    trained(at, "log.csv --epochs 2 --precision f64");
}

#[test]
fn defaults_of_a_data_set_fit_the_options_that_were_given() {
    let at = &folder_with(&[]);
    for (options, parameters) in [
        ("--linear", 2 * 3),
        ("--hidden 50", 50 * 3 + 2 * 51),
        ("--hidden 5,4", 5 * 3 + 4 * 6 + 2 * 5),
    ] {
        let result = trained(at, &format!("circle --epochs 1 {options}"));
        assert_eq!(result["parameters"], parameters, "{options}");
    }
    let weighted = trained(at, "circle --epochs 1 --class-weight balanced");
    assert_eq!(weighted["loss_name"], "cross-entropy");
    let all = "train circle --epochs 1 --hidden 7 --activation relu,tanh";
    assert!(refused(at, all, 2).contains("--activation names 2 functions for 1 hidden layers"));
}

#[test]
fn options_without_effect_are_refused() {
    let at = &folder_with(&[("trees.csv", &trees(60))]);
    assert_refused(
        at,
        "
        2 train trees.csv --out run --lr-factor 0.1
            => --lr-factor has no effect here: it goes with --lr-schedule step or plateau
        2 train trees.csv --out run --lr-step 3 --lr-schedule cosine => --lr-schedule step
        2 train trees.csv --out run --lr-patience 3 => --lr-schedule plateau
        2 train trees.csv --out run --lr-minimum 0 --lr-schedule step
            => --lr-schedule cosine or cosine-per-step or plateau
        2 train trees.csv --out run --linear --dropout 0.1
            => --dropout has no effect here: it goes with hidden layers
        2 train trees.csv --out run --linear --batch-norm => --batch-norm
        2 train trees.csv --out run --ignore id --test-interval 5 => --test-interval has no effect here
        ",
    );
    // A configuration holds all settings, used or not.
    let options = "trees.csv --ignore id --epochs 1 --lr-schedule plateau --lr-factor 0.5 --out run";
    trained(at, options);
    trained(at, "--config run/config.toml --lr-schedule constant");
    let options = "train trees.csv --ignore id --init run/model.safetensors --initializer xavier";
    assert!(refused(at, options, 2).contains("--initializer has no effect here"));
}

#[test]
fn a_part_of_the_samples_may_be_a_percentage() {
    let at = &folder_with(&[("trees.csv", &trees(60))]);
    let options = "trees.csv --ignore id --epochs 1 --test 20% --validation 25% --out run";
    let result = trained(at, options);
    let samples = |set: &str| result["final"][set]["samples"].as_u64();
    assert_eq!(
        (samples("test"), samples("validation"), samples("train")),
        (Some(12), Some(12), Some(36))
    );
    let config = read(at, "run/config.toml");
    assert!(config.contains("test = 0.2\n"), "{config}");
}

#[test]
fn files_with_commas_are_found_again_from_another_folder() {
    let at = &folder_with(&[]);
    let inputs =
        ndarray::Array2::from_shape_fn((30, 2), |(row, column)| ((row * 7 + column * 3) % 10) as f32);
    let targets = inputs
        .column(0)
        .mapv(|value| 2.5 * value)
        .insert_axis(ndarray::Axis(1));
    for name in ["x,1.npy", "x.npy"] {
        write_npy(at, name, &inputs);
    }
    write_npy(at, "y.npy", &targets);
    fs::write(at.join("trees.csv"), trees(40)).unwrap();
    fs::write(at.join("oaks,birches.csv"), trees(20)).unwrap();
    let elsewhere = folder_with(&[]);
    for (run, options) in [
        ("arrays", "x,1.npy,y.npy --test x.npy,y.npy"),
        ("table", "trees.csv --ignore id --validation oaks,birches.csv"),
    ] {
        let all = format!("{options} --epochs 2 --checkpoint-every 1 --out {run}");
        trained(at, &all);
        let run = at.join(run);
        let further = trained(&elsewhere, &format!("--resume {} --epochs 3", run.display()));
        assert_eq!(further["epochs"], 3);
        trained(&elsewhere, &format!("--config {}/config.toml", run.display()));
    }
    // Without their targets, inputs whose name has a comma are inputs.
    assert!(refused(at, "train x,1.npy", 2).contains("name two"));
}

#[test]
fn numpy_files_are_learned() {
    let at = &folder_with(&[]);
    let inputs =
        ndarray::Array2::from_shape_fn((60, 3), |(row, column)| ((row * 7 + column * 3) % 10) as f32);
    let labels = inputs.column(0).mapv(|value| if value > 4.0 { 1.0 } else { 0.0 });
    write_npy(at, "x.npy", &inputs);
    write_npy(at, "y.npy", &labels.insert_axis(ndarray::Axis(1)));
    let result = trained(at, "x.npy,y.npy --epochs 50");
    assert_eq!(
        (&result["task"], &result["samples"]),
        (&"classification".into(), &60.into())
    );
    assert!(refused(at, "train x.npy", 2).contains("name two"));
    assert!(refused(at, "train x.npy,y.npy --target a", 2).contains("arrays have no columns"));
}

#[test]
fn wrong_input_ends_with_one_message_and_nothing_written() {
    let at = &folder_with(&[("trees.csv", &trees(30))]);
    let with = |name: &str, content: &str| fs::write(at.join(name), content).unwrap();
    with("ragged.csv", "a,b\n1,2\n3\n");
    with("text.csv", "a,b\n1,2\nx,3\n4,5.5\n");
    with("missing.csv", "a,b\n1,2\n,3.5\n4,5\n5,6\n");
    with("constant.csv", "a,c,b\n1,5,7\n2,6,7\n3,8,7\n");
    with("new.csv", "id,height,girth,kind\n1,20,1,elm\n");
    with(
        "bad.toml",
        "[data]\nsource = \"trees.csv\"\n[model]\nhiden = [3]\n",
    );
    let before = names(at);
    assert_refused(
        at,
        r#"
        1 train trees.csv --target knd => kind
        1 train ragged.csv => line 3
        1 train text.csv => "x"
        1 train missing.csv => line 3
        1 train constant.csv => target `b`: it is 7 in every training sample
        1 train trees.csv --test new.csv => "elm" was not there in training
        2 train nothing.csv => there is no such file
        1 train trees.csv --config bad.toml => hiden
        1 train trees.csv --config trees.csv => not TOML
        2 train trees.csv --out . => not empty
        1 train trees.csv --out trees.csv => cannot be used as a folder
        1 train --resume . => it has no config.toml
        2 train trees.csv --checkpoint-every 1 => --out DIR
        2 train trees.csv --activation relu,tanh --hidden 3,4,5 => one for each
        2 train trees.csv --momentum 0.9 --optimizer adam => --optimizer sgd
        1 train trees.csv --task regression => kind
        1 train trees.csv --init trees.csv => trees.csv
        2 train trees.csv --dropout 1 => below 1
        2 train trees.csv --nesterov => --momentum
        2 train digits --target x => files of your own
        "#,
    );
    // A run that fails on the way leaves no folder.
    let diverges = "train trees.csv --optimizer sgd --lr 1e30 --loss mse --out run";
    assert!(refused(at, diverges, 1).contains("training diverged"));
    assert_eq!(names(at), before);
    let imputed = trained(at, "missing.csv --impute mean --task regression --epochs 2");
    assert_eq!(imputed["samples"], 4);
    assert_refused(at, "1 train --resume . --lr 0.1 => config.toml");
}
