//! The scores by which models are compared, as the options `--score` and `--importance` name them.

use anyhow::{bail, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser};
use mfnet::data::{Schema, Task};
use mfnet::metrics::Score;
use mfnet::{Element, Targets};

use super::model_path::target_name;
use super::usage;

/// The names of all scores.
pub(super) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Score::ALL.map(|score| PossibleValue::new(score.name())))
}

/// Refuses a score that the task does not have.
pub(super) fn check(option: &str, score: Score, task: Task, outputs: usize) -> anyhow::Result<()> {
    match task {
        Task::Regression => ensure!(
            !score.is_of_classes(),
            usage(format!(
                "{option} {score} is for classes, and the targets are numbers"
            ))
        ),
        Task::Classification | Task::Binary => {
            let targets = if task == Task::Binary {
                "yes/no answers"
            } else {
                "classes"
            };
            ensure!(
                !score.is_of_numbers(),
                usage(format!(
                    "{option} {score} is for numbers, and the targets are {targets}"
                ))
            );
        }
    }
    ensure!(
        outputs == 1 || !matches!(score, Score::Rmse | Score::Mae),
        usage(format!(
            "{option} {score} is for a single target, since the units of {outputs} targets may differ: choose r2 or loss"
        ))
    );
    Ok(())
}

/// Refuses a score of probabilities for samples without a class, or without yes or no of a target: they have no such score.
/// `samples` says which samples, and `advice` how to get others.
pub(super) fn check_samples<T: Element>(
    (option, score): (&str, Score),
    (samples, advice): (&str, &str),
    targets: &Targets<T>,
    schema: &Schema<T>,
) -> anyhow::Result<()> {
    if !score.is_of_probabilities() {
        return Ok(());
    }
    let missing = match targets {
        Targets::Classes { labels, classes } => {
            let mut is_there = vec![false; *classes];
            for &label in labels {
                is_there[label as usize] = true;
            }
            let missing = is_there.iter().position(|&is_there| !is_there);
            missing.map(|class| format!("none of {samples} is of class `{}`", schema.label(class)))
        }
        Targets::Values(values) => {
            let constant = values
                .columns()
                .into_iter()
                .enumerate()
                .find_map(|(target, column)| {
                    let first = *column.first()?;
                    column
                        .iter()
                        .all(|&value| value == first)
                        .then_some((target, first))
                });
            constant.map(|(target, value)| {
                let (name, answer) = (target_name(schema, target), usize::from(value == T::one()));
                let answer = schema
                    .answers
                    .get(target)
                    .map_or("the same", |texts| &texts[answer]);
                format!("`{name}` is `{answer}` in all of {samples}")
            })
        }
    };
    match missing {
        None => Ok(()),
        Some(missing) => {
            bail!("{option} {score} is not defined: {missing}; {advice}, or choose another score")
        }
    }
}

/// A score as people read it.
pub(super) fn text(score: Score, value: f64) -> String {
    match score {
        Score::Accuracy => super::format::percent(value),
        Score::Loss | Score::Rmse | Score::Mae => super::format::loss(value),
        _ => format!("{value:.4}"),
    }
}
