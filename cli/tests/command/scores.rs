//! Scores by which models are compared: in `evaluate`, in the summary of `train`, in `tune`; thresholds and importance.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{assert_has, assert_refused, done, json, refused, run, silent};
use crate::folder::{Folder, folder_with, model_bytes, names, read};

/// Customers, a quarter of whom leave: mostly those with many calls; the number has nothing to do with it.
fn customers(first: usize, rows: usize) -> String {
    let mut table = "calls,plan,number,left\n".to_owned();
    for row in first..first + rows {
        let calls = row * 37 % 11;
        let plan = ["basic", "plus", "premium"][row * 53 % 3];
        let leaves = calls + usize::from(plan == "basic") * 2 > 8 || row % 41 == 0;
        let left = if leaves { "yes" } else { "no" };
        table += &format!("{calls},{plan},{},{left}\n", row * 71 % 97);
    }
    table
}

fn folder() -> Folder {
    folder_with(&[
        ("customers.csv", &customers(0, 300)),
        ("more.csv", &customers(300, 120)),
    ])
}

/// Trains on the customers, and returns the summary.
fn train(at: &Path, options: &str) -> String {
    silent(at, &format!("train customers.csv {options} --quiet"))
}

fn trained(at: &Path, options: &str) -> Value {
    json(at, &format!("train customers.csv {options} --json --quiet"))
}

fn tuned(at: &Path, options: &str) -> Value {
    json(at, &format!("tune customers.csv {options} --json --quiet"))
}

#[test]
fn thresholds_move_the_predicted_class_in_evaluate_and_predict() {
    let at = &folder();
    train(at, "--epochs 20 --out run");
    let scores = |arguments: &str| json(at, &format!("evaluate run more.csv --json {arguments}"));
    let (plain, low) = (scores("--quiet"), scores("--threshold 0.2"));
    assert_eq!(plain["threshold"], Value::Null);
    assert_eq!(
        low["threshold"],
        serde_json::json!({"label": "yes", "probability": 0.2})
    );
    // The order of the samples and the loss stay, more samples of `yes` are found.
    for same in ["roc_auc", "average_precision", "loss"] {
        assert_eq!(plain[same], low[same], "{same}");
    }
    let recall = |scores: &Value| scores["classes"][1]["recall"].as_f64().unwrap();
    assert!(recall(&low) > recall(&plain), "{low}");
    assert_eq!(scores("--threshold no=0.8")["threshold"]["label"], "no");

    let count = |arguments: &str| {
        silent(at, arguments)
            .lines()
            .filter(|line| *line == "yes")
            .count()
    };
    let predicted = |threshold: &str| count(&format!("predict run more.csv --threshold {threshold}"));
    let confusion = |row: usize| low["confusion"][row][1].as_u64().unwrap() as usize;
    assert_eq!(predicted("0.2"), confusion(0) + confusion(1));
    assert_eq!((predicted("0"), predicted("yes=0")), (120, 120));
    let text = silent(at, "evaluate run more.csv --threshold 0.2");
    assert!(text.contains("`yes` from a probability of 0.2 on"), "{text}");

    assert!(refused(at, "evaluate run more.csv --threshold maybe=0.2", 2).contains("`no` and `yes`"));
    assert!(refused(at, "predict run more.csv --threshold 20%", 2).contains("from 0 to 1"));
    assert!(refused(at, "predict run more.csv --threshold 0.2 --proba", 2).contains("--proba"));
}

#[test]
fn thresholds_of_yes_no_targets_are_for_all_or_for_one() {
    let at = &folder();
    let train = "train customers.csv --loss bce --epochs 20 --quiet";
    silent(at, &format!("{train} --target left --out one"));
    let scores = |arguments: &str| json(at, &format!("evaluate one more.csv --json --quiet {arguments}"));
    let (plain, low) = (scores("--seed 0"), scores("--threshold 0.2"));
    assert_eq!(plain["targets"][0]["threshold"], Value::Null);
    assert_eq!(low["targets"][0]["threshold"], 0.2);
    assert_eq!(scores("--threshold left=0.2"), low);
    for same in ["roc_auc", "average_precision", "loss"] {
        assert_eq!(plain[same], low[same], "{same}");
    }
    let recall = |scores: &Value| scores["targets"][0]["recall"].as_f64().unwrap();
    assert!(recall(&low) > recall(&plain), "{low}");

    // Predictions are the answers to the probabilities that --proba writes.
    let cells = |arguments: &str| -> Vec<String> {
        let out = silent(at, &format!("predict one more.csv {arguments}"));
        out.lines().skip(1).map(ToOwned::to_owned).collect()
    };
    let is_yes = |probability: &String| probability.parse::<f64>().unwrap() >= 0.2;
    let expected: Vec<&str> = cells("--proba")
        .iter()
        .map(|probability| if is_yes(probability) { "yes" } else { "no" })
        .collect();
    assert_eq!(cells("--threshold 0.2"), expected);
    assert!(cells("--threshold left=0").iter().all(|cell| cell == "yes"));
    let text = silent(at, "evaluate one more.csv --threshold 0.2");
    assert!(
        text.contains("`left` is yes from a probability of 0.2 on"),
        "{text}"
    );

    let labels = "a,b,x\n1,0,1\n0,1,2\n1,1,3\n0,0,4\n1,0,5\n0,1,6\n";
    fs::write(at.join("labels.csv"), labels).unwrap();
    silent(
        at,
        "train labels.csv --target a,b --loss bce --epochs 2 --out two --quiet",
    );
    let out = silent(at, "predict two labels.csv --threshold 1 --threshold b=0");
    assert!(out.lines().skip(1).all(|line| line == "0,1"), "{out}");
    let none = silent(at, "predict two labels.csv --threshold b=0");
    let column = |out: &str, place: usize| -> Vec<String> {
        let cells = out
            .lines()
            .map(|line| line.split(',').nth(place).unwrap().to_owned());
        cells.collect()
    };
    assert_eq!(column(&none, 0), column(&silent(at, "predict two labels.csv"), 0));

    let message = refused(at, "predict two labels.csv --threshold c=0.2", 2);
    assert!(
        message.contains("no yes/no target `c`; it has `a`, `b`"),
        "{message}"
    );
    let message = refused(
        at,
        "evaluate two labels.csv --threshold a=0.2 --threshold a=0.3",
        2,
    );
    assert!(message.contains("the target `a` twice"), "{message}");
    assert!(
        refused(at, "evaluate two labels.csv --threshold 0.2 --threshold 0.3", 2).contains("given twice")
    );
}

#[test]
fn a_threshold_without_two_classes_is_refused() {
    let at = &folder();
    train(at, "--target number --epochs 2 --out numbers");
    assert!(refused(at, "evaluate numbers more.csv --threshold 0.2", 2).contains("predicts numbers"));
    train(at, "--target plan --epochs 2 --out plans");
    assert!(refused(at, "predict plans more.csv --threshold 0.2", 2).contains("this model has 3"));
    train(at, "--epochs 2 --out run");
    let twice = "evaluate run more.csv --threshold yes=0.2 --threshold no=0.3";
    assert!(refused(at, twice, 2).contains("given once for two classes"));
    train(at, "--loss mse --epochs 2 --out scores");
    assert!(refused(at, "evaluate scores more.csv --threshold 0.2", 2).contains("scores of the classes"));
    let evaluated = json(at, "evaluate scores more.csv --json");
    assert_eq!(
        (&evaluated["roc_auc"], &evaluated["classes"][0]["roc_auc"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn the_importance_of_features_is_computed_and_drawn() {
    let at = &folder();
    train(at, "--epochs 60 --out run");
    let command = "evaluate run more.csv --importance=auc --repeats 3 --quiet";
    let evaluated = json(at, &format!("{command} --out scores --json"));
    let importance = &evaluated["importance"];
    assert_eq!(
        (&importance["score"], &importance["repeats"]),
        (&"auc".into(), &3.into())
    );
    let features = importance["features"].as_array().unwrap();
    // A column of categories is one feature.
    assert_eq!(features.len(), 3);
    assert_eq!(features[0]["name"], "calls");
    let mean = |feature: &Value| feature["mean"].as_f64().unwrap();
    assert!(
        features.is_sorted_by(|one, other| mean(one) >= mean(other)),
        "{importance}"
    );
    assert!(mean(&features[0]) > 0.1, "{importance}");
    let written = names(&at.join("scores"));
    for name in ["importance.png", "importance.svg", "metrics.json"] {
        assert!(written.iter().any(|written| written == name), "{written:?}");
    }
    // The same seed, the same orders.
    let again = json(at, &format!("{command} --json"));
    assert_eq!(again["importance"], *importance);
    let text = silent(at, command);
    assert!(text.contains("permutation importance"), "{text}");
    let default = json(at, "evaluate run more.csv --importance --json --quiet");
    assert_eq!(default["importance"]["score"], "accuracy");

    assert!(refused(at, "evaluate run more.csv --importance=r2", 2).contains("is for numbers"));
    assert!(refused(at, "evaluate run more.csv --repeats 3", 2).contains("--importance"));
    assert!(refused(at, "evaluate run more.csv --importance=gini", 2).contains("average-precision"));
}

#[test]
fn errors_of_numbers_have_quantiles() {
    let at = &folder();
    train(at, "--target number,calls --epochs 2 --out run");
    let evaluated = json(at, "evaluate run more.csv --json");
    for target in evaluated["targets"].as_array().unwrap() {
        let error = |name: &str| target["absolute_error"][name].as_f64().unwrap();
        let errors = ["median", "quantile_90", "quantile_99", "largest"].map(error);
        assert!(errors.is_sorted() && errors[0] > 0.0, "{errors:?}");
        assert!(target["mae"].as_f64().unwrap() <= errors[3]);
    }
    assert!(silent(at, "evaluate run more.csv").contains("absolute error"));
    assert!(refused(at, "evaluate run more.csv --importance=rmse", 2).contains("single target"));
}

#[test]
fn the_summary_compares_with_the_most_frequent_class() {
    let at = &folder();
    let text = train(at, "--epochs 20 --test more.csv");
    let line = |label: &str| {
        let line = text.lines().find(|line| line.starts_with(label));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let no = customers(300, 120)
        .lines()
        .filter(|line| line.ends_with("no"))
        .count();
    let part = format!("({:.2} % for `no` always)", 100.0 * no as f64 / 120.0);
    assert!(line("test accuracy").ends_with(&part), "{text}");
    assert!(line("test F1").ends_with("(of `yes`)"), "{text}");
    assert!(line("test ROC AUC").contains("0."), "{text}");
}

#[test]
fn a_search_is_ranked_by_any_score_and_keeps_its_best_model() {
    let at = &folder();
    let found = tuned(
        at,
        "--hidden 4,16 --epochs 10 --score auc --test more.csv --out search",
    );
    assert_eq!(found["score"], "auc");
    let trials = found["trials"].as_array().unwrap();
    let score = |trial: &Value| trial["score"].as_f64().unwrap();
    assert!(score(&trials[0]) >= score(&trials[1]));
    assert!(
        trials
            .iter()
            .all(|trial| trial["scores"].as_array().unwrap().len() == 1)
    );
    // The model of the folder is the one that was tested.
    let evaluated = json(at, "evaluate search more.csv --json");
    for score in ["loss", "accuracy"] {
        assert_eq!(evaluated[score], found["test"][score], "{score}");
    }
    assert_eq!(evaluated["roc_auc"], found["test"]["score"]);
    // The settings of the folder train the same model again.
    let trained = json(at, "train --config search/config.toml --out again --json --quiet");
    assert_eq!(trained["final"]["test"]["loss"], evaluated["loss"]);
    assert_eq!(model_bytes(at, "search"), model_bytes(at, "again"));

    let numbers = tuned(
        at,
        "--target number --hidden 4,16 --epochs 3 --score mae --folds 3",
    );
    let trials = numbers["trials"].as_array().unwrap();
    assert!(score(&trials[0]) <= score(&trials[1]));
    assert!(refused(at, "tune customers.csv --hidden 4 --score r2", 2).contains("is for numbers"));
    assert_refused(
        at,
        "2 tune customers.csv --target number,calls --hidden 4 --score rmse => single target",
    );
}

#[test]
fn samples_without_a_class_are_named_before_the_first_trial() {
    let mut table = "a,b,kind\n".to_owned();
    for row in 0..60 {
        let kind = if row > 9 { ["ash", "elm"][row % 2] } else { "yew" };
        table += &format!("{},{},{kind}\n", row * 37 % 41, row * 53 % 43);
    }
    let at = &folder();
    fs::write(at.join("trees.csv"), &table).unwrap();
    let without: String = table
        .lines()
        .filter(|line| !line.ends_with("yew"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(at.join("without.csv"), without).unwrap();
    let error = |arguments: &str| refused(at, arguments, 1);
    let options = "--hidden 2,3 --epochs 1 --score auc --out found --quiet";
    let message = error(&format!("tune trees.csv --validation without.csv {options}"));
    assert!(
        message.contains("--score auc is not defined: none of the validation samples is of class `yew`"),
        "{message}"
    );
    let message = error(&format!("tune trees.csv --test without.csv {options}"));
    assert!(
        message.contains("none of the test samples is of class `yew`; test with others"),
        "{message}"
    );
    assert!(!at.join("found").exists());
    let early =
        "train trees.csv --validation without.csv --early-stopping 2 --early-stopping-score auc --quiet";
    assert!(
        error(early).contains("--early-stopping-score auc is not defined: none of the validation samples")
    );

    let all_yes = customers(0, 300).replace(",no\n", ",yes\n");
    fs::write(at.join("all-yes.csv"), all_yes).unwrap();
    let options = "--loss bce --hidden 2,3 --epochs 1 --score average-precision --quiet";
    let message = error(&format!("tune customers.csv --validation all-yes.csv {options}"));
    assert!(
        message.contains("`left` is `yes` in all of the validation samples"),
        "{message}"
    );
}

#[test]
fn early_stopping_follows_a_score() {
    let at = &folder();
    let common = "train customers.csv --epochs 40 --early-stopping 40 --validation more.csv --json --quiet";
    let trained = json(at, &format!("{common} --early-stopping-score auc --out run"));
    let evaluated = json(at, "evaluate run more.csv --json");
    assert_eq!(trained["final"]["validation"]["roc_auc"], evaluated["roc_auc"]);
    let by_loss = json(at, common);
    let auc = |result: &Value| result["final"]["validation"]["roc_auc"].as_f64().unwrap();
    assert!(auc(&trained) >= auc(&by_loss));
    followed_score_is_recorded(at, &trained);
    assert_eq!(by_loss["early_stopping_score"], Value::Null);
    let settings = read(at, "run/config.toml");
    assert!(settings.contains("early-stopping-score = \"auc\""), "{settings}");
    let again = json(at, "train --config run/config.toml --json --quiet");
    assert_eq!(again["best_epoch"], trained["best_epoch"]);
    assert!(refused(at, "train customers.csv --early-stopping-score auc", 2).contains("--early-stopping"));
    let numbers = "train customers.csv --target number --early-stopping 3 --early-stopping-score auc --quiet";
    let (code, _, err) = run(at, numbers);
    assert!(code != Some(0) && err.contains("for classes"), "{err}");
}

/// The AUC of each epoch is in the result, in the history and in the picture; the best is that of the resulting weights.
fn followed_score_is_recorded(at: &Path, trained: &Value) {
    let score = &trained["early_stopping_score"];
    assert_eq!(score["name"], "auc");
    let values = score["values"].as_array().unwrap();
    assert_eq!(values.len(), 40);
    let best = values
        .iter()
        .map(|value| value.as_f64().unwrap())
        .fold(0.0, f64::max);
    assert_eq!(score["best"], best);
    assert_eq!(trained["final"]["validation"]["roc_auc"], best);
    let history = fs::read_to_string(at.join("run/history.csv")).unwrap();
    let mut lines = history.lines();
    assert!(
        lines.next().unwrap().ends_with(",seconds,validation_auc"),
        "{history}"
    );
    for (line, value) in lines.zip(values) {
        let cell: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        assert_eq!(*value, cell);
    }
    let curves = fs::read_to_string(at.join("run/curves.svg")).unwrap();
    assert!(curves.contains("\nauc\n"), "the picture has a panel of the score");
}

#[test]
fn the_followed_score_is_shown_while_and_after_training() {
    let at = &folder();
    let train = |options: &str| {
        let arguments = format!("train customers.csv --validation more.csv --early-stopping 2 {options}");
        done(at, &arguments)
    };
    let (out, err) = train("--early-stopping-score f1 --epochs 60");
    let shown = err
        .lines()
        .filter(|line| line.contains("  validation f1 0."))
        .count();
    assert!(shown > 1, "{err}");
    assert!(out.contains("restored (validation f1 0."), "{out}");
    let (out, err) = train("--early-stopping-score accuracy --epochs 9 --out accuracy");
    assert!(
        !err.contains("validation f1") && out.contains("accuracy"),
        "{err}"
    );
    let history = fs::read_to_string(at.join("accuracy/history.csv")).unwrap();
    assert_eq!(
        history.lines().next().unwrap().matches("accuracy").count(),
        2,
        "{history}"
    );
    let (out, _) = train("--target number --early-stopping-score mae --epochs 200 --lr 0.05");
    assert!(out.contains(" deviations of the target)"), "{out}");
}

#[test]
fn yes_no_targets_have_scores_importance_and_identifiers() {
    let at = &folder();
    let summary = train(at, "--loss bce --epochs 20 --test more.csv --out run");
    assert_has(&summary, &["(of yes)", "test ROC AUC"]);
    let evaluated = json(at, "evaluate run more.csv --importance --json --quiet");
    assert_eq!(evaluated["importance"]["score"], "accuracy");
    assert!(
        evaluated["targets"][0]["roc_auc"].as_f64().unwrap() > 0.8,
        "{evaluated}"
    );
    assert_eq!(evaluated["roc_auc"], evaluated["targets"][0]["roc_auc"]);
    let predicted = silent(at, "predict run more.csv --keep number,plan");
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("number,plan,left"));
    assert!(lines.all(|line| line.split(',').count() == 3), "{predicted}");
    let found = tuned(at, "--loss bce --hidden 4,8 --epochs 60 --score auc");
    assert!(found["trials"][0]["score"].as_f64().unwrap() > 0.5);
    trained(
        at,
        "--loss bce --epochs 5 --early-stopping 3 --early-stopping-score f1",
    );
}

#[test]
fn scores_that_would_mislead_are_refused() {
    let at = &folder();
    train(at, "--epochs 2 --out run");
    let threshold = "evaluate run more.csv --threshold 0.2 --importance";
    assert!(refused(at, threshold, 2).contains("--importance=auc"));
    train(at, "--loss mse --epochs 2 --out scores");
    assert_refused(
        at,
        "
        2 evaluate scores more.csv --importance=auc => models with probabilities
        2 tune customers.csv --loss mse --hidden 4 --score auc --quiet => --loss mse does not give
        ",
    );
    let logarithms = "train customers.csv --target number --ignore left --task regression --target-transform log1p \
                      --early-stopping 3 --early-stopping-score mae --quiet";
    assert!(refused(at, logarithms, 2).contains("follow the loss"));
}

#[test]
fn another_loss_leaves_the_options_of_the_file_s_loss_behind() {
    let at = &folder();
    train(
        at,
        "--target number --loss huber --huber-delta 0.5 --epochs 2 --out run",
    );
    let again = json(at, "train --config run/config.toml --loss mae --json --quiet");
    assert_eq!(again["loss_name"], "mae");
    let same = silent(at, "train --config run/config.toml --loss huber --quiet");
    assert!(same.contains("delta 0.5"), "{same}");
}
