//! The bias row: converts between design matrices of users (samples x features) and the augmented matrices inside.
//!
//! Inside, one sample is one column and row 0 is the bias feature, so that a layer's bias is column 0 of its weights
//! (report, section 3). Matrices are column-major, so that a sample's features are contiguous.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, s};

use crate::element::Element;

/// An augmented matrix for `samples` samples of `features` features: row 0 is 1, the rest 0; column-major.
pub(crate) fn augmented<T: Element>(features: usize, samples: usize) -> Array2<T> {
    let mut matrix = Array2::zeros((features + 1, samples).f());
    matrix.row_mut(0).fill(T::one());
    matrix
}

/// Returns the augmented matrix of a design matrix: row 0 is the bias, 1, and the rest the transpose, one sample a column.
///
/// # Shapes
///
/// samples x features -> (features + 1) x samples, column-major
///
/// Source: report, section 3.
///
/// ```
/// use ndarray::array;
///
/// let design = array![[2.0, 3.0], [4.0, 5.0]];
/// let augmented = mfnet::internal::augment(design.view());
/// assert_eq!(augmented, array![[1.0, 1.0], [2.0, 4.0], [3.0, 5.0]]);
/// assert_eq!(mfnet::internal::strip(augmented.view()), design);
/// ```
pub fn augment<T: Element>(design: ArrayView2<'_, T>) -> Array2<T> {
    let mut matrix = augmented(design.ncols(), design.nrows());
    matrix.slice_mut(s![1.., ..]).assign(&design.t());
    matrix
}

/// Removes the bias row and transposes: the inverse of [`augment`].
///
/// # Shapes
///
/// (features + 1) x samples -> samples x features; a matrix without row 0 has no features either
pub fn strip<T: Element>(augmented: ArrayView2<'_, T>) -> Array2<T> {
    let bias = augmented.nrows().min(1);
    augmented.slice_move(s![bias.., ..]).reversed_axes().to_owned()
}

/// The matrix without its constant row 0.
pub(crate) fn body<'a, T>(matrix: ArrayView2<'a, T>) -> ArrayView2<'a, T> {
    matrix.split_at(Axis(0), 1).1
}

/// The matrix without its constant row 0.
pub(crate) fn body_mut<'a, T>(matrix: ArrayViewMut2<'a, T>) -> ArrayViewMut2<'a, T> {
    matrix.split_at(Axis(0), 1).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn strip_is_the_inverse_of_augment() {
        let design = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let inside = augment(design.view());
        assert_eq!(inside, array![[1.0, 1.0, 1.0], [1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]);
        assert_eq!(inside.strides(), [1, 3], "a sample's features are contiguous");
        assert_eq!(strip(inside.view()), design);
        assert_eq!(strip(Array2::<f64>::zeros((0, 3)).view()).dim(), (3, 0));
    }
}
