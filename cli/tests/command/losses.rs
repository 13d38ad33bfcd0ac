//! The losses of the command: what they are good for, and that all commands compute the same one.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::preparation::{done, folder_with, refused};

/// Rows of y = 3 a - 2 b + 1, and one target in ten far off where `outliers` says so.
fn line(rows: usize, first: usize, outliers: bool) -> String {
    let mut table = "a,b,y\n".to_owned();
    for row in first..first + rows {
        let (a, b) = ((row * 37 % 101) as f64 / 101.0, (row * 53 % 97) as f64 / 97.0);
        let off = if outliers && row % 10 == 3 { 40.0 } else { 0.0 };
        writeln!(table, "{a:.4},{b:.4},{:.4}", 3.0 * a - 2.0 * b + 1.0 + off).unwrap();
    }
    table
}

#[test]
fn robust_losses_learn_past_outliers() {
    let folder = folder_with(&[
        ("train.csv", &line(300, 0, true)),
        ("clean.csv", &line(100, 1000, false)),
    ]);
    let at = folder.path();
    let error = |loss: &str| {
        let options = "--test clean.csv --linear --optimizer adam --lr 0.01 --epochs 300 --seed 3";
        let (out, _) = done(
            at,
            &format!("train train.csv {options} --loss {loss} --json --quiet"),
        );
        let result: Value = serde_json::from_str(&out).unwrap();
        result["final"]["test"]["targets"][0]["rmse"].as_f64().unwrap()
    };
    let (mse, huber, mae) = (error("mse"), error("huber --huber-delta 0.05"), error("mae"));
    // The mean of the outliers moves the squares' line by 4.
    assert!(mse > 3.0, "{mse}");
    assert!(huber < 0.3 && mae < 0.3, "{mse}, {huber}, {mae}");
}

#[test]
fn all_commands_compute_the_loss_of_the_training() {
    let folder = folder_with(&[("t.csv", &line(60, 0, true)), ("new.csv", &line(20, 500, false))]);
    let at = folder.path();
    for (options, name, shown) in [
        ("--loss mae", "mae", "mae of normalised targets"),
        ("--loss huber", "huber", "huber, delta 1 of normalised targets"),
        (
            "--loss huber --huber-delta 0.25",
            "huber",
            "huber, delta 0.25 of normalised targets",
        ),
    ] {
        let all = format!("train t.csv --test new.csv --epochs 4 {options} --out run --json");
        let (out, err) = done(at, &all);
        assert!(err.contains(&format!("loss function        {shown}\n")), "{err}");
        let trained: Value = serde_json::from_str(&out).unwrap();
        let (out, _) = done(at, "evaluate run new.csv --json");
        let evaluated: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(evaluated["loss"], trained["final"]["test"]["loss"]);
        assert_eq!(
            (&trained["loss_name"], &evaluated["loss_name"]),
            (&name.into(), &name.into())
        );
        let (text, _) = done(at, "inspect run");
        assert!(text.contains("numbers, trained with the loss "), "{text}");
        assert_eq!(done(at, "predict run new.csv").0.lines().count(), 21);
        // The settings of the run train the same model, further too.
        done(at, "train --config run/config.toml --out again --quiet");
        let model = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
        assert_eq!(model("again"), model("run"));
        done(
            at,
            "train t.csv --epochs 4 --loss huber --checkpoint-every 2 --out long --quiet",
        );
        done(at, "train --resume long --epochs 6 --quiet");
        for run in ["run", "again", "long"] {
            fs::remove_dir_all(at.join(run)).unwrap();
        }
    }
    let (table, _) = done(
        at,
        "tune t.csv --loss huber --huber-delta 0.5 --epochs 2 --lr 0.01,0.001 --quiet",
    );
    assert!(table.contains("loss on 20.00 % of 60 samples"), "{table}");
}

#[test]
fn the_summary_compares_errors_and_not_losses() {
    let folder = folder_with(&[("t.csv", &line(200, 0, false))]);
    let at = folder.path();
    let options = "train t.csv --test 0.25 --linear --epochs 200 --lr 0.02 --loss mae";
    let (text, _) = done(at, options);
    let row = |name: &str| -> Vec<f64> {
        let row = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        row.split_whitespace().map(|cell| cell.parse().unwrap()).collect()
    };
    // Train loss, test loss, RMSE and R2.
    let (own, mean) = (row("this network"), row("mean predictor"));
    assert!(own[3] > 0.99 && own[2] < 0.1 && own[1] < 0.1, "{text}");
    assert!(mean[3].abs() < 0.2 && mean[2] > 0.9, "{text}");
    // The mean absolute error of targets of deviation 1 is below 1, their mean square is 1.
    assert!((0.7..0.95).contains(&mean[0]), "{text}");
}

#[test]
fn losses_and_options_that_do_not_fit_are_refused() {
    let folder = folder_with(&[
        ("t.csv", &line(30, 0, false)),
        ("kinds.csv", "a,kind\n1,x\n2,y\n3,x\n4,y\n"),
    ]);
    let at = folder.path();
    for (arguments, code, part) in [
        (
            "train kinds.csv --loss mae",
            2,
            "--loss mae is for numbers, and the targets are classes",
        ),
        (
            "train t.csv --huber-delta 0.5",
            2,
            "--huber-delta goes with --loss huber",
        ),
        (
            "train t.csv --loss mae --huber-delta 0.5",
            2,
            "--huber-delta goes with --loss huber",
        ),
        (
            "train t.csv --loss huber --class-weight balanced",
            2,
            "--class-weight goes with",
        ),
        (
            "train t.csv --loss huber --label-smoothing 0.1",
            2,
            "--label-smoothing goes with",
        ),
    ] {
        let message = refused(at, arguments, code);
        assert!(message.contains(part), "{arguments}: {message}");
    }
    fs::write(
        at.join("odd.toml"),
        "[training]\nloss = \"huber\"\nhuber-delta = -1.0\n",
    )
    .unwrap();
    let message = refused(at, "train t.csv --config odd.toml", 1);
    assert!(message.contains("a finite number above 0"), "{message}");
}
