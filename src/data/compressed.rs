//! Compressed inputs, without their zeros: computed once for a data set that is mostly zeros, and read in each epoch.

use std::panic::resume_unwind;
use std::thread;

use ndarray::{Array2, ArrayView2, Axis};

use super::dataset::{Inputs, pixel_value};
use crate::element::Element;
use crate::kernel::{SparseColumns, prefetch, simd};

/// The features of each sample that are not 0.
#[derive(Debug, Clone)]
pub(super) enum Compressed<T> {
    /// Pixels, still as bytes.
    Pixels(Vec<Rows<u8>>),
    /// Numbers.
    Values(Vec<Rows<T>>),
}

/// Consecutive samples; all lists but the last hold [`CHUNK`] of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows<V> {
    /// Sample i is the range `starts[i]..starts[i + 1]` of the other two lists.
    starts: Vec<usize>,
    /// Indices in the augmented sample, whose index 0 is the bias.
    positions: Vec<u16>,
    values: Vec<V>,
}

/// The samples that one task compresses.
pub(super) const CHUNK: usize = 2048;

impl<T: Element> Compressed<T> {
    /// Compresses inputs, which have fewer features than [`SparseColumns::MOST_FEATURES`].
    pub(super) fn of(inputs: &Inputs<T>) -> Self {
        match inputs {
            Inputs::Pixels(pixels) => Compressed::Pixels(compress(pixels, |pixel| pixel != 0)),
            Inputs::Values(values) => Compressed::Values(compress(values, |value| value != T::zero())),
            // A data set gathers them from its inputs.
            Inputs::Sparse(_) => Compressed::Values(Vec::new()),
        }
    }

    /// Adds samples to the columns of a shard, pixels as fractions of 255.
    pub(super) fn gather(&self, indices: &[usize], columns: &mut SparseColumns<T>) {
        match self {
            Compressed::Pixels(chunks) => gather(chunks, indices, columns, pixel_value),
            Compressed::Values(chunks) => gather(chunks, indices, columns, |value| value),
        }
    }
}

/// Adds samples to the columns of a shard, and prefetches the samples that follow, since they may be anywhere in memory.
pub(super) fn gather<V: Copy, T: Element>(
    chunks: &[Rows<V>],
    indices: &[usize],
    columns: &mut SparseColumns<T>,
    value: impl Fn(V) -> T,
) {
    /// The sample so many turns later is prefetched, after its place in the lists, twice as many turns before.
    const AHEAD: usize = 4;
    let rows = |index: usize| (&chunks[index / CHUNK], index % CHUNK);
    simd(
        #[inline(always)]
        || {
            for (turn, &index) in indices.iter().enumerate() {
                if let Some(&later) = indices.get(turn + 2 * AHEAD) {
                    let (rows, row) = rows(later);
                    prefetch(&rows.starts[row..row + 2]);
                }
                if let Some(&later) = indices.get(turn + AHEAD) {
                    let (rows, row) = rows(later);
                    let (positions, values) = rows.row(row);
                    prefetch(positions);
                    prefetch(values);
                }
                let (rows, row) = rows(index);
                let (positions, values) = rows.row(row);
                columns.push(positions, values, &value);
            }
        },
    );
}

/// Compresses inputs on threads of its own. Rayon's threads could deadlock: while they wait for each other, they may begin
/// other work, such as a training that waits for these very samples.
fn compress<V: Copy + Send + Sync>(
    inputs: &Array2<V>,
    is_nonzero: impl Fn(V) -> bool + Sync,
) -> Vec<Rows<V>> {
    let chunks: Vec<ArrayView2<'_, V>> = inputs.axis_chunks_iter(Axis(0), CHUNK).collect();
    let rows_of = &|part: &[ArrayView2<'_, V>]| -> Vec<Rows<V>> {
        part.iter().map(|chunk| Rows::of(chunk, &is_nonzero)).collect()
    };
    thread::scope(|scope| {
        let mut parts = chunks.chunks(chunks.len().div_ceil(rayon::current_num_threads()).max(1));
        let first = parts.next().unwrap_or_default();
        let spawn = |part| {
            let thread = thread::Builder::new().spawn_scoped(scope, move || rows_of(part));
            (part, thread)
        };
        let others: Vec<_> = parts.map(spawn).collect();
        let mut rows = rows_of(first);
        for (part, thread) in others {
            rows.extend(match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // The thread could not be spawned.
                Err(_) => rows_of(part),
            });
        }
        rows
    })
}

impl<V: Copy> Rows<V> {
    /// No samples.
    pub(super) fn empty() -> Self {
        Rows {
            starts: vec![0],
            positions: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Adds a sample by its features that are not 0, with ascending indices.
    pub(super) fn push(&mut self, features: impl Iterator<Item = (usize, V)>) {
        for (feature, value) in features {
            // The index fits: with the bias, there are at most 2^16.
            self.positions.push((feature + 1) as u16);
            self.values.push(value);
        }
        self.starts.push(self.positions.len());
    }

    /// The number of features that are stored.
    pub(super) fn stored(&self) -> usize {
        self.values.len()
    }

    fn of(samples: &ArrayView2<'_, V>, is_nonzero: impl Fn(V) -> bool) -> Self {
        let mut rows = Rows::empty();
        for row in samples.rows() {
            let features = row.iter().copied().enumerate();
            rows.push(features.filter(|&(_, value)| is_nonzero(value)));
        }
        rows.positions.shrink_to_fit();
        rows.values.shrink_to_fit();
        rows
    }

    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> (&[u16], &[V]) {
        let row = self.starts[index]..self.starts[index + 1];
        (&self.positions[row.clone()], &self.values[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outputs of a layer whose weights are all 1: the sum of each sample, plus 1 for the bias.
    fn sums(inputs: &Inputs<f64>, features: usize, indices: &[usize]) -> Vec<f64> {
        let mut columns = SparseColumns::new(1, features, indices.len());
        Compressed::of(inputs).gather(indices, &mut columns);
        let mut panels = crate::kernel::Panels::new(1, features + 1);
        panels.pack(Array2::ones((1, features + 1)).view(), false);
        let mut output = Array2::zeros((1, indices.len()));
        panels.multiply(
            std::iter::once((&columns, output.view_mut())),
            &mut Vec::new(),
            false,
        );
        output.into_raw_vec_and_offset().0
    }

    #[test]
    fn samples_are_found_in_every_chunk() {
        let number =
            |(sample, feature): (usize, usize)| if feature == sample % 5 { sample as f64 } else { 0.0 };
        let values = Inputs::Values(Array2::from_shape_fn((2 * CHUNK + 3, 5), number));
        let indices = [2 * CHUNK + 2, 0, CHUNK, CHUNK - 1, 7];
        assert_eq!(
            sums(&values, 5, &indices),
            indices.map(|sample| sample as f64 + 1.0)
        );
    }

    #[test]
    fn pixels_become_fractions() {
        let pixels = Inputs::Pixels(ndarray::array![[0, 0, 0], [255, 0, 0], [0, 51, 0]]);
        assert_eq!(sums(&pixels, 3, &[2, 1, 0]), [1.2, 2.0, 1.0]);
    }

    #[test]
    fn the_widest_samples_have_an_index_for_each_feature() {
        let features = SparseColumns::<f64>::MOST_FEATURES - 1;
        let mut values = Array2::zeros((1, features));
        (values[[0, 0]], values[[0, features - 1]]) = (3.0, 4.0);
        assert_eq!(sums(&Inputs::Values(values), features, &[0]), [8.0]);
    }
}
