//! Batch statistics: the mean and variance of each feature over a whole batch, merged from its shards.

use std::ops::Range;

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::augment::body;
use crate::element::Element;
use crate::kernel::simd;

/// The mean and variance of each feature of a batch and, in the backward pass, the gradient of the layer that
/// normalises by them.
///
/// Sums are computed in `f64`; shards are merged in the order of their samples.
#[derive(Debug, Clone)]
pub struct BatchStatistics<T> {
    samples: usize,
    means: Vec<f64>,
    /// The sums of squared distances from the means.
    squares: Vec<f64>,
    gradients: Vec<Array2<T>>,
}

impl<T: Element> BatchStatistics<T> {
    /// The statistics of `features` features, of no samples yet.
    pub(crate) fn new(features: usize) -> Self {
        BatchStatistics {
            samples: 0,
            means: vec![0.0; features],
            squares: vec![0.0; features],
            gradients: Vec::new(),
        }
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The mean of each feature.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The variance of a feature: the sum of squared distances from the mean, divided by the number of samples.
    pub fn variance(&self, feature: usize) -> f64 {
        self.squares[feature] / self.samples.max(1) as f64
    }

    /// The unbiased variance of a feature: the sum of squared distances divided by the number of samples less 1.
    pub fn sample_variance(&self, feature: usize) -> f64 {
        self.squares[feature] / (self.samples as f64 - 1.0)
    }

    /// dJ/dW of the whole batch, known in the backward pass: one tensor for each of the layer's parameters.
    pub fn gradients(&self) -> &[Array2<T>] {
        &self.gradients
    }

    /// The same statistics with memory for gradients.
    pub(crate) fn with_gradients(self, gradients: Vec<Array2<T>>) -> Self {
        BatchStatistics { gradients, ..self }
    }

    /// The gradients, mutable.
    pub(crate) fn gradients_mut(&mut self) -> &mut [Array2<T>] {
        &mut self.gradients
    }

    /// Computes the means and squares of the samples of a shard.
    ///
    /// # Shapes
    ///
    /// input: (features + 1) x samples, row 0 the bias feature
    pub(crate) fn measure(&mut self, input: ArrayView2<'_, T>) {
        let input = body(input);
        self.samples = input.ncols();
        let samples = self.samples as f64;
        for features in tiles(self.means.len()) {
            let means = &mut self.means[features.clone()];
            let squares = &mut self.squares[features.clone()];
            means.fill(0.0);
            squares.fill(0.0);
            simd(
                #[inline(always)]
                || {
                    for sample in input.columns() {
                        for (sum, &value) in means.iter_mut().zip(part(sample, &features)) {
                            *sum += value.as_f64();
                        }
                    }
                    for mean in &mut *means {
                        *mean /= samples;
                    }
                    // A second pass, since the distances from the mean may be tiny beside the mean itself.
                    for sample in input.columns() {
                        let values = part(sample, &features).iter().zip(&*means);
                        for (sum, (&value, &mean)) in squares.iter_mut().zip(values) {
                            let distance = value.as_f64() - mean;
                            *sum += distance * distance;
                        }
                    }
                },
            );
        }
    }

    /// The number of words that [`BatchStatistics::write`] writes.
    pub(crate) fn words(&self) -> usize {
        1 + 2 * self.means.len()
    }

    /// Writes the number of samples, the means and the squares as words.
    pub(crate) fn write(&self, words: &mut [u64]) {
        words[0] = self.samples as u64;
        let numbers = self
            .means
            .iter()
            .chain(&self.squares)
            .map(|number| number.to_bits());
        words[1..]
            .iter_mut()
            .zip(numbers)
            .for_each(|(word, bits)| *word = bits);
    }

    /// Reads what [`BatchStatistics::write`] wrote.
    pub(crate) fn read(&mut self, words: &[u64]) {
        self.samples = usize::try_from(words[0]).unwrap_or(usize::MAX);
        let numbers = self.means.iter_mut().chain(&mut self.squares);
        numbers
            .zip(&words[1..])
            .for_each(|(number, &bits)| *number = f64::from_bits(bits));
    }

    /// Computes the means and squares of all shards together.
    pub(crate) fn merge<'a>(&mut self, shards: impl Iterator<Item = &'a Self>) {
        self.samples = 0;
        for shard in shards {
            if self.samples == 0 {
                self.means.copy_from_slice(&shard.means);
                self.squares.copy_from_slice(&shard.squares);
            } else {
                self.add(shard);
            }
            self.samples += shard.samples;
        }
    }

    /// Adds the means and squares of further samples.
    ///
    /// Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    fn add(&mut self, further: &Self) {
        let (before, behind) = (self.samples as f64, further.samples as f64);
        let share = behind / (before + behind);
        for feature in 0..self.means.len() {
            let distance = further.means[feature] - self.means[feature];
            self.means[feature] += distance * share;
            self.squares[feature] += further.squares[feature] + distance * distance * before * share;
        }
    }
}

/// The number of features that are processed together: their sums stay in the innermost cache.
pub(super) const TILE: usize = 64;

/// The range of features of each tile.
pub(super) fn tiles(features: usize) -> impl Iterator<Item = Range<usize>> {
    (0..features)
        .step_by(TILE)
        .map(move |first| first..features.min(first + TILE))
}

/// A range of a sample's features.
#[inline(always)]
pub(super) fn part<'a, T>(sample: ArrayView1<'a, T>, features: &Range<usize>) -> &'a [T] {
    &sample.to_slice().expect("a sample's features are contiguous")[features.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::augment;
    use ndarray::{array, s};

    fn measured(input: &Array2<f64>) -> BatchStatistics<f64> {
        let mut statistics = BatchStatistics::new(input.nrows() - 1);
        statistics.measure(input.view());
        statistics
    }

    #[test]
    fn moments_by_hand() {
        let statistics = measured(&augment(array![[1.0, 10.0], [3.0, 10.0]].view()));
        assert_eq!((statistics.samples(), statistics.means()), (2, &[2.0, 10.0][..]));
        assert_eq!([0, 1].map(|feature| statistics.variance(feature)), [1.0, 0.0]);
        assert_eq!(statistics.sample_variance(0), 2.0);
    }

    /// More features than a tile has, and numbers whose squares would drown their variance.
    #[test]
    fn shards_are_one_batch() {
        let features = TILE + 3;
        let input = Array2::from_shape_fn((20, features), |(row, column)| {
            1e8 + ((row * 7 + column * 3) % 11) as f64
        });
        let whole = measured(&augment(input.view()));
        let shards = [0..7, 7..8, 8..20].map(|rows| measured(&augment(input.slice(s![rows, ..]))));
        let mut merged = BatchStatistics::new(features);
        merged.merge(shards.iter());
        assert_eq!((merged.samples(), whole.samples()), (20, 20));
        for (feature, column) in input.columns().into_iter().enumerate() {
            let small = column.mapv(|value| value - 1e8);
            let mean = small.mean().unwrap();
            let squares: f64 = small.iter().map(|value| (value - mean).powi(2)).sum();
            for found in [&merged, &whole] {
                assert!((found.means()[feature] - 1e8 - mean).abs() < 1e-7);
                let found = found.squares[feature];
                assert!((found - squares).abs() < 1e-5, "{found}, not {squares}");
            }
        }
    }
}
