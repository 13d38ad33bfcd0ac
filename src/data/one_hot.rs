//! One-hot vectors: row i is 1 at the label of sample i and 0 elsewhere.

use ndarray::{Array2, ArrayView2};

use crate::element::Element;
use crate::error::{Error, Result};

/// Converts labels into one-hot vectors.
///
/// # Shapes
///
/// samples -> samples x classes
///
/// # Errors
///
/// [`Error::InvalidData`] for a label that is not below `classes`, with its row.
///
/// ```
/// let vectors = mfnet::data::one_hot_encode::<f32>(&[2, 0], 3)?;
/// assert_eq!(vectors, ndarray::array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// assert_eq!(mfnet::data::one_hot_decode(vectors.view())?, [2, 0]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn one_hot_encode<T: Element>(labels: &[u32], classes: usize) -> Result<Array2<T>> {
    check_labels(labels, classes)?;
    let mut vectors = Array2::zeros((labels.len(), classes));
    for (mut vector, &label) in vectors.rows_mut().into_iter().zip(labels) {
        vector[label as usize] = T::one();
    }
    Ok(vectors)
}

/// Converts one-hot vectors into labels.
///
/// # Shapes
///
/// samples x classes -> samples
///
/// # Errors
///
/// [`Error::InvalidData`] for a row that is not a single 1 among zeros.
pub fn one_hot_decode<T: Element>(vectors: ArrayView2<'_, T>) -> Result<Vec<u32>> {
    let label = |(row, vector): (usize, ndarray::ArrayView1<'_, T>)| {
        let mut ones = vector
            .iter()
            .enumerate()
            .filter(|&(_, &value)| value != T::zero());
        match (ones.next(), ones.next()) {
            (Some((class, &value)), None) if value == T::one() => u32::try_from(class).ok(),
            _ => None,
        }
        .ok_or_else(|| {
            Error::data(
                "one-hot targets",
                format_args!("row {row} is {vector}, not a single 1 among zeros"),
            )
        })
    };
    vectors.rows().into_iter().enumerate().map(label).collect()
}

/// Refuses labels beyond the classes.
pub(crate) fn check_labels(labels: &[u32], classes: usize) -> Result<()> {
    match labels.iter().position(|&label| label as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::data(
            "targets",
            format_args!(
                "row {row} has label {}, and there are {classes} classes, counted from 0",
                labels[row]
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn vectors_that_are_not_one_hot_are_refused() {
        for vectors in [
            array![[0.0, 0.0]],
            array![[1.0, 1.0]],
            array![[0.0, 0.5]],
            array![[f64::NAN, 1.0]],
            array![[-1.0, 0.0]],
        ] {
            assert!(one_hot_decode(vectors.view()).is_err(), "{vectors}");
        }
        let error = one_hot_decode(array![[1.0, 0.0], [0.3, 0.7]].view()).unwrap_err();
        assert!(error.to_string().contains("row 1"), "{error}");
        assert!(one_hot_encode::<f64>(&[0, 3], 3).is_err());
    }
}
