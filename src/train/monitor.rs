//! The score that early stopping follows, if it is not the loss.

use crate::data::{Dataset, Targets};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::{Loss, Output, softmax};
use crate::metrics::{Score, argmax, class_scores, ranking_of_classes, regression_scores};
use crate::network::{Evaluation, NeuralNetwork};

const OPERATION: &str = "early stopping";

/// Refuses a score that the validation set or the loss does not have.
///
/// # Errors
///
/// [`Error::InvalidData`], also for a class that is missing in the validation set: it has neither ROC AUC nor average precision.
pub(super) fn check<T: Element>(
    score: Score,
    validation: Option<&Dataset<T>>,
    loss: &dyn Loss<T>,
) -> Result<()> {
    let problem = match (score, validation.map(Dataset::targets)) {
        (Score::Loss, _) => return Ok(()),
        (_, None) => "needs a validation set",
        (Score::RocAuc | Score::AveragePrecision, Some(Targets::Classes { .. }))
            if loss.expects() == Output::Any =>
        {
            "needs a loss of probabilities, such as the cross-entropy"
        }
        (Score::RocAuc | Score::AveragePrecision, Some(Targets::Classes { labels, classes }))
            if !(0..*classes as u32).all(|class| labels.contains(&class)) =>
        {
            "needs each class among the validation samples"
        }
        (
            Score::Accuracy | Score::F1 | Score::RocAuc | Score::AveragePrecision,
            Some(Targets::Classes { .. }),
        )
        | (Score::R2, Some(Targets::Values(_))) => return Ok(()),
        (Score::Rmse | Score::Mae, Some(Targets::Values(values))) if values.ncols() == 1 => return Ok(()),
        (Score::Rmse | Score::Mae, Some(Targets::Values(_))) => "is for a single target",
        (_, Some(Targets::Classes { .. })) => "is for numbers, and the targets are classes",
        (_, Some(Targets::Values(_))) => "is for classes, and the targets are numbers",
    };
    Err(Error::data(
        OPERATION,
        format_args!("the score {score} {problem}"),
    ))
}

/// The score on a validation set; `evaluation` is that of the same weights.
///
/// # Errors
///
/// [`Error::InvalidData`] for predictions that are NaN.
pub(super) fn score_of<T: Element>(
    score: Score,
    network: &NeuralNetwork<T>,
    loss: &dyn Loss<T>,
    validation: &Dataset<T>,
    evaluation: Evaluation,
) -> Result<f64> {
    match (score, evaluation.accuracy) {
        (Score::Loss, _) => return Ok(evaluation.loss),
        (Score::Accuracy, Some(accuracy)) => return Ok(accuracy),
        _ => {}
    }
    let outputs = network.predict_dataset(validation)?;
    match validation.targets() {
        Targets::Values(targets) => {
            let scores = regression_scores(outputs.view(), targets.view())?;
            Ok(match score {
                Score::R2 => scores.r2,
                Score::Rmse => scores.rmse,
                _ => scores.mae,
            })
        }
        Targets::Classes { labels, classes } if score == Score::F1 => Ok(Score::f1(&class_scores(
            &argmax(outputs.view())?,
            labels,
            *classes,
        )?)),
        Targets::Classes { labels, .. } => {
            let probabilities = match loss.expects() {
                Output::Logits => softmax(outputs.view()),
                _ => outputs,
            };
            let ranking = ranking_of_classes(probabilities.view(), labels)?;
            // The set was checked before the training.
            Ok(score.of_ranking(&ranking).unwrap_or(f64::NAN))
        }
    }
}
