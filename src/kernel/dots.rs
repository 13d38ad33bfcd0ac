//! Dot products, for layers of so few outputs that their rows do not fill a register.

use std::array;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run};

/// The largest number of outputs for which dot products are faster than the product of [`super::dense`].
pub(crate) const FEW: usize = 12;

/// Runs a kernel for groups of at most [`FEW`] rows, of sizes as equal as possible. The number of rows of a group is a
/// constant parameter of the kernel, and so is the number of columns, or pieces of a row, that it processes together: the
/// fewer rows, the more columns, so that there are always enough independent sums to keep the arithmetic units busy.
macro_rules! for_each_group {
    ($rows:expr, $first:ident, $kernel:ident { $($field:tt)* }) => {{
        let rows = $rows;
        let groups = rows.div_ceil(FEW);
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
            _ => unreachable!("a group has 1 to FEW rows"),
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
            // SAFETY: `dots` made sure that rows and columns are contiguous and n = `v.ncols()` long.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::test_numbers::numbers;
    use ndarray::{Array2, ShapeBuilder};

    fn agrees_with_ndarray<T: Number + From<i8>>() {
        let (mut heights, mut sizes) = (
            vec![1, 2, 9, 10, 12, 13, 26],
            vec![(1, 1), (7, 2), (16, 3), (33, 5), (130, 8)],
        );
        if cfg!(miri) {
            // One of each kind: an interpreter takes a thousand times as long.
            (heights, sizes) = (vec![1, 13, 26], vec![(7, 2), (33, 5)]);
        }
        for rows in heights {
            for &(n, m) in &sizes {
                let v = numbers::<T>(n, rows, 1).reversed_axes();
                let b = numbers::<T>(n, m, 2);
                let mut found = Array2::zeros((rows, m).f());
                dots(v.view(), b.view(), found.view_mut());
                assert_eq!(found, v.dot(&b));
            }
        }
    }

    #[test]
    fn all_sizes_in_both_precisions() {
        agrees_with_ndarray::<f32>();
        agrees_with_ndarray::<f64>();
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
