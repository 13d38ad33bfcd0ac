//! Stopping by tolerance, the schedules and the penalty of scikit-learn, and L-BFGS, through the command.

use std::fs;

use mfnet::Model;
use serde_json::Value;
use tempfile::TempDir;

use crate::preparation::{done, folder_with, refused};

/// Rows of y = sin 3 a - b^2, and whether that is above 0.
fn folder() -> TempDir {
    let mut table = "a,b,y,sign\n".to_owned();
    for row in 0..150 {
        let (a, b) = (f64::from(row * 37 % 101) / 101.0, f64::from(row * 53 % 97) / 97.0);
        let y = (3.0 * a).sin() - b * b;
        let sign = if y > 0.0 { "above" } else { "below" };
        table += &format!("{a:.4},{b:.4},{y:.4},{sign}\n");
    }
    folder_with(&[("t.csv", &table)])
}

fn json(at: &std::path::Path, arguments: &str) -> (Value, String) {
    let (out, err) = done(at, &format!("{arguments} --json"));
    (serde_json::from_str(&out).unwrap(), err)
}

const NUMBERS: &str = "train t.csv --target y --ignore sign --hidden 10 --activation tanh --precision f64";

#[test]
fn a_tolerance_ends_a_training() {
    let folder = folder();
    let at = folder.path();
    let options = "--lr 0.02 --epochs 3000 --tol 1e-3 --tol-epochs 5 --out run --checkpoint-every 10";
    let (result, err) = json(at, &format!("{NUMBERS} {options}"));
    let epochs = result["epochs"].as_u64().unwrap();
    assert!(
        (6..3000).contains(&epochs) && result["best_epoch"].is_null(),
        "{epochs}"
    );
    assert!(
        err.contains("converged after ") && err.contains(" of 3,000 epochs"),
        "{err}"
    );
    // The run is over, and is trained further only if told so.
    let (_, err) = done(at, "train --resume run");
    assert!(err.contains("the run is complete"), "{err}");
    let model = || fs::read(at.join("run/model.safetensors")).unwrap();
    let before = model();
    done(at, "train --resume run --epochs 3500 --quiet");
    assert_ne!(model(), before);
    // The settings of the run train the same model.
    done(
        at,
        "train --config run/config.toml --epochs 3000 --out again --quiet",
    );
    assert_eq!(fs::read(at.join("again/model.safetensors")).unwrap(), before);
}

#[test]
fn the_adaptive_rate_falls_before_a_training_ends() {
    let folder = folder();
    let at = folder.path();
    let rates = |options: &str| -> Vec<f64> {
        let (result, _) = json(at, &format!("{NUMBERS} --optimizer sgd {options} --quiet"));
        let rates = result["learning_rate"].as_array().unwrap().iter();
        rates.map(|rate| rate.as_f64().unwrap()).collect()
    };
    let stops = "--lr 0.1 --epochs 4000 --tol 1e-3 --tol-epochs 2 --lr-schedule adaptive";
    let adaptive = rates(stops);
    assert!(adaptive.len() < 4000 && adaptive[0] == 0.1);
    assert!(
        adaptive
            .windows(2)
            .all(|pair| pair[1] == pair[0] || pair[1] == pair[0] / 5.0)
    );
    assert!(*adaptive.last().unwrap() <= 1e-6, "{adaptive:?}");
    let inverse = rates("--lr 0.1 --epochs 3 --lr-schedule invscaling --lr-power 0.25");
    let expected = [0, 150, 300].map(|seen| 0.1 / f64::from(seen + 1).powf(0.25));
    assert_eq!(inverse, expected);
}

#[test]
fn the_penalty_makes_weights_small() {
    let folder = folder();
    let at = folder.path();
    let squares = |penalty: &str| -> f64 {
        let options = format!("--optimizer lbfgs --epochs 100 {penalty} --out run --quiet");
        json(at, &format!("{NUMBERS} {options}"));
        let model = Model::<f64>::load(at.join("run/model.safetensors")).unwrap();
        fs::remove_dir_all(at.join("run")).unwrap();
        model
            .network()
            .parameters()
            .flatten()
            .map(|weight| weight * weight)
            .sum()
    };
    let (free, bound) = (squares("--l2-penalty 0"), squares("--l2-penalty 50"));
    assert!(bound < free / 2.0, "{bound} and {free}");
    let (_, err) = json(at, &format!("{NUMBERS} --epochs 2 --l2-penalty 0.25"));
    assert!(err.contains("L2 penalty 0.25"), "{err}");
}

#[test]
fn lbfgs_trains_on_all_samples() {
    let folder = folder();
    let at = folder.path();
    let options = "--optimizer lbfgs --epochs 500 --test 0.2 --seed 3";
    let (result, err) = json(at, &format!("{NUMBERS} {options} --out run"));
    assert!(
        err.contains("settings             L-BFGS on all samples\n"),
        "{err}"
    );
    assert!(
        err.contains(" iterations, ") || err.contains("500 epochs"),
        "{err}"
    );
    assert!(
        result["final"]["test"]["targets"][0]["r2"].as_f64().unwrap() > 0.99,
        "{err}"
    );
    let losses = result["train_loss"].as_array().unwrap().iter();
    let losses: Vec<f64> = losses.map(|loss| loss.as_f64().unwrap()).collect();
    assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]));
    // The number of threads, and the settings of the run, change nothing.
    let model = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
    done(
        at,
        "train --config run/config.toml --threads 1 --out again --quiet",
    );
    assert_eq!(model("again"), model("run"));
    let evaluated = json(at, "evaluate run t.csv").0;
    assert_eq!(evaluated["loss_name"], "mse");
    // Another training from these weights.
    done(
        at,
        &format!("{NUMBERS} {options} --init run --out further --quiet"),
    );
    let (table, _) = done(
        at,
        &format!(
            "{} --optimizer lbfgs,adam --epochs 5 --quiet",
            NUMBERS.replace("train", "tune")
        ),
    );
    assert!(table.contains("lbfgs") && table.contains("adam"), "{table}");
    let classes = "train t.csv --target sign --ignore y --optimizer lbfgs --hidden 8 --tol 0.01";
    let (result, err) = json(at, classes);
    assert!(
        err.contains("converged after ") && err.contains(" of 150 iterations"),
        "{err}"
    );
    assert!(result["final"]["train"]["accuracy"].as_f64().unwrap() > 0.95);
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let folder = folder();
    let at = folder.path();
    for (options, part) in [
        ("--tol-epochs 3", "--tol"),
        ("--tol -1", "--tol"),
        ("--l2-penalty nan", "--l2-penalty"),
        (
            "--lr-power 2",
            "--lr-power has no effect here: it goes with --lr-schedule inverse-scaling",
        ),
        (
            "--optimizer lbfgs --batch-size 10",
            "--batch-size has no effect here: it goes with steps by batches",
        ),
        ("--optimizer lbfgs --lr 0.1", "--lr has no effect here"),
        (
            "--optimizer lbfgs --weight-decay 0.1",
            "--weight-decay has no effect here",
        ),
        (
            "--optimizer lbfgs --early-stopping 3",
            "--early-stopping has no effect here",
        ),
        (
            "--optimizer lbfgs --out run --checkpoint-every 3",
            "--checkpoint-every has no effect here",
        ),
    ] {
        let message = refused(at, &format!("{NUMBERS} {options}"), 2);
        assert!(message.contains(part), "{options}: {message}");
    }
    for (options, part) in [
        (
            "--lr-schedule adaptive",
            "schedule = adaptive: it must be used with a tolerance or early stopping",
        ),
        ("--optimizer lbfgs --dropout 0.5", "Dropout gives other results"),
        (
            "--optimizer lbfgs --batch-norm --out run",
            "BatchNorm1d gives other results",
        ),
    ] {
        let message = refused(at, &format!("{NUMBERS} {options}"), 1);
        assert!(message.contains(part), "{options}: {message}");
    }
    assert!(!at.join("run").exists());
}
