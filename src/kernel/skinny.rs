//! Products with a narrow side: the few rows or columns on which BLAS spends its time packing.
//!
//! Three matrices meet in a layer that has few outputs, or few inputs: its weights V (J rows, J small), the wide values
//! B of its samples, and their narrow values C. Each of the three products reads two and writes the third.
//!
//! | matrix | shape | lies in memory |
//! |---|---|---|
//! | V | J x n | row by row |
//! | B | n x m | column by column |
//! | C | J x m | in any way |

use std::array;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::lanes::{add_products, load, store, sum_of_lanes};
use super::simd;
use crate::element::Element;

/// The widest narrow side that these products are faster on than BLAS.
pub(crate) const NARROW: usize = 32;

/// The most rows of V at a time: as many running sums as stay in registers.
const ROWS: usize = 12;

/// Calls a kernel for groups of at most [`ROWS`] rows, as equal as can be, with the size of the group as a constant.
macro_rules! for_each_group {
    ($rows:expr, $element:ty, $kernel:ident, $($argument:expr),*) => {{
        let rows = $rows;
        let groups = rows.div_ceil(ROWS);
        let mut first = 0;
        for group in 0..groups {
            let size = (rows - first).div_ceil(groups - group);
            for_each_group!(@call size, first, $element, $kernel, ($($argument),*), 1 2 3 4 5 6 7 8 9 10 11 12);
            first += size;
        }
    }};
    (@call $size:ident, $first:ident, $element:ty, $kernel:ident, $arguments:tt, $($constant:literal)*) => {
        match $size {
            $($constant => for_each_group!(@typed $first, $element, $kernel, $arguments, $constant),)*
            _ => unreachable!("a group has 1 to ROWS rows"),
        }
    };
    (@typed $first:ident, $element:ty, $kernel:ident, ($($argument:expr),*), $constant:literal) => {
        if size_of::<$element>() == 4 {
            $kernel::<$element, 16, $constant>($first, $($argument),*)
        } else {
            $kernel::<$element, 8, $constant>($first, $($argument),*)
        }
    };
}

/// C <- V B: each number is the dot product of a row of V and a column of B.
///
/// # Shapes
///
/// V: J x n, rows contiguous; B: n x m, columns contiguous; C: J x m
pub(crate) fn dots<T: Element>(v: ArrayView2<'_, T>, b: ArrayView2<'_, T>, mut c: ArrayViewMut2<'_, T>) {
    check(v, b, c.view());
    simd(
        #[inline(always)]
        || for_each_group!(v.nrows(), T, dots_of_rows, v, b, &mut c),
    );
}

/// B <- V^T C: each column of B is a sum of the rows of V, weighed by a column of C.
///
/// # Shapes
///
/// V: J x n, rows contiguous; B: n x m, columns contiguous; C: J x m
pub(crate) fn combine<T: Element>(v: ArrayView2<'_, T>, c: ArrayView2<'_, T>, mut b: ArrayViewMut2<'_, T>) {
    check(v, b.view(), c);
    simd(
        #[inline(always)]
        || for_each_group!(v.nrows(), T, combine_rows, v, c, &mut b),
    );
}

/// V <- alpha C B^T + beta V: each row of V takes up the columns of B, weighed by a row of C.
///
/// # Shapes
///
/// V: J x n, rows contiguous; B: n x m, columns contiguous; C: J x m
pub(crate) fn accumulate<T: Element>(
    alpha: T,
    c: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    mut v: ArrayViewMut2<'_, T>,
) {
    check(v.view(), b, c);
    simd(
        #[inline(always)]
        || for_each_group!(v.nrows(), T, accumulate_rows, alpha, c, b, beta, &mut v),
    );
}

/// What the unchecked reads and writes below rest on.
fn check<T>(v: ArrayView2<'_, T>, b: ArrayView2<'_, T>, c: ArrayView2<'_, T>) {
    assert_eq!((v.ncols(), c.ncols()), b.dim(), "V is J x n, B n x m, C J x m");
    assert_eq!(v.nrows(), c.nrows(), "V is J x n, C J x m");
    assert!(
        v.ncols() < 2 || v.strides()[1] == 1,
        "the rows of V are contiguous"
    );
    assert!(
        b.nrows() < 2 || b.strides()[0] == 1,
        "the columns of B are contiguous"
    );
}

/// [`dots`] for J rows from `first` on.
#[inline(always)]
fn dots_of_rows<T: Element, const L: usize, const J: usize>(
    first: usize,
    v: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    c: &mut ArrayViewMut2<'_, T>,
) {
    let rows: [*const T; J] = array::from_fn(|j| v.row(first + j).as_ptr());
    let samples = b.ncols();
    let pairs = samples - samples % 2;
    for sample in (0..pairs).step_by(2) {
        let columns = [b.column(sample).as_ptr(), b.column(sample + 1).as_ptr()];
        // SAFETY: `check` made sure that rows and columns are contiguous and n = `v.ncols()` long.
        let sums = unsafe { dots_of_columns::<T, L, J, 2>(v.ncols(), rows, columns) };
        for (offset, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                c[[first + j, sample + offset]] = sum;
            }
        }
    }
    if pairs < samples {
        // SAFETY: as above.
        let [sums] = unsafe { dots_of_columns::<T, L, J, 1>(v.ncols(), rows, [b.column(pairs).as_ptr()]) };
        for (j, &sum) in sums.iter().enumerate() {
            c[[first + j, pairs]] = sum;
        }
    }
}

/// The dot products of J rows and S columns.
///
/// # Safety
///
/// Every pointer is good for reading `n` numbers.
#[inline(always)]
unsafe fn dots_of_columns<T: Element, const L: usize, const J: usize, const S: usize>(
    n: usize,
    rows: [*const T; J],
    columns: [*const T; S],
) -> [[T; J]; S] {
    let whole = n - n % L;
    let mut sums = [[[T::zero(); L]; J]; S];
    for k in (0..whole).step_by(L) {
        // SAFETY: k + L <= n.
        let column: [[T; L]; S] = array::from_fn(|s| unsafe { load(columns[s].add(k)) });
        for j in 0..J {
            // SAFETY: k + L <= n.
            let row: [T; L] = unsafe { load(rows[j].add(k)) };
            for s in 0..S {
                add_products(&mut sums[s][j], row, column[s]);
            }
        }
    }
    let mut totals = [[T::zero(); J]; S];
    for s in 0..S {
        for j in 0..J {
            let mut total = sum_of_lanes(sums[s][j]);
            for k in whole..n {
                // SAFETY: k < n.
                let (x, y) = unsafe { (*rows[j].add(k), *columns[s].add(k)) };
                total = x.mul_add(y, total);
            }
            totals[s][j] = total;
        }
    }
    totals
}

/// [`combine`] for J rows from `first` on; later groups add to what the first wrote.
#[inline(always)]
fn combine_rows<T: Element, const L: usize, const J: usize>(
    first: usize,
    v: ArrayView2<'_, T>,
    c: ArrayView2<'_, T>,
    b: &mut ArrayViewMut2<'_, T>,
) {
    let n = v.ncols();
    let whole = n - n % L;
    let rows: [*const T; J] = array::from_fn(|j| v.row(first + j).as_ptr());
    for sample in 0..b.ncols() {
        let weights: [T; J] = array::from_fn(|j| c[[first + j, sample]]);
        let column = b.column_mut(sample).as_mut_ptr();
        for k in (0..whole).step_by(L) {
            let mut sums = [T::zero(); L];
            if first > 0 {
                // SAFETY: `check` made sure that rows and columns are contiguous and n long, and k + L <= n.
                sums = unsafe { load(column.add(k)) };
            }
            for (row, &weight) in rows.iter().zip(&weights) {
                // SAFETY: as above.
                let row: [T; L] = unsafe { load(row.add(k)) };
                add_products(&mut sums, row, [weight; L]);
            }
            // SAFETY: as above.
            unsafe { store(column.add(k), sums) };
        }
        for k in whole..n {
            // SAFETY: k < n.
            unsafe {
                let mut sum = if first == 0 { T::zero() } else { *column.add(k) };
                for j in 0..J {
                    sum = (*rows[j].add(k)).mul_add(weights[j], sum);
                }
                *column.add(k) = sum;
            }
        }
    }
}

/// [`accumulate`] for J rows from `first` on.
#[inline(always)]
fn accumulate_rows<T: Element, const L: usize, const J: usize>(
    first: usize,
    alpha: T,
    c: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    v: &mut ArrayViewMut2<'_, T>,
) {
    let n = v.ncols();
    let whole = n - n % L;
    let rows: [*mut T; J] = array::from_fn(|j| v.row_mut(first + j).as_mut_ptr());
    for k in (0..whole).step_by(L) {
        let mut sums = [[T::zero(); L]; J];
        for sample in 0..b.ncols() {
            // SAFETY: `check` made sure that rows and columns are contiguous and n long, and k + L <= n.
            let column: [T; L] = unsafe { load(b.column(sample).as_ptr().add(k)) };
            for (j, sums) in sums.iter_mut().enumerate() {
                // SAFETY: `check` made sure that C has these rows and columns.
                let weight = unsafe { *c.uget([first + j, sample]) };
                add_products(sums, column, [weight; L]);
            }
        }
        for (row, sums) in rows.iter().zip(&sums) {
            for (l, &sum) in sums.iter().enumerate() {
                // SAFETY: k + l < n.
                let number = unsafe { &mut *row.add(k + l) };
                *number = updated(*number, alpha * sum, beta);
            }
        }
    }
    for k in whole..n {
        for j in 0..J {
            let mut sum = T::zero();
            for sample in 0..b.ncols() {
                sum = b[[k, sample]].mul_add(c[[first + j, sample]], sum);
            }
            v[[first + j, k]] = updated(v[[first + j, k]], alpha * sum, beta);
        }
    }
}

/// What was there times beta, plus `new`; what was there is not read for a beta of 0.
#[inline(always)]
fn updated<T: Element>(old: T, new: T, beta: T) -> T {
    if beta == T::zero() {
        new
    } else {
        old.mul_add(beta, new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder, s};

    /// Small whole numbers, so that every order of summing gives the same.
    fn numbers<T: Element>(rows: usize, columns: usize, salt: usize) -> Array2<T> {
        let number = |(i, j): (usize, usize)| ((i * 7 + j * 13 + salt) % 9) as f64 - 4.0;
        Array2::from_shape_fn((rows, columns), |place| T::from_f64(number(place)))
    }

    fn column_major<T: Element>(matrix: &Array2<T>) -> Array2<T> {
        let mut copy = Array2::zeros(matrix.raw_dim().f());
        copy.assign(matrix);
        copy
    }

    fn agrees_with_the_plain_products<T: Element>() {
        for narrow in [1, 2, 9, 10, 12, 13, 26, 32] {
            for (n, m) in [(1, 1), (7, 2), (16, 3), (33, 5), (130, 8)] {
                let v = numbers::<T>(narrow, n, 1);
                let b = column_major(&numbers::<T>(n, m, 2));
                let c = column_major(&numbers::<T>(narrow, m, 3));

                let mut found = Array2::zeros((narrow, m).f());
                dots(v.view(), b.view(), found.view_mut());
                assert_eq!(found, v.dot(&b));

                // What is there before does not matter, not even if it is no number.
                let mut found = Array2::from_elem((n, m).f(), T::nan());
                combine(v.view(), c.view(), found.view_mut());
                assert_eq!(found, v.t().dot(&c));

                let minus_two = T::from_f64(-2.0);
                let mut found = v.clone();
                accumulate(minus_two, c.view(), b.view(), T::one(), found.view_mut());
                assert_eq!(found, &v + &(c.dot(&b.t()) * minus_two));
                let mut found = Array2::from_elem((narrow, n), T::nan());
                accumulate(minus_two, c.view(), b.view(), T::zero(), found.view_mut());
                assert_eq!(found, c.dot(&b.t()) * minus_two);
            }
        }
    }

    #[test]
    fn all_widths_in_both_precisions() {
        agrees_with_the_plain_products::<f32>();
        agrees_with_the_plain_products::<f64>();
    }

    #[test]
    fn what_lies_around_a_view_stays() {
        let mut outer = Array2::<f64>::ones((4, 40));
        let b = column_major(&numbers(33, 5, 2));
        let c = column_major(&numbers(2, 5, 3));
        accumulate(1.0, c.view(), b.view(), 0.0, outer.slice_mut(s![1..3, 3..36]));
        assert_eq!(outer.slice(s![1..3, 3..36]), c.dot(&b.t()));
        assert_eq!(outer.sum(), c.dot(&b.t()).sum() + (4 * 40 - 2 * 33) as f64);
    }

    #[test]
    #[should_panic(expected = "columns of B are contiguous")]
    fn a_layout_that_does_not_fit_is_refused() {
        dots(
            Array2::<f64>::zeros((2, 8)).view(),
            Array2::zeros((8, 3)).view(),
            Array2::zeros((2, 3)).view_mut(),
        );
    }
}
