//! Predicted classes, accuracy and the confusion matrix.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::element::Element;
use crate::error::{Error, Result};

/// Returns the class of each row: the index of its largest number, the first of equals.
///
/// # Shapes
///
/// samples x classes -> samples
///
/// # Errors
///
/// [`Error::InvalidData`] for a row that is empty or holds NaN, with its index, counted from 0: it has no largest number.
///
/// ```
/// let logits = ndarray::array![[0.1, 2.0, -1.0], [5.0, 0.0, 5.0]];
/// assert_eq!(mfnet::argmax(logits.view())?, [1, 0]);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[doc(alias = "classes")]
pub fn argmax<T: Element>(outputs: ArrayView2<'_, T>) -> Result<Vec<u32>> {
    let class_of = |(row, values)| {
        let problem = || {
            Error::data(
                "argmax",
                format_args!("row {row} holds NaN or nothing, so no largest number"),
            )
        };
        index_of_largest(values).ok_or_else(problem)
    };
    outputs.rows().into_iter().enumerate().map(class_of).collect()
}

/// Returns the class of each row for two classes: `class` where its probability is at least `threshold`, the other class
/// elsewhere.
///
/// A threshold below 0.5 finds more samples of the class, and takes more of the other for it.
///
/// # Shapes
///
/// samples x 2 -> samples
///
/// # Errors
///
/// [`Error::Shape`] for other than two columns; [`Error::InvalidData`] for a class other than 0 and 1, for a threshold that is
/// not between 0 and 1, and for a row with NaN, with its index, counted from 0.
///
/// ```
/// let probabilities = ndarray::array![[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]];
/// assert_eq!(mfnet::metrics::labels_at(probabilities.view(), 1, 0.3)?, [0, 1, 1]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn labels_at<T: Element>(
    probabilities: ArrayView2<'_, T>,
    class: u32,
    threshold: f64,
) -> Result<Vec<u32>> {
    const OPERATION: &str = "labels_at";
    let (rows, classes) = probabilities.dim();
    if classes != 2 {
        return Err(Error::shape(
            OPERATION,
            "samples x 2",
            format_args!("{rows} x {classes}"),
        ));
    }
    if class > 1 {
        return Err(Error::data(
            OPERATION,
            format_args!("the class {class} is none of two"),
        ));
    }
    if !(0.0..=1.0).contains(&threshold) {
        return Err(Error::data(
            OPERATION,
            format_args!("the threshold {threshold} is not between 0 and 1"),
        ));
    }
    let of_class = probabilities.column(class as usize);
    let label = |(row, probability): (usize, &T)| {
        // Neither at least the threshold nor below it.
        if probability.is_nan() {
            return Err(Error::data(OPERATION, format_args!("row {row} holds NaN")));
        }
        Ok(if probability.as_f64() >= threshold {
            class
        } else {
            1 - class
        })
    };
    of_class.iter().enumerate().map(label).collect()
}

/// The fraction of the labels, 0 to 1, that were predicted correctly.
///
/// # Shapes
///
/// both: samples
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] if there are no labels.
///
/// ```
/// assert_eq!(mfnet::metrics::accuracy(&[0, 1, 2, 1], &[0, 1, 1, 1])?, 0.75);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn accuracy(predicted: &[u32], labels: &[u32]) -> Result<f64> {
    check_counts("accuracy", predicted, labels)?;
    let right = predicted
        .iter()
        .zip(labels)
        .filter(|(predicted, label)| predicted == label);
    Ok(right.count() as f64 / labels.len() as f64)
}

/// Counts how often each class was predicted as each class: row = true class, column = predicted class.
///
/// # Shapes
///
/// both: samples -> classes x classes
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] for a label beyond the classes, and if there are no labels.
///
/// ```
/// let confusion = mfnet::metrics::confusion_matrix(&[0, 1, 1], &[0, 0, 1], 2)?;
/// assert_eq!(confusion, ndarray::array![[1, 1], [0, 1]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn confusion_matrix(predicted: &[u32], labels: &[u32], classes: usize) -> Result<Array2<u64>> {
    check_classes("confusion_matrix", predicted, labels, classes)?;
    let mut counts = Array2::zeros((classes, classes));
    for (&predicted, &label) in predicted.iter().zip(labels) {
        counts[[label as usize, predicted as usize]] += 1;
    }
    Ok(counts)
}

/// The index of the largest number, the first of equals; `None` if there is a NaN or no number.
pub(crate) fn index_of_largest<T: Element>(values: ArrayView1<'_, T>) -> Option<u32> {
    let mut numbers = (0..).zip(values.iter().copied());
    let (mut best, mut largest) = numbers.next()?;
    let mut is_nan = largest.is_nan();
    for (index, value) in numbers {
        is_nan |= value.is_nan();
        if value > largest {
            (best, largest) = (index, value);
        }
    }
    (!is_nan).then_some(best)
}

/// Refuses unequal counts, and a label beyond the classes.
pub(super) fn check_classes(
    operation: &'static str,
    predicted: &[u32],
    labels: &[u32],
    classes: usize,
) -> Result<()> {
    check_counts(operation, predicted, labels)?;
    let is_beyond = |&(predicted, label): &(&u32, &u32)| *predicted.max(label) as usize >= classes;
    match predicted
        .iter()
        .zip(labels)
        .enumerate()
        .find(|(_, pair)| is_beyond(pair))
    {
        None => Ok(()),
        Some((row, (predicted, label))) => Err(Error::data(
            operation,
            format_args!("row {row} has classes {label} and {predicted}, and there are {classes}"),
        )),
    }
}

fn check_counts(operation: &'static str, predicted: &[u32], labels: &[u32]) -> Result<()> {
    if labels.is_empty() {
        return Err(Error::data(operation, "there are no labels"));
    }
    if predicted.len() != labels.len() {
        return Err(Error::shape(
            operation,
            format_args!("{} predictions, as labels", labels.len()),
            predicted.len(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn largest_of_each_row() {
        let outputs = array![[0.0, 2.0, 2.0], [-1.0, -3.0, -2.0]];
        assert_eq!(argmax(outputs.view()).unwrap(), [1, 0]);
        let infinite = array![[f64::NEG_INFINITY, f64::NEG_INFINITY], [0.0, f64::INFINITY]];
        assert_eq!(argmax(infinite.view()).unwrap(), [0, 1]);
    }

    #[test]
    fn a_row_with_nan_has_no_class() {
        for row in [[f64::NAN, 1.0], [1.0, f64::NAN], [f64::NAN; 2]] {
            let outputs = array![[0.0, 1.0], row];
            let error = argmax(outputs.view()).unwrap_err().to_string();
            assert!(error.starts_with("argmax: row 1 holds NaN"), "{error}");
        }
        assert!(argmax(Array2::<f32>::zeros((1, 0)).view()).is_err());
    }

    #[test]
    fn thresholds_are_inclusive_and_for_either_class() {
        let probabilities = array![[0.75, 0.25], [0.5, 0.5]];
        let labels = |class, threshold| labels_at(probabilities.view(), class, threshold);
        assert_eq!(labels(1, 0.5).unwrap(), [0, 1]);
        assert_eq!(labels(0, 0.5).unwrap(), [0, 0]);
        assert_eq!(labels(1, 0.25).unwrap(), [1, 1]);
        assert_eq!(labels(0, 0.6).unwrap(), [0, 1]);
        for (class, threshold) in [(2, 0.5), (1, 1.5), (1, f64::NAN)] {
            assert!(labels(class, threshold).is_err());
        }
        assert!(labels_at(array![[1.0, 0.0, 0.0]].view(), 1, 0.5).is_err());
        assert!(labels_at(array![[f64::NAN, 1.0]].view(), 0, 0.5).is_err());
    }

    #[test]
    fn unequal_or_wrong_labels_are_refused() {
        assert!(accuracy(&[], &[]).is_err());
        assert!(accuracy(&[1], &[1, 2]).is_err());
        assert!(confusion_matrix(&[0], &[2], 2).is_err());
        assert!(confusion_matrix(&[2], &[0], 2).is_err());
    }
}
