//! The result of a search as one JSON object.

use std::path::Path;

use mfnet::metrics::Score;
use serde::Serialize;
use serde_json::{Map, Value};

use super::score::Spread;
use super::search_result::SearchResult;
use super::trial::Trial;
use super::validation::Validation;
use crate::settings::{Settings, Share};

/// The result. `trials` are the completed ones, the best first; `best` has all settings of the first, as in `config.toml`.
#[derive(Serialize)]
struct Object<'a> {
    task: &'a str,
    dataset: &'a str,
    samples: usize,
    score: &'static str,
    folds: Option<usize>,
    validation: Option<Part<'a>>,
    seeds: &'a [u64],
    asked: usize,
    trials: Vec<TrialObject<'a>>,
    best: Option<&'a Settings>,
    test: Option<TestObject>,
    seconds: f64,
    stopped: bool,
    out: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Fraction(f64),
    File(&'a Path),
}

/// Means over the trainings of a trial, their standard deviations, and the values; `score` is that of the ranking.
#[derive(Serialize)]
struct TrialObject<'a> {
    trial: usize,
    settings: Value,
    score: Option<f64>,
    score_deviation: Option<f64>,
    scores: Vec<Option<f64>>,
    accuracy: Option<f64>,
    accuracy_deviation: Option<f64>,
    accuracies: Vec<Option<f64>>,
    loss: Option<f64>,
    loss_deviation: Option<f64>,
    losses: Vec<Option<f64>>,
    seconds: f64,
    failed: Option<&'a str>,
}

#[derive(Serialize)]
struct TestObject {
    samples: usize,
    score: Option<f64>,
    loss: Option<f64>,
    accuracy: Option<f64>,
    /// 1 - accuracy.
    error: Option<f64>,
}

/// The object, on one line.
pub(super) fn text(found: &SearchResult<'_>) -> anyhow::Result<String> {
    let trials: anyhow::Result<_> = found.trials.iter().map(|trial| of_trial(found, trial)).collect();
    let (folds, validation) = match found.validation {
        Validation::Folds(folds) => (Some(*folds), None),
        Validation::Set(Share::Fraction(part)) => (None, Some(Part::Fraction(*part))),
        Validation::Set(Share::File(path)) => (None, Some(Part::File(path))),
    };
    let test = found.test.as_ref().map(|test| {
        let accuracy = test.scores.get(Score::Accuracy);
        TestObject {
            samples: test.samples,
            score: test.scores.get(found.score),
            loss: test.scores.get(Score::Loss),
            accuracy,
            error: accuracy.map(|accuracy| 1.0 - accuracy),
        }
    });
    let object = Object {
        task: &found.task,
        dataset: found.dataset,
        samples: found.samples,
        score: found.score.name(),
        folds,
        validation,
        seeds: found.seeds,
        asked: found.asked,
        trials: trials?,
        best: found.best.as_ref(),
        test,
        seconds: found.seconds,
        stopped: found.stopped,
        out: found.out.map(|out| out.display().to_string()),
    };
    Ok(serde_json::to_string(&object)? + "\n")
}

fn of_trial<'a>(found: &SearchResult<'_>, trial: &'a Trial<'_>) -> anyhow::Result<TrialObject<'a>> {
    let mean = |score| trial.spread(score).map(|spread: Spread| spread.mean);
    let deviation = |score| trial.spread(score).and_then(|spread| spread.deviation);
    let values = |score: Score| -> Vec<Option<f64>> {
        let runs = trial.runs.iter().flatten();
        runs.map(|run| run.get(score)).collect()
    };
    Ok(TrialObject {
        trial: trial.number,
        settings: chosen(found.names, &trial.configuration.settings)?,
        score: mean(found.score),
        score_deviation: deviation(found.score),
        scores: values(found.score),
        accuracy: mean(Score::Accuracy),
        accuracy_deviation: deviation(Score::Accuracy),
        accuracies: values(Score::Accuracy),
        loss: mean(Score::Loss),
        loss_deviation: deviation(Score::Loss),
        losses: values(Score::Loss),
        seconds: trial.seconds,
        failed: trial.runs.as_ref().err().map(String::as_str),
    })
}

/// The options that differ, as `config.toml` has them; null where an option does not apply.
fn chosen(names: &[&str], settings: &Settings) -> anyhow::Result<Value> {
    let sections = serde_json::to_value(settings)?;
    let sections: Vec<&Map<String, Value>> = sections
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, section)| section.as_object())
        .collect();
    let find = |name: &str| sections.iter().find_map(|section| section.get(name));
    let pair = |name: &&str| ((*name).to_owned(), find(name).cloned().unwrap_or(Value::Null));
    Ok(Value::Object(names.iter().map(pair).collect()))
}
