//! Samples that are mostly zeros, as rows of their other features: the compressed sparse rows (CSR) of scipy and others.

use ndarray::{Array2, ArrayViewMut2};

use super::compressed::{CHUNK, Rows, gather};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::product::SparseColumns;

/// Samples of which only the features that are not 0 are stored, each as an index and a value.
///
/// A [`Dataset`](super::Dataset) of [`Inputs::Sparse`](super::Inputs::Sparse) trains, evaluates and predicts without the zeros:
/// they take neither memory nor time, as long as at most four of ten features are not 0. Results are those of the same samples
/// with their zeros.
///
/// ```
/// use mfnet::data::{Inputs, SparseRows};
/// use mfnet::{CrossEntropyLoss, Dataset, NeuralNetwork, Sgd, Targets, Trainer};
/// use ndarray::array;
///
/// // The rows 0 5 0 and 2 0 1.
/// let rows = SparseRows::from_csr(3, &[0, 1, 3], &[1, 0, 2], &[5.0, 2.0, 1.0])?;
/// assert_eq!(rows.to_values(), array![[0.0, 5.0, 0.0], [2.0, 0.0, 1.0]]);
///
/// let targets = Targets::Classes { labels: vec![0, 1], classes: 2 };
/// let data = Dataset::new(Inputs::Sparse(rows.clone()), targets)?;
/// let network = NeuralNetwork::builder(3).linear(2).seed(7).build()?;
/// let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Sgd::<f64>::new(0.1)?);
/// trainer.fit(&data)?;
/// let predicted = trainer.network().predict_sparse(&rows)?;
/// assert_eq!(mfnet::argmax(predicted.view())?, [0, 1]);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows<T> {
    samples: usize,
    features: usize,
    chunks: Vec<Rows<T>>,
}

impl<T: Element> SparseRows<T> {
    /// The largest number of features.
    pub const MOST_FEATURES: usize = SparseColumns::<T>::MOST_FEATURES - 1;

    /// Creates samples of so many features from compressed sparse rows: the features of row i have the indices
    /// `indices[starts[i]..starts[i + 1]]`, counted from 0 and in any order, and the values in the same range of `values`;
    /// scipy's `indptr`, `indices` and `data`. Values of 0 are left out.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for no samples, no features or more than [`SparseRows::MOST_FEATURES`], for lists that do not fit
    /// each other, for an index that is negative, beyond the features or twice in a row, and for a value that is not finite,
    /// with its row.
    pub fn from_csr<I: Copy + TryInto<usize>>(
        features: usize,
        starts: &[I],
        indices: &[I],
        values: &[T],
    ) -> Result<Self> {
        if features == 0 {
            return Err(refused("there are no features"));
        }
        if features > Self::MOST_FEATURES {
            return Err(refused(format_args!(
                "there are {features} features, and sparse samples have at most {}: choose or hash the features before",
                Self::MOST_FEATURES
            )));
        }
        if starts.len() < 2 {
            return Err(refused("there are no samples"));
        }
        if indices.len() != values.len() {
            return Err(refused(format_args!(
                "there are {} indices and {} values, and each value has an index",
                indices.len(),
                values.len()
            )));
        }
        let number = |index: I| index.try_into().ok();
        let bounds: Option<Vec<usize>> = starts.iter().map(|&start| number(start)).collect();
        let fits = |bounds: &[usize]| {
            bounds.first() == Some(&0) && bounds.last() == Some(&values.len()) && bounds.is_sorted()
        };
        let Some(bounds) = bounds.filter(|bounds| fits(bounds)) else {
            return Err(refused(format_args!(
                "the starts of the rows do not ascend from 0 to the number of values, {}",
                values.len()
            )));
        };
        let samples = bounds.len() - 1;
        let mut chunks = Vec::with_capacity(samples.div_ceil(CHUNK));
        let mut row = Vec::new();
        for (index, bounds) in bounds.windows(2).enumerate() {
            row.clear();
            let range = bounds[0]..bounds[1];
            for (&feature, &value) in indices[range.clone()].iter().zip(&values[range]) {
                let Some(feature) = number(feature).filter(|&feature| feature < features) else {
                    return Err(refused(format_args!(
                        "row {index} has an index that is none of the {features} features, counted from 0"
                    )));
                };
                if !value.is_finite() {
                    return Err(refused(format_args!(
                        "row {index}, column {feature} is {value}, which is not finite"
                    )));
                }
                row.push((feature, value));
            }
            row.sort_by_key(|&(feature, _)| feature);
            if let Some(pair) = row.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(refused(format_args!(
                    "row {index} has two values for column {}: add them up before",
                    pair[0].0
                )));
            }
            if index % CHUNK == 0 {
                chunks.push(Rows::empty());
            }
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(row.iter().copied().filter(|&(_, value)| value != T::zero()));
            }
        }
        Ok(SparseRows {
            samples,
            features,
            chunks,
        })
    }

    /// The number of samples, at least 1.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The number of features of a sample, at least 1.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The samples with their zeros.
    ///
    /// # Shapes
    ///
    /// samples x features
    pub fn to_values(&self) -> Array2<T> {
        let mut values = Array2::zeros((self.samples, self.features));
        let rows: Vec<usize> = (0..self.samples).collect();
        self.gather_values(&rows, values.view_mut().reversed_axes());
        values
    }

    /// The fraction of the features, 0 to 1, that is not 0.
    pub(crate) fn density(&self) -> f64 {
        let stored: usize = self.chunks.iter().map(Rows::stored).sum();
        stored as f64 / (self.samples as f64 * self.features as f64)
    }

    /// The samples with these indices.
    pub(super) fn select(&self, indices: &[usize]) -> Self {
        self.each(indices, |_, index, chunk| chunk.push(self.row(index)))
    }

    /// The samples with the values of a feature in another order.
    #[cfg(any(feature = "save", test))]
    pub(crate) fn mixed(&self, feature: usize, order: &[usize]) -> Self {
        self.each(order, |sample, other, chunk| {
            let before = self.row(sample).filter(|&(own, _)| own < feature);
            let value = self.row(other).filter(|&(own, _)| own == feature);
            let behind = self.row(sample).filter(|&(own, _)| own > feature);
            chunk.push(before.chain(value).chain(behind));
        })
    }

    /// As many samples as indices, each of which `push` adds, given its place and its index.
    fn each(&self, indices: &[usize], push: impl Fn(usize, usize, &mut Rows<T>)) -> Self {
        let mut chunks = Vec::with_capacity(indices.len().div_ceil(CHUNK));
        for (start, part) in (0..).step_by(CHUNK).zip(indices.chunks(CHUNK)) {
            let mut chunk = Rows::empty();
            let places = (start..).zip(part);
            places.for_each(|(place, &index)| push(place, index, &mut chunk));
            chunks.push(chunk);
        }
        SparseRows {
            samples: indices.len(),
            features: self.features,
            chunks,
        }
    }

    /// The features of a sample that are not 0, by ascending index.
    pub(super) fn row(&self, index: usize) -> impl ExactSizeIterator<Item = (usize, T)> {
        let (positions, values) = self.chunks[index / CHUNK].row(index % CHUNK);
        let features = positions.iter().zip(values);
        features.map(|(&position, &value)| (usize::from(position) - 1, value))
    }

    /// Adds samples to the columns of a shard.
    pub(crate) fn gather(&self, indices: &[usize], columns: &mut SparseColumns<T>) {
        gather(&self.chunks, indices, columns, |value| value);
    }

    /// Copies samples into the columns of `output`, with their zeros.
    ///
    /// # Shapes
    ///
    /// `output`: features x as many as `indices`
    pub(crate) fn gather_values(&self, indices: &[usize], mut output: ArrayViewMut2<'_, T>) {
        for (mut column, &index) in output.columns_mut().into_iter().zip(indices) {
            column.fill(T::zero());
            for (feature, value) in self.row(index) {
                column[feature] = value;
            }
        }
    }
}

fn refused(problem: impl std::fmt::Display) -> Error {
    Error::data("sparse inputs", problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn message<I: Copy + TryInto<usize>>(
        features: usize,
        starts: &[I],
        indices: &[I],
        values: &[f64],
    ) -> String {
        SparseRows::from_csr(features, starts, indices, values)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn rows_are_those_of_the_lists() {
        let starts = [0_i32, 2, 2, 4];
        let rows = SparseRows::from_csr(4, &starts, &[3, 1, 0, 2], &[7.0, 5.0, 0.0, -1.0]).unwrap();
        let dense = array![[0.0, 5.0, 0.0, 7.0], [0.0; 4], [0.0, 0.0, -1.0, 0.0]];
        assert_eq!((rows.to_values(), rows.density()), (dense.clone(), 0.25));
        let selected = rows.select(&[2, 0, 2]);
        assert_eq!((selected.samples(), selected.features()), (3, 4));
        assert_eq!(selected.to_values(), dense.select(ndarray::Axis(0), &[2, 0, 2]));
        let mut mixed = dense.clone();
        mixed.column_mut(1).assign(&array![0.0, 5.0, 0.0]);
        assert_eq!(rows.mixed(1, &[1, 0, 2]).to_values(), mixed);
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        assert!(message(0, &[0, 0], &[], &[]).contains("no features"));
        assert!(message(1 << 16, &[0, 0], &[], &[]).contains("at most 65535"));
        assert!(message(2, &[0], &[], &[]).contains("no samples"));
        assert!(message(2, &[0, 1], &[0], &[]).contains("1 indices and 0 values"));
        for starts in [[1, 1, 2], [0, 2, 1], [0, 1, 1], [0, 1, 3], [0, -1, 2]] {
            assert!(
                message(2, &starts, &[0, 1], &[1.0, 1.0]).contains("ascend from 0"),
                "{starts:?}"
            );
        }
        assert!(message(2, &[0, 1], &[2], &[1.0]).contains("row 0 has an index"));
        assert!(message(2, &[0, 0, 1], &[-1], &[1.0]).contains("row 1 has an index"));
        assert!(message(2, &[0, 2], &[1, 1], &[1.0, 2.0]).contains("two values for column 1"));
        assert!(message(2, &[0, 1], &[1], &[f64::NAN]).contains("row 0, column 1 is NaN"));
    }

    #[test]
    fn rows_are_found_in_every_chunk() {
        let samples = 2 * CHUNK + 3;
        let starts: Vec<usize> = (0..=samples).collect();
        let indices: Vec<usize> = (0..samples).map(|sample| sample % 5).collect();
        let values: Vec<f64> = (0..samples).map(|sample| sample as f64 + 1.0).collect();
        let rows = SparseRows::from_csr(5, &starts, &indices, &values).unwrap();
        let picked = rows.select(&[2 * CHUNK + 2, 0, CHUNK, CHUNK - 1]).to_values();
        let sums: Vec<f64> = picked.rows().into_iter().map(|row| row.sum()).collect();
        assert_eq!(
            sums,
            [2 * CHUNK + 3, 1, CHUNK + 1, CHUNK].map(|number| number as f64)
        );
    }
}
