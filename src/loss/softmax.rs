//! Softmax, which turns logits into probabilities.

use ndarray::{Array2, ArrayView2};

use crate::element::Element;

/// Softmax: s_j = e^(z_j - max z) / sum_k e^(z_k - max z): turns each row of logits into probabilities.
///
/// # Shapes
///
/// samples x classes -> samples x classes
///
/// Source: report, section 4.2.
///
/// ```
/// use mfnet::loss::softmax;
/// use ndarray::array;
///
/// let probabilities = softmax(array![[0.0, 0.0], [1000.0, 0.0]].view());
/// assert_eq!(probabilities, array![[0.5, 0.5], [1.0, 0.0]]);
/// ```
pub fn softmax<T: Element>(logits: ArrayView2<'_, T>) -> Array2<T> {
    let mut probabilities = logits.to_owned();
    for mut row in probabilities.rows_mut() {
        let largest = row.iter().copied().fold(T::neg_infinity(), T::max);
        row.mapv_inplace(|logit| (logit - largest).exp());
        let sum = row.sum();
        row.mapv_inplace(|part| part / sum);
    }
    probabilities
}
