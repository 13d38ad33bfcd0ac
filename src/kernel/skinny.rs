//! Products with a narrow side: few rows or columns, for which BLAS spends its time packing.
//!
//! The products of a layer with few outputs, or few inputs, have three matrices: its weights V (J rows, J small), the wide
//! values B of its samples, and their narrow values C. Each of the three products reads two of them and writes the third.
//!
//! | matrix | shape | memory layout |
//! |---|---|---|
//! | V | J x n | rows contiguous |
//! | B | n x m | columns contiguous |
//! | C | J x m | any |

use std::array;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run};

/// The widest narrow side for which these products are faster than BLAS.
pub(crate) const NARROW: usize = 32;

/// The largest number of rows of V that are processed together, such that their sums stay in registers.
const ROWS: usize = 12;

/// Runs a kernel for groups of at most [`ROWS`] rows, of sizes as equal as possible. The number of rows of a group is a
/// constant parameter of the kernel, and so is the number of columns, or pieces of a row, that it processes together: the
/// fewer rows, the more columns, so that there are always enough independent sums to keep the arithmetic units busy.
macro_rules! for_each_group {
    ($rows:expr, $first:ident, $kernel:ident { $($field:tt)* }) => {{
        let rows = $rows;
        let groups = rows.div_ceil(ROWS);
        let mut $first = 0;
        for group in 0..groups {
            let size = (rows - $first).div_ceil(groups - group);
            for_each_group!(
                @match size, $kernel { $($field)* },
                (1 8) (2 6) (3 4) (4 4) (5 3) (6 3) (7 2) (8 2) (9 2) (10 2) (11 2) (12 2)
            );
            $first += size;
        }
    }};
    (@match $size:ident, $kernel:ident $fields:tt, $(($rows:literal $at_once:literal))*) => {
        match $size {
            $($rows => for_each_group!(@run $kernel $fields, $rows, $at_once),)*
            _ => unreachable!("a group has 1 to ROWS rows"),
        }
    };
    (@run $kernel:ident { $($field:tt)* }, $rows:literal, $at_once:literal) => {
        run($kernel::<T, $rows, $at_once> { $($field)* })
    };
}

/// C <- V B: each number is the dot product of a row of V and a column of B.
///
/// # Shapes
///
/// V: J x n, rows contiguous; B: n x m, columns contiguous; C: J x m
pub(crate) fn dots<T: Number>(v: ArrayView2<'_, T>, b: ArrayView2<'_, T>, mut c: ArrayViewMut2<'_, T>) {
    check(v, b, c.view());
    for_each_group!(
        v.nrows(),
        first,
        Dots {
            first,
            v,
            b,
            c: c.view_mut()
        }
    );
}

/// B <- V^T C: each column of B is a sum of the rows of V, weighted by a column of C.
///
/// # Shapes
///
/// V: J x n, rows contiguous; B: n x m, columns contiguous; C: J x m
pub(crate) fn combine<T: Number>(v: ArrayView2<'_, T>, c: ArrayView2<'_, T>, mut b: ArrayViewMut2<'_, T>) {
    check(v, b.view(), c);
    for_each_group!(
        v.nrows(),
        first,
        Combine {
            first,
            v,
            c,
            b: b.view_mut()
        }
    );
}

/// V <- alpha C B^T + beta V: each row of V adds up the columns of B, weighted by a row of C.
///
/// # Shapes
///
/// V: J x n, rows contiguous; B: n x m, columns contiguous; C: J x m
pub(crate) fn accumulate<T: Number>(
    alpha: T,
    c: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    mut v: ArrayViewMut2<'_, T>,
) {
    check(v.view(), b, c);
    for_each_group!(
        v.nrows(),
        first,
        Accumulate {
            first,
            alpha,
            c,
            b,
            beta,
            v: v.view_mut()
        }
    );
}

/// Checks the shapes and layouts that the unchecked reads and writes below rely on.
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
struct Dots<'a, T, const J: usize, const S: usize> {
    first: usize,
    v: ArrayView2<'a, T>,
    b: ArrayView2<'a, T>,
    c: ArrayViewMut2<'a, T>,
}

impl<T: Number, const J: usize, const S: usize> Kernel<T> for Dots<'_, T, J, S> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        let Dots { first, v, b, mut c } = self;
        let rows: [*const T; J] = array::from_fn(|j| v.row(first + j).as_ptr());
        let samples = b.ncols();
        let whole = samples - samples % S;
        for sample in (0..whole).step_by(S) {
            let columns: [*const T; S] = array::from_fn(|s| b.column(sample + s).as_ptr());
            // SAFETY: `check` made sure that rows and columns are contiguous and n = `v.ncols()` long.
            let sums = unsafe { dots_of::<V, J, S>(v.ncols(), rows, columns) };
            for (s, sums) in sums.iter().enumerate() {
                for (j, &sum) in sums.iter().enumerate() {
                    c[[first + j, sample + s]] = sum;
                }
            }
        }
        for sample in whole..samples {
            // SAFETY: as above.
            let [sums] = unsafe { dots_of::<V, J, 1>(v.ncols(), rows, [b.column(sample).as_ptr()]) };
            for (j, &sum) in sums.iter().enumerate() {
                c[[first + j, sample]] = sum;
            }
        }
    }
}

/// The dot products of J rows and S columns.
///
/// # Safety
///
/// Every pointer is good for reading `n` numbers.
#[inline(always)]
unsafe fn dots_of<V: Lanes, const J: usize, const S: usize>(
    n: usize,
    rows: [*const V::Number; J],
    columns: [*const V::Number; S],
) -> [[V::Number; J]; S] {
    let mut sums = [[V::splat(V::Number::default()); J]; S];
    for k in (0..n).step_by(V::COUNT) {
        let count = n - k;
        // SAFETY: `count` numbers are left from k on.
        let columns = unsafe { load_all::<V, S>(columns, k, count) };
        for j in 0..J {
            // SAFETY: as above.
            let row = unsafe { V::load_first(rows[j].add(k), count) };
            for s in 0..S {
                sums[s][j] = row.mul_add(columns[s], sums[s][j]);
            }
        }
    }
    let mut totals = [[V::Number::default(); J]; S];
    for s in 0..S {
        for j in 0..J {
            totals[s][j] = sums[s][j].sum();
        }
    }
    totals
}

/// [`combine`] for J rows from `first` on; later groups add to what the first wrote.
struct Combine<'a, T, const J: usize, const S: usize> {
    first: usize,
    v: ArrayView2<'a, T>,
    c: ArrayView2<'a, T>,
    b: ArrayViewMut2<'a, T>,
}

impl<T: Number, const J: usize, const S: usize> Kernel<T> for Combine<'_, T, J, S> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        let Combine { first, v, c, mut b } = self;
        let rows: [*const T; J] = array::from_fn(|j| v.row(first + j).as_ptr());
        let samples = b.ncols();
        // Two columns share the reads of V; more would leave no registers for their weights.
        let whole = samples - samples % 2;
        for sample in (0..whole).step_by(2) {
            let columns = [
                b.column_mut(sample).as_mut_ptr(),
                b.column_mut(sample + 1).as_mut_ptr(),
            ];
            let weights = [
                weights_of::<V, J>(first, c, sample),
                weights_of(first, c, sample + 1),
            ];
            // SAFETY: `check` made sure that rows and columns are contiguous and n = `v.ncols()` long.
            unsafe { combine_into(v.ncols(), rows, weights, columns, first > 0) };
        }
        if whole < samples {
            let column = [b.column_mut(whole).as_mut_ptr()];
            // SAFETY: as above.
            unsafe {
                combine_into(
                    v.ncols(),
                    rows,
                    [weights_of::<V, J>(first, c, whole)],
                    column,
                    first > 0,
                )
            };
        }
    }
}

/// The weights of J rows from `first` on for a sample, each in all lanes.
#[inline(always)]
fn weights_of<V: Lanes, const J: usize>(first: usize, c: ArrayView2<'_, V::Number>, sample: usize) -> [V; J] {
    let mut weights = [V::splat(V::Number::default()); J];
    for j in 0..J {
        weights[j] = V::splat(c[[first + j, sample]]);
    }
    weights
}

/// Loads a register from place k of each of several lists, of which `count` numbers are left.
///
/// A loop instead of a closure, which is compiled for the instruction set only if it happens to be inlined.
///
/// # Safety
///
/// `count` numbers can be read from place k on of each.
#[inline(always)]
unsafe fn load_all<V: Lanes, const N: usize>(lists: [*const V::Number; N], k: usize, count: usize) -> [V; N] {
    let mut lanes = [V::splat(V::Number::default()); N];
    for n in 0..N {
        // SAFETY: by this function's contract.
        lanes[n] = unsafe { V::load_first(lists[n].add(k), count) };
    }
    lanes
}

/// Writes S columns, or adds to them.
///
/// # Safety
///
/// Rows are good for reading `n` numbers and columns for reading and writing them.
#[inline(always)]
unsafe fn combine_into<V: Lanes, const J: usize, const S: usize>(
    n: usize,
    rows: [*const V::Number; J],
    weights: [[V; J]; S],
    columns: [*mut V::Number; S],
    add: bool,
) {
    for k in (0..n).step_by(V::COUNT) {
        let count = n - k;
        let mut sums = [V::splat(V::Number::default()); S];
        if add {
            // SAFETY: `count` numbers are left from k on.
            sums = unsafe { load_all::<V, S>(columns.map(<*mut _>::cast_const), k, count) };
        }
        for j in 0..J {
            // SAFETY: as above.
            let row = unsafe { V::load_first(rows[j].add(k), count) };
            for s in 0..S {
                sums[s] = row.mul_add(weights[s][j], sums[s]);
            }
        }
        for s in 0..S {
            // SAFETY: as above.
            unsafe { sums[s].store_first(columns[s].add(k), count) };
        }
    }
}

/// [`accumulate`] for J rows from `first` on, U pieces of a row at once.
struct Accumulate<'a, T, const J: usize, const U: usize> {
    first: usize,
    alpha: T,
    c: ArrayView2<'a, T>,
    b: ArrayView2<'a, T>,
    beta: T,
    v: ArrayViewMut2<'a, T>,
}

impl<T: Number, const J: usize, const U: usize> Kernel<T> for Accumulate<'_, T, J, U> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(mut self) {
        let n = self.v.ncols();
        let wide = n - n % (V::COUNT * U);
        for k in (0..wide).step_by(V::COUNT * U) {
            self.pieces::<V, U>(k);
        }
        for k in (wide..n).step_by(V::COUNT) {
            self.pieces::<V, 1>(k);
        }
    }
}

impl<T: Number, const J: usize, const U: usize> Accumulate<'_, T, J, U> {
    /// P pieces of each row from place k on, the last of them perhaps short.
    #[inline(always)]
    fn pieces<V: Lanes<Number = T>, const P: usize>(&mut self, k: usize) {
        let Accumulate { first, c, b, v, .. } = self;
        let (alpha, beta) = (V::splat(self.alpha), V::splat(self.beta));
        let count = v.ncols() - k;
        let rows: [*mut T; J] = array::from_fn(|j| v.row_mut(*first + j).as_mut_ptr());
        let mut sums = [[V::splat(T::default()); P]; J];
        for sample in 0..b.ncols() {
            let column = b.column(sample).as_ptr();
            let mut pieces = [V::splat(T::default()); P];
            for p in 0..P {
                // SAFETY: `check` made sure that columns are contiguous and n = `v.ncols()` long.
                pieces[p] = unsafe { V::load_first(column.add(k + p * V::COUNT), count - p * V::COUNT) };
            }
            for j in 0..J {
                // SAFETY: `check` made sure that C has these rows and columns.
                let weight = V::splat(unsafe { *c.uget([*first + j, sample]) });
                for p in 0..P {
                    sums[j][p] = pieces[p].mul_add(weight, sums[j][p]);
                }
            }
        }
        for j in 0..J {
            for p in 0..P {
                // SAFETY: `check` made sure that rows are contiguous and n long.
                unsafe {
                    let place = rows[j].add(k + p * V::COUNT);
                    let mut old = V::splat(T::default());
                    if self.beta != T::default() {
                        old = V::load_first(place, count - p * V::COUNT).mul_add(beta, old);
                    }
                    sums[j][p]
                        .mul_add(alpha, old)
                        .store_first(place, count - p * V::COUNT);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder, s};

    /// Small whole numbers, so that every order of summing gives the same.
    fn numbers<T: From<i8>>(rows: usize, columns: usize, salt: usize) -> Array2<T> {
        let number = |(i, j): (usize, usize)| <T as From<i8>>::from(((i * 7 + j * 13 + salt) % 9) as i8 - 4);
        Array2::from_shape_fn((rows, columns), number)
    }

    fn column_major<T: Number>(matrix: &Array2<T>) -> Array2<T> {
        let mut copy = Array2::zeros(matrix.raw_dim().f());
        copy.assign(matrix);
        copy
    }

    fn agrees_with_the_plain_products<T: Number + From<i8>>() {
        let (mut widths, mut sizes) = (
            vec![1, 2, 9, 10, 12, 13, 26, 32],
            vec![(1, 1), (7, 2), (16, 3), (33, 5), (130, 8)],
        );
        if cfg!(miri) {
            // One of each kind: an interpreter takes a thousand times as long.
            (widths, sizes) = (vec![1, 13, 26], vec![(7, 2), (33, 5)]);
        }
        for narrow in widths {
            for &(n, m) in &sizes {
                let v = numbers::<T>(narrow, n, 1);
                let b = column_major(&numbers::<T>(n, m, 2));
                let c = column_major(&numbers::<T>(narrow, m, 3));

                let mut found = Array2::zeros((narrow, m).f());
                dots(v.view(), b.view(), found.view_mut());
                assert_eq!(found, v.dot(&b));

                // The previous content does not matter, not even NaN.
                let mut found = Array2::from_elem((n, m).f(), T::nan());
                combine(v.view(), c.view(), found.view_mut());
                assert_eq!(found, v.t().dot(&c));

                let minus_two = <T as From<i8>>::from(-2);
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
    fn memory_around_a_view_does_not_change() {
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
