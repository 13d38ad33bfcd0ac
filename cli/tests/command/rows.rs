//! Rows and columns of a user's table: identifiers beside predictions, splits by time and by group, weights, and logarithms of
//! targets.

use std::fmt::Write as _;

use serde_json::Value;

use crate::command::{assert_has, assert_refused, done, json, object, refused, schema};
use crate::folder::{folder_with, model_bytes, read};

/// Customers with an identifier, a date, a number, and a class or a number to predict.
fn customers(rows: usize) -> String {
    let mut table = "id,date,a,b,churn,price\n".to_owned();
    for row in 0..rows {
        let (a, b) = (row * 37 % 101, row * 53 % 97);
        let churn = if a > 70 { "yes" } else { "no" };
        let day = 1 + row % 28;
        writeln!(
            table,
            "c{row:03},2024-03-{day:02},{a},{b},{churn},{}.5",
            2 * a + b
        )
        .unwrap();
    }
    table
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn kept_columns_stand_before_the_predictions_as_they_are_written() {
    let new = "a,note,b,id\n1,\"tall, \"\"old\"\"\",2,007\n90,,50,1e3\n";
    let at = &folder_with(&[
        ("t.csv", &customers(60)),
        ("new.csv", new),
        ("empty.csv", "id,a,b\n"),
    ]);
    done(
        at,
        "train t.csv --target churn --ignore id,date,price --epochs 20 --out run",
    );
    done(
        at,
        "train t.csv --target price --ignore id,date,churn --epochs 20 --out prices",
    );
    let (plain, _) = done(at, "predict run new.csv");
    let (kept, _) = done(at, "predict run new.csv --keep id,note");
    let (plain, kept) = (lines(&plain), lines(&kept));
    assert_eq!(kept[0], "id,note,prediction");
    assert_eq!(kept[1], format!("007,\"tall, \"\"old\"\"\",{}", plain[1]));
    assert_eq!(kept[2], format!("1e3,,{}", plain[2]));
    let (plain, _) = done(at, "predict run new.csv --proba");
    let (kept, _) = done(at, "predict run new.csv --proba --keep -1 --out p.csv");
    assert_eq!(kept, "");
    let kept = read(at, "p.csv");
    for ((kept, plain), id) in kept.lines().zip(plain.lines()).zip(["id", "007", "1e3"]) {
        assert_eq!(kept, format!("{id},{plain}"));
    }
    // The truth beside the prediction.
    let (kept, _) = done(at, "predict prices t.csv --keep price,id");
    let kept = lines(&kept);
    assert_eq!((kept[0], kept.len()), ("price,id,predicted price", 61));
    assert!(kept[1].starts_with("0.5,c000,"), "{}", kept[1]);
    assert_eq!(done(at, "predict run empty.csv --keep id").0, "id,prediction\n");
}

#[test]
fn columns_that_cannot_be_kept_are_named() {
    let at = &folder_with(&[("t.csv", &customers(60)), ("bare.csv", "1,2\n3,4\n")]);
    done(
        at,
        "train t.csv --target churn --ignore id,date,price --epochs 1 --out run",
    );
    done(at, "train bare.csv --epochs 1 --out numbers --task regression");
    assert_refused(
        at,
        "
        1 predict run t.csv --keep ids => no column `ids` (did you mean `id`?)
        1 predict run t.csv --keep 6 => no column 6
        2 predict run t.csv --keep id,0 => --keep names the column `id` twice
        2 predict numbers bare.csv --keep 0 => --keep takes columns with names
        2 predict run iris --keep id => --keep is for columns of CSV files, and iris is not
        2 predict run x.npy --keep id => --keep is for columns of CSV files, and x.npy is not
        2 predict run t.csv --keep id --out p.npy => --keep is for predictions as CSV
        ",
    );
    assert!(!at.join("p.npy").exists());
}

#[test]
fn kept_columns_of_a_file_of_several_parts_stay_with_their_rows() {
    // A part of a table of three columns has some 350,000 rows.
    const ROWS: usize = 400_000;
    let at = &folder_with(&[("t.csv", "id,a,y\n1,1,0.5\n2,2,1\n3,3,2\n")]);
    done(at, "train t.csv --ignore id --linear --epochs 1 --out run");
    let mut table = "id,a,y\n".to_owned();
    for row in 0..ROWS {
        writeln!(table, "r{row},{},0", row % 3).unwrap();
    }
    std::fs::write(at.join("long.csv"), table).unwrap();
    let (out, _) = done(at, "predict run long.csv --keep id");
    let lines = lines(&out);
    assert_eq!(lines.len(), ROWS + 1);
    assert!((0..ROWS).all(|row| lines[row + 1].starts_with(&format!("r{row},"))));
    let answer = |row: usize| lines[row + 1].split(',').nth(1);
    assert!((3..ROWS).all(|row| answer(row) == answer(row % 3)));
}

/// A hundred days in no order, with the day's number `a`, a group of a few rows, and a target.
fn days() -> String {
    let mut table = "day,a,group,b,y\n".to_owned();
    for row in 0..100 {
        let day = row * 37 % 100;
        let (month, of_month) = (1 + day / 25, 1 + day % 25);
        writeln!(
            table,
            "2024-{month:02}-{of_month:02},{day},g{},{},{}.25",
            day % 13,
            row % 7,
            day * 3 % 17
        )
        .unwrap();
    }
    table
}

#[test]
fn the_latest_rows_are_tested_with_and_those_before_validate() {
    let at = &folder_with(&[("t.csv", &days())]);
    let options = "train t.csv --ignore group --split-by-time day --test 0.2 --validation 0.25 --epochs 4";
    let json = json(at, &format!("{options} --json --out run --quiet"));
    assert_eq!(json["split_by"], serde_json::json!({ "time": "day" }));
    assert_eq!(json["samples"], 60);
    let found = schema(at, "run");
    assert_eq!(
        found["feature_names"],
        serde_json::json!(["a", "b"]),
        "the day is no feature"
    );
    let mean = found["scaling"]["means"][0].as_f64().unwrap();
    assert!(
        (mean - 29.5).abs() < 1e-5,
        "the days 0 to 59 are trained on: {mean}"
    );
    let (text, _) = done(at, options);
    assert!(
        text.contains("\nsplit                by the time in `day`: the latest rows are set apart\n"),
        "{text}"
    );
    assert_has(&text, &["60 to train on, 20 to validate with, 20 to test with"]);
    // The very same split when the run is resumed, and from its settings.
    done(
        at,
        "train --config run/config.toml --epochs 2 --checkpoint-every 1 --out half",
    );
    done(at, "train --resume half --epochs 4");
    assert!(model_bytes(at, "half") == model_bytes(at, "run"));
}

#[test]
fn groups_are_on_one_side_of_splits_and_folds() {
    let at = &folder_with(&[("t.csv", &days())]);
    let options = "--ignore day --split-by-group group --categorical group --unknown ignore --epochs 1";
    done(at, &format!("train t.csv {options} --test 0.3 --out run"));
    let known = |run: &str| -> Vec<String> {
        let found = schema(at, run);
        let names = found["feature_names"].as_array().unwrap();
        let feature = names.iter().position(|name| name == "group").unwrap();
        serde_json::from_value(found["categories"][feature].clone()).unwrap()
    };
    let (known, json) = (known("run"), read(at, "run/summary.json"));
    let json = object(&json);
    assert_eq!(json["split_by"], serde_json::json!({ "group": "group" }));
    // All rows of the groups that are trained on are there: no group is on both sides.
    let rows = (0..100)
        .filter(|day| known.contains(&format!("g{}", day % 13)))
        .count();
    assert_eq!(json["samples"], rows);
    assert!(
        (65..=75).contains(&rows) && known.len() < 13,
        "{rows} rows of {known:?}"
    );
    // Were a group in two folds, none of them would have unknown categories.
    let (text, _) = done(at, &format!("tune t.csv {options} --hidden 2,3 --folds 4"));
    assert!(
        text.contains("split        by `group`: all rows of a group are on the same side"),
        "{text}"
    );
    let strict = options.replace("ignore --epochs", "error --epochs");
    let error = refused(at, &format!("tune t.csv {strict} --hidden 2,3 --folds 4"), 1);
    assert!(error.contains("was not there in training"), "{error}");
    // Without --categorical the group is no feature.
    done(
        at,
        "train t.csv --ignore day --split-by-group group --test 0.3 --epochs 1 --out other",
    );
    assert_eq!(
        schema(at, "other")["feature_names"],
        serde_json::json!(["a", "b"])
    );
}

#[test]
fn splits_that_cannot_be_are_refused() {
    let unreadable = "when,a,y\n2024-01-01,1,0.5\n2024-01-02,2,1\n1.2.2024,3,2\n,4,3\n";
    let at = &folder_with(&[("t.csv", &days()), ("bad.csv", unreadable)]);
    assert_refused(
        at,
        r#"
        2 train t.csv --split-by-time day => have no effect here: they go with a part that is set apart
        2 train t.csv --split-by-time day --validation t.csv => have no effect here
        2 train t.csv --split-by-time day --split-by-group group --test 0.2 => cannot be used with
        2 tune t.csv --split-by-time day --folds 3 => --folds does not go with --split-by-time
        2 train iris --split-by-group species --test 0.2 => are for columns of CSV files, and iris has no columns
        1 train t.csv --split-by-time date --test 0.2 => there is no column `date`
        1 train t.csv --split-by-time y --target y --test 0.2 => is a target, and cannot decide the split
        1 train bad.csv --split-by-time when --test 0.5
            => bad.csv: line 4, column 1: column `when`: "1.2.2024"
        "#,
    );
    // An option of the command line takes the place of its rival in a file.
    done(
        at,
        "train t.csv --ignore group --split-by-time day --test 0.2 --epochs 1 --out run",
    );
    let (json, _) = done(
        at,
        "train --config run/config.toml --ignore day --split-by-group group --json --quiet",
    );
    assert_eq!(object(&json)["split_by"], serde_json::json!({ "group": "group" }));
    let config = read(at, "run/config.toml");
    let both = config.replace("split-by-time", "split-by-group = \"group\"\nsplit-by-time");
    std::fs::write(at.join("both.toml"), both).unwrap();
    assert!(refused(at, "train --config both.toml", 2).contains("exclude each other"));
}

/// A table of two kinds of rows that disagree, with a weight for each.
fn weighted(rows: usize, weight_of_second: f64) -> String {
    let mut table = "a,w,y\n".to_owned();
    for row in 0..rows {
        let a = row * 37 % 29;
        let (weight, y) = match row % 2 {
            0 => (2.0, a as f64 + 0.5),
            _ => (weight_of_second, 100.0 - a as f64),
        };
        writeln!(table, "{a},{weight},{y}").unwrap();
    }
    table
}

#[test]
fn rows_count_as_much_as_their_weights() {
    let zero = weighted(60, 0.0);
    let kept: String = zero
        .lines()
        .filter(|line| !line.contains(",0,"))
        .map(|line| format!("{line}\n"))
        .collect();
    let at = &folder_with(&[
        ("zero.csv", &zero),
        ("kept.csv", &kept),
        ("both.csv", &weighted(60, 2.0)),
    ]);
    // Full batches of the same rows: those of weight 0 change no step, where features and targets are not scaled by them.
    let options = "--linear --no-normalize --batch-size 60 --optimizer sgd --lr 0.0001 --epochs 30 --precision f64 --quiet";
    let trained = |file: &str, more: &str, run: &str| {
        let (json, _) = done(at, &format!("train {file} {options} {more} --json --out {run}"));
        object(&json)
    };
    let zero = trained("zero.csv", "--weights w", "zero");
    let kept = trained("kept.csv", "--ignore w", "kept");
    assert_eq!((&zero["weights"], &kept["weights"]), (&"w".into(), &Value::Null));
    assert_eq!(
        schema(at, "zero")["feature_names"],
        serde_json::json!(["a"]),
        "the weight is no feature"
    );
    for epoch in [0, 29] {
        let (one, other) = (
            zero["train_loss"][epoch].as_f64(),
            kept["train_loss"][epoch].as_f64(),
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        assert!((one - other).abs() < 1e-9 * other, "{one} {other}");
    }
    // Scores count each row, and so does `evaluate`.
    let rmse = |json: &Value| json["targets"][0]["rmse"].as_f64().unwrap();
    let (evaluated, _) = done(at, "evaluate zero zero.csv --json");
    let evaluated = object(&evaluated);
    assert!((rmse(&evaluated) - rmse(&zero["final"]["train"])).abs() < 1e-9);
    assert!(evaluated["loss"].as_f64().unwrap() > 2.0 * zero["final"]["train"]["loss"].as_f64().unwrap());
    // Equal weights, of whatever size, are none.
    let (same, plain) = (
        trained("both.csv", "--weights w", "same"),
        trained("both.csv", "--ignore w", "plain"),
    );
    let loss = |json: &Value| json["final"]["train"]["loss"].as_f64().unwrap();
    assert!((loss(&same) - loss(&plain)).abs() < 1e-9 * loss(&plain));
    let (text, _) = done(at, "train zero.csv --weights w --test 0.2 --epochs 2");
    assert!(
        text.contains(
            "weights              `w`, scaled to a mean of 1: losses are weighted, other scores are not"
        ),
        "{text}"
    );
    assert!(text.contains("RMSE"), "{text}");
    // A run with weights is resumed, and tuned.
    done(
        at,
        "train zero.csv --weights w --validation both.csv --epochs 1 --checkpoint-every 1 --out half",
    );
    done(at, "train --resume half --epochs 2");
    let config = read(at, "half/config.toml");
    let other = config.replace("weights = \"w\"", "ignore = [\"w\"]");
    assert_ne!(config, other);
    std::fs::write(at.join("half/config.toml"), other).unwrap();
    assert!(refused(at, "train --resume half --epochs 3", 1).contains("training on other data"));
    done(at, "tune zero.csv --weights w --folds 3 --hidden 2,3 --epochs 1");
}

#[test]
fn balanced_classes_count_rows_by_their_weights() {
    let table = "a,w,kind\n1,3,oak\n2,1,elm\n3,0,elm\n4,1,elm\n5,3,oak\n6,0,oak\n";
    let at = &folder_with(&[("t.csv", table)]);
    let train =
        |options: &str| object(&done(at, &format!("train t.csv --epochs 1 --json --quiet {options}")).0);
    // Weights of 2 for elm and 6 for oak, of 8 in all.
    let classes = train("--weights w --class-weight balanced");
    let found: Vec<f64> = serde_json::from_value(classes["class_weights"].clone()).unwrap();
    for (found, expected) in found.iter().zip([2.0, 2.0 / 3.0]) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }
    let rows = train("--ignore w --class-weight balanced");
    assert_eq!(rows["class_weights"], serde_json::json!([1.0, 1.0]));
    let yes = train("--weights w --class-weight balanced --loss bce --out run");
    assert!(
        (yes["positive_weights"][0].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-6,
        "{yes}"
    );
    assert_eq!(
        (&yes["class_weights"], &yes["huber_delta"]),
        (&Value::Null, &Value::Null)
    );
    let (evaluated, _) = done(at, "evaluate run t.csv --json");
    assert_eq!(object(&evaluated)["positive_weights"], yes["positive_weights"]);
}

#[test]
fn weights_that_cannot_be_are_refused() {
    let none = "a,w,y\n1,0,0.5\n2,0,1\n3,0,2\n4,0,3\n";
    let negative = "a,w,y\n1,1,0.5\n2,-1,1\n3,1,2\n4,1,3\n";
    let at = &folder_with(&[
        ("none.csv", none),
        ("negative.csv", negative),
        ("gap.csv", &negative.replace("-1", "")),
        ("text.csv", &negative.replace("-1", "much")),
        ("kept.csv", &negative.replace("-1", "1")),
        ("bare.csv", "a,y\n1,0.5\n2,1\n"),
    ]);
    assert_refused(
        at,
        r#"
        1 train none.csv --weights w => none.csv: column `w` has the weight 0 in every row
        1 train negative.csv --weights w => line 3, column 2: column `w`: "-1" is no weight
        1 train gap.csv --weights w => line 3, column 2: column `w`: the weight is missing
        1 train text.csv --weights w => "much" is no weight
        1 train negative.csv --weights v => there is no column `v`
        1 train negative.csv --weights a --target a => is a target, and cannot be the weight too
        1 train kept.csv --weights w --test bare.csv => there is no column `w`
        2 train iris --weights 0 => are for columns of CSV files, and iris has no columns
        1 train negative.csv --weights a --categorical a => is named as categorical, and is no feature
        "#,
    );
}

/// Prices over four orders of magnitude.
fn prices() -> String {
    let mut table = "a,b,price\n".to_owned();
    for row in 0..80 {
        let (a, b) = (row * 37 % 81, row * 53 % 17);
        let price = (0.1 * a as f64 + 0.05 * b as f64).exp();
        writeln!(table, "{a},{b},{price:.3}").unwrap();
    }
    table
}

#[test]
fn logarithms_of_targets_are_learned_and_predictions_are_prices() {
    let at = &folder_with(&[("t.csv", &prices())]);
    let options = "train t.csv --test 0.25 --linear --epochs 300 --precision f64 --quiet --json";
    let r2 = |json: &Value| json["final"]["test"]["targets"][0]["r2"].as_f64().unwrap();
    let (plain, _) = done(at, options);
    let (json, _) = done(
        at,
        &format!("{options} --target-transform log --lr 0.05 --out run"),
    );
    let json = object(&json);
    assert!(r2(&json) > 0.99 && r2(&object(&plain)) < 0.9, "{json}");
    assert_eq!(json["target_transform"], "log");
    let found = schema(at, "run");
    assert_eq!(found["target_transform"], "log");
    assert!(
        found["target_normalization"]["means"][0].as_f64().unwrap() < 10.0,
        "of the logarithms"
    );
    let (text, _) = done(at, "inspect run");
    assert_has(&text, &["regression, 1 target, learned as the logarithm\n"]);
    let (text, _) = done(at, "evaluate run t.csv");
    assert_has(&text, &["(mse of the targets' normalised logarithms)"]);
    let (text, _) = done(at, "predict run t.csv --keep price");
    for line in text.lines().skip(1) {
        let (price, predicted) = line.split_once(',').unwrap();
        let ratio = predicted.parse::<f64>().unwrap() / price.parse::<f64>().unwrap();
        assert!((0.9..1.1).contains(&ratio), "{line}");
    }
    // RMSE and R2 of the summary are in the units of the prices, as those of `evaluate` are.
    let (text, _) = done(at, "train --config run/config.toml");
    let rmse = json["final"]["test"]["targets"][0]["rmse"].as_f64().unwrap();
    assert!(text.contains(&format!(" {rmse:.4} ")), "{rmse}: {text}");
    assert!(
        text.contains(
            "Losses are of the targets' normalised logarithms; the RMSE is in the target's own unit"
        ),
        "{text}"
    );
    done(
        at,
        "train --config run/config.toml --epochs 1 --checkpoint-every 1 --out half",
    );
    done(at, "train --resume half --epochs 2");
    done(
        at,
        "tune t.csv --target-transform log1p --hidden 2,3 --folds 3 --epochs 1",
    );
    done(at, "export run --onnx run.onnx");
}

#[test]
fn targets_without_a_logarithm_are_refused() {
    let counts = "a,y\n1,0\n2,2.5\n3,1\n4,7\n5,3\n6,2\n";
    let at = &folder_with(&[
        ("counts.csv", counts),
        ("negative.csv", &counts.replace("3,1", "3,-1")),
        ("kinds.csv", "a,y\n1,oak\n2,elm\n3,oak\n4,elm\n"),
    ]);
    assert_refused(
        at,
        "
        1 train counts.csv --target-transform log
            => counts.csv: line 2: target `y` is 0; the transform log takes targets above 0
        1 train negative.csv --target-transform log1p
            => negative.csv: line 4: target `y` is -1; the transform log1p
        2 train kinds.csv --target-transform log => --target-transform is for numbers
        2 train counts.csv --target-transform sqrt => possible values: log, log1p
        ",
    );
    done(
        at,
        "train counts.csv --target-transform log1p --epochs 2 --out run",
    );
    assert!(refused(at, "evaluate run negative.csv", 1).contains("negative.csv: line 4: target `y` is -1"));
}

#[test]
fn infinite_predictions_of_logarithms_are_told_with_their_row() {
    let row = |a: i32| format!("{a},{}\n", 2_f64.powi(a));
    let table = format!("a,price\n{}", (0..20).map(row).collect::<String>());
    let far = "a,price\n1,2\n1000000,3\n2,4\n3000000,5\n";
    let at = &folder_with(&[("t.csv", &table), ("far.csv", far)]);
    let train = "train t.csv --linear --target-transform log --lr 0.05 --epochs 100";
    let (_, err) = done(at, &format!("{train} --out run"));
    assert!(!err.contains("infinite"), "{err}");
    let warning = "warning: the prediction of `price` for row 2 is infinite, and so is another one: ";
    let (out, err) = done(at, "predict run far.csv");
    assert_eq!((lines(&out)[2], lines(&out)[4]), ("inf", "inf"));
    assert!(err.contains(warning), "{err}");
    let (out, err) = done(at, "evaluate run far.csv --json --out report");
    assert!(err.contains(warning), "{err}");
    assert_eq!(object(&out)["targets"][0]["rmse"], Value::Null);
    assert_eq!(done(at, "predict run t.csv").1, "");
    let (_, err) = done(at, &format!("{train} --test far.csv --out far"));
    assert!(err.contains("for test sample 2 is infinite"), "{err}");
}

#[test]
fn targets_that_look_like_the_other_task_are_told() {
    let table = |count: usize, rows: usize| {
        let mut table = "a,y\n".to_owned();
        for row in 0..rows {
            writeln!(table, "{},{}", row * 37 % 101, row % count).unwrap();
        }
        table
    };
    let at = &folder_with(&[("few.csv", &table(3, 60)), ("many.csv", &table(150, 300))]);
    let hint = |arguments: &str| {
        let (_, err) = done(at, &format!("{arguments} --epochs 1"));
        err.lines()
            .find(|line| line.starts_with("hint: "))
            .map(str::to_owned)
    };
    let few = hint("train few.csv --task regression").unwrap();
    assert_has(&few, &["column `y` holds 3 different whole numbers, 0 to 2"]);
    assert_has(&few, &["--task classification"]);
    assert_eq!(hint("tune few.csv --task regression --hidden 2,3"), Some(few));
    let many = hint("train many.csv --task classification").unwrap();
    assert_has(&many, &["150 different whole numbers", "--task regression"]);
    assert_eq!(hint("train few.csv"), None);
    assert_eq!(hint("train many.csv"), None);
    assert_eq!(hint("train few.csv --task regression --quiet"), None);
}
