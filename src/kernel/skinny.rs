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

/// Calls a kernel for groups of at most [`ROWS`] rows, as equal as can be. The size of a group is a constant to the
/// kernel, and so is how many columns or pieces of a row it works on at once: the fewer the rows the more of them, so
/// that there are always enough sums under way to keep the arithmetic units busy.
macro_rules! for_each_group {
    ($rows:expr, $element:ty, $kernel:ident, $($argument:expr),*) => {{
        let rows = $rows;
        let groups = rows.div_ceil(ROWS);
        let mut first = 0;
        for group in 0..groups {
            let size = (rows - first).div_ceil(groups - group);
            for_each_group!(
                @call size, first, $element, $kernel, ($($argument),*),
                (1 8) (2 6) (3 4) (4 4) (5 3) (6 3) (7 2) (8 2) (9 2) (10 2) (11 2) (12 2)
            );
            first += size;
        }
    }};
    (@call $size:ident, $first:ident, $element:ty, $kernel:ident, $arguments:tt, $(($rows:literal $at_once:literal))*) => {
        match $size {
            $($rows => for_each_group!(@typed $first, $element, $kernel, $arguments, $rows, $at_once),)*
            _ => unreachable!("a group has 1 to ROWS rows"),
        }
    };
    (@typed $first:ident, $element:ty, $kernel:ident, ($($argument:expr),*), $rows:literal, $at_once:literal) => {
        if size_of::<$element>() == 4 {
            $kernel::<$element, 16, $rows, $at_once>($first, $($argument),*)
        } else {
            $kernel::<$element, 8, $rows, $at_once>($first, $($argument),*)
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

/// [`dots`] for J rows from `first` on, S columns at once.
#[inline(always)]
fn dots_of_rows<T: Element, const L: usize, const J: usize, const S: usize>(
    first: usize,
    v: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    c: &mut ArrayViewMut2<'_, T>,
) {
    let rows: [*const T; J] = array::from_fn(|j| v.row(first + j).as_ptr());
    let samples = b.ncols();
    let whole = samples - samples % S;
    for sample in (0..whole).step_by(S) {
        let columns: [*const T; S] = array::from_fn(|s| b.column(sample + s).as_ptr());
        // SAFETY: `check` made sure that rows and columns are contiguous and n = `v.ncols()` long.
        let sums = unsafe { dots_of_columns::<T, L, J, S>(v.ncols(), rows, columns) };
        for (s, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                c[[first + j, sample + s]] = sum;
            }
        }
    }
    for sample in whole..samples {
        // SAFETY: as above.
        let [sums] = unsafe { dots_of_columns::<T, L, J, 1>(v.ncols(), rows, [b.column(sample).as_ptr()]) };
        for (j, &sum) in sums.iter().enumerate() {
            c[[first + j, sample]] = sum;
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
        let row: [[T; L]; J] = array::from_fn(|j| unsafe { load(rows[j].add(k)) });
        for (sums, column) in sums.iter_mut().zip(&columns) {
            // SAFETY: k + L <= n.
            let column: [T; L] = unsafe { load(column.add(k)) };
            for (sum, row) in sums.iter_mut().zip(row) {
                add_products(sum, row, column);
            }
        }
    }
    array::from_fn(|s| {
        array::from_fn(|j| {
            let mut total = sum_of_lanes(sums[s][j]);
            for k in whole..n {
                // SAFETY: k < n.
                let (x, y) = unsafe { (*rows[j].add(k), *columns[s].add(k)) };
                total = x.mul_add(y, total);
            }
            total
        })
    })
}

/// [`combine`] for J rows from `first` on; later groups add to what the first wrote.
#[inline(always)]
fn combine_rows<T: Element, const L: usize, const J: usize, const S: usize>(
    first: usize,
    v: ArrayView2<'_, T>,
    c: ArrayView2<'_, T>,
    b: &mut ArrayViewMut2<'_, T>,
) {
    let rows: [*const T; J] = array::from_fn(|j| v.row(first + j).as_ptr());
    let samples = b.ncols();
    let whole = samples - samples % 2;
    let weights = |sample: usize| -> [T; J] { array::from_fn(|j| c[[first + j, sample]]) };
    for sample in (0..whole).step_by(2) {
        let columns = [
            b.column_mut(sample).as_mut_ptr(),
            b.column_mut(sample + 1).as_mut_ptr(),
        ];
        let weights = [weights(sample), weights(sample + 1)];
        // SAFETY: `check` made sure that rows and columns are contiguous and n = `v.ncols()` long.
        unsafe { combine_columns::<T, L, J, 2>(v.ncols(), rows, weights, columns, first > 0) };
    }
    if whole < samples {
        let column = [b.column_mut(whole).as_mut_ptr()];
        // SAFETY: as above.
        unsafe { combine_columns::<T, L, J, 1>(v.ncols(), rows, [weights(whole)], column, first > 0) };
    }
}

/// Writes S columns, or adds to them.
///
/// # Safety
///
/// Rows are good for reading `n` numbers and columns for reading and writing them.
#[inline(always)]
unsafe fn combine_columns<T: Element, const L: usize, const J: usize, const S: usize>(
    n: usize,
    rows: [*const T; J],
    weights: [[T; J]; S],
    columns: [*mut T; S],
    add: bool,
) {
    let whole = n - n % L;
    for k in (0..whole).step_by(L) {
        let mut sums = [[T::zero(); L]; S];
        if add {
            // SAFETY: k + L <= n.
            sums = array::from_fn(|s| unsafe { load(columns[s].add(k)) });
        }
        for (j, row) in rows.iter().enumerate() {
            // SAFETY: k + L <= n.
            let row: [T; L] = unsafe { load(row.add(k)) };
            for (sum, weights) in sums.iter_mut().zip(&weights) {
                add_products(sum, row, [weights[j]; L]);
            }
        }
        for (column, sum) in columns.iter().zip(sums) {
            // SAFETY: k + L <= n.
            unsafe { store(column.add(k), sum) };
        }
    }
    for k in whole..n {
        for (column, weights) in columns.iter().zip(&weights) {
            // SAFETY: k < n.
            unsafe {
                let place = column.add(k);
                let mut sum = if add { *place } else { T::zero() };
                for (row, &weight) in rows.iter().zip(weights) {
                    sum = (*row.add(k)).mul_add(weight, sum);
                }
                *place = sum;
            }
        }
    }
}

/// [`accumulate`] for J rows from `first` on, U pieces of a row at once.
#[inline(always)]
fn accumulate_rows<T: Element, const L: usize, const J: usize, const U: usize>(
    first: usize,
    alpha: T,
    c: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    v: &mut ArrayViewMut2<'_, T>,
) {
    let n = v.ncols();
    let rows: [*mut T; J] = array::from_fn(|j| v.row_mut(first + j).as_mut_ptr());
    let (wide, whole) = (n - n % (L * U), n - n % L);
    for k in (0..wide).step_by(L * U) {
        // SAFETY: `check` made sure that rows and columns are contiguous and n long, and k + L U <= n.
        unsafe { accumulate_pieces::<T, L, J, U>(k, first, alpha, c, b, beta, rows) };
    }
    for k in (wide..whole).step_by(L) {
        // SAFETY: as above, and k + L <= n.
        unsafe { accumulate_pieces::<T, L, J, 1>(k, first, alpha, c, b, beta, rows) };
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

/// [`accumulate`] for the places from k on: U pieces of J rows.
///
/// # Safety
///
/// Rows, and the columns of `b`, are contiguous and at least k + L U long; `c` has J rows from `first` on, and as many
/// columns as `b`.
#[inline(always)]
unsafe fn accumulate_pieces<T: Element, const L: usize, const J: usize, const U: usize>(
    k: usize,
    first: usize,
    alpha: T,
    c: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    rows: [*mut T; J],
) {
    let mut sums = [[[T::zero(); L]; U]; J];
    for sample in 0..b.ncols() {
        let column = b.column(sample).as_ptr();
        // SAFETY: k + L U numbers are there.
        let pieces: [[T; L]; U] = array::from_fn(|u| unsafe { load(column.add(k + u * L)) });
        for (j, sums) in sums.iter_mut().enumerate() {
            // SAFETY: C has these rows and columns.
            let weight = unsafe { *c.uget([first + j, sample]) };
            for (sum, piece) in sums.iter_mut().zip(pieces) {
                add_products(sum, piece, [weight; L]);
            }
        }
    }
    for (row, sums) in rows.iter().zip(&sums) {
        for (offset, &sum) in sums.as_flattened().iter().enumerate() {
            // SAFETY: offset < L U.
            let number = unsafe { &mut *row.add(k + offset) };
            *number = updated(*number, alpha * sum, beta);
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
