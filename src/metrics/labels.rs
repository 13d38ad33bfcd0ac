//! Scores of yes/no answers: accuracy, precision, recall and F1 of each label, and the share of rows with all labels right.

use ndarray::{Array2, ArrayView2, Zip};

use super::class_scores::ratio;
use crate::element::Element;
use crate::error::{Error, Result};

/// The scores of a label.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub struct LabelScores {
    /// The fraction, 0 to 1, of the samples whose answer is right.
    pub accuracy: f64,
    /// The fraction, 0 to 1, of the samples predicted as yes that are yes; 0 if none was predicted.
    pub precision: f64,
    /// The fraction, 0 to 1, of the samples that are yes that were predicted as yes; 0 if there are none.
    pub recall: f64,
    /// 2 precision recall / (precision + recall), 0 to 1; 0 if both are 0.
    pub f1: f64,
    /// The number of samples that are yes.
    pub support: u64,
}

/// The scores of all labels.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabelScores {
    /// The scores of each label, in the order of the outputs.
    pub labels: Vec<LabelScores>,
    /// The fraction, 0 to 1, of the samples all of whose labels are right.
    pub all_right: f64,
    /// The unweighted mean of the labels' F1.
    pub macro_f1: f64,
}

/// Computes the scores of yes/no answers, as scikit-learn's `precision_recall_fscore_support` of the yes of each label, and its
/// `accuracy_score` of all labels.
///
/// # Shapes
///
/// both: samples x labels
///
/// # Errors
///
/// [`Error::Shape`] for unequal shapes, [`Error::InvalidData`] for no samples or no labels.
///
/// ```
/// use mfnet::metrics::multi_label_scores;
/// use ndarray::array;
///
/// let truth = array![[true, false], [true, true]];
/// let predicted = array![[true, false], [false, true]];
/// let scores = multi_label_scores(predicted.view(), truth.view())?;
/// assert_eq!((scores.labels[0].precision, scores.labels[0].recall), (1.0, 0.5));
/// assert_eq!(scores.all_right, 0.5);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn multi_label_scores(
    predicted: ArrayView2<'_, bool>,
    truth: ArrayView2<'_, bool>,
) -> Result<MultiLabelScores> {
    const OPERATION: &str = "multi_label_scores";
    let (samples, labels) = truth.dim();
    if predicted.dim() != truth.dim() {
        return Err(Error::shape(
            OPERATION,
            format_args!("{samples} x {labels} predictions, as the truth"),
            format_args!("{} x {}", predicted.nrows(), predicted.ncols()),
        ));
    }
    if truth.is_empty() {
        return Err(Error::data(OPERATION, "there are no labels"));
    }
    let count = samples as f64;
    let of_label = |(predicted, truth): (ndarray::ArrayView1<'_, bool>, ndarray::ArrayView1<'_, bool>)| {
        let [mut right, mut hits, mut positives, mut answered] = [0_u64; 4];
        Zip::from(predicted).and(truth).for_each(|&predicted, &truth| {
            right += u64::from(predicted == truth);
            hits += u64::from(predicted && truth);
            positives += u64::from(truth);
            answered += u64::from(predicted);
        });
        LabelScores {
            accuracy: right as f64 / count,
            precision: ratio(hits, answered),
            recall: ratio(hits, positives),
            f1: ratio(2 * hits, positives + answered),
            support: positives,
        }
    };
    let columns = predicted.columns().into_iter().zip(truth.columns());
    let scores: Vec<LabelScores> = columns.map(of_label).collect();
    let rows = predicted.rows().into_iter().zip(truth.rows());
    let all_right = rows.filter(|(predicted, truth)| predicted == truth).count();
    Ok(MultiLabelScores {
        all_right: all_right as f64 / count,
        macro_f1: scores.iter().map(|label| label.f1).sum::<f64>() / labels as f64,
        labels: scores,
    })
}

/// Returns the answer of each logit: yes where it is above 0, which is where the probability of yes is above 1/2.
///
/// # Shapes
///
/// samples x labels -> samples x labels
///
/// # Errors
///
/// [`Error::InvalidData`] for a logit that is NaN, with its row, counted from 0.
///
/// ```
/// let answers = mfnet::metrics::answers(ndarray::array![[0.1, -2.0], [0.0, 3.0]].view())?;
/// assert_eq!(answers, ndarray::array![[true, false], [false, true]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn answers<T: Element>(logits: ArrayView2<'_, T>) -> Result<Array2<bool>> {
    match logits.indexed_iter().find(|(_, logit)| logit.is_nan()) {
        None => Ok(logits.mapv(|logit| logit > T::zero())),
        Some(((row, _), _)) => Err(Error::data(
            "answers",
            format_args!("row {row} holds NaN, which is neither yes nor no"),
        )),
    }
}

/// Returns answers in which those of each target with a threshold are predicted anew: yes where the probability of yes is at
/// least the threshold.
///
/// A threshold below 0.5 finds more samples that are yes, and takes more of the others for them.
///
/// # Shapes
///
/// `answers` and `probabilities`: samples x targets; `thresholds`: one for each target, `None` to keep its answers
///
/// # Errors
///
/// [`Error::Shape`] for unequal shapes; [`Error::InvalidData`] for a threshold that is not between 0 and 1, and for a
/// probability that is NaN, with its row, counted from 0.
///
/// ```
/// use mfnet::metrics::{answers, answers_at};
/// use ndarray::array;
///
/// let probabilities = array![[0.4, 0.4], [0.2, 0.9]];
/// let likely = probabilities.mapv(|probability| probability > 0.5);
/// let found = answers_at(likely, probabilities.view(), &[Some(0.3), None])?;
/// assert_eq!(found, array![[true, false], [false, true]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn answers_at<T: Element>(
    mut answers: Array2<bool>,
    probabilities: ArrayView2<'_, T>,
    thresholds: &[Option<f64>],
) -> Result<Array2<bool>> {
    const OPERATION: &str = "answers_at";
    let (samples, targets) = probabilities.dim();
    if answers.dim() != (samples, targets) || thresholds.len() != targets {
        let (rows, columns) = answers.dim();
        return Err(Error::shape(
            OPERATION,
            format_args!("{samples} x {targets} answers and {targets} thresholds, as the probabilities"),
            format_args!("{rows} x {columns} answers and {} thresholds", thresholds.len()),
        ));
    }
    for (target, threshold) in thresholds.iter().enumerate() {
        let Some(threshold) = *threshold else { continue };
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Error::data(
                OPERATION,
                format_args!("the threshold {threshold} is not between 0 and 1"),
            ));
        }
        for (row, probability) in probabilities.column(target).iter().enumerate() {
            // Neither at least the threshold nor below it.
            if probability.is_nan() {
                return Err(Error::data(OPERATION, format_args!("row {row} holds NaN")));
            }
            answers[[row, target]] = probability.as_f64() >= threshold;
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// ```python
    /// truth = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]
    /// predicted = [[1, 0, 0], [0, 1, 1], [0, 1, 0], [1, 1, 0], [1, 0, 0]]
    /// print(precision_recall_fscore_support(truth, predicted), accuracy_score(truth, predicted))
    /// print(f1_score(truth, predicted, average="macro"))
    /// ```
    #[test]
    fn scores_as_scikit_learns() {
        let truth = array![[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]].mapv(|one| one == 1);
        let predicted = array![[1, 0, 0], [0, 1, 1], [0, 1, 0], [1, 1, 0], [1, 0, 0]].mapv(|one| one == 1);
        let scores = multi_label_scores(predicted.view(), truth.view()).unwrap();
        let third = 1.0 / 3.0;
        let expected = [
            (0.6, [2.0 * third, 2.0 * third, 2.0 * third], 3),
            (0.8, [2.0 * third, 1.0, 0.8], 2),
            (0.8, [0.0, 0.0, 0.0], 0),
        ];
        for (found, (accuracy, values, support)) in scores.labels.iter().zip(expected) {
            assert_eq!((found.accuracy, found.support), (accuracy, support));
            for (found, expected) in [found.precision, found.recall, found.f1].iter().zip(values) {
                assert!((found - expected).abs() < 1e-15, "{scores:?}");
            }
        }
        assert_eq!(scores.all_right, 0.4);
        assert!(
            (scores.macro_f1 - 0.488_888_888_888_888_9).abs() < 1e-15,
            "{scores:?}"
        );
    }

    #[test]
    fn thresholds_are_inclusive_and_of_each_target() {
        let probabilities = array![[0.25, 0.25], [0.5, 0.75]];
        let at = |thresholds: &[Option<f64>]| {
            answers_at(Array2::from_elem((2, 2), false), probabilities.view(), thresholds)
        };
        assert_eq!(at(&[None, None]).unwrap(), Array2::from_elem((2, 2), false));
        assert_eq!(
            at(&[Some(0.5), Some(0.25)]).unwrap(),
            array![[false, true], [true, true]]
        );
        assert!(at(&[Some(0.5)]).is_err() && at(&[Some(1.5), None]).is_err());
        assert!(at(&[Some(f64::NAN), None]).is_err());
        let error = answers_at(array![[true]], array![[f64::NAN]].view(), &[Some(0.5)]).unwrap_err();
        assert!(error.to_string().contains("row 0 holds NaN"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let none = Array2::from_elem((0, 2), true);
        assert!(multi_label_scores(none.view(), none.view()).is_err());
        let (one, two) = (array![[true]], array![[true, false]]);
        assert!(multi_label_scores(one.view(), two.view()).is_err());
        let error = answers(array![[0.0], [f64::NAN]].view()).unwrap_err().to_string();
        assert!(error.contains("row 1 holds NaN"), "{error}");
    }
}
