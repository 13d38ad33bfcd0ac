//! Predicted classes, beside the true ones: accuracy and the confusion matrix.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::element::Element;
use crate::error::{Error, Result};

/// The class of each row: the index of its largest number, the first of equals.
///
/// # Shapes
///
/// samples x classes -> samples
///
/// ```
/// let logits = ndarray::array![[0.1, 2.0, -1.0], [5.0, 0.0, 5.0]];
/// assert_eq!(mfnet::classes(logits.view()), [1, 0]);
/// ```
pub fn classes<T: Element>(outputs: ArrayView2<'_, T>) -> Vec<u32> {
    outputs.rows().into_iter().map(index_of_largest).collect()
}

/// The part of the labels, 0 to 1, that were predicted right.
///
/// # Shapes
///
/// both: samples
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] for none.
///
/// ```
/// assert_eq!(mfnet::accuracy(&[0, 1, 2, 1], &[0, 1, 1, 1])?, 0.75);
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

/// How often each class was taken for which: row = true class, column = predicted class.
///
/// # Shapes
///
/// both: samples -> classes x classes
///
/// # Errors
///
/// [`Error::Shape`] for unequal counts, [`Error::InvalidData`] for none or a label beyond the classes.
///
/// ```
/// let confusion = mfnet::confusion_matrix(&[0, 1, 1], &[0, 0, 1], 2)?;
/// assert_eq!(confusion, ndarray::array![[1, 1], [0, 1]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn confusion_matrix(predicted: &[u32], labels: &[u32], classes: usize) -> Result<Array2<u64>> {
    check_counts("confusion_matrix", predicted, labels)?;
    let mut counts = Array2::zeros((classes, classes));
    for (row, (&predicted, &label)) in predicted.iter().zip(labels).enumerate() {
        match counts.get_mut([label as usize, predicted as usize]) {
            Some(count) => *count += 1,
            None => {
                return Err(Error::data(
                    "confusion_matrix",
                    format_args!("row {row} has classes {label} and {predicted}, and there are {classes}"),
                ));
            }
        }
    }
    Ok(counts)
}

/// The index of the largest number, the first of equals.
pub(crate) fn index_of_largest<T: Element>(values: ArrayView1<'_, T>) -> u32 {
    let mut best = 0;
    let mut largest = T::neg_infinity();
    for (index, &value) in (0..).zip(values) {
        if value > largest {
            (best, largest) = (index, value);
        }
    }
    best
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
        assert_eq!(
            classes(array![[0.0, 2.0, 2.0], [-1.0, -3.0, -2.0]].view()),
            [1, 0]
        );
    }

    #[test]
    fn unequal_or_wrong_labels_are_refused() {
        assert!(accuracy(&[], &[]).is_err());
        assert!(accuracy(&[1], &[1, 2]).is_err());
        assert!(confusion_matrix(&[0], &[2], 2).is_err());
        assert!(confusion_matrix(&[2], &[0], 2).is_err());
    }
}
