//! Products of dense matrices that are read where they lie: nothing is packed, so that a product with a few samples costs
//! no copy of the weights.
//!
//! A tile of the result, a few registers high and a few columns wide, stays in registers while columns of A are loaded and
//! numbers of B are broadcast. Each number of the result adds its products in the order of the terms and their columns, cut into
//! chains by their number alone: the tiles, and the threads that share them, change no bit of it.

use std::iter;
use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::lanes::{Lanes, Number};
use super::simd::{InstructionSet, Kernel, prefetch_line, run};

/// The largest number of columns of A that a tile adds up before the next tile: so many columns of a strip of A stay in
/// the L2 cache, and so many rows of a strip of B in the L1 cache.
const DEPTH: usize = 256;

/// The largest number of parts of terms that a tile adds up before the next tile.
const PARTS: usize = 16;

/// C <- alpha A B + beta C.
///
/// # Shapes
///
/// A: m x k, columns contiguous; B: k x n, of any layout; C: m x n, columns contiguous
pub(crate) fn multiply<T: Number>(
    alpha: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    c: ArrayViewMut2<'_, T>,
) {
    multiply_terms(alpha, iter::once((a, b)), beta, c);
}

/// C <- alpha (the sum of A B over all terms) + beta C; without a term, or with empty ones only, C does not change.
///
/// # Shapes
///
/// For each term, A: m x k, columns contiguous, and B: k x n, of any layout; C: m x n, columns contiguous
pub(crate) fn multiply_terms<'a, T: Number>(
    alpha: T,
    terms: impl Iterator<Item = (ArrayView2<'a, T>, ArrayView2<'a, T>)>,
    beta: T,
    mut c: ArrayViewMut2<'_, T>,
) {
    let (m, n) = c.dim();
    assert!(m < 2 || c.strides()[0] == 1, "the columns of C are contiguous");
    let mut parts = [Part::default(); PARTS];
    let mut product = |parts: &[Part<T>], beta| {
        let product = Product {
            alpha,
            parts,
            beta,
            c: c.as_mut_ptr(),
            c_column: c.strides()[1],
            m,
            n,
        };
        // SAFETY: the parts are columns of A and rows of B, whose shapes fit and whose columns are contiguous.
        unsafe { product.compute() };
    };
    let (mut beta, mut count, mut depth) = (beta, 0, 0);
    for (a, b) in terms {
        assert_eq!((a.nrows(), b.ncols()), (m, n), "A is m x k, B k x n, C m x n");
        assert_eq!(a.ncols(), b.nrows(), "A is m x k, B k x n");
        if a.is_empty() {
            continue;
        }
        assert!(m < 2 || a.strides()[0] == 1, "the columns of A are contiguous");
        let mut start = 0;
        while start < a.ncols() {
            let end = a.ncols().min(start + DEPTH - depth);
            parts[count] = Part::new(a, b, start, end);
            (count, depth, start) = (count + 1, depth + end - start, end);
            if count == PARTS || depth == DEPTH {
                product(&parts[..count], beta);
                (beta, count, depth) = (T::one(), 0, 0);
            }
        }
    }
    if count > 0 {
        product(&parts[..count], beta);
    }
}

/// Columns of A and the same rows of B: the places of their first numbers, and strides in numbers.
#[derive(Clone, Copy)]
struct Part<T> {
    a: *const T,
    a_column: isize,
    b: *const T,
    b_row: isize,
    b_column: isize,
    depth: usize,
}

impl<T> Part<T> {
    fn new(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>, start: usize, end: usize) -> Self {
        let (a_column, b_row, b_column) = (a.strides()[1], b.strides()[0], b.strides()[1]);
        Part {
            a: a.as_ptr().wrapping_offset(start as isize * a_column),
            a_column,
            b: b.as_ptr().wrapping_offset(start as isize * b_row),
            b_row,
            b_column,
            depth: end - start,
        }
    }
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Part {
            a: std::ptr::null(),
            a_column: 0,
            b: std::ptr::null(),
            b_row: 0,
            b_column: 0,
            depth: 0,
        }
    }
}

/// A product whose operands are known to lie within matrices of fitting shapes.
#[derive(Clone, Copy)]
struct Product<'a, T> {
    alpha: T,
    parts: &'a [Part<T>],
    beta: T,
    /// The place of the first number of C, and C's stride.
    c: *mut T,
    c_column: isize,
    /// The shape of C.
    m: usize,
    n: usize,
}

impl<T: Number> Product<'_, T> {
    /// # Safety
    ///
    /// All numbers of C, and those of the parts for its rows and columns, can be read, and C's written.
    unsafe fn compute(self) {
        let (lanes, (height, width)) = InstructionSet::current().lanes_and_tile::<T>();
        let registers = self.m.div_ceil(lanes);
        let (strips, groups) = (registers.div_ceil(height), self.n.div_ceil(width));
        if groups == 0 {
            return;
        }
        // Heights and widths of tiles differ by 1 at most: a last tile of one register would wait for each of its sums.
        let (narrow, wider) = (self.n / groups, self.n % groups);
        for strip in 0..strips {
            let (first, end) = (strip * registers / strips, (strip + 1) * registers / strips);
            let rows = first * lanes..self.m.min(end * lanes);
            for (width, start, count) in [
                (narrow + 1, 0, wider),
                (narrow, wider * (narrow + 1), groups - wider),
            ] {
                // SAFETY: the strip lies within C.
                unsafe { self.strip(end - first, width, rows.clone(), start, count) };
            }
        }
    }

    /// Computes `count` tiles side by side.
    ///
    /// # Safety
    ///
    /// As [`Product::compute`]; the tiles lie within C.
    unsafe fn strip(self, height: usize, width: usize, rows: Range<usize>, start: usize, count: usize) {
        macro_rules! sizes {
            ($(($r:literal: $($c:literal)*))*) => {
                match (height, width) {
                    _ if count == 0 => {}
                    // Each size is a function of its own, whose sums the compiler keeps in registers.
                    $($(($r, $c) => run(Strip::<T, $r, $c> { product: self, rows, start, count }),)*)*
                    _ => unreachable!("a tile is not larger than Lanes::TILE"),
                }
            };
        }
        sizes!((1: 1 2 3 4 5 6 7 8) (2: 1 2 3 4 5 6 7 8) (3: 1 2 3 4 5 6 7 8));
    }
}

/// Tiles side by side, R registers high and C columns wide.
struct Strip<'a, T, const R: usize, const C: usize> {
    product: Product<'a, T>,
    rows: Range<usize>,
    /// The first column.
    start: usize,
    /// The number of tiles.
    count: usize,
}

impl<T: Number, const R: usize, const C: usize> Kernel<T> for Strip<'_, T, R, C> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        assert!(self.rows.len() > (R - 1) * V::COUNT && self.rows.len() <= R * V::COUNT);
        for tile in 0..self.count {
            // SAFETY: as `Product::strip` promises; all registers but the last lie within the rows.
            unsafe { self.tile::<V>(self.start + tile * C) };
        }
    }
}

impl<T: Number, const R: usize, const C: usize> Strip<'_, T, R, C> {
    /// # Safety
    ///
    /// The tile lies within C; only its last register may have fewer rows.
    #[inline(always)]
    unsafe fn tile<V: Lanes<Number = T>>(&self, column: usize) {
        let zero = V::splat(T::default());
        let (product, row, column) = (&self.product, self.rows.start, column as isize);
        let last = self.rows.len() - (R - 1) * V::COUNT;
        let tile = product
            .c
            .wrapping_add(row)
            .wrapping_offset(column * product.c_column);
        for c in 0..C {
            for r in 0..R {
                prefetch_line(
                    tile.wrapping_offset(c as isize * product.c_column)
                        .wrapping_add(r * V::COUNT),
                );
            }
        }
        let mut sums = [[zero; R]; C];
        for part in product.parts {
            let mut a = part.a.wrapping_add(row);
            let mut b = part.b.wrapping_offset(column * part.b_column);
            for _ in 0..part.depth {
                let mut rows = [zero; R];
                for r in 0..R - 1 {
                    // SAFETY: by this function's contract.
                    rows[r] = unsafe { V::load(a.wrapping_add(r * V::COUNT)) };
                }
                // SAFETY: by this function's contract; only `last` rows are read.
                rows[R - 1] = unsafe { V::load_first(a.wrapping_add((R - 1) * V::COUNT), last) };
                for c in 0..C {
                    // SAFETY: by this function's contract.
                    let number = V::splat(unsafe { *b.wrapping_offset(c as isize * part.b_column) });
                    for r in 0..R {
                        sums[c][r] = rows[r].mul_add(number, sums[c][r]);
                    }
                }
                a = a.wrapping_offset(part.a_column);
                b = b.wrapping_offset(part.b_row);
            }
        }
        let (alpha, beta) = (V::splat(product.alpha), V::splat(product.beta));
        for c in 0..C {
            let column = tile.wrapping_offset(c as isize * product.c_column);
            for r in 0..R {
                let place = column.wrapping_add(r * V::COUNT);
                let count = if r + 1 < R { V::COUNT } else { last };
                // SAFETY: by this function's contract. C is not read where beta is 0: it may hold anything, such as NaN.
                unsafe {
                    let before = if product.beta == T::zero() {
                        zero
                    } else {
                        V::load_first(place, count).mul_add(beta, zero)
                    };
                    sums[c][r].mul_add(alpha, before).store_first(place, count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::test_numbers::numbers;
    use ndarray::{Array2, ShapeBuilder, s};

    fn agrees_with_ndarray<T: Number + From<i8>>() {
        let two = <T as From<i8>>::from(2);
        for (m, k, n) in [
            (1, 1, 1),
            (3, 5, 2),
            (17, 300, 9),
            (50, 7, 23),
            (100, 513, 5),
            (0, 3, 2),
            (2, 0, 3),
        ] {
            let (a, b, c) = (
                numbers::<T>(m + 1, k, 1),
                numbers::<T>(n, k, 2),
                numbers::<T>(m + 1, n, 3),
            );
            let body = a.slice(s![1.., ..]);
            let product = body.dot(&b.t());
            let mut result = c.clone();
            multiply(two, body, b.t(), -T::one(), result.slice_mut(s![1.., ..]));
            let expected = if k == 0 {
                c.slice(s![1.., ..]).to_owned()
            } else {
                &product * two - c.slice(s![1.., ..])
            };
            assert_eq!(result.slice(s![1.., ..]), expected, "{m} x {k} x {n}");
            assert_eq!(result.row(0), c.row(0), "the row outside stays");
            if k == 0 {
                continue;
            }
            // The same columns in many terms, whatever the result held before.
            let mut summed = Array2::from_elem((m, n).f(), T::nan());
            let terms = (0..k).map(|i| {
                (
                    body.slice_move(s![.., i..i + 1]),
                    b.slice(s![.., i..i + 1]).reversed_axes(),
                )
            });
            multiply_terms(T::one(), terms, T::zero(), summed.view_mut());
            assert_eq!(summed, product, "{m} x {k} x {n}");
        }
    }

    #[test]
    fn all_sizes_in_both_precisions() {
        agrees_with_ndarray::<f32>();
        agrees_with_ndarray::<f64>();
    }

    #[test]
    #[should_panic(expected = "A is m x k, B k x n")]
    fn shapes_that_do_not_fit_are_refused() {
        let a = Array2::<f32>::zeros((4, 3).f());
        multiply(1.0, a.view(), a.view(), 0.0, a.clone().view_mut());
    }
}
