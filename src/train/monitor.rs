//! The score that early stopping follows, if it is not the loss.

use ndarray::ArrayView1;

use crate::data::{Dataset, Targets};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::{Loss, Output, softmax};
use crate::metrics::{
    Score, answers, argmax, class_scores, multi_label_scores, ranking_of_answers, ranking_of_classes,
    regression_scores,
};
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
    let (for_classes, of_probabilities) = (score.is_of_classes(), score.is_of_probabilities());
    let is_binary = loss.expects() == Output::BinaryLogits;
    let problem = match validation.map(Dataset::targets) {
        _ if score == Score::Loss => return Ok(()),
        None => "needs a validation set",
        Some(Targets::Classes { labels, classes }) => match score {
            _ if !for_classes => "is for numbers, and the targets are classes",
            _ if of_probabilities && loss.expects() == Output::Any => {
                "needs a loss of probabilities, such as the cross-entropy"
            }
            _ if of_probabilities && !(0..*classes as u32).all(|class| labels.contains(&class)) => {
                "needs each class among the validation samples"
            }
            _ => return Ok(()),
        },
        Some(Targets::Values(values)) if is_binary => match score {
            _ if !for_classes => "is for numbers, and the targets are yes/no answers",
            _ if of_probabilities && values.columns().into_iter().any(|target| is_constant(target)) => {
                "needs yes and no of each target among the validation samples"
            }
            _ => return Ok(()),
        },
        Some(Targets::Values(values)) => match score {
            _ if for_classes => "is for classes, and the targets are numbers",
            Score::Rmse | Score::Mae if values.ncols() > 1 => "is for a single target",
            Score::R2 if values.nrows() < 2 => "needs more than one validation sample",
            _ => return Ok(()),
        },
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
        Targets::Values(targets) if loss.expects() == Output::BinaryLogits => {
            let truth = targets.mapv(|value| value == T::one());
            let scores = multi_label_scores(answers(outputs.view())?.view(), truth.view())?;
            Ok(match score {
                Score::Accuracy => scores.all_right,
                Score::F1 => scores.macro_f1,
                _ => {
                    let ranking = ranking_of_answers(outputs.view(), truth.view())?;
                    // The set was checked before the training.
                    score.mean_of_ranking(&ranking).unwrap_or(f64::NAN)
                }
            })
        }
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

fn is_constant<T: Element>(values: ArrayView1<'_, T>) -> bool {
    values.iter().all(|value| Some(value) == values.first())
}
