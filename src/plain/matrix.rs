//! A matrix of `f64`: rows, columns, and the numbers row by row.

use std::ops::{Index, IndexMut};

use crate::error::{Error, Result};

/// A matrix of `f64`, stored row by row. `matrix[[row, column]]` is one of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of these numbers, given row by row.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] unless there are rows x columns numbers.
    ///
    /// ```
    /// use mfnet::plain::Matrix;
    ///
    /// let matrix = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(matrix[[1, 0]], 4.0);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Self> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::shape(
                "plain::Matrix::new",
                format_args!("{rows} x {columns} numbers"),
                format_args!("{} numbers", values.len()),
            ));
        }
        Ok(Matrix {
            rows,
            columns,
            values,
        })
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Matrix {
            rows,
            columns,
            values: vec![0.0; rows * columns],
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The numbers of one row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The rows of these indices, in this order, as a matrix of their own.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for an index beyond the rows.
    pub fn select_rows(&self, indices: &[usize]) -> Result<Self> {
        let mut values = Vec::with_capacity(indices.len() * self.columns);
        for &index in indices {
            if index >= self.rows {
                let problem = format_args!("there is no row {index} among {}", self.rows);
                return Err(Error::data("plain::Matrix::select_rows", problem));
            }
            values.extend_from_slice(self.row(index));
        }
        Matrix::new(indices.len(), self.columns, values)
    }

    /// The product `self` x `right`: three loops.
    ///
    /// # Shapes
    ///
    /// (r x k) (k x c) -> r x c
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] unless `right` has as many rows as `self` has columns.
    pub fn multiply(&self, right: &Matrix) -> Result<Matrix> {
        if self.columns != right.rows {
            return Err(Error::shape(
                "plain::Matrix::multiply",
                format_args!("a right-hand side of {} rows", self.columns),
                format_args!("{} x {}", right.rows, right.columns),
            ));
        }
        let mut product = Matrix::zeros(self.rows, right.columns);
        for row in 0..self.rows {
            for k in 0..self.columns {
                // The inner loop runs along rows, as the numbers are stored: along columns it would be needlessly slow, and
                // would flatter whatever is timed against it.
                let factor = self[[row, k]];
                let sums = &mut product.values[row * right.columns..(row + 1) * right.columns];
                for (sum, value) in sums.iter_mut().zip(right.row(k)) {
                    *sum += factor * value;
                }
            }
        }
        Ok(product)
    }

    /// The transpose.
    pub fn transpose(&self) -> Matrix {
        let mut transpose = Matrix::zeros(self.columns, self.rows);
        for row in 0..self.rows {
            for column in 0..self.columns {
                transpose[[column, row]] = self[[row, column]];
            }
        }
        transpose
    }

    /// The augmented matrix of a design matrix: one sample a column, and a row of ones on top.
    ///
    /// samples x features -> (features + 1) x samples
    pub(super) fn augment(&self) -> Matrix {
        let mut augmented = Matrix::zeros(self.columns + 1, self.rows);
        for sample in 0..self.rows {
            augmented[[0, sample]] = 1.0;
            for feature in 0..self.columns {
                augmented[[feature + 1, sample]] = self[[sample, feature]];
            }
        }
        augmented
    }

    /// The design matrix of an augmented matrix.
    ///
    /// (features + 1) x samples -> samples x features
    pub(super) fn strip(&self) -> Matrix {
        let mut design = Matrix::zeros(self.columns, self.rows - 1);
        for sample in 0..self.columns {
            for feature in 1..self.rows {
                design[[sample, feature - 1]] = self[[feature, sample]];
            }
        }
        design
    }
}

/// # Panics
///
/// If there is no such row or column.
impl Index<[usize; 2]> for Matrix {
    type Output = f64;

    fn index(&self, [row, column]: [usize; 2]) -> &f64 {
        assert!(column < self.columns, "no column {column} among {}", self.columns);
        &self.values[row * self.columns + column]
    }
}

/// # Panics
///
/// If there is no such row or column.
impl IndexMut<[usize; 2]> for Matrix {
    fn index_mut(&mut self, [row, column]: [usize; 2]) -> &mut f64 {
        assert!(column < self.columns, "no column {column} among {}", self.columns);
        &mut self.values[row * self.columns + column]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize, values: &[f64]) -> Matrix {
        Matrix::new(rows, columns, values.to_vec()).unwrap()
    }

    #[test]
    fn a_product_by_hand() {
        let left = matrix(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let right = matrix(3, 2, &[7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        let product = left.multiply(&right).unwrap();
        assert_eq!(product, matrix(2, 2, &[58.0, 64.0, 139.0, 154.0]));
    }

    #[test]
    fn a_transpose_by_hand() {
        let wide = matrix(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(wide.transpose(), matrix(3, 2, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
    }

    #[test]
    fn the_bias_row_comes_and_goes() {
        let design = matrix(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let augmented = design.augment();
        let expected = matrix(4, 2, &[1.0, 1.0, 1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(augmented, expected);
        assert_eq!(augmented.strip(), design);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Matrix::new(2, 2, vec![0.0; 3]).is_err());
        assert!(Matrix::new(usize::MAX, 2, vec![0.0; 3]).is_err());
        let square = Matrix::zeros(2, 2);
        assert!(square.multiply(&Matrix::zeros(3, 2)).is_err());
        assert!(square.select_rows(&[0, 2]).is_err());
    }
}
