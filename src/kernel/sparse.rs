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
    /// Longer than what is in use, so that a few places can be written at a time.
    indices: Vec<u16>,
    values: Vec<T>,
}

/// How many pixels are looked at together.
const CHUNK: usize = 8;

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
            indices: vec![0; features * capacity + CHUNK],
            values: vec![T::zero(); features * capacity + CHUNK],
        }
    }

    /// Takes all columns out.
    pub(crate) fn clear(&mut self) {
        self.starts.truncate(1);
    }

    /// Adds a column of pixels, whose values stand in a table.
    pub(crate) fn push_pixels(&mut self, pixels: &[u8], table: &[T; 256]) {
        assert_eq!(pixels.len() + 1, self.features, "a pixel for each feature");
        let mut end = self.push_bias();
        let (chunks, last) = pixels.as_chunks::<CHUNK>();
        for (first, chunk) in (1..).step_by(CHUNK).zip(chunks) {
            if u64::from_ne_bytes(*chunk) != 0 {
                end += self.push_chunk(end, first, chunk, table);
            }
        }
        let mut chunk = [0; CHUNK];
        chunk[..last.len()].copy_from_slice(last);
        end += self.push_chunk(end, (1 + pixels.len() - last.len()) as u16, &chunk, table);
        self.starts.push(end);
    }

    /// Adds a column of numbers.
    pub(crate) fn push_values(&mut self, values: impl ExactSizeIterator<Item = T>) {
        assert_eq!(values.len() + 1, self.features, "a number for each feature");
        let mut end = self.push_bias();
        for (feature, value) in (1..).zip(values) {
            if value != T::zero() {
                (self.indices[end], self.values[end]) = (feature, value);
                end += 1;
            }
        }
        self.starts.push(end);
    }

    /// Begins a column, and returns the place of its next feature.
    fn push_bias(&mut self) -> usize {
        let end = self.starts[self.len()];
        (self.indices[end], self.values[end]) = (0, T::one());
        end + 1
    }

    /// Writes the pixels that are not 0 from `end` on, and returns how many they are.
    ///
    /// Each is written, and then stays or is overwritten by the next: no branch has to be guessed.
    #[inline(always)]
    fn push_chunk(&mut self, end: usize, first: u16, chunk: &[u8; CHUNK], table: &[T; 256]) -> usize {
        let indices = &mut self.indices[end..end + CHUNK];
        let values = &mut self.values[end..end + CHUNK];
        let mut count = 0;
        for (feature, &pixel) in (first..).zip(chunk) {
            indices[count % CHUNK] = feature;
            values[count % CHUNK] = table[usize::from(pixel)];
            count += usize::from(pixel != 0);
        }
        count
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
        let work = |(panel, weights): (&mut [T], ArrayView2<'_, T>)| {
            simd(
                #[inline(always)]
                || match Self::ROWS {
                    16 => pack_panel::<T, 16>(weights, panel),
                    _ => pack_panel::<T, 32>(weights, panel),
                },
            );
        };
        let rows = weights.axis_chunks_iter(Axis(0), Self::ROWS);
        if parallel {
            panels
                .par_chunks_exact_mut(size)
                .zip(rows.into_par_iter())
                .for_each(work);
        } else {
            panels.chunks_exact_mut(size).zip(rows).for_each(work);
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

    /// W <- W + alpha Delta A^T over blocks of samples; overwrites what was packed.
    ///
    /// # Shapes
    ///
    /// A: features x m and Delta: rows x m of each block; W: rows x features, columns contiguous
    pub(crate) fn add_outer_products<'a>(
        &mut self,
        alpha: T,
        blocks: impl Iterator<Item = (&'a SparseColumns<T>, ArrayView2<'a, T>)> + Clone + Sync,
        mut weights: ArrayViewMut2<'_, T>,
        parallel: bool,
    ) {
        assert_eq!(weights.dim(), (self.rows, self.features));
        let (features, size) = (self.features, Self::ROWS * self.features);
        let panels = &mut self.storage[self.start..];
        let work = |(index, (panel, weights)): (usize, (&mut [T], ArrayViewMut2<'_, T>))| {
            let first = index * Self::ROWS;
            let rows = first..first + weights.nrows();
            let blocks = blocks.clone().map(|(input, delta)| {
                assert_eq!((input.features, input.len()), (features, delta.ncols()));
                (input, delta.slice_move(s![rows.clone(), ..]))
            });
            simd(
                #[inline(always)]
                || match Self::ROWS {
                    16 => add_to_panel::<T, 16>(alpha, blocks, panel, weights),
                    _ => add_to_panel::<T, 32>(alpha, blocks, panel, weights),
                },
            );
        };
        let rows = weights.axis_chunks_iter_mut(Axis(0), Self::ROWS);
        if parallel {
            panels
                .par_chunks_exact_mut(size)
                .zip(rows.into_par_iter())
                .enumerate()
                .for_each(work);
        } else {
            panels.chunks_exact_mut(size).zip(rows).enumerate().for_each(work);
        }
    }
}

/// Copies the weights of a panel's rows, with zeros for the rows that are missing in the last panel.
#[inline(always)]
fn pack_panel<T: Element, const L: usize>(weights: ArrayView2<'_, T>, panel: &mut [T]) {
    let (lanes, _) = panel.as_chunks_mut::<L>();
    for (weights, lane) in weights.columns().into_iter().zip(lanes) {
        match weights.as_slice().and_then(|weights| weights.first_chunk::<L>()) {
            Some(weights) => *lane = *weights,
            None => {
                *lane = [T::zero(); L];
                lane.iter_mut()
                    .zip(weights)
                    .for_each(|(place, &weight)| *place = weight);
            }
        }
    }
}

/// Copies the weights back.
#[inline(always)]
fn unpack_panel<T: Element, const L: usize>(panel: &[T], mut weights: ArrayViewMut2<'_, T>) {
    let (lanes, _) = panel.as_chunks::<L>();
    for (mut weights, lane) in weights.columns_mut().into_iter().zip(lanes) {
        match weights
            .as_slice_mut()
            .and_then(|weights| weights.first_chunk_mut::<L>())
        {
            Some(weights) => *weights = *lane,
            None => weights
                .iter_mut()
                .zip(lane)
                .for_each(|(weight, &place)| *weight = place),
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
                // SAFETY: every index is below `features`, as the columns made sure, and the panel has a lane for each.
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

/// The rows of one panel of W <- W + alpha Delta A^T.
#[inline(always)]
fn add_to_panel<'a, T: Element, const L: usize>(
    alpha: T,
    blocks: impl Iterator<Item = (&'a SparseColumns<T>, ArrayView2<'a, T>)>,
    panel: &mut [T],
    weights: ArrayViewMut2<'_, T>,
) {
    pack_panel::<T, L>(weights.view(), panel);
    for (input, delta) in blocks {
        debug_assert_eq!(panel.len(), L * input.features);
        for ((indices, values), delta) in input.columns().zip(delta.columns()) {
            let mut scaled = [T::zero(); L];
            for (place, &delta) in scaled.iter_mut().zip(delta) {
                *place = alpha * delta;
            }
            for (&index, &value) in indices.iter().zip(values) {
                // SAFETY: every index is below `features`, as the columns made sure, and the panel has a lane for each.
                unsafe {
                    let place = panel.as_mut_ptr().add(usize::from(index) * L);
                    let mut lane: [T; L] = load(place);
                    add_products(&mut lane, scaled, [value; L]);
                    store(place, lane);
                }
            }
        }
    }
    unpack_panel::<T, L>(panel, weights);
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
            assert_eq!(input.starts[m], dense.len() - zeros);

            let mut panels = Panels::new(rows, features + 1);
            panels.pack(weights.view(), false);
            let mut output = Array2::from_elem((rows, m).f(), T::nan());
            panels.multiply(&input, output.view_mut());
            assert_eq!(output, weights.dot(&dense));

            let minus_two = T::from_f64(-2.0);
            let blocks = [(&input, delta.view()), (&input, delta.view())];
            for parallel in [false, true] {
                let mut updated = weights.clone();
                panels.add_outer_products(minus_two, blocks.iter().copied(), updated.view_mut(), parallel);
                assert_eq!(
                    updated,
                    &weights + &(delta.dot(&dense.t()) * (minus_two + minus_two))
                );
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
            let found: Vec<_> = columns.columns().collect();
            assert_eq!(
                found[0],
                (&[0, 1, 9, 16, 19][..], &[1.0, 1.0, 255.0, 3.0, 4.0][..])
            );
            assert_eq!(found[1], (&[0][..], &[1.0][..]));
        }
    }
}
