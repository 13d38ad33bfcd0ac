//! The transpose of a matrix, block by block: both matrices are read and written a few cache lines at a time.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::lanes::Number;
use super::simd::simd;

/// The rows and columns of a block.
const BLOCK: usize = 8;

/// B <- A^T.
///
/// # Shapes
///
/// A: m x n; B: n x m
pub(crate) fn transpose<T: Number>(a: ArrayView2<'_, T>, mut b: ArrayViewMut2<'_, T>) {
    let (m, n) = a.dim();
    assert_eq!(b.dim(), (n, m), "A is m x n, B n x m");
    for row in (0..m).step_by(BLOCK) {
        let end = m.min(row + BLOCK);
        let mut columns = b.slice_mut(s![.., row..end]);
        let rows = a.slice(s![row..end, ..]);
        simd(
            #[inline(always)]
            || {
                for column in (0..n).step_by(BLOCK) {
                    let last = n.min(column + BLOCK);
                    let block = rows.slice(s![.., column..last]);
                    let mut target = columns.slice_mut(s![column..last, ..]);
                    if block.dim() == (BLOCK, BLOCK) {
                        whole_block(block, target);
                    } else {
                        target.assign(&block.t());
                    }
                }
            },
        );
    }
}

/// Transposes a block of known size through an array, so that its loops are unrolled.
#[inline(always)]
fn whole_block<T: Number>(block: ArrayView2<'_, T>, mut target: ArrayViewMut2<'_, T>) {
    let mut numbers = [[T::default(); BLOCK]; BLOCK];
    for j in 0..BLOCK {
        for i in 0..BLOCK {
            numbers[i][j] = block[[i, j]];
        }
    }
    for i in 0..BLOCK {
        for j in 0..BLOCK {
            target[[j, i]] = numbers[i][j];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder};

    #[test]
    fn every_number_changes_places() {
        for shape in [(1, 1), (8, 8), (7, 20), (33, 16), (0, 4)] {
            let a = Array2::from_shape_fn(shape.f(), |(i, j)| (100 * i + j) as f32);
            let mut b = Array2::from_elem((shape.1, shape.0).f(), f32::NAN);
            transpose(a.view(), b.view_mut());
            assert_eq!(b, a.t());
        }
    }
}
