//! The transpose of a matrix, block by block: both matrices are read and written a few cache lines at a time.

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::lanes::Number;
use super::simd::simd;
use crate::timing;

/// The rows and columns of a block.
const BLOCK: usize = 8;

/// The rows of A that one task transposes.
const ROWS: usize = 64;

/// B <- A^T.
///
/// # Shapes
///
/// A: m x n; B: n x m
pub(crate) fn transpose<T: Number>(a: ArrayView2<'_, T>, mut b: ArrayViewMut2<'_, T>, parallel: bool) {
    let (m, n) = a.dim();
    assert_eq!(b.dim(), (n, m), "A is m x n, B n x m");
    let work = |(rows, columns): (ArrayView2<'_, T>, ArrayViewMut2<'_, T>)| {
        let mut columns = columns;
        let strips = rows.axis_chunks_iter(Axis(0), BLOCK);
        let strips = strips.zip(columns.axis_chunks_iter_mut(Axis(1), BLOCK));
        timing::task(|| strips.for_each(transpose_strip));
    };
    let rows = a.axis_chunks_iter(Axis(0), ROWS);
    let columns = b.axis_chunks_iter_mut(Axis(1), ROWS);
    timing::phase("rows", parallel, || {
        if parallel {
            rows.into_par_iter().zip(columns).for_each(work);
        } else {
            rows.zip(columns).for_each(work);
        }
    });
}

/// Transposes a few rows.
fn transpose_strip<T: Number>((rows, mut columns): (ArrayView2<'_, T>, ArrayViewMut2<'_, T>)) {
    simd(
        #[inline(always)]
        || {
            for column in (0..rows.ncols()).step_by(BLOCK) {
                let last = rows.ncols().min(column + BLOCK);
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
        for shape in [(1, 1), (8, 8), (7, 20), (33, 16), (130, 9), (0, 4)] {
            let a = Array2::from_shape_fn(shape.f(), |(i, j)| (100 * i + j) as f32);
            for parallel in [false, true] {
                let mut b = Array2::from_elem((shape.1, shape.0).f(), f32::NAN);
                transpose(a.view(), b.view_mut(), parallel);
                assert_eq!(b, a.t());
            }
        }
    }
}
