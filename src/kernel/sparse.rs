//! Products with samples that are mostly zeros: only non-zero features take part, which changes no result.
//!
//! A product runs over panels of a few rows of the weights, packed so that the weights of all rows for one feature are
//! contiguous. Adding the contribution of a feature to the rows of a panel then takes a few instructions, and a panel stays
//! in the innermost caches while all samples of a shard are processed.

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run, simd};
use crate::timing;

/// Samples as columns, of which only the non-zero features are stored; the bias feature, 1, comes first in each.
#[derive(Debug)]
pub(crate) struct SparseColumns<T> {
    /// The number of features of a column, the bias included: every index is below it.
    features: usize,
    /// Column i is `starts[i]..starts[i + 1]` of the two lists.
    starts: Vec<usize>,
    indices: Vec<u16>,
    values: Vec<T>,
}

impl<T: Number> SparseColumns<T> {
    /// The largest number of features of a column, the bias included: an index is a `u16`.
    pub(crate) const MOST_FEATURES: usize = 1 << 16;

    /// An empty list with memory for `capacity` columns, each with `features` features and the bias.
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

    /// Removes all columns.
    pub(crate) fn clear(&mut self) {
        self.starts.truncate(1);
        self.indices.clear();
        self.values.clear();
    }

    /// Adds a column: the indices of its non-zero features, counted from 1 since the bias has index 0, and their values.
    pub(crate) fn push(&mut self, indices: &[u16], values: impl ExactSizeIterator<Item = T>) {
        let largest = indices.iter().copied().max().unwrap_or(0);
        assert!(
            usize::from(largest) < self.features,
            "a feature beyond the columns'"
        );
        assert_eq!(indices.len(), values.len(), "a value for each feature");
        self.indices.push(0);
        self.indices.extend_from_slice(indices);
        self.values.push(T::one());
        self.values.extend(values);
        self.starts.push(self.indices.len());
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

/// Weights packed in panels of L rows each: in panel p, element f L + l is the weight of row p L + l for feature f.
#[derive(Debug)]
pub(crate) struct Panels<T> {
    /// The copies of each panel, with spare elements, since the first copy begins at a cache line.
    storage: Vec<T>,
    start: usize,
    rows: usize,
    features: usize,
    /// The number of copies of each panel: where there are fewer panels than tasks, copies add up the outer products of
    /// different shards in parallel. The first copy starts from the weights, the others from 0.
    copies: usize,
}

/// The number of samples that a panel is multiplied with before the next panel.
const GROUP: usize = 256;

impl<T: Number> Panels<T> {
    /// L, the number of rows of a panel: 128 bytes of them, enough to make up for reading the index and value of a feature.
    pub(crate) const ROWS: usize = 128 / size_of::<T>();

    /// Allocates panels for weights of this many rows and features, the bias included.
    pub(crate) fn new(rows: usize, features: usize) -> Self {
        const LINE: usize = 64;
        const TASKS: usize = 4;
        let panels = rows.div_ceil(Self::ROWS);
        let copies = (TASKS / panels).max(1);
        let len = panels * copies * Self::ROWS * features;
        let storage = vec![T::zero(); len + LINE / size_of::<T>()];
        let start = storage.as_ptr().align_offset(LINE).min(storage.len() - len);
        Panels {
            storage,
            start,
            rows,
            features,
            copies,
        }
    }

    /// The number of elements of a panel.
    fn size(&self) -> usize {
        Self::ROWS * self.features
    }

    /// Packs weights.
    ///
    /// # Shapes
    ///
    /// rows x features, columns contiguous
    pub(crate) fn pack(&mut self, weights: ArrayView2<'_, T>, parallel: bool) {
        assert_eq!(weights.dim(), (self.rows, self.features));
        let (size, all_copies) = (self.size(), self.size() * self.copies);
        let panels = &mut self.storage[self.start..];
        let work =
            |(copies, weights): (&mut [T], ArrayView2<'_, T>)| pack_panel(weights, &mut copies[..size]);
        let work = |panel| timing::task(|| work(panel));
        let rows = weights.axis_chunks_iter(Axis(0), Self::ROWS);
        timing::phase("pack", parallel, || {
            if parallel {
                let panels = panels.par_chunks_exact_mut(all_copies);
                panels.zip(rows.into_par_iter()).for_each(work);
            } else {
                panels.chunks_exact_mut(all_copies).zip(rows).for_each(work);
            }
        });
    }

    /// Z <- W A for the packed weights and each shard of samples; `targets` is memory that is kept for the next time.
    ///
    /// A panel is multiplied with the samples of all shards while it is in cache.
    ///
    /// # Shapes
    ///
    /// A: features x m; Z: rows x m, columns contiguous
    pub(crate) fn multiply<'a>(
        &self,
        shards: impl Iterator<Item = (&'a SparseColumns<T>, ArrayViewMut2<'a, T>)>,
        targets: &mut Vec<Target<T>>,
        parallel: bool,
    ) {
        targets.clear();
        targets.extend(shards.map(|(input, output)| Target::new(input, output, self.rows, self.features)));
        let (targets, panels) = (&targets[..], self.rows.div_ceil(Self::ROWS));
        // Neighbouring tasks have the same samples, which stay in the L2 cache while a thread goes from panel to panel.
        let largest = targets.iter().map(|target| target.samples).max().unwrap_or(1);
        let group = (GROUP / largest.max(1)).max(1);
        let work = |task: usize| {
            let (targets, index) = (&targets[task / panels * group..], task % panels);
            let first = index * Self::ROWS;
            let rows = Self::ROWS.min(self.rows - first);
            run(Multiply {
                panel: &self.storage[self.start + index * self.copies * self.size()..][..self.size()],
                first,
                rows,
                targets: &targets[..targets.len().min(group)],
            });
        };
        let work = |task| timing::task(|| work(task));
        let tasks = targets.len().div_ceil(group) * panels;
        timing::phase("first layer", parallel, || {
            if parallel {
                (0..tasks).into_par_iter().for_each(work);
            } else {
                (0..tasks).for_each(work);
            }
        });
    }

    /// W <- W + alpha Delta A^T over shards of samples if `to_weights`, which [`Panels::pack`] or this function must have
    /// packed; the packed weights are then those of W. Otherwise the result is alpha Delta A^T, which takes the place of the
    /// packed weights.
    ///
    /// # Shapes
    ///
    /// A: features x m and Delta: rows x m of each shard; W, the result: rows x features, columns contiguous
    pub(crate) fn add_outer_products<'a>(
        &mut self,
        alpha: T,
        to_weights: bool,
        shards: impl Iterator<Item = (&'a SparseColumns<T>, ArrayView2<'a, T>)> + Clone + Sync,
        mut result: ArrayViewMut2<'_, T>,
        parallel: bool,
    ) {
        assert_eq!(result.dim(), (self.rows, self.features));
        let (all_rows, features, size, copies) = (self.rows, self.features, self.size(), self.copies);
        let count = all_rows.div_ceil(Self::ROWS) * copies;
        let panels = &mut self.storage[self.start..][..count * size];
        let work = |(index, panel): (usize, &mut [T])| {
            let first = index / copies * Self::ROWS;
            let rows = first..all_rows.min(first + Self::ROWS);
            if index % copies > 0 || !to_weights {
                panel.fill(T::zero());
            }
            for (input, delta) in shards.clone().skip(index % copies).step_by(copies) {
                assert_eq!((input.features, input.len()), (features, delta.ncols()));
                assert!(
                    rows.len() == 1 || delta.strides()[0] == 1,
                    "the columns of delta are contiguous"
                );
                let delta = delta.slice_move(s![rows.clone(), ..]);
                run(AddOuterProducts {
                    alpha,
                    input,
                    delta,
                    panel,
                });
            }
        };
        let work = |panel| timing::task(|| work(panel));
        timing::phase("panels", parallel, || {
            if parallel {
                panels.par_chunks_exact_mut(size).enumerate().for_each(work);
            } else {
                panels.chunks_exact_mut(size).enumerate().for_each(work);
            }
        });
        let work = |(copies, result): (&mut [T], ArrayViewMut2<'_, T>)| {
            let (panel, others) = copies.split_at_mut(size);
            for other in others.chunks_exact(size) {
                panel.iter_mut().zip(other).for_each(|(sum, &part)| *sum += part);
            }
            unpack_panel(panel, result);
        };
        let work = |panel| timing::task(|| work(panel));
        let rows = result.axis_chunks_iter_mut(Axis(0), Self::ROWS);
        timing::phase("unpack", parallel, || {
            if parallel {
                let panels = panels.par_chunks_exact_mut(size * copies);
                panels.zip(rows.into_par_iter()).for_each(work);
            } else {
                panels.chunks_exact_mut(size * copies).zip(rows).for_each(work);
            }
        });
    }
}

/// The samples of a shard and the place for their results, while several panels write different rows of these.
#[derive(Debug)]
pub(crate) struct Target<T> {
    input: *const SparseColumns<T>,
    output: *mut T,
    column: isize,
    samples: usize,
}

// SAFETY: a target is used only within `Panels::multiply`, which borrows what it points to; each panel writes rows of its
// own.
unsafe impl<T: Send + Sync> Send for Target<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Target<T> {}

impl<T: Number> Target<T> {
    fn new(input: &SparseColumns<T>, mut output: ArrayViewMut2<'_, T>, rows: usize, features: usize) -> Self {
        assert_eq!(output.dim(), (rows, input.len()));
        assert_eq!(input.features, features);
        assert!(
            rows == 1 || output.strides()[0] == 1,
            "the columns of the output are contiguous"
        );
        Target {
            input,
            output: output.as_mut_ptr(),
            column: output.strides()[1],
            samples: input.len(),
        }
    }
}

/// Copies the weights of a panel's rows into the panel, with zeros for rows that the last panel does not have.
fn pack_panel<T: Number>(weights: ArrayView2<'_, T>, panel: &mut [T]) {
    simd(
        #[inline(always)]
        || {
            for (weights, lane) in weights
                .columns()
                .into_iter()
                .zip(panel.chunks_exact_mut(Panels::<T>::ROWS))
            {
                let (present, missing) = lane.split_at_mut(weights.len());
                match weights.as_slice() {
                    Some(weights) => present.copy_from_slice(weights),
                    None => present
                        .iter_mut()
                        .zip(weights)
                        .for_each(|(place, &weight)| *place = weight),
                }
                missing.fill(T::zero());
            }
        },
    );
}

/// Copies the weights of a panel back.
fn unpack_panel<T: Number>(panel: &[T], mut weights: ArrayViewMut2<'_, T>) {
    simd(
        #[inline(always)]
        || {
            for (mut weights, lane) in weights
                .columns_mut()
                .into_iter()
                .zip(panel.chunks_exact(Panels::<T>::ROWS))
            {
                let lane = &lane[..weights.len()];
                match weights.as_slice_mut() {
                    Some(weights) => weights.copy_from_slice(lane),
                    None => weights
                        .iter_mut()
                        .zip(lane)
                        .for_each(|(weight, &place)| *weight = place),
                }
            }
        },
    );
}

/// The position in a panel of a feature's weight in a row. Wrapping, since the check for overflow of a development build takes
/// longer than the product.
#[inline(always)]
fn place<T: Number>(feature: u16, row: usize) -> usize {
    usize::from(feature)
        .wrapping_mul(Panels::<T>::ROWS)
        .wrapping_add(row)
}

/// The rows of one panel of Z <- W A, `rows` of them from row `first` of Z on.
struct Multiply<'a, T> {
    panel: &'a [T],
    first: usize,
    rows: usize,
    targets: &'a [Target<T>],
}

impl<T: Number> Kernel<T> for Multiply<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        let mut row = 0;
        while row + V::COUNT < self.rows {
            self.registers::<V, 2>(row);
            row += 2 * V::COUNT;
        }
        if row < self.rows {
            self.registers::<V, 1>(row);
        }
    }
}

impl<T: Number> Multiply<'_, T> {
    /// R registers of the panel's rows, from row `row` of the panel on.
    #[inline(always)]
    fn registers<V: Lanes<Number = T>, const R: usize>(&self, row: usize) {
        let rows = self.rows - row;
        let panel = self.panel.as_ptr();
        for target in self.targets {
            // SAFETY: `multiply` borrows the samples.
            let input = unsafe { &*target.input };
            debug_assert_eq!(self.panel.len(), Panels::<T>::ROWS * input.features);
            let mut output = target.output.wrapping_add(self.first + row);
            for (indices, values) in input.columns() {
                // Four independent sums: each addition to a single one would wait for the addition before.
                let mut sums = [[V::splat(T::default()); R]; 4];
                let (indices, last_indices) = indices.as_chunks::<4>();
                let (values, last_values) = values.as_chunks::<4>();
                for (indices, values) in indices.iter().zip(values) {
                    for s in 0..4 {
                        let value = V::splat(values[s]);
                        for r in 0..R {
                            let place = place::<T>(indices[s], row + r * V::COUNT);
                            // SAFETY: every index is below `features`, as `push` made sure, and the panel has ROWS
                            // numbers for each, of which R registers from `row` on are used.
                            let lanes = unsafe { V::load(panel.wrapping_add(place)) };
                            sums[s][r] = lanes.mul_add(value, sums[s][r]);
                        }
                    }
                }
                for (&index, &value) in last_indices.iter().zip(last_values) {
                    let value = V::splat(value);
                    for r in 0..R {
                        let place = place::<T>(index, row + r * V::COUNT);
                        // SAFETY: as above.
                        let lanes = unsafe { V::load(panel.wrapping_add(place)) };
                        sums[0][r] = lanes.mul_add(value, sums[0][r]);
                    }
                }
                for r in 0..R {
                    let sum = sums[0][r].add(sums[1][r]).add(sums[2][r].add(sums[3][r]));
                    let offset = r * V::COUNT;
                    // SAFETY: `Target::new` made sure that columns are contiguous and have `first + rows` numbers or
                    // more; `rows` of them are left from `row` on, which only this panel writes.
                    unsafe { sum.store_first(output.wrapping_add(offset), rows - offset) };
                }
                output = output.wrapping_offset(target.column);
            }
        }
    }
}

/// The rows of one panel of W <- W + alpha Delta A^T.
struct AddOuterProducts<'a, T> {
    alpha: T,
    input: &'a SparseColumns<T>,
    delta: ArrayView2<'a, T>,
    panel: &'a mut [T],
}

impl<T: Number> Kernel<T> for AddOuterProducts<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(mut self) {
        debug_assert_eq!(self.panel.len(), Panels::<T>::ROWS * self.input.features);
        let rows = self.delta.nrows();
        let mut first = 0;
        while first + V::COUNT < rows {
            self.registers::<V, 2>(first);
            first += 2 * V::COUNT;
        }
        if first < rows {
            self.registers::<V, 1>(first);
        }
    }
}

impl<T: Number> AddOuterProducts<'_, T> {
    /// R registers of the panel's rows, from row `first` on.
    #[inline(always)]
    fn registers<V: Lanes<Number = T>, const R: usize>(&mut self, first: usize) {
        let rows = self.delta.nrows() - first;
        let panel = self.panel.as_mut_ptr();
        let (alpha, zero) = (V::splat(self.alpha), V::splat(T::default()));
        for ((indices, values), delta) in self.input.columns().zip(self.delta.columns()) {
            let delta = delta.as_ptr();
            let mut scaled = [zero; R];
            for r in 0..R {
                let offset = r * V::COUNT;
                // SAFETY: `add_outer_products` made sure that columns are contiguous; `rows` numbers are left from
                // `first` on.
                scaled[r] =
                    unsafe { V::load_first(delta.add(first + offset), rows - offset) }.mul_add(alpha, zero);
            }
            for (&index, &value) in indices.iter().zip(values) {
                let value = V::splat(value);
                for r in 0..R {
                    // SAFETY: every index is below `features`, as `push` made sure, and the panel has ROWS numbers
                    // for each, of which R registers from `first` on are used.
                    unsafe {
                        let place = panel.wrapping_add(place::<T>(index, first + r * V::COUNT));
                        scaled[r].mul_add(value, V::load(place)).store(place);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::test_numbers::numbers;
    use ndarray::{Array2, ShapeBuilder};

    fn agrees_with_the_dense_products<T: Number + From<i8>>() {
        for (rows, features, m) in [(1, 1, 1), (10, 20, 3), (32, 9, 2), (70, 33, 7)] {
            let weights = numbers::<T>(rows, features + 1, 1);
            let delta = numbers::<T>(rows, m, 2);
            let mut dense = numbers::<T>(features + 1, m, 3);
            dense.row_mut(0).fill(T::one());
            let mut input = SparseColumns::new(features, m);
            for column in dense.columns() {
                let some = (1..features + 1).filter(|&feature| column[feature] != T::zero());
                let indices: Vec<u16> = some.map(|feature| feature as u16).collect();
                input.push(&indices, indices.iter().map(|&index| column[usize::from(index)]));
            }
            let zeros = dense.iter().filter(|&&value| value == T::zero()).count();
            assert_eq!(input.starts[m], dense.len() - zeros);

            let mut panels = Panels::new(rows, features + 1);
            panels.pack(weights.view(), false);
            let mut output = Array2::from_elem((rows, m).f(), T::nan());
            let mut other = output.clone();
            let shards = [(&input, output.view_mut()), (&input, other.view_mut())];
            panels.multiply(shards.into_iter(), &mut Vec::new(), m > 2);
            assert_eq!(output, weights.dot(&dense));
            assert_eq!(other, output);

            let (minus_two, minus_ten) = (<T as From<i8>>::from(-2), <T as From<i8>>::from(-10));
            // More shards than there are copies of a panel.
            let shards = [(&input, delta.view()); 5];
            let expected = delta.dot(&dense.t()) * minus_ten;
            for parallel in [false, true] {
                let mut updated = weights.clone();
                panels.pack(weights.view(), parallel);
                panels.add_outer_products(
                    minus_two,
                    true,
                    shards.iter().copied(),
                    updated.view_mut(),
                    parallel,
                );
                assert_eq!(updated, &weights + &expected);
                // The packed weights are up to date.
                panels.add_outer_products(
                    minus_two,
                    true,
                    shards.iter().copied(),
                    updated.view_mut(),
                    parallel,
                );
                assert_eq!(updated, &weights + &expected + &expected);
                let mut gradient = Array2::from_elem(weights.raw_dim().f(), T::nan());
                panels.add_outer_products(
                    minus_two,
                    false,
                    shards.iter().copied(),
                    gradient.view_mut(),
                    parallel,
                );
                assert_eq!(gradient, expected);
            }
        }
    }

    #[test]
    fn all_sizes_in_both_precisions() {
        agrees_with_the_dense_products::<f32>();
        agrees_with_the_dense_products::<f64>();
    }

    #[test]
    #[should_panic(expected = "a feature beyond the columns'")]
    fn an_index_beyond_the_features_is_refused() {
        SparseColumns::new(3, 1).push(&[1, 4], [1.0, 2.0].into_iter());
    }
}
