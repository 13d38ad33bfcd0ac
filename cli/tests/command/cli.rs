//! The `mfnet` command as a user meets it: output, messages, exit codes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{assert_has, assert_keys, assert_refused, done, mfnet, object, parts, run, words};
use crate::folder::folder_with;

/// The folder of commands whose downloads, if there are any, outlive them.
fn kept() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The smallest training that has everything.
fn small(options: &str) -> Command {
    let line = format!("train digits --hidden 16 --batch-size 4096 {options}");
    mfnet(kept(), &words(&line))
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn json_is_one_object_with_an_entry_for_each_epoch() {
    let options = "--json --epochs 3 --test-interval 2 --seed 5 --threads 2";
    let (code, out, err) = parts(&mut small(options));
    assert_eq!(code, Some(0), "{err}");
    let result = object(&out);
    let expected = "task dataset samples features outputs parameters precision epochs best_epoch train_loss \
                    validation_loss validation_accuracy test_loss test_accuracy final target_names labels \
                    loss_name class_weights positive_weights huber_delta label_smoothing \
                    early_stopping_score learning_rate seconds samples_per_second seed threads ranks stopped blas \
                    out split_by weights target_transform";
    assert_keys(&result, expected);
    assert_eq!(keys(&result["blas"]).len(), 4);
    assert_eq!(
        (&result["task"], &result["dataset"]),
        (&"classification".into(), &"digits".into())
    );
    assert_eq!(
        (&result["samples"], &result["features"]),
        (&60_000.into(), &784.into())
    );
    assert_eq!(
        (&result["outputs"], &result["parameters"]),
        (&10.into(), &(16 * 785 + 10 * 17).into())
    );
    assert_eq!(
        (&result["precision"], &result["epochs"]),
        (&"f32".into(), &3.into())
    );
    assert_eq!((&result["seed"], &result["threads"]), (&5.into(), &2.into()));
    assert_eq!(result["stopped"], false);
    for key in ["train_loss", "test_loss", "test_accuracy"] {
        assert_eq!(result[key].as_array().unwrap().len(), 3, "{key}");
    }
    assert!(result["train_loss"][0].is_f64());
    for key in ["test_loss", "test_accuracy"] {
        assert!(
            result[key][0].is_null() && result[key][1].is_f64() && result[key][2].is_f64(),
            "{key}"
        );
    }
    let scores = &result["final"];
    assert!(scores["validation"].is_null());
    assert_eq!(keys(&scores["test"]).len(), 6);
    assert_eq!(scores["test"]["accuracy"], result["test_accuracy"][2]);
    assert!(scores["train"]["f1_macro"].is_f64() && scores["train"]["samples"] == 60_000);
    assert_eq!(result["labels"].as_array().map(Vec::len), Some(10));
    assert!(result["samples_per_second"].as_f64().unwrap() > 0.0);
    assert!(err.contains("test accuracy"), "the summary is still there: {err}");
}

#[test]
fn results_do_not_depend_on_threads_and_quiet_is_quiet() {
    let losses = |threads| {
        let (_, out, err) = parts(&mut small(&format!(
            "--json --quiet --epochs 1 --threads {threads}"
        )));
        assert_eq!(err, "");
        object(&out)["test_loss"].clone()
    };
    assert_eq!(losses("1"), losses("3"));
}

#[test]
fn a_summary_goes_to_standard_output_and_plain_lines_to_standard_error() {
    let (code, out, err) = parts(small("--epochs 2").env("TERM", "xterm-256color"));
    assert_eq!(code, Some(0), "{err}");
    let expected = [
        "data set",
        "digits: 784 features, 10 classes",
        "60,000 to train on, 10,000 to test with",
        "784 - 16 ReLU - 10, 12,730 parameters",
        "2 epochs",
        "samples/s",
        "train loss",
        "test loss",
        "test accuracy",
        "BLAS",
        "kernel",
        "threads",
        "seed",
    ];
    assert_has(&out, &expected);
    let epochs: Vec<&str> = err.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 2, "{err}");
    assert!(
        epochs[1].starts_with("epoch 2/2  train loss ") && epochs[1].contains("test accuracy"),
        "{err}"
    );
    assert!(!err.contains('\r'));
}

#[test]
fn the_model_and_its_training_are_as_asked() {
    let options = "--epochs 1 --precision f64 --activation leaky-relu:0.25 --optimizer rmsprop --momentum 0.5 \
                   --label-smoothing 0.1 --reduction mean --shuffle batches --clip-global-norm 2.5 --lr 0.5";
    let (code, out, err) = parts(&mut small(options));
    assert_eq!(code, Some(0), "{err}");
    let expected = [
        "784 - 16 LeakyReLU - 10",
        "optimizer rmsprop, momentum 0.5",
        "f64",
        "batches of 4,096, learning rate 0.5, gradients averaged",
        "clipped to 2.5",
    ];
    assert_has(&out, &expected);
    let (code, out, err) = run(kept(), "train digits --linear --epochs 1");
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("784 - 10, 7,850 parameters"), "{out}");
    assert!(
        out.contains("batches of 1,024, learning rate 0.001, gradients summed"),
        "{out}"
    );
}

#[test]
fn smooth_activations_have_names() {
    for (name, shown) in [
        ("elu:0.5", "784 - 16 ELU - 10"),
        ("gelu", "784 - 16 GELU - 10"),
        ("silu", "784 - 16 SiLU - 10"),
        ("softplus", "784 - 16 softplus - 10"),
    ] {
        let (code, out, err) = parts(&mut small(&format!("--epochs 1 --activation {name}")));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains(shown), "{name}: {out}");
    }
}

#[test]
fn arguments_that_cannot_be_are_usage_errors() {
    let cases = "
        2 --threads 0 => it must be a whole number from 1 to 1024
        2 --batch-size 0 => it must be a whole number of at least 1
        2 --epochs 0 => it must be a whole number of at least 1
        2 --epochs -1 => it must be a whole number of at least 1
        2 --test-interval 0 => it must be a whole number of at least 1
        2 --lr nan => it must be a finite number above 0
        2 --lr -0.1 => it must be a finite number above 0
        2 --clip-norm inf => it must be a finite number above 0
        2 --shuffle cards => possible values: samples, batches, none
        2 --activation reluu => a similar value exists: 'relu'
        2 --activation leaky-relu:x => the slope is not a number
        2 --activation leaky-relu:-1 => a finite number of at least 0
        2 --activation elu:x => the alpha is not a number
        2 --activation gelu:1 => gelu takes no number
        2 --activation relu:1 => relu takes no number
        2 --optimizer adma => possible values: sgd, adam, adamw, rmsprop
        2 --loss probability-cross-entropy => possible values: mse, mae, huber, cross-entropy
        2 --label-smoothing 1 => it must be a number from 0 to below 1
        2 --loss mse --label-smoothing 0.1 => --label-smoothing goes with classes and --loss cross-entropy
        2 --loss cross-entropy --huber-delta 0.5 => --huber-delta goes with --loss huber
        2 --loss huber --huber-delta 0 => it must be a finite number above 0
        2 --loss mae => --loss mae is for numbers, and the targets are classes: --task regression
        2 --linear => cannot be used with '--linear'
        2 --clip-norm 1 --clip-global-norm 1 => cannot be used with '--clip-global-norm
    ";
    let folder = folder_with(&[]);
    let cases = cases.replace("2 --", "2 train digits --hidden 16 --");
    assert_refused(&folder, &cases);
    for units in ["0", "5,0", "5,,5", ""] {
        let (code, _, err) = parts(&mut mfnet(kept(), &["train", "digits", "--hidden", units]));
        assert_eq!(code, Some(2));
        assert!(err.contains("it must be a whole number from 1"), "{err}");
    }
    assert_eq!(run(kept(), "train cifar").0, Some(2));
    assert_eq!(run(kept(), "").0, Some(2));
}

#[test]
fn names_in_a_configuration_are_checked() {
    let folder = folder_with(&[]);
    let config = folder.join("config.toml");
    let path = config.to_str().unwrap();
    for (content, message) in [
        ("[model]\nactivation = ['reluu']", "did you mean relu?"),
        ("[model]\ninitializer = 'gloroth'", "known are he, xavier"),
        ("[training]\noptimizer = 'adma'", "did you mean adam?"),
        ("[training]\nlr-schedule = 'cosines'", "did you mean cosine?"),
        ("[training]\nloss = 'msee'", "did you mean mse?"),
    ] {
        std::fs::write(&config, content).unwrap();
        let (code, _, err) = run(kept(), &format!("train digits --config {path}"));
        assert_ne!(code, Some(0), "{content}");
        let parts = [path, "not a configuration", message];
        assert!(parts.iter().all(|part| err.contains(part)), "{content}: {err}");
    }
}

#[test]
fn help_ends_with_examples_that_parse() {
    let (code, out, _) = run(kept(), "train --help");
    assert_eq!(code, Some(0));
    assert_has(&out, &["Exit codes:", "[default: relu]"]);
    let examples: Vec<&str> = out
        .lines()
        .filter_map(|line| line.strip_prefix("  mfnet "))
        .collect();
    assert!(examples.len() >= 5, "{out}");
    for example in examples {
        // Remarks stand behind at least two spaces.
        let command = example.split("  ").next().unwrap();
        done(kept(), &format!("{command} --help"));
        let mut options = words(command).into_iter().filter(|word| word.starts_with("--"));
        assert!(options.all(|option| out.contains(option)), "{example}");
    }
}

#[test]
fn data_that_cannot_be_had_is_an_error_where_it_was_named() {
    let empty = folder_with(&[]);
    let folder = empty.to_str().unwrap();
    for name in ["mnist", "california-housing"] {
        let (code, out, err) = run(&empty, &format!("train {name} --no-download --data-dir {folder}"));
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(
            err.starts_with("error: the data set ") && err.contains(folder),
            "{err}"
        );
        assert!(
            err.contains("--data-dir") && !err.contains("stack backtrace"),
            "{err}"
        );
    }
    let (code, _, err) = run(kept(), "train mnist --data-dir no/such/folder");
    assert_eq!(code, Some(1));
    assert_eq!(
        err.trim_end(),
        "error: --data-dir no/such/folder: there is no such folder"
    );
}

#[test]
fn digits_stand_in_for_mnist_loudly() {
    let empty = folder_with(&[]);
    let line = "train --no-download --linear --epochs 1 --json --quiet";
    let (code, out, err) = run(&empty, line);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(object(&out)["dataset"], "digits");
    assert_has(&err, &["warning: ", "INSTEAD OF MNIST"]);
}

#[test]
fn divergence_is_a_failure_without_a_result() {
    let (code, out, err) = parts(&mut small("--lr 1e30 --epochs 2 --json"));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("error: training diverged"), "{err}");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    for options in ["--epochs 1", "--epochs 1 --json"] {
        let mut child = small(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(child.wait().unwrap().success(), "{err}");
        assert!(!err.contains("panicked") && !err.contains("error"), "{err}");
    }
}

#[test]
fn progress_that_nobody_reads_ends_the_training() {
    // As `mfnet train 2>&1 | head` leaves it: otherwise all epochs would be trained for nobody.
    let summary = tempfile::NamedTempFile::new().unwrap();
    let mut child = small("--epochs 500")
        .stdout(summary.reopen().unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("epoch ")));
    drop(lines);
    assert!(child.wait().unwrap().success());
    let summary = std::fs::read_to_string(summary.path()).unwrap();
    assert_has(&summary, &["ended after", "of 500 epochs"]);
}

#[test]
fn california_housing_is_compared_with_simpler_models() {
    let Some(data) = std::env::var_os("MFNET_DATA_DIR") else {
        eprintln!("SKIPPED: MFNET_DATA_DIR names no folder with the real data sets");
        return;
    };
    let housing = |options: &str| {
        let line = format!("train california-housing --hidden 16 {options} --data-dir");
        let mut arguments: Vec<&OsStr> = words(&line).into_iter().map(OsStr::new).collect();
        arguments.push(&data);
        parts(&mut mfnet(kept(), &arguments))
    };
    let (code, out, err) = housing("--epochs 60");
    assert_eq!(code, Some(0), "{err}");
    assert_has(&out, &["california-housing: 8 features"]);
    assert_has(&out, &["16,512 to train on, 4,128 to test"]);
    let row = |name: &str| -> Vec<f64> {
        let line = out.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect()
    };
    let (network, mean) = (row("this network"), row("mean predictor"));
    assert!(
        (mean[0] - 1.0).abs() < 1e-3,
        "the variance of a normalised target is 1: {out}"
    );
    assert!(
        network[1] < 0.7 * mean[1] && network[2] < mean[2] && network[3] > 0.3,
        "{out}"
    );
    // 1.15 is the deviation of the house values.
    assert!((network[2] / network[1].sqrt() - 1.15).abs() < 0.03, "{out}");
    assert_eq!(out.contains("least squares"), cfg!(feature = "linalg"));
    let lines = err.lines().filter(|line| line.starts_with("epoch ")).count();
    assert!((20..=50).contains(&lines), "{lines} lines");

    let (_, out, _) = housing("--epochs 1 --json");
    let result = object(&out);
    assert_eq!(result["task"], "regression");
    assert_eq!(result["test_accuracy"], Value::Array(vec![Value::Null]));
}
