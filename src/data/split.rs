//! The split of a data set into a training set and a test set.

use super::dataset::Dataset;
use super::stratify::split_rows;
use crate::element::Element;
use crate::error::Result;

/// Splits a data set at random into a training set and a test set.
///
/// `test_fraction`, above 0 and below 1, of the samples go to the test set. Their number is rounded, and each set has at
/// least one sample. The split of classes is stratified: each set has each class in proportion, and at least one sample of it,
/// for which the test set may become larger. The same seed gives the same split.
///
/// # Errors
///
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for a fraction outside its range,
/// [`Error::InvalidData`](crate::Error::InvalidData) for a single sample, and for a class that has a single one.
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::data::train_test_split;
/// use ndarray::Array2;
///
/// let data = Dataset::regression(Array2::<f64>::zeros((10, 3)), Array2::zeros((10, 1)))?;
/// let (train, test) = train_test_split(&data, 0.2, 7)?;
/// assert_eq!((train.samples(), test.samples()), (8, 2));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn train_test_split<T: Element>(
    dataset: &Dataset<T>,
    test_fraction: f64,
    seed: u64,
) -> Result<(Dataset<T>, Dataset<T>)> {
    let class = |class: usize| class.to_string();
    let (train, test) = split_rows(dataset.targets(), test_fraction, seed, &class)?;
    Ok((dataset.select(&train)?, dataset.select(&test)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn numbered(samples: usize) -> Dataset<f64> {
        let column = Array2::from_shape_fn((samples, 1), |(sample, _)| sample as f64);
        Dataset::regression(column.clone(), column).unwrap()
    }

    #[test]
    fn every_sample_is_in_one_of_the_sets() {
        let (train, test) = train_test_split(&numbered(101), 0.25, 3).unwrap();
        let numbers = |dataset: &Dataset<f64>| {
            let values = dataset.values().unwrap();
            values.iter().map(|&value| value as usize).collect::<Vec<_>>()
        };
        let mut all = [numbers(&train), numbers(&test)].concat();
        assert_eq!(test.samples(), 25);
        assert_ne!(all, (0..101).collect::<Vec<_>>(), "in random order");
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<_>>());
        assert_eq!(train_test_split(&numbered(101), 0.25, 3).unwrap().0, train);
        assert_ne!(train_test_split(&numbered(101), 0.25, 4).unwrap().0, train);
    }

    #[test]
    fn fractions_outside_their_range_are_refused() {
        for fraction in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(train_test_split(&numbered(10), fraction, 0).is_err());
        }
        assert!(train_test_split(&numbered(1), 0.5, 0).is_err());
        assert_eq!(train_test_split(&numbered(3), 0.001, 0).unwrap().1.samples(), 1);
    }
}
