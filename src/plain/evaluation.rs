//! Classes: one-hot targets of labels, and the accuracy of predictions.

use super::Matrix;
use crate::error::{Error, Result};

/// Returns one-hot targets: 1 in the column of the label, 0 elsewhere.
///
/// # Shapes
///
/// samples labels -> samples x classes
///
/// # Errors
///
/// [`Error::InvalidData`] for a label that is not below `classes`.
pub fn one_hot(labels: &[usize], classes: usize) -> Result<Matrix> {
    let mut targets = Matrix::zeros(labels.len(), classes);
    for (sample, &label) in labels.iter().enumerate() {
        if label >= classes {
            let problem = format_args!("sample {sample} has label {label} of {classes} classes");
            return Err(Error::data("plain::one_hot", problem));
        }
        targets[[sample, label]] = 1.0;
    }
    Ok(targets)
}

/// Returns the share of samples, 0 to 1, whose largest prediction is in the column of the largest target. Among equals the
/// first column counts.
///
/// # Shapes
///
/// predictions, targets: samples x classes
///
/// # Errors
///
/// [`Error::Shape`] for unequal shapes; [`Error::InvalidData`] for no samples.
///
/// ```
/// use mfnet::plain::{Matrix, accuracy, one_hot};
///
/// let predictions = Matrix::new(2, 3, vec![0.1, 0.7, 0.2, -1.0, -3.0, -2.0])?;
/// assert_eq!(accuracy(&predictions, &one_hot(&[1, 2], 3)?)?, 0.5);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn accuracy(predictions: &Matrix, targets: &Matrix) -> Result<f64> {
    let (samples, classes) = (predictions.rows(), predictions.columns());
    if (targets.rows(), targets.columns()) != (samples, classes) {
        return Err(Error::shape(
            "plain::accuracy",
            format_args!("targets of {samples} x {classes}"),
            format_args!("{} x {}", targets.rows(), targets.columns()),
        ));
    }
    if samples == 0 {
        return Err(Error::data("plain::accuracy", "there are no samples"));
    }
    let mut hits = 0;
    for sample in 0..samples {
        if largest(predictions.row(sample)) == largest(targets.row(sample)) {
            hits += 1;
        }
    }
    Ok(f64::from(hits) / samples as f64)
}

/// The column of the first of the largest numbers.
fn largest(row: &[f64]) -> usize {
    let mut best = 0;
    for column in 1..row.len() {
        if row[column] > row[best] {
            best = column;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_by_hand() {
        let predictions = Matrix::new(4, 2, vec![2.0, 1.0, 1.0, 2.0, 3.0, 3.0, -1.0, -2.0]).unwrap();
        let hits = |labels| accuracy(&predictions, &one_hot(labels, 2).unwrap()).unwrap();
        assert_eq!(hits(&[0, 1, 0, 0]), 1.0);
        assert_eq!(hits(&[0, 1, 1, 1]), 0.5);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(one_hot(&[0, 2], 2).is_err());
        assert!(accuracy(&Matrix::zeros(2, 2), &Matrix::zeros(2, 3)).is_err());
        assert!(accuracy(&Matrix::zeros(0, 2), &Matrix::zeros(0, 2)).is_err());
    }
}
