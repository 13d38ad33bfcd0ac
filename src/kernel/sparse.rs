//! Products with samples that are mostly zeros: only non-zero features take part, which changes no result.
//!
//! The weights are packed in blocks: those of a panel, a few neighbouring rows, for a range of neighbouring features. The
//! weights of a panel's rows for one feature are contiguous, so that adding the contribution of a feature takes a few
//! instructions; and a block is small enough for the innermost cache, where it stays while samples are processed.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::lanes::{Lanes, Number};
use super::simd::{Kernel, run, simd};
use super::tree_sum::sum_into_first;
use crate::timing;

/// The bytes of a cache line.
const LINE: usize = 64;

/// The number of rows of a panel of weights with this many rows: at most four cache lines of them, enough to make up for
/// reading the index and value of a feature.
fn panel_rows<T>(rows: usize) -> usize {
    let line = LINE / size_of::<T>();
    rows.next_power_of_two().clamp(line, 4 * line)
}

/// The number of features of a range: those of `features`, the bias included, are cut into ranges of equal size, so that a
/// block of [`Panels`] has about the size of an innermost cache.
///
/// More ranges would be too short for samples with few features that are not 0.
fn range_features<T>(rows: usize, features: usize) -> usize {
    const BLOCK: usize = 50 * 1024;
    const MOST_RANGES: usize = 16;
    let bytes = features * panel_rows::<T>(rows) * size_of::<T>();
    features.div_ceil(bytes.div_ceil(BLOCK).clamp(1, MOST_RANGES))
}

/// Samples as columns, of which only the non-zero features are stored; the bias feature, 1, comes first in each.
#[derive(Debug)]
pub(crate) struct SparseColumns<T> {
    /// The number of features of a column, the bias included: every index is below it.
    features: usize,
    /// The number of features of a range; the last range may have fewer.
    range_features: usize,
    /// The number of ranges.
    ranges: usize,
    /// Range r of column i is `starts[k]..starts[k + 1]` of the two lists, where k = i `ranges` + r.
    starts: Vec<usize>,
    indices: Vec<u16>,
    values: Vec<T>,
}

impl<T: Number> SparseColumns<T> {
    /// The largest number of features of a column, the bias included: an index is a `u16`.
    pub(crate) const MOST_FEATURES: usize = 1 << 16;

    /// An empty list with memory for `capacity` columns, each with `features` features and the bias, to be multiplied with
    /// weights of `rows` rows.
    pub(crate) fn new(rows: usize, features: usize, capacity: usize) -> Self {
        let features = features + 1;
        assert!(features <= Self::MOST_FEATURES, "an index is a u16");
        let range_features = range_features::<T>(rows, features);
        let ranges = features.div_ceil(range_features);
        let mut starts = Vec::with_capacity(capacity * ranges + 1);
        starts.push(0);
        SparseColumns {
            features,
            range_features,
            ranges,
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

    /// Adds a column: the ascending indices of its non-zero features, counted from 1 since the bias has index 0, and what
    /// `value` makes of their `values`. For [`simd`].
    #[inline(always)]
    pub(crate) fn push<V: Copy>(&mut self, indices: &[u16], values: &[V], value: impl Fn(V) -> T) {
        assert_eq!(indices.len(), values.len(), "a value for each feature");
        let before = self.indices.len() + 1;
        self.indices.push(0);
        self.indices.extend_from_slice(indices);
        self.values.push(T::one());
        self.values.extend(values.iter().map(|&stored| value(stored)));
        let mut rest = indices;
        for range in 0..self.ranges {
            let first = range * self.range_features;
            let last = self.features.min(first + self.range_features) - 1;
            let count = match rest.last() {
                Some(&largest) if usize::from(largest) > last => {
                    rest.partition_point(|&index| usize::from(index) <= last)
                }
                _ => rest.len(),
            };
            let of_range;
            (of_range, rest) = rest.split_at(count);
            // The kernels rely on the bounds of a range. Without an early end, the loop looks at many indices at once.
            let (mut least, mut most) = (u16::MAX, 0);
            for &index in of_range {
                (least, most) = (least.min(index), most.max(index));
            }
            let is_within = usize::from(least) >= first && usize::from(most) <= last;
            assert!(of_range.is_empty() || is_within, "indices ascend");
            self.starts.push(before + indices.len() - rest.len());
        }
        assert!(rest.is_empty(), "a feature beyond the columns'");
    }

    /// The number of columns.
    pub(crate) fn len(&self) -> usize {
        (self.starts.len() - 1) / self.ranges
    }

    /// The non-zero features of each column in a range, and their values.
    fn columns(&self, range: usize) -> impl Iterator<Item = (&[u16], &[T])> {
        let starts = self.starts.get(range..).unwrap_or_default();
        let starts = starts.windows(2).step_by(self.ranges);
        starts.map(|ends| {
            let part = ends[0]..ends[1];
            (&self.indices[part.clone()], &self.values[part])
        })
    }
}

/// Weights packed in blocks, those of range r and panel p being block r `panels` + p: element g `panel_rows` + l of a block is
/// the weight of the panel's row l for the range's feature g. The copies of a block lie side by side.
#[derive(Debug)]
pub(crate) struct Panels<T> {
    /// The blocks, with spare elements, since the first block begins at a cache line.
    storage: Vec<T>,
    start: usize,
    rows: usize,
    features: usize,
    /// The number of rows of a panel, a power of 2; the last panel may have fewer.
    panel_rows: usize,
    /// The number of panels.
    panels: usize,
    /// The number of features of a range; the last range may have fewer.
    range_features: usize,
    /// The number of ranges.
    ranges: usize,
    /// The number of copies of each block for a sum of one leaf: where there are fewer blocks than tasks, copies add up the
    /// outer products of different shards in parallel. The first copy has the weights, the others start from 0.
    copies: usize,
    /// The number of copies of each block that there is memory for: a sum of several leaves has one for each, or more.
    most_copies: usize,
}

impl<T: Number> Panels<T> {
    /// Allocates panels for weights of this many rows and features, the bias included, and for sums of up to `leaves`
    /// leaves, a power of two.
    pub(crate) fn new(rows: usize, features: usize, leaves: usize) -> Self {
        const TASKS: usize = 4;
        let panel_rows = panel_rows::<T>(rows);
        let panels = rows.div_ceil(panel_rows);
        let range_features = range_features::<T>(rows, features);
        let ranges = features.div_ceil(range_features);
        let copies = (TASKS / (ranges * panels)).max(1);
        let most_copies = copies.max(leaves);
        let len = most_copies * ranges * panels * panel_rows * range_features;
        let storage = vec![T::zero(); len + LINE / size_of::<T>()];
        let start = storage.as_ptr().align_offset(LINE).min(storage.len() - len);
        Panels {
            storage,
            start,
            rows,
            features,
            panel_rows,
            panels,
            range_features,
            ranges,
            copies,
            most_copies,
        }
    }

    /// The number of elements of a block.
    fn size(&self) -> usize {
        self.panel_rows * self.range_features
    }

    /// The number of elements of all copies of a block.
    fn all_copies(&self) -> usize {
        self.most_copies * self.size()
    }

    /// The rows of a panel.
    fn panel(&self, panel: usize) -> Range<usize> {
        let first = panel * self.panel_rows;
        first..self.rows.min(first + self.panel_rows)
    }

    /// Packs weights.
    ///
    /// # Shapes
    ///
    /// rows x features, columns contiguous
    pub(crate) fn pack(&mut self, weights: ArrayView2<'_, T>, parallel: bool) {
        assert_eq!(weights.dim(), (self.rows, self.features));
        let (start, size, all_copies) = (self.start, self.size(), self.all_copies());
        let Panels {
            panel_rows,
            range_features,
            panels,
            ..
        } = *self;
        let blocks = &mut self.storage[start..];
        let work = |(index, block): (usize, &mut [T])| {
            let rows = s![index % panels * panel_rows.., ..];
            let features = s![.., index / panels * range_features..];
            let weights = weights.slice_move(rows).slice_move(features);
            let (rows, features) = weights.dim();
            let weights = weights.slice_move(s![..rows.min(panel_rows), ..features.min(range_features)]);
            timing::task(|| pack_block(weights, &mut block[..size], panel_rows));
        };
        timing::phase("pack", parallel, || {
            if parallel {
                blocks.par_chunks_exact_mut(all_copies).enumerate().for_each(work);
            } else {
                blocks.chunks_exact_mut(all_copies).enumerate().for_each(work);
            }
        });
    }

    /// Z <- W A for the packed weights and each shard of samples; `targets` is memory that is kept for the next time.
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
        /// The number of samples that a block is multiplied with before the next block, at least and at most: enough to make
        /// up for bringing the block into the innermost cache, and few enough for all threads to have a task.
        const GROUP: Range<usize> = 64..256;
        /// Tasks of each panel.
        const TASKS: usize = 4;
        targets.clear();
        targets.extend(shards.map(|(input, output)| Target::new(input, output, self.rows, self.features)));
        let targets = &targets[..];
        // Neighbouring tasks have the same samples, which stay in the L2 cache while a thread goes from panel to panel.
        let samples: usize = targets.iter().map(|target| target.samples).sum();
        let largest = targets.iter().map(|target| target.samples).max().unwrap_or(1);
        let group = samples.div_ceil(TASKS).clamp(GROUP.start, GROUP.end);
        let group = (group / largest.max(1)).max(1);
        let work = |task: usize| {
            let (targets, panel) = (&targets[task / self.panels * group..], task % self.panels);
            let targets = &targets[..targets.len().min(group)];
            let rows = self.panel(panel);
            for range in 0..self.ranges {
                let block = (range * self.panels + panel) * self.all_copies();
                run(Multiply {
                    block: &self.storage[self.start + block..][..self.size()],
                    panel_rows: self.panel_rows,
                    rows: rows.clone(),
                    range,
                    targets,
                });
            }
        };
        let work = |task| timing::task(|| work(task));
        let tasks = targets.len().div_ceil(group) * self.panels;
        timing::phase("first layer", parallel, || {
            if parallel {
                (0..tasks).into_par_iter().for_each(work);
            } else {
                (0..tasks).for_each(work);
            }
        });
    }

    /// W <- W + alpha Delta A^T over the samples of all leaves if `to_weights`, W being the result, which [`Panels::pack`] or
    /// this function must have packed; the packed weights are then those of the new W. Otherwise the result is alpha
    /// Delta A^T, which takes the place of the packed weights.
    ///
    /// `leaf` returns the shards of one of `leaves` leaves, which are part of a tree of `all_leaves`. The products of a leaf
    /// are added up in order, and the sums of leaves along the tree.
    ///
    /// # Shapes
    ///
    /// A: features x m and Delta: rows x m of each shard; W, the result: rows x features, columns contiguous
    pub(crate) fn add_outer_products<'a, I>(
        &mut self,
        alpha: T,
        to_weights: bool,
        (leaves, all_leaves, leaf): (usize, usize, impl Fn(usize) -> I + Sync),
        mut result: ArrayViewMut2<'_, T>,
        parallel: bool,
    ) where
        I: Iterator<Item = (&'a SparseColumns<T>, ArrayView2<'a, T>)>,
    {
        assert_eq!(result.dim(), (self.rows, self.features));
        let (start, size, all_copies) = (self.start, self.size(), self.all_copies());
        let Panels {
            features,
            panel_rows,
            range_features,
            panels,
            ..
        } = *self;
        // Too few blocks for all threads: these share the copies of a block.
        let are_blocks_few = self.copies > 1;
        // The copies of a leaf, and of all leaves together.
        let of_leaf = self.copies.div_ceil(all_leaves);
        let copies = leaves * of_leaf;
        assert!(leaves <= all_leaves && copies <= self.most_copies);
        // A single leaf is added to the packed weights, and the sum of several to the result.
        let factor = if leaves == 1 { alpha } else { T::one() };
        let adds_to_packed = to_weights && leaves == 1;
        let add = |range: usize, rows: Range<usize>, (copy, block): (usize, &mut [T])| {
            if copy > 0 || !adds_to_packed {
                block.fill(T::zero());
            }
            for (input, delta) in leaf(copy / of_leaf).skip(copy % of_leaf).step_by(of_leaf) {
                assert_eq!((input.features, input.len()), (features, delta.ncols()));
                assert!(
                    rows.len() == 1 || delta.strides()[0] == 1,
                    "the columns of delta are contiguous"
                );
                run(AddOuterProducts {
                    alpha: factor,
                    input,
                    range,
                    delta: delta.slice_move(s![rows.clone(), ..]),
                    block: &mut *block,
                    panel_rows,
                });
            }
        };
        let work = |range: usize, (panel, (blocks, result)): (usize, (&mut [T], ArrayViewMut2<'_, T>))| {
            let first = panel * panel_rows;
            let rows = first..first + result.nrows();
            let blocks = &mut blocks[..copies * size];
            if are_blocks_few {
                let add = |copy| timing::task(|| add(range, rows.clone(), copy));
                timing::phase("copies", parallel, || {
                    if parallel {
                        blocks.par_chunks_exact_mut(size).enumerate().for_each(add);
                    } else {
                        blocks.chunks_exact_mut(size).enumerate().for_each(add);
                    }
                });
            } else {
                let blocks = blocks.chunks_exact_mut(size).enumerate();
                blocks.for_each(|block| add(range, rows.clone(), block));
            }
            for blocks in blocks.chunks_exact_mut(of_leaf * size) {
                let (block, others) = blocks.split_at_mut(size);
                for other in others.chunks_exact(size) {
                    block.iter_mut().zip(other).for_each(|(sum, &part)| *sum += part);
                }
            }
            if leaves == 1 {
                unpack_block(&blocks[..size], result, panel_rows);
            } else {
                let beta = if to_weights { T::one() } else { T::zero() };
                add_leaves(alpha, blocks, (leaves, of_leaf * size), beta, result, panel_rows);
            }
        };
        let blocks = &mut self.storage[start..];
        let strips = result.axis_chunks_iter_mut(Axis(1), range_features);
        timing::phase("blocks", parallel, || {
            if parallel {
                let strips = blocks
                    .par_chunks_exact_mut(all_copies * panels)
                    .zip(strips.into_par_iter());
                strips.enumerate().for_each(|(range, (blocks, mut strip))| {
                    let panels = strip.axis_chunks_iter_mut(Axis(0), panel_rows).into_par_iter();
                    let blocks = blocks.par_chunks_exact_mut(all_copies).zip(panels);
                    blocks
                        .enumerate()
                        .for_each(|block| timing::task(|| work(range, block)));
                });
            } else {
                let strips = blocks.chunks_exact_mut(all_copies * panels).zip(strips);
                strips.enumerate().for_each(|(range, (blocks, mut strip))| {
                    let panels = strip.axis_chunks_iter_mut(Axis(0), panel_rows);
                    let blocks = blocks.chunks_exact_mut(all_copies).zip(panels);
                    blocks
                        .enumerate()
                        .for_each(|block| timing::task(|| work(range, block)));
                });
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

/// Copies the weights of a block's rows and features into the block, with zeros for rows that the last panel does not have.
fn pack_block<T: Number>(weights: ArrayView2<'_, T>, block: &mut [T], panel_rows: usize) {
    simd(
        #[inline(always)]
        || {
            let features = weights.columns().into_iter();
            for (weights, lane) in features.zip(block.chunks_exact_mut(panel_rows)) {
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

/// Copies the weights of a block back.
fn unpack_block<T: Number>(block: &[T], mut weights: ArrayViewMut2<'_, T>, panel_rows: usize) {
    simd(
        #[inline(always)]
        || {
            let features = weights.columns_mut().into_iter();
            for (mut weights, lane) in features.zip(block.chunks_exact(panel_rows)) {
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

/// W <- alpha sum + beta W for the weights of a block, beta being 0 or 1, where sum is that of the leaves' blocks along a binary
/// tree; the first block then has the weights.
fn add_leaves<T: Number>(
    alpha: T,
    blocks: &mut [T],
    (leaves, stride): (usize, usize),
    beta: T,
    mut weights: ArrayViewMut2<'_, T>,
    panel_rows: usize,
) {
    simd(
        #[inline(always)]
        || {
            sum_into_first(alpha, &mut blocks[..leaves * stride], (leaves, stride));
            let features = weights.columns_mut().into_iter();
            for (weights, lane) in features.zip(blocks.chunks_exact_mut(panel_rows)) {
                for (weight, place) in weights.into_iter().zip(lane) {
                    // The weight is not read where beta is 0: it may be anything, such as NaN.
                    if beta != T::zero() {
                        *place = *weight + *place;
                    }
                    *weight = *place;
                }
            }
        },
    );
}

/// The position of the weight for row `row` of a block whose first feature is `first`. Wrapping, since the check for overflow
/// of a development build takes longer than the product; `shift` is the logarithm of the panel's rows.
#[inline(always)]
fn place(feature: u16, first: usize, shift: u32, row: usize) -> usize {
    usize::from(feature)
        .wrapping_sub(first)
        .wrapping_shl(shift)
        .wrapping_add(row)
}

/// The contribution of a range of features to `rows` of Z <- W A; that of range 0 is the first.
struct Multiply<'a, T> {
    block: &'a [T],
    panel_rows: usize,
    rows: Range<usize>,
    range: usize,
    targets: &'a [Target<T>],
}

impl<T: Number> Kernel<T> for Multiply<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(self) {
        let mut row = 0;
        while row < self.rows.len() {
            // Eight sums at a time hide the latency of an addition.
            match self.rows.len() - row {
                left if left > 2 * V::COUNT => {
                    self.registers::<V, 4, 2>(row);
                    row += 4 * V::COUNT;
                }
                left if left > V::COUNT => {
                    self.registers::<V, 2, 4>(row);
                    row += 2 * V::COUNT;
                }
                _ => {
                    self.registers::<V, 1, 4>(row);
                    row += V::COUNT;
                }
            }
        }
    }
}

impl<T: Number> Multiply<'_, T> {
    /// R registers of the block's rows, from row `row` of the block on; each sum in S parts, since each addition to a single
    /// one would wait for the addition before.
    #[inline(always)]
    fn registers<V: Lanes<Number = T>, const R: usize, const S: usize>(&self, row: usize) {
        debug_assert!(row + R * V::COUNT <= self.panel_rows);
        let rows = self.rows.len() - row;
        let (block, shift) = (self.block.as_ptr(), self.panel_rows.trailing_zeros());
        for target in self.targets {
            // SAFETY: `multiply` borrows the samples.
            let input = unsafe { &*target.input };
            let first = self.range * input.range_features;
            debug_assert_eq!(self.block.len(), self.panel_rows * input.range_features);
            let mut output = target.output.wrapping_add(self.rows.start + row);
            for (indices, values) in input.columns(self.range) {
                let mut sums = [[V::splat(T::default()); R]; S];
                if self.range > 0 {
                    for r in 0..R {
                        let offset = r * V::COUNT;
                        // SAFETY: as below; the range before has written these.
                        sums[0][r] = unsafe {
                            V::load_first(output.wrapping_add(offset), rows.saturating_sub(offset))
                        };
                    }
                }
                let (indices, last_indices) = indices.as_chunks::<S>();
                let (values, last_values) = values.as_chunks::<S>();
                for (indices, values) in indices.iter().zip(values) {
                    for s in 0..S {
                        let value = V::splat(values[s]);
                        let place = place(indices[s], first, shift, row);
                        for r in 0..R {
                            // SAFETY: every index is one of the range's features, as `push` made sure, and the block has
                            // `panel_rows` numbers for each, of which R registers from `row` on are used.
                            let lanes = unsafe { V::load(block.wrapping_add(place + r * V::COUNT)) };
                            sums[s][r] = lanes.mul_add(value, sums[s][r]);
                        }
                    }
                }
                for (&index, &value) in last_indices.iter().zip(last_values) {
                    let value = V::splat(value);
                    let place = place(index, first, shift, row);
                    for r in 0..R {
                        // SAFETY: as above.
                        let lanes = unsafe { V::load(block.wrapping_add(place + r * V::COUNT)) };
                        sums[0][r] = lanes.mul_add(value, sums[0][r]);
                    }
                }
                for r in 0..R {
                    let mut sum = sums[0][r];
                    for part in &sums[1..] {
                        sum = sum.add(part[r]);
                    }
                    let offset = r * V::COUNT;
                    // SAFETY: `Target::new` made sure that columns are contiguous and have the panel's rows; `rows` of
                    // them are left from `row` on, which only this panel writes.
                    unsafe { sum.store_first(output.wrapping_add(offset), rows.saturating_sub(offset)) };
                }
                output = output.wrapping_offset(target.column);
            }
        }
    }
}

/// A block of W <- W + alpha Delta A^T, `delta` having the rows of its panel.
struct AddOuterProducts<'a, T> {
    alpha: T,
    input: &'a SparseColumns<T>,
    range: usize,
    delta: ArrayView2<'a, T>,
    block: &'a mut [T],
    panel_rows: usize,
}

impl<T: Number> Kernel<T> for AddOuterProducts<'_, T> {
    #[inline(always)]
    fn run<V: Lanes<Number = T>>(mut self) {
        debug_assert_eq!(self.block.len(), self.panel_rows * self.input.range_features);
        let mut row = 0;
        while row < self.delta.nrows() {
            match self.delta.nrows() - row {
                left if left > 2 * V::COUNT => {
                    self.registers::<V, 4>(row);
                    row += 4 * V::COUNT;
                }
                left if left > V::COUNT => {
                    self.registers::<V, 2>(row);
                    row += 2 * V::COUNT;
                }
                _ => {
                    self.registers::<V, 1>(row);
                    row += V::COUNT;
                }
            }
        }
    }
}

impl<T: Number> AddOuterProducts<'_, T> {
    /// R registers of the block's rows, from row `row` on.
    #[inline(always)]
    fn registers<V: Lanes<Number = T>, const R: usize>(&mut self, row: usize) {
        debug_assert!(row + R * V::COUNT <= self.panel_rows);
        let rows = self.delta.nrows() - row;
        let (block, shift) = (self.block.as_mut_ptr(), self.panel_rows.trailing_zeros());
        let first = self.range * self.input.range_features;
        let (alpha, zero) = (V::splat(self.alpha), V::splat(T::default()));
        for ((indices, values), delta) in self.input.columns(self.range).zip(self.delta.columns()) {
            let delta = delta.as_ptr();
            let mut scaled = [zero; R];
            for r in 0..R {
                let offset = r * V::COUNT;
                // SAFETY: `add_outer_products` made sure that columns are contiguous; `rows` numbers are left from
                // `row` on.
                scaled[r] =
                    unsafe { V::load_first(delta.wrapping_add(row + offset), rows.saturating_sub(offset)) }
                        .mul_add(alpha, zero);
            }
            for (&index, &value) in indices.iter().zip(values) {
                let value = V::splat(value);
                let place = place(index, first, shift, row);
                for r in 0..R {
                    // SAFETY: every index is one of the range's features, as `push` made sure, and the block has
                    // `panel_rows` numbers for each, of which R registers from `row` on are used.
                    unsafe {
                        let place = block.wrapping_add(place + r * V::COUNT);
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
        // One range and several, panels of all sizes, and a last one with fewer rows.
        for (rows, features, m) in [(1, 1, 1), (10, 200, 3), (20, 9, 2), (70, 300, 7), (130, 3000, 2)] {
            let weights = numbers::<T>(rows, features + 1, 1);
            let delta = numbers::<T>(rows, m, 2);
            let mut dense = numbers::<T>(features + 1, m, 3);
            dense.row_mut(0).fill(T::one());
            let mut input = SparseColumns::new(rows, features, m);
            for column in dense.columns() {
                let some = (1..features + 1).filter(|&feature| column[feature] != T::zero());
                let indices: Vec<u16> = some.map(|feature| feature as u16).collect();
                input.push(&indices, &indices, |index| column[usize::from(index)]);
            }
            let zeros = dense.iter().filter(|&&value| value == T::zero()).count();
            assert_eq!(input.indices.len(), dense.len() - zeros);

            let mut panels = Panels::new(rows, features + 1, 4);
            panels.pack(weights.view(), false);
            let mut output = Array2::from_elem((rows, m).f(), T::nan());
            let mut other = output.clone();
            let shards = [(&input, output.view_mut()), (&input, other.view_mut())];
            panels.multiply(shards.into_iter(), &mut Vec::new(), m > 2);
            assert_eq!(output, weights.dot(&dense));
            assert_eq!(other, output);

            let (minus_two, minus_ten) = (<T as From<i8>>::from(-2), <T as From<i8>>::from(-10));
            let shards = [(&input, delta.view()); 5];
            let expected = delta.dot(&dense.t()) * minus_ten;
            for (parallel, leaves) in [(false, 1), (true, 1), (false, 2), (true, 4)] {
                let leaf = |leaf: usize| {
                    shards[leaf * shards.len() / leaves..(leaf + 1) * shards.len() / leaves]
                        .iter()
                        .copied()
                };
                let mut updated = weights.clone();
                panels.pack(weights.view(), parallel);
                panels.add_outer_products(
                    minus_two,
                    true,
                    (leaves, leaves, leaf),
                    updated.view_mut(),
                    parallel,
                );
                assert_eq!(updated, &weights + &expected);
                // The packed weights are up to date.
                panels.add_outer_products(
                    minus_two,
                    true,
                    (leaves, leaves, leaf),
                    updated.view_mut(),
                    parallel,
                );
                assert_eq!(updated, &weights + &expected + &expected);
                let mut gradient = Array2::from_elem(weights.raw_dim().f(), T::nan());
                panels.add_outer_products(
                    minus_two,
                    false,
                    (leaves, leaves, leaf),
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
    #[should_panic(expected = "indices ascend")]
    fn indices_that_do_not_ascend_are_refused() {
        SparseColumns::new(64, 300, 1).push(&[200, 1], &[1.0, 2.0], |value| value);
    }

    #[test]
    #[should_panic(expected = "a feature beyond the columns'")]
    fn an_index_beyond_the_features_is_refused() {
        SparseColumns::new(1, 3, 1).push(&[1, 4], &[1.0, 2.0], |value| value);
    }
}
