//! Samples that are mostly zeros: only their other features take part in the products, which changes no result.
//!
//! A product runs over panels of a few rows of the weights, packed so that all rows' weights for one feature lie next
//! to each other. What a feature adds to the rows of a panel is then a few instructions, and a panel stays in the
//! innermost caches while all samples of a block pass by.

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::lanes::{add_products, load, store};
use super::simd;
use crate::element::Element;

/// Columns of samples, of which only the features that are not 0 are stored; the bias feature, 1, comes first in each.
#[derive(Debug)]
pub(crate) struct SparseColumns<T> {
    /// The features of a column, the bias included: every index is below.
    features: usize,
    /// Column i is `starts[i]..starts[i + 1]` of the two lists.
    starts: Vec<usize>,
    indices: Vec<u16>,
    values: Vec<T>,
}

impl<T: Element> SparseColumns<T> {
    /// The most features of a column, the bias included.
    pub(crate) const MOST_FEATURES: usize = 1 << 16;

    /// No columns yet, and room for `capacity` of them, each with `features` features and the bias.
    pub(crate) fn new(features: usize, capacity: usize) -> Self {
        let features = features + 1;
        assert!(features <= Self::MOST_FEATURES, "an index is a u16");
        let mut starts = Vec::with_capacity(capacity + 1);
        starts.push(0);
        SparseColumns {
            features,
            starts,
            indices: Vec::with_capacity(features * capacity),
            values: Vec::with_capacity(features * capacity),
        }
    }

    /// Takes all columns out.
    pub(crate) fn clear(&mut self) {
        self.starts.truncate(1);
        self.indices.clear();
        self.values.clear();
    }

    /// Adds a column of pixels, whose values stand in a table.
    pub(crate) fn push_pixels(&mut self, pixels: &[u8], table: &[T; 256]) {
        assert_eq!(pixels.len() + 1, self.features, "a pixel for each feature");
        self.push(0, T::one());
        let (chunks, rest) = pixels.as_chunks::<8>();
        let mut feature = 1;
        for chunk in chunks {
            if u64::from_ne_bytes(*chunk) != 0 {
                self.push_some(feature, chunk, table);
            }
            feature += 8;
        }
        self.push_some(feature, rest, table);
        self.starts.push(self.indices.len());
    }

    /// Adds a column of numbers.
    pub(crate) fn push_values(&mut self, values: impl ExactSizeIterator<Item = T>) {
        assert_eq!(values.len() + 1, self.features, "a number for each feature");
        self.push(0, T::one());
        for (feature, value) in (1..).zip(values) {
            if value != T::zero() {
                self.push(feature, value);
            }
        }
        self.starts.push(self.indices.len());
    }

    fn push_some(&mut self, first: u16, pixels: &[u8], table: &[T; 256]) {
        for (feature, &pixel) in (first..).zip(pixels) {
            if pixel != 0 {
                self.push(feature, table[usize::from(pixel)]);
            }
        }
    }

    fn push(&mut self, feature: u16, value: T) {
        self.indices.push(feature);
        self.values.push(value);
    }

    /// The number of columns.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn columns(&self) -> impl Iterator<Item = (&[u16], &[T])> {
        self.starts.windows(2).map(|ends| {
            let column = ends[0]..ends[1];
            (&self.indices[column.clone()], &self.values[column])
        })
    }
}

/// Weights packed by panels of a few rows: in panel p, place f L + l is the weight of row p L + l for feature f, L being
/// the rows of a panel.
#[derive(Debug)]
pub(crate) struct Panels<T> {
    /// With some room to spare, since the first panel starts where a cache line does.
    storage: Vec<T>,
    start: usize,
    rows: usize,
    features: usize,
}

impl<T: Element> Panels<T> {
    /// The rows of a panel: 128 bytes of them, the length at which reading a feature's place and value is paid for.
    pub(crate) const ROWS: usize = 128 / size_of::<T>();

    /// Room for weights of this many rows and features, the bias included.
    pub(crate) fn new(rows: usize, features: usize) -> Self {
        const LINE: usize = 64;
        let len = rows.div_ceil(Self::ROWS) * Self::ROWS * features;
        let storage = vec![T::zero(); len + LINE / size_of::<T>()];
        let start = storage.as_ptr().align_offset(LINE).min(storage.len() - len);
        Panels {
            storage,
            start,
            rows,
            features,
        }
    }

    /// Packs weights.
    ///
    /// # Shapes
    ///
    /// rows x features, columns contiguous
    pub(crate) fn pack(&mut self, weights: ArrayView2<'_, T>, parallel: bool) {
        assert_eq!(weights.dim(), (self.rows, self.features));
        let size = Self::ROWS * self.features;
        let panels = &mut self.storage[self.start..];
        if parallel {
            let rows = weights.axis_chunks_iter(Axis(0), Self::ROWS).into_par_iter();
            let panels = panels.par_chunks_exact_mut(size).zip(rows);
            panels.for_each(|(panel, rows)| pack_panel(rows, T::one(), panel));
        } else {
            let rows = weights.axis_chunks_iter(Axis(0), Self::ROWS);
            let panels = panels.chunks_exact_mut(size).zip(rows);
            panels.for_each(|(panel, rows)| pack_panel(rows, T::one(), panel));
        }
    }

    /// Z <- W A for the weights that were packed.
    ///
    /// # Shapes
    ///
    /// A: features x m; Z: rows x m, columns contiguous
    pub(crate) fn multiply(&self, input: &SparseColumns<T>, mut output: ArrayViewMut2<'_, T>) {
        assert_eq!(output.dim(), (self.rows, input.len()));
        assert_eq!(input.features, self.features);
        let panels = self.storage[self.start..].chunks_exact(Self::ROWS * self.features);
        for (panel, output) in panels.zip(output.axis_chunks_iter_mut(Axis(0), Self::ROWS)) {
            simd(
                #[inline(always)]
                || match Self::ROWS {
                    16 => multiply_panel::<T, 16>(panel, input, output),
                    _ => multiply_panel::<T, 32>(panel, input, output),
                },
            );
        }
    }

    /// W <- alpha Delta A^T + beta W over blocks of samples; overwrites what was packed.
    ///
    /// # Shapes
    ///
    /// A: features x m and Delta: rows x m of each block; W: rows x features, columns contiguous
    pub(crate) fn add_outer_products<'a>(
        &mut self,
        alpha: T,
        blocks: impl Iterator<Item = (&'a SparseColumns<T>, ArrayView2<'a, T>)> + Clone + Sync,
        beta: T,
        mut weights: ArrayViewMut2<'_, T>,
        parallel: bool,
    ) {
        assert_eq!(weights.dim(), (self.rows, self.features));
        let (features, size) = (self.features, Self::ROWS * self.features);
        let work = |(index, (panel, mut weights)): (usize, (&mut [T], ArrayViewMut2<'_, T>))| {
            if beta == T::zero() {
                panel.fill(T::zero());
            } else {
                pack_panel(weights.view(), beta, panel);
            }
            let first = index * Self::ROWS;
            let rows = first..first + weights.nrows();
            for (input, delta) in blocks.clone() {
                assert_eq!((input.features, input.len()), (features, delta.ncols()));
                let delta = delta.slice_move(s![rows.clone(), ..]);
                simd(
                    #[inline(always)]
                    || match Self::ROWS {
                        16 => add_to_panel::<T, 16>(alpha, input, delta, panel),
                        _ => add_to_panel::<T, 32>(alpha, input, delta, panel),
                    },
                );
            }
            unpack_panel(panel, weights.view_mut());
        };
        let panels = &mut self.storage[self.start..];
        if parallel {
            let rows = weights.axis_chunks_iter_mut(Axis(0), Self::ROWS).into_par_iter();
            panels
                .par_chunks_exact_mut(size)
                .zip(rows)
                .enumerate()
                .for_each(work);
        } else {
            let rows = weights.axis_chunks_iter_mut(Axis(0), Self::ROWS);
            panels.chunks_exact_mut(size).zip(rows).enumerate().for_each(work);
        }
    }
}

/// Copies the weights of a panel's rows, times `factor`, with zeros for the rows that are missing in the last panel.
fn pack_panel<T: Element>(weights: ArrayView2<'_, T>, factor: T, panel: &mut [T]) {
    let rows = weights.nrows();
    for (weights, lane) in weights
        .columns()
        .into_iter()
        .zip(panel.chunks_exact_mut(Panels::<T>::ROWS))
    {
        for (place, &weight) in lane.iter_mut().zip(weights) {
            *place = factor * weight;
        }
        lane[rows..].fill(T::zero());
    }
}

fn unpack_panel<T: Element>(panel: &[T], mut weights: ArrayViewMut2<'_, T>) {
    for (mut weights, lane) in weights
        .columns_mut()
        .into_iter()
        .zip(panel.chunks_exact(Panels::<T>::ROWS))
    {
        for (weight, &place) in weights.iter_mut().zip(lane) {
            *weight = place;
        }
    }
}

/// The rows of one panel of Z <- W A.
#[inline(always)]
fn multiply_panel<T: Element, const L: usize>(
    panel: &[T],
    input: &SparseColumns<T>,
    mut output: ArrayViewMut2<'_, T>,
) {
    debug_assert_eq!(panel.len(), L * input.features);
    let rows = output.nrows();
    for ((indices, values), mut output) in input.columns().zip(output.columns_mut()) {
        // Four sums side by side: one alone would wait for itself with every product.
        let mut sums = [[T::zero(); L]; 4];
        let (indices, last_indices) = indices.as_chunks::<4>();
        let (values, last_values) = values.as_chunks::<4>();
        for (indices, values) in indices.iter().zip(values) {
            for (sum, (&index, &value)) in sums.iter_mut().zip(indices.iter().zip(values)) {
                // SAFETY: every index is below `features`, as `push` made sure, and the panel has a lane for each.
                let lane: [T; L] = unsafe { load(panel.as_ptr().add(usize::from(index) * L)) };
                add_products(sum, lane, [value; L]);
            }
        }
        for (&index, &value) in last_indices.iter().zip(last_values) {
            // SAFETY: as above.
            let lane: [T; L] = unsafe { load(panel.as_ptr().add(usize::from(index) * L)) };
            add_products(&mut sums[0], lane, [value; L]);
        }
        let [a, b, c, d] = sums;
        let total: [T; L] = std::array::from_fn(|l| (a[l] + b[l]) + (c[l] + d[l]));
        if rows == L
            && let Some(output) = output.as_slice_mut()
        {
            output.copy_from_slice(&total);
        } else {
            output
                .iter_mut()
                .zip(total)
                .for_each(|(place, total)| *place = total);
        }
    }
}

/// Adds the rows of one panel of alpha Delta A^T.
#[inline(always)]
fn add_to_panel<T: Element, const L: usize>(
    alpha: T,
    input: &SparseColumns<T>,
    delta: ArrayView2<'_, T>,
    panel: &mut [T],
) {
    debug_assert_eq!(panel.len(), L * input.features);
    for ((indices, values), delta) in input.columns().zip(delta.columns()) {
        let mut scaled = [T::zero(); L];
        for (place, &delta) in scaled.iter_mut().zip(delta) {
            *place = alpha * delta;
        }
        for (&index, &value) in indices.iter().zip(values) {
            // SAFETY: every index is below `features`, as `push` made sure, and the panel has a lane for each.
            unsafe {
                let place = panel.as_mut_ptr().add(usize::from(index) * L);
                let mut lane: [T; L] = load(place);
                add_products(&mut lane, scaled, [value; L]);
                store(place, lane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder};

    /// Small whole numbers, so that every order of summing gives the same.
    fn numbers<T: Element>(rows: usize, columns: usize, salt: usize) -> Array2<T> {
        let mut matrix = Array2::zeros((rows, columns).f());
        for ((i, j), number) in matrix.indexed_iter_mut() {
            *number = T::from_f64(((i * 7 + j * 13 + salt) % 9) as f64 - 4.0);
        }
        matrix
    }

    fn agrees_with_the_dense_products<T: Element>() {
        for (rows, features, m) in [(1, 1, 1), (10, 20, 3), (32, 9, 2), (70, 33, 7)] {
            let weights = numbers::<T>(rows, features + 1, 1);
            let delta = numbers::<T>(rows, m, 2);
            let mut dense = numbers::<T>(features + 1, m, 3);
            dense.row_mut(0).fill(T::one());
            let mut input = SparseColumns::new(features, m);
            for column in dense.columns() {
                input.push_values(column.iter().skip(1).copied());
            }
            let zeros = dense.iter().filter(|&&value| value == T::zero()).count();
            assert_eq!(input.values.len(), dense.len() - zeros);

            let mut panels = Panels::new(rows, features + 1);
            panels.pack(weights.view(), false);
            let mut output = Array2::from_elem((rows, m).f(), T::nan());
            panels.multiply(&input, output.view_mut());
            assert_eq!(output, weights.dot(&dense));

            let minus_two = T::from_f64(-2.0);
            let blocks = [(&input, delta.view()), (&input, delta.view())];
            for parallel in [false, true] {
                let mut updated = weights.clone();
                panels.add_outer_products(
                    minus_two,
                    blocks.iter().copied(),
                    T::one(),
                    updated.view_mut(),
                    parallel,
                );
                assert_eq!(
                    updated,
                    &weights + &(delta.dot(&dense.t()) * (minus_two + minus_two))
                );
                let mut gradient = Array2::from_elem(weights.raw_dim().f(), T::nan());
                panels.add_outer_products(
                    minus_two,
                    blocks.iter().copied(),
                    T::zero(),
                    gradient.view_mut(),
                    parallel,
                );
                assert_eq!(gradient, delta.dot(&dense.t()) * (minus_two + minus_two));
            }
        }
    }

    #[test]
    fn all_sizes_in_both_precisions() {
        agrees_with_the_dense_products::<f32>();
        agrees_with_the_dense_products::<f64>();
    }

    #[test]
    fn pixels_that_are_0_are_left_out() {
        let table = std::array::from_fn(|pixel| pixel as f64);
        let mut pixels = [0; 19];
        (pixels[0], pixels[8], pixels[15], pixels[18]) = (1, 255, 3, 4);
        let mut columns = SparseColumns::new(19, 2);
        for _ in 0..2 {
            columns.clear();
            columns.push_pixels(&pixels, &table);
            columns.push_pixels(&[0; 19], &table);
            assert_eq!(columns.len(), 2);
            assert_eq!(columns.indices, [0, 1, 9, 16, 19, 0]);
            assert_eq!(columns.values, [1.0, 1.0, 255.0, 3.0, 4.0, 1.0]);
        }
    }
}
