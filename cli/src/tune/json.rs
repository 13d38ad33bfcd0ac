//! What a search found, for programs: one JSON object.

use serde_json::{Map, Value, json};

use super::score::{Score, Spread};
use super::search_result::SearchResult;
use super::trial::Trial;
use super::validation::Validation;
use crate::settings::{Settings, Share};

/// The object, on one line. `trials` are the completed ones, the best first; `best` has all settings of the first, as in
/// `config.toml`.
pub(super) fn text(found: &SearchResult<'_>) -> anyhow::Result<String> {
    let trials: anyhow::Result<Vec<Value>> = found.trials.iter().map(|trial| object(found, trial)).collect();
    let (folds, validation) = match found.validation {
        Validation::Folds(folds) => (Some(*folds), None),
        Validation::Set(Share::Fraction(part)) => (None, Some(json!(part))),
        Validation::Set(Share::File(path)) => (None, Some(json!(path))),
    };
    let test = found.test.map(|test| {
        json!({
            "samples": test.samples,
            "loss": test.evaluation.loss,
            "accuracy": test.evaluation.accuracy,
            "error": test.evaluation.accuracy.map(|accuracy| 1.0 - accuracy),
        })
    });
    let object = json!({
        "task": found.task,
        "dataset": found.dataset,
        "samples": found.samples,
        "score": found.score.name(),
        "folds": folds,
        "validation": validation,
        "seeds": found.seeds,
        "asked": found.asked,
        "trials": trials?,
        "best": found.best,
        "test": test,
        "seconds": found.seconds,
        "stopped": found.stopped,
        "out": found.out.map(|out| out.display().to_string()),
    });
    Ok(format!("{object}\n"))
}

fn object(found: &SearchResult<'_>, trial: &Trial<'_>) -> anyhow::Result<Value> {
    let (loss, accuracy) = (trial.spread(Score::Loss), trial.spread(Score::Accuracy));
    let mean = |spread: Option<Spread>| spread.map(|spread| spread.mean);
    let deviation = |spread: Option<Spread>| spread.and_then(|spread| spread.deviation);
    let scores = |score: Score| -> Vec<Option<f64>> {
        let runs = trial.runs.iter().flatten();
        runs.map(|run| score.of(run)).collect()
    };
    Ok(json!({
        "trial": trial.number,
        "settings": chosen(found.names, &trial.configuration.settings)?,
        "accuracy": mean(accuracy),
        "accuracy_deviation": deviation(accuracy),
        "accuracies": scores(Score::Accuracy),
        "loss": mean(loss),
        "loss_deviation": deviation(loss),
        "losses": scores(Score::Loss),
        "seconds": trial.seconds,
        "failed": trial.runs.as_ref().err(),
    }))
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
