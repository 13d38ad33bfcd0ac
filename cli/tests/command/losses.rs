//! The losses of the command: what they are good for, and that all commands compute the same one.

use std::fmt::Write as _;
use std::fs;

use ndarray::Array2;
use serde_json::Value;

use crate::command::{assert_has, assert_refused, done, json, object, refused};
use crate::folder::{folder_with, model_bytes, read, write_npy};

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
    let at = &folder_with(&[
        ("train.csv", &line(300, 0, true)),
        ("clean.csv", &line(100, 1000, false)),
    ]);
    let error = |loss: &str| {
        let options = "--test clean.csv --linear --optimizer adam --lr 0.01 --epochs 300 --seed 3";
        let result = json(
            at,
            &format!("train train.csv {options} --loss {loss} --json --quiet"),
        );
        result["final"]["test"]["targets"][0]["rmse"].as_f64().unwrap()
    };
    let (mse, huber, mae) = (error("mse"), error("huber --huber-delta 0.05"), error("mae"));
    // The mean of the outliers moves the squares' line by 4.
    assert!(mse > 3.0, "{mse}");
    assert!(huber < 0.3 && mae < 0.3, "{mse}, {huber}, {mae}");
}

#[test]
fn all_commands_compute_the_loss_of_the_training() {
    let at = &folder_with(&[("t.csv", &line(60, 0, true)), ("new.csv", &line(20, 500, false))]);
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
        let trained = object(&out);
        let evaluated = json(at, "evaluate run new.csv --json");
        assert_eq!(evaluated["loss"], trained["final"]["test"]["loss"]);
        assert_eq!(
            (&trained["loss_name"], &evaluated["loss_name"]),
            (&name.into(), &name.into())
        );
        let delta = shown
            .split_once("delta ")
            .map(|(_, rest)| rest.split_once(' ').unwrap().0.parse::<f64>().unwrap());
        assert_eq!(trained["huber_delta"].as_f64(), delta);
        assert_eq!(evaluated["huber_delta"].as_f64(), delta);
        let (text, _) = done(at, "inspect run");
        assert!(text.contains("numbers, trained with the loss "), "{text}");
        assert_eq!(done(at, "predict run new.csv").0.lines().count(), 21);
        // The settings of the run train the same model, further too.
        done(at, "train --config run/config.toml --out again --quiet");
        assert_eq!(model_bytes(at, "again"), model_bytes(at, "run"));
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
    let at = &folder_with(&[("t.csv", &line(200, 0, false))]);
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
    let at = &folder_with(&[
        ("t.csv", &line(30, 0, false)),
        ("kinds.csv", "a,kind\n1,x\n2,y\n3,x\n4,y\n"),
    ]);
    assert_refused(
        at,
        "
        2 train kinds.csv --loss mae => --loss mae is for numbers, and the targets are classes
        2 train t.csv --huber-delta 0.5 => --huber-delta goes with --loss huber
        2 train t.csv --loss mae --huber-delta 0.5 => --huber-delta goes with --loss huber
        2 train t.csv --loss huber --class-weight balanced => --class-weight goes with
        2 train t.csv --loss huber --label-smoothing 0.1 => --label-smoothing goes with
        ",
    );
    fs::write(
        at.join("odd.toml"),
        "[training]\nloss = \"huber\"\nhuber-delta = -1.0\n",
    )
    .unwrap();
    assert_refused(at, "1 train t.csv --config odd.toml => a finite number above 0");
}

/// Mails by two numbers: one column of `values`, and three columns of labels of their own.
fn mails(rows: usize, first: usize, values: [&str; 2]) -> String {
    let mut table = "words,links,kind,long,linked,both\n".to_owned();
    for row in first..first + rows {
        let (words, links) = (row * 37 % 101, row * 53 % 97);
        let [long, linked] = [words > 60, links > 40];
        let (both, kind) = (u8::from(long && linked), usize::from(2 * links > words + 50));
        let linked = if linked { "yes" } else { "no" };
        let long = if long { "True" } else { "False" };
        writeln!(table, "{words},{links},{},{long},{linked},{both}", values[kind]).unwrap();
    }
    table
}

/// The cells of a column of a CSV file.
fn column(table: &str, name: &str) -> Vec<String> {
    let mut lines = table.lines();
    let place = lines
        .next()
        .unwrap()
        .split(',')
        .position(|other| other == name)
        .unwrap();
    lines
        .map(|line| line.split(',').nth(place).unwrap().to_owned())
        .collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

#[test]
fn a_column_of_two_values_is_one_yes_or_no() {
    let new = mails(60, 900, ["ham", "spam"]);
    let at = &folder_with(&[("mails.csv", &mails(300, 0, ["ham", "spam"])), ("new.csv", &new)]);
    let options =
        "--target kind --ignore long,linked,both --loss bce --test new.csv --hidden 16 --lr 0.01 --seed 2";
    let (out, err) = done(
        at,
        &format!("train mails.csv {options} --epochs 120 --out run --json"),
    );
    assert!(
        err.contains("yes/no: yes is \"spam\" in column `kind`; the first line"),
        "{err}"
    );
    assert!(err.contains("2 features, 1 yes/no target\n"), "{err}");
    let trained = object(&out);
    assert_eq!(
        (&trained["task"], &trained["loss_name"]),
        (&"binary".into(), &"bce".into())
    );
    assert_eq!(
        (&trained["outputs"], &trained["labels"]),
        (&1.into(), &Value::Null)
    );
    let test = &trained["final"]["test"];
    assert!(number(&test["all_right"]) > 0.9, "{test}");

    // The scores of `evaluate` are those of `train`, and those that a count of the predictions gives.
    let evaluated = json(at, "evaluate run new.csv --json");
    assert_eq!(
        (&evaluated["task"], &evaluated["loss"]),
        (&"binary".into(), &test["loss"])
    );
    let (predicted, truth) = (done(at, "predict run new.csv").0, column(&new, "kind"));
    let answers = column(&predicted, "kind");
    let count = |predicted: &str, true_kind: &str| {
        let both = answers.iter().zip(&truth);
        both.filter(|(answer, kind)| *answer == predicted && *kind == true_kind)
            .count() as f64
    };
    let [hits, misses, false_alarms] = [count("spam", "spam"), count("ham", "spam"), count("spam", "ham")];
    let scores = &evaluated["targets"][0];
    assert_eq!(number(&scores["precision"]), hits / (hits + false_alarms));
    assert_eq!(number(&scores["recall"]), hits / (hits + misses));
    assert_eq!(number(&scores["accuracy"]), 1.0 - (misses + false_alarms) / 60.0);
    assert_eq!(scores["support"], (hits + misses) as u64);
    assert_eq!(evaluated["all_right"], scores["accuracy"]);

    // The probability is that of spam, and above one half where spam is the answer.
    let probabilities = column(&done(at, "predict run new.csv --proba").0, "kind=spam");
    for (probability, answer) in probabilities.iter().zip(&answers) {
        let probability: f64 = probability.parse().unwrap();
        assert!((0.0..=1.0).contains(&probability));
        assert_eq!(probability > 0.5, answer == "spam");
    }
    let text = done(at, "evaluate run new.csv").0;
    assert_has(&text, &["(bce)", "accuracy  precision  recall"]);
    let text = done(at, "inspect run").0;
    assert_has(
        &text,
        &[
            "binary, 1 yes/no target",
            "binary logits, trained with the loss bce",
            "kind: no is ham, yes is spam",
        ],
    );
    assert!(at.join("run/confusion.svg").exists() && at.join("run/curves.svg").exists());
    assert!(
        done(at, "evaluate run new.csv --out scores --quiet")
            .0
            .contains("accuracy")
    );
    let confusion = fs::read_to_string(at.join("scores/confusion.svg")).unwrap();
    for answer in ["ham", "spam"] {
        assert_eq!(confusion.matches(&format!("\n{answer}\n")).count(), 2, "{answer}");
    }
    let text = done(at, "export run --onnx m.onnx").0;
    assert!(text.contains("probabilities (N x 1), label (N x 1)"), "{text}");
    let onnx = fs::read(at.join("m.onnx")).unwrap();
    let has = |name: &[u8]| onnx.windows(name.len()).any(|window| window == name);
    assert!(has(b"Sigmoid") && !has(b"ArgMax") && !has(b"Softmax"));

    // The settings make the same model again, and a training goes on from its checkpoint.
    done(at, "train --config run/config.toml --out again --quiet");
    assert_eq!(model_bytes(at, "again"), model_bytes(at, "run"));
    done(
        at,
        &format!("train mails.csv {options} --epochs 60 --checkpoint-every 20 --out part --quiet"),
    );
    done(at, "train --resume part --epochs 120 --quiet");
    assert_eq!(model_bytes(at, "part"), model_bytes(at, "run"));
    let (table, _) = done(
        at,
        "tune mails.csv --target kind --loss bce --lr 0.01,0.001 --epochs 2 --folds 3 --quiet",
    );
    assert!(table.contains("loss on 3-fold cross-validation"), "{table}");
}

#[test]
fn several_columns_are_labels_of_their_own() {
    let new = mails(50, 900, ["0", "1"]);
    let at = &folder_with(&[("mails.csv", &mails(300, 0, ["0", "1"])), ("new.csv", &new)]);
    let options = "--target kind,long,linked,both --validation new.csv --hidden 32 --epochs 150 --lr 0.01";
    let trained = json(
        at,
        &format!("train mails.csv --task binary {options} --out run --json --quiet"),
    );
    assert_eq!(
        (&trained["loss_name"], &trained["outputs"]),
        (&"bce".into(), &4.into())
    );
    assert_eq!(
        trained["target_names"],
        serde_json::json!(["kind", "long", "linked", "both"])
    );
    let evaluated = json(at, "evaluate run new.csv --json");
    let validation = &trained["final"]["validation"];
    for key in ["loss", "all_right", "f1_macro"] {
        assert_eq!(evaluated[key], validation[key], "{key}");
    }
    assert!(number(&evaluated["all_right"]) > 0.7, "{evaluated}");

    // The words of each column, and rows that are right in all of them.
    let predicted = done(at, "predict run new.csv").0;
    let names = ["kind", "long", "linked", "both"];
    assert_eq!(predicted.lines().next().unwrap(), names.join(","));
    let right: Vec<Vec<bool>> = names
        .iter()
        .map(|name| {
            let (answers, truth) = (column(&predicted, name), column(&new, name));
            answers
                .iter()
                .zip(&truth)
                .map(|(answer, truth)| answer == truth)
                .collect()
        })
        .collect();
    let all = (0..50)
        .filter(|&row| right.iter().all(|label| label[row]))
        .count();
    assert_eq!(number(&evaluated["all_right"]), all as f64 / 50.0);
    for (place, label) in right.iter().enumerate() {
        let accuracy = label.iter().filter(|right| **right).count() as f64 / 50.0;
        assert_eq!(number(&evaluated["targets"][place]["accuracy"]), accuracy);
    }
    let probabilities = done(at, "predict run new.csv --proba").0;
    assert_eq!(probabilities.lines().next().unwrap(), names.join(","));
    done(at, "predict run new.csv --out answers.npy");
    done(at, "predict run new.csv --out answers.npz");
    let text = done(at, "evaluate run new.csv").0;
    assert_has(&text, &["all right", "linked", "mean F1"]);
    assert!(
        done(at, "inspect run")
            .0
            .contains("long: no is False, yes is True")
    );

    // Other spellings of the same answers are known, and others refused with their line.
    fs::write(
        at.join("digits.csv"),
        "words,links,kind,long,linked,both\n80,80,1,1,1,true\n1,1,0,0,No,0\n",
    )
    .unwrap();
    let scores = json(at, "evaluate run digits.csv --json");
    assert_eq!(scores["samples"], 2);
    fs::write(
        at.join("odd.csv"),
        "words,links,kind,long,linked,both\n80,80,1,1,1,1\n1,1,0,0,maybe,0\n",
    )
    .unwrap();
    assert_refused(
        at,
        r#"1 evaluate run odd.csv => line 3, column 5: column `linked`: "maybe" is neither "no" nor "yes""#,
    );
}

#[test]
fn weights_of_the_positives_find_more_of_them() {
    let mut table = "a,rare\n".to_owned();
    for row in 0..400 {
        let a = (row * 37 % 101) as f64 / 101.0;
        let is_rare = row % 7 == 3 && a > 0.4;
        writeln!(table, "{a:.4},{}", u8::from(is_rare)).unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    let scores = |options: &str| {
        let all = format!("train t.csv --loss bce --epochs 60 --lr 0.01 --hidden 8 --json {options}");
        json(at, &all)["final"]["train"]["targets"][0].clone()
    };
    let (plain, balanced) = (
        scores("--quiet"),
        scores("--quiet --class-weight balanced --out run"),
    );
    assert!(
        number(&balanced["recall"]) > number(&plain["recall"]) + 0.5,
        "{plain} {balanced}"
    );
    let text = done(at, "evaluate run t.csv").0;
    assert!(text.contains("(bce, weighted positives)"), "{text}");
    let recorded = json(at, "inspect run --json");
    let weight = number(&recorded["loss"]["options"]["positive_weights"][0]);
    let positives = table.lines().filter(|line| line.ends_with(",1")).count() as f64;
    assert_eq!(weight, (400.0 - positives) / positives);
}

#[test]
fn a_rare_yes_is_in_both_parts_of_a_split() {
    let mut table = "a,y\n".to_owned();
    for row in 0..200 {
        writeln!(table, "{row},{}", u8::from(row % 50 == 7)).unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    for seed in 0..4 {
        let options =
            format!("train t.csv --loss bce --test 0.25 --epochs 1 --seed {seed} --out run{seed} --quiet");
        done(at, &options);
        let summary = object(&read(at, &format!("run{seed}/summary.json")));
        assert_eq!(summary["final"]["test"]["samples"], 50);
    }
    fs::write(at.join("one.csv"), "a,y\n1,0\n2,0\n3,1\n4,0\n").unwrap();
    let message = refused(at, "train one.csv --loss bce --test 0.5", 1);
    assert!(message.contains("class `1` has 1 sample"), "{message}");
}

#[test]
fn arrays_may_hold_answers() {
    let at = &folder_with(&[]);
    let inputs = Array2::from_shape_fn((40, 2), |(row, column)| ((row * (3 + column)) % 11) as f64);
    let answers = Array2::from_shape_fn((40, 3), |(row, column)| f64::from((row + column) % 3 == 0));
    let odd = Array2::from_shape_fn((40, 3), |(row, _)| (row % 3) as f64);
    for (name, values) in [("x.npy", inputs), ("y.npy", answers), ("odd.npy", odd)] {
        write_npy(at, name, &values);
    }
    // A single 1 in each row: classes, unless the loss is told.
    let trained = json(
        at,
        "train x.npy,y.npy --loss bce --epochs 2 --json --quiet --out run",
    );
    assert_eq!(
        (&trained["task"], &trained["outputs"]),
        (&"binary".into(), &3.into())
    );
    assert_eq!(json(at, "evaluate run x.npy,y.npy --json")["samples"], 40);
    let out = done(at, "predict run x.npy").0;
    assert!(
        out.lines()
            .skip(1)
            .all(|line| line.split(',').all(|answer| answer == "0" || answer == "1")),
        "{out}"
    );
    assert_refused(
        at,
        "1 train x.npy,odd.npy --loss bce --epochs 2 => row 2, column 0 is 2: yes/no targets are 1 and 0",
    );
}

#[test]
fn yes_no_targets_that_are_none_are_refused() {
    let three = "a,y\n1,0\n2,1\n3,0\n4,2\n5,1\n";
    let at = &folder_with(&[
        ("three.csv", three),
        ("t.csv", "a,y,z\n1,0,0\n2,1,0\n3,0,0\n4,1,0\n5,1,0\n"),
        ("gap.csv", "a,y\n1,0\n2,\n3,1\n4,1\n"),
    ]);
    assert_refused(
        at,
        r#"
        1 train three.csv --loss bce
            => three.csv: line 5, column 2: column `y`: "2" is a third value beside "0" and "1"
        1 train gap.csv --loss bce => line 3, column 2: column `y`: the target is missing
        1 train t.csv --target y,z --loss bce => column `z` is "0" in every row
        2 train t.csv --target y --ignore z --loss bce --task classification
            => --loss bce is for yes/no targets: leave out --task
        2 train t.csv --target y --ignore z --loss mse --task binary
            => --loss mse is not for the yes/no targets of --task binary: take --loss bce
        2 train t.csv --target y --ignore z --loss bce --label-smoothing 0.1
            => --label-smoothing goes with classes and --loss cross-entropy
        2 train circle --loss bce => --loss bce is for the yes/no targets of a file of your own
        2 tune t.csv --target y --ignore z --loss bce --epochs 1 --score r2 => --score r2 is for numbers
        "#,
    );
}

#[test]
fn labels_that_all_rows_have_are_left_out_of_the_mean_auc() {
    let at = &folder_with(&[("mails.csv", &mails(300, 0, ["ham", "spam"]))]);
    let options = "--target long,linked,both --ignore kind --loss bce --hidden 8 --epochs 20";
    let without: String = mails(60, 900, ["ham", "spam"])
        .lines()
        .map(|line| line.replace(",False,", ",True,") + "\n")
        .collect();
    fs::write(at.join("long.csv"), without).unwrap();
    let (out, _) = done(
        at,
        &format!("train mails.csv {options} --test long.csv --out run"),
    );
    let mean = "(mean over 2 targets of 3: no sample or every sample is of the others)";
    let line = out.lines().find(|line| line.starts_with("test ROC AUC")).unwrap();
    assert!(line.ends_with(mean), "{out}");
    let (text, _) = done(at, "evaluate run long.csv");
    let line = text.lines().find(|line| line.starts_with("ROC AUC")).unwrap();
    assert!(line.ends_with(mean), "{text}");
    let evaluated = json(at, "evaluate run long.csv --json");
    let of = |target: usize, score: &str| evaluated["targets"][target][score].as_f64();
    for score in ["roc_auc", "average_precision"] {
        assert_eq!(of(0, score), None);
        let mean = (of(1, score).unwrap() + of(2, score).unwrap()) / 2.0;
        assert!((number(&evaluated[score]) - mean).abs() < 1e-12, "{evaluated}");
        let trained: Value =
            serde_json::from_str(&fs::read_to_string(at.join("run/summary.json")).unwrap()).unwrap();
        assert_eq!(trained["final"]["test"][score], evaluated[score]);
    }
    let all = done(at, "evaluate run mails.csv --out scores --quiet").0;
    for folder in ["run", "scores"] {
        let picture = fs::read_to_string(at.join(folder).join("confusion.svg")).unwrap();
        for name in ["long", "linked", "both"] {
            assert!(picture.contains(&format!("\n{name}\n")), "{folder}: {name}");
        }
    }
    assert!(all.contains("(mean over the targets)"), "{all}");
}
