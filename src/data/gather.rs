//! Gathers samples from the rows of a data set into the columns of a shard.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder, s};

use super::dataset::{Inputs, Targets, pixel_value};
use crate::element::Element;
use crate::kernel::simd;

/// Copies samples into the columns of `output`, pixels as fractions of 255.
///
/// # Shapes
///
/// inputs: samples x features, `output`: features x as many as `indices`
pub(crate) fn gather_inputs<T: Element>(inputs: &Inputs<T>, indices: &[usize], output: ArrayViewMut2<'_, T>) {
    match inputs {
        Inputs::Values(values) => gather_values(values.view(), indices, output),
        Inputs::Pixels(pixels) => gather_pixels(pixels.view(), indices, output),
        Inputs::Sparse(rows) => rows.gather_values(indices, output),
    }
}

/// As [`gather_inputs`], for numbers of any layout.
pub(crate) fn gather_values<T: Element>(
    values: ArrayView2<'_, T>,
    indices: &[usize],
    mut output: ArrayViewMut2<'_, T>,
) {
    let all = values.as_slice();
    let features = values.ncols();
    for (mut column, &index) in output.columns_mut().into_iter().zip(indices) {
        match (column.as_slice_mut(), all) {
            (Some(column), Some(all)) => {
                let row = &all[index * features..][..features];
                // A loop, since it is faster than a call of `memcpy` for a few numbers.
                column
                    .iter_mut()
                    .zip(row)
                    .for_each(|(place, &value)| *place = value);
            }
            _ => column.assign(&values.row(index)),
        }
    }
}

fn gather_pixels<T: Element>(
    pixels: ArrayView2<'_, u8>,
    indices: &[usize],
    mut output: ArrayViewMut2<'_, T>,
) {
    simd(
        #[inline(always)]
        || {
            for (mut column, &index) in output.columns_mut().into_iter().zip(indices) {
                let row = pixels.row(index);
                match (column.as_slice_mut(), row.as_slice()) {
                    (Some(column), Some(row)) => {
                        for (value, &pixel) in column.iter_mut().zip(row) {
                            *value = pixel_value(pixel);
                        }
                    }
                    _ => column.zip_mut_with(&row, |value, &pixel| *value = pixel_value(pixel)),
                }
            }
        },
    );
}

/// The targets of a shard.
#[derive(Debug, Clone, Copy)]
pub enum TargetsView<'a, T> {
    /// Numbers, outputs x samples.
    Values(ArrayView2<'a, T>),
    /// One label for each sample.
    Classes(&'a [u32]),
}

/// A buffer for the targets of a shard, of either kind.
#[derive(Debug)]
pub(crate) struct ShardTargets<T> {
    /// Outputs x capacity, column-major.
    values: Array2<T>,
    /// A label for each of `capacity` samples.
    labels: Vec<u32>,
}

impl<T: Element> ShardTargets<T> {
    /// Creates a buffer for `capacity` samples.
    pub(crate) fn new(outputs: usize, capacity: usize) -> Self {
        ShardTargets {
            values: Array2::zeros((outputs, capacity).f()),
            labels: vec![0; capacity],
        }
    }

    /// Copies the targets of the samples with these indices, and returns a view of them.
    pub(crate) fn gather(&mut self, targets: &Targets<T>, indices: &[usize]) -> TargetsView<'_, T> {
        match targets {
            Targets::Values(values) => {
                let shard = self.values.slice_mut(s![.., ..indices.len()]);
                gather_values(values.view(), indices, shard);
                TargetsView::Values(self.values.slice(s![.., ..indices.len()]))
            }
            Targets::Classes { labels, .. } => {
                let shard = &mut self.labels[..indices.len()];
                for (label, &index) in shard.iter_mut().zip(indices) {
                    *label = labels[index];
                }
                TargetsView::Classes(shard)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn gathered_samples_are_columns() {
        let values = Inputs::Values(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        let mut output = Array2::zeros((2, 2).f());
        gather_inputs(&values, &[2, 0], output.view_mut());
        assert_eq!(output, array![[5.0, 1.0], [6.0, 2.0]]);
        let pixels = Inputs::Pixels(array![[0, 255], [51, 0]]);
        gather_inputs(&pixels, &[1, 0], output.view_mut());
        assert_eq!(output, array![[0.2, 0.0], [0.0, 1.0]]);
    }

    #[test]
    fn gathered_targets_are_of_their_kind() {
        let mut buffer = ShardTargets::new(1, 3);
        let values = Targets::Values(array![[1.0], [2.0], [3.0]]);
        match buffer.gather(&values, &[2, 1]) {
            TargetsView::Values(view) => assert_eq!(view, array![[3.0, 2.0]]),
            TargetsView::Classes(_) => panic!("numbers became labels"),
        }
        let classes = Targets::Classes {
            labels: vec![4, 5, 6],
            classes: 7,
        };
        match buffer.gather(&classes, &[1]) {
            TargetsView::Classes(labels) => assert_eq!(labels, [5]),
            TargetsView::Values(_) => panic!("labels became numbers"),
        }
    }
}
