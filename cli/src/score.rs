//! The scores by which models are compared, as the options `--score` and `--importance` name them.

use anyhow::ensure;
use clap::builder::{PossibleValue, PossibleValuesParser};
use mfnet::data::Task;
use mfnet::metrics::Score;

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

/// A score as people read it.
pub(super) fn text(score: Score, value: f64) -> String {
    match score {
        Score::Accuracy => super::format::percent(value),
        Score::Loss | Score::Rmse | Score::Mae => super::format::loss(value),
        _ => format!("{value:.4}"),
    }
}
