//! `mfnet train` on a user's own files: what it tells from them, what it keeps, and how a run goes on.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{mfnet, parts};
use crate::folder::names;

/// The JSON object of a training that goes well.
fn trained(folder: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["train"], arguments, &["--json", "--quiet"]].concat();
    let (code, out, err) = parts(&mut mfnet(folder, &arguments));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&out).unwrap()
}

/// What is said where a training cannot be.
fn refused(folder: &Path, arguments: &[&str], code: i32) -> String {
    let (found, out, err) = parts(&mut mfnet(folder, &[&["train"], arguments].concat()));
    assert_eq!((found, out.as_str()), (Some(code), ""), "{arguments:?}: {err}");
    assert!(err.contains("error: ") && !err.contains("panicked"), "{err}");
    err
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

fn folder_with(name: &str, content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    folder
}

/// Numbers without times.
fn history(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string(folder.join("history.csv")).unwrap();
    table
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned())
        .collect()
}

#[test]
fn classes_are_told_from_a_table_and_the_run_is_kept() {
    let folder = folder_with("trees.csv", &trees(200));
    let at = folder.path();
    let options = [
        "trees.csv",
        "--ignore",
        "id",
        "--epochs",
        "40",
        "--validation",
        "0.2",
        "--out",
        "run",
    ];
    let result = trained(at, &options);
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
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(at.join("run/summary.json")).unwrap()).unwrap();
    assert_eq!(summary, result);
    let confusion = fs::read_to_string(at.join("run/confusion.svg")).unwrap();
    assert!(confusion.contains("birch") && confusion.contains("oak"));

    let model = mfnet::Model::<f32>::load(at.join("run/model.safetensors")).unwrap();
    assert_eq!(model.schema().feature_names, ["height", "girth"]);
    let design = ndarray::array![[23.0, 1.1], [12.0, 0.6]];
    assert_eq!(model.predict_names(design.view()).unwrap(), ["oak", "birch"]);

    // The same again, from the folder's own settings.
    trained(at, &["--config", "run/config.toml", "--out", "again"]);
    assert_eq!(history(&at.join("again")), history(&at.join("run")));
    let read = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
    assert_eq!(read("again"), read("run"));
    // What is given goes before what is written.
    let other = trained(
        at,
        &["--config", "run/config.toml", "--epochs", "3", "--hidden", "5,4"],
    );
    assert_eq!(other["epochs"], 3);
    assert_eq!(other["parameters"], 5 * 3 + 4 * 6 + 2 * 5);
    // From the weights of another run.
    let further = trained(
        at,
        &[
            "--config",
            "run/config.toml",
            "--epochs",
            "1",
            "--init",
            "run/model.safetensors",
        ],
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
    let folder = folder_with("plain.csv", &table);
    let at = folder.path();
    let result = trained(
        at,
        &[
            "plain.csv",
            "--linear",
            "--test",
            "0.2",
            "--lr",
            "0.05",
            "--out",
            "run",
        ],
    );
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
    let again = [
        "train",
        "plain.csv",
        "--linear",
        "--test",
        "0.2",
        "--epochs",
        "5",
        "--quiet",
    ];
    let (_, out, _) = parts(&mut mfnet(at, &again));
    assert!(
        out.contains("test RMSE") && out.contains("this network") && out.contains("mean predictor"),
        "{out}"
    );
}

#[test]
fn every_optimizer_and_schedule_trains() {
    let folder = folder_with("trees.csv", &trees(100));
    for options in [
        "--optimizer sgd --momentum 0.9 --nesterov --weight-decay 0.001 --lr-schedule step --lr-step 5",
        "--optimizer adamw --lr-schedule cosine --dropout 0.2 --hidden 32,16 --activation tanh,relu",
        "--optimizer adam --clip-global-norm 1 --lr-schedule plateau --class-weight balanced",
        "--optimizer sgd --clip-norm 1 --reduction sum --lr 0.005 --shuffle batches --initializer xavier",
        "--loss mse --early-stopping 5 --precision f64 --activation sigmoid",
        "--batch-norm --dropout 0.1 --hidden 16,16 --lr 0.01 --checkpoint-every 7 --out normed",
    ] {
        let options: Vec<&str> = options.split(' ').collect();
        let all = [
            &[
                "trees.csv",
                "--ignore",
                "id",
                "--epochs",
                "60",
                "--batch-size",
                "20",
            ],
            &options[..],
        ]
        .concat();
        let result = trained(folder.path(), &all);
        let losses = result["train_loss"].as_array().unwrap();
        let (first, last) = (
            losses[0].as_f64().unwrap(),
            losses[losses.len() - 1].as_f64().unwrap(),
        );
        assert!(last < 0.7 * first, "{options:?}: {first} to {last}");
    }
}

#[test]
fn a_run_goes_on_exactly_from_any_checkpoint() {
    let folder = folder_with("trees.csv", &trees(120));
    let at = folder.path();
    let common = [
        "trees.csv",
        "--ignore",
        "id",
        "--dropout",
        "0.3",
        "--batch-size",
        "16",
        "--validation",
        "0.2",
        "--lr-schedule",
        "plateau",
        "--lr-patience",
        "2",
        "--checkpoint-every",
        "2",
    ];
    trained(at, &[&common[..], &["--epochs", "12", "--out", "whole"]].concat());
    assert!(at.join("whole/checkpoint.safetensors").is_file());
    for epochs in ["4", "10"] {
        let out = format!("run{epochs}");
        trained(at, &[&common[..], &["--epochs", epochs, "--out", &out]].concat());
        let result = trained(at, &["--resume", &out, "--epochs", "12", "--threads", "1"]);
        assert_eq!(result["epochs"], 12);
        assert_eq!(history(&at.join(&out)), history(&at.join("whole")));
        let read = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
        assert_eq!(read(&out), read("whole"), "after {epochs} epochs");
    }
}

#[test]
fn a_run_that_ended_early_is_over() {
    let folder = folder_with("trees.csv", &trees(60));
    let at = folder.path();
    fs::write(at.join("more.csv"), trees(30)).unwrap();
    let options = [
        "trees.csv",
        "--validation",
        "more.csv",
        "--ignore",
        "id",
        "--lr",
        "0.1",
        "--epochs",
        "500",
        "--early-stopping",
        "3",
        "--checkpoint-every",
        "1",
        "--out",
        "run",
    ];
    let ended = trained(at, &options);
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
    let elsewhere = tempfile::tempdir().unwrap();
    let run = at.join("run");
    let again = trained(elsewhere.path(), &["--resume", run.to_str().unwrap()]);
    assert_eq!(
        (&again["epochs"], &again["best_epoch"]),
        (&ended["epochs"], &ended["best_epoch"])
    );
    assert_eq!(
        (history(&run), fs::read(run.join("model.safetensors")).unwrap()),
        left
    );
    let further = trained(at, &["--resume", "run", "--epochs", "600"]);
    assert!(further["epochs"].as_u64() > ended["epochs"].as_u64());
}

#[test]
fn fewer_epochs_than_a_run_has_are_refused() {
    let folder = folder_with("trees.csv", &trees(60));
    let at = folder.path();
    let options = "trees.csv --ignore id --epochs 10 --checkpoint-every 1 --out run";
    trained(at, &options.split(' ').collect::<Vec<_>>());
    let config = fs::read(at.join("run/config.toml")).unwrap();
    let message = refused(at, &["--resume", "run", "--epochs", "5"], 2);
    assert!(
        message.contains("--epochs 5") && message.contains("trained 10 epochs already"),
        "{message}"
    );
    assert_eq!(fs::read(at.join("run/config.toml")).unwrap(), config);
    // Other data are refused before the settings are written.
    fs::write(at.join("trees.csv"), trees(61)).unwrap();
    let message = refused(at, &["--resume", "run", "--epochs", "20"], 1);
    assert!(message.contains("the training set is"), "{message}");
    assert_eq!(fs::read(at.join("run/config.toml")).unwrap(), config);
    fs::write(at.join("trees.csv"), trees(60)).unwrap();
    // A complete run says how to train it further.
    let (code, _, err) = parts(&mut mfnet(at, &["train", "--resume", "run"]));
    assert_eq!(code, Some(0), "{err}");
    for part in [
        "complete after 10 of 10 epochs",
        "--epochs N",
        "--init run/model.safetensors",
    ] {
        assert!(err.contains(part), "{err}");
    }
    assert_eq!(trained(at, &["--resume", "run", "--epochs", "12"])["epochs"], 12);
}

#[test]
fn a_schedule_over_all_epochs_is_not_trained_further() {
    let folder = folder_with("trees.csv", &trees(60));
    let at = folder.path();
    let options = "trees.csv --ignore id --epochs 4 --lr-schedule cosine --checkpoint-every 1 --out run";
    trained(at, &options.split(' ').collect::<Vec<_>>());
    let message = refused(at, &["--resume", "run", "--epochs", "8"], 1);
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
    let folder = folder_with("log.csv", &format!("seconds,y\n{rows}"));
    let at = folder.path();
    let message = refused(at, &["log.csv", "--epochs", "2"], 1);
    assert!(
        message.contains("column `seconds`") && message.contains("--precision f64"),
        "{message}"
    );
    trained(at, &["log.csv", "--epochs", "2", "--precision", "f64"]);
}

#[test]
fn defaults_of_a_data_set_fit_the_options_that_were_given() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (options, parameters) in [
        ("--linear", 2 * 3),
        ("--hidden 50", 50 * 3 + 2 * 51),
        ("--hidden 5,4", 5 * 3 + 4 * 6 + 2 * 5),
    ] {
        let all = format!("circle --epochs 1 {options}");
        let result = trained(at, &all.split(' ').collect::<Vec<_>>());
        assert_eq!(result["parameters"], parameters, "{options}");
    }
    let weighted = ["circle", "--epochs", "1", "--class-weight", "balanced"];
    assert_eq!(trained(at, &weighted)["loss_name"], "cross-entropy");
    let all = [
        "circle",
        "--epochs",
        "1",
        "--hidden",
        "7",
        "--activation",
        "relu,tanh",
    ];
    assert!(refused(at, &all, 2).contains("--activation names 2 functions for 1 hidden layers"));
}

#[test]
fn options_without_effect_are_refused() {
    let folder = folder_with("trees.csv", &trees(60));
    let at = folder.path();
    for (options, expected) in [
        (
            "--lr-factor 0.1",
            "--lr-factor has no effect here: it goes with --lr-schedule step or plateau",
        ),
        ("--lr-step 3 --lr-schedule cosine", "--lr-schedule step"),
        ("--lr-patience 3", "--lr-schedule plateau"),
        (
            "--lr-minimum 0 --lr-schedule step",
            "--lr-schedule cosine or cosine-per-step or plateau",
        ),
        (
            "--linear --dropout 0.1",
            "--dropout has no effect here: it goes with hidden layers",
        ),
        ("--linear --batch-norm", "--batch-norm"),
        (
            "--ignore id --test-interval 5",
            "--test-interval has no effect here",
        ),
    ] {
        let all = format!("trees.csv --out run {options}");
        let message = refused(at, &all.split(' ').collect::<Vec<_>>(), 2);
        assert!(message.contains(expected), "{options}: {message}");
        assert_eq!(names(at), ["trees.csv"]);
    }
    // A configuration holds all settings, used or not.
    let options = "trees.csv --ignore id --epochs 1 --lr-schedule plateau --lr-factor 0.5 --out run";
    trained(at, &options.split(' ').collect::<Vec<_>>());
    trained(at, &["--config", "run/config.toml", "--lr-schedule", "constant"]);
    let options = "trees.csv --ignore id --init run/model.safetensors --initializer xavier";
    assert!(
        refused(at, &options.split(' ').collect::<Vec<_>>(), 2).contains("--initializer has no effect here")
    );
}

#[test]
fn a_part_of_the_samples_may_be_a_percentage() {
    let folder = folder_with("trees.csv", &trees(60));
    let at = folder.path();
    let options = "trees.csv --ignore id --epochs 1 --test 20% --validation 25% --out run";
    let result = trained(at, &options.split(' ').collect::<Vec<_>>());
    let samples = |set: &str| result["final"][set]["samples"].as_u64();
    assert_eq!(
        (samples("test"), samples("validation"), samples("train")),
        (Some(12), Some(12), Some(36))
    );
    let config = fs::read_to_string(at.join("run/config.toml")).unwrap();
    assert!(config.contains("test = 0.2\n"), "{config}");
}

#[test]
fn files_with_commas_are_found_again_from_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let inputs =
        ndarray::Array2::from_shape_fn((30, 2), |(row, column)| ((row * 7 + column * 3) % 10) as f32);
    let targets = inputs
        .column(0)
        .mapv(|value| 2.5 * value)
        .insert_axis(ndarray::Axis(1));
    for name in ["x,1.npy", "x.npy"] {
        let path = at.join(name);
        mfnet::data::read::write_npy(&path, fs::File::create(&path).unwrap(), inputs.view()).unwrap();
    }
    let path = at.join("y.npy");
    mfnet::data::read::write_npy(&path, fs::File::create(&path).unwrap(), targets.view()).unwrap();
    fs::write(at.join("trees.csv"), trees(40)).unwrap();
    fs::write(at.join("oaks,birches.csv"), trees(20)).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for (run, options) in [
        ("arrays", "x,1.npy,y.npy --test x.npy,y.npy"),
        ("table", "trees.csv --ignore id --validation oaks,birches.csv"),
    ] {
        let all = format!("{options} --epochs 2 --checkpoint-every 1 --out {run}");
        trained(at, &all.split(' ').collect::<Vec<_>>());
        let run = at.join(run);
        let further = trained(
            elsewhere.path(),
            &["--resume", run.to_str().unwrap(), "--epochs", "3"],
        );
        assert_eq!(further["epochs"], 3);
        let config = run.join("config.toml");
        trained(elsewhere.path(), &["--config", config.to_str().unwrap()]);
    }
    // Without their targets, inputs whose name has a comma are inputs.
    assert!(refused(at, &["x,1.npy"], 2).contains("name two"));
}

#[test]
fn numpy_files_are_learned() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let inputs =
        ndarray::Array2::from_shape_fn((60, 3), |(row, column)| ((row * 7 + column * 3) % 10) as f32);
    let labels = inputs.column(0).mapv(|value| if value > 4.0 { 1.0 } else { 0.0 });
    let write = |name: &str, matrix: ndarray::ArrayView2<'_, f32>| -> PathBuf {
        let path = at.join(name);
        let file = fs::File::create(&path).unwrap();
        mfnet::data::read::write_npy(&path, file, matrix).unwrap();
        path
    };
    write("x.npy", inputs.view());
    write("y.npy", labels.insert_axis(ndarray::Axis(1)).view());
    let result = trained(at, &["x.npy,y.npy", "--epochs", "50"]);
    assert_eq!(
        (&result["task"], &result["samples"]),
        (&"classification".into(), &60.into())
    );
    assert!(refused(at, &["x.npy"], 2).contains("name two"));
    assert!(refused(at, &["x.npy,y.npy", "--target", "a"], 2).contains("arrays have no columns"));
}

#[test]
fn wrong_input_ends_with_one_message_and_nothing_written() {
    let folder = folder_with("trees.csv", &trees(30));
    let at = folder.path();
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
    for (arguments, code, part) in [
        (&["trees.csv", "--target", "knd"][..], 1, "kind"),
        (&["ragged.csv"], 1, "line 3"),
        (&["text.csv"], 1, "\"x\""),
        (&["missing.csv"], 1, "line 3"),
        (
            &["constant.csv"],
            1,
            "target `b`: it is 7 in every training sample",
        ),
        (
            &["trees.csv", "--test", "new.csv"],
            1,
            "\"elm\" was not there in training",
        ),
        (&["nothing.csv"], 2, "there is no such file"),
        (&["trees.csv", "--config", "bad.toml"], 1, "hiden"),
        (&["trees.csv", "--config", "trees.csv"], 1, "not TOML"),
        (&["trees.csv", "--out", "."], 2, "not empty"),
        (
            &["trees.csv", "--out", "trees.csv"],
            1,
            "cannot be used as a folder",
        ),
        (&["--resume", "."], 1, "it has no config.toml"),
        (&["trees.csv", "--checkpoint-every", "1"], 2, "--out DIR"),
        (
            &["trees.csv", "--activation", "relu,tanh", "--hidden", "3,4,5"],
            2,
            "one for each",
        ),
        (
            &["trees.csv", "--momentum", "0.9", "--optimizer", "adam"],
            2,
            "--optimizer sgd",
        ),
        (&["trees.csv", "--task", "regression"], 1, "kind"),
        (&["trees.csv", "--init", "trees.csv"], 1, "trees.csv"),
        (&["trees.csv", "--dropout", "1"], 2, "below 1"),
        (&["trees.csv", "--nesterov"], 2, "--momentum"),
        (&["digits", "--target", "x"], 2, "files of your own"),
    ] {
        let message = refused(at, arguments, code);
        assert!(message.contains(part), "{arguments:?}: {message}");
        assert_eq!(names(at), before, "{arguments:?}");
    }
    // A run that fails on the way leaves no folder.
    let diverges = [
        "trees.csv",
        "--optimizer",
        "sgd",
        "--lr",
        "1e30",
        "--loss",
        "mse",
        "--out",
        "run",
    ];
    assert!(refused(at, &diverges, 1).contains("training diverged"));
    assert_eq!(names(at), before);
    let imputed = trained(
        at,
        &[
            "missing.csv",
            "--impute",
            "mean",
            "--task",
            "regression",
            "--epochs",
            "2",
        ],
    );
    assert_eq!(imputed["samples"], 4);
    let message = refused(at, &["--resume", ".", "--lr", "0.1"], 1);
    assert!(message.contains("config.toml"), "{message}");
}
