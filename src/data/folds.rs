//! Cross-validation: a data set is split into folds, each of which is the evaluation set once.

use super::dataset::Dataset;
use super::stratify::fold_rows;
use crate::element::Element;
use crate::error::Result;

/// Splits a data set at random into folds, and returns for each fold the samples outside of it, to train on, and those in
/// it, to evaluate on.
///
/// Each sample is in one fold; the sizes of the folds differ by at most one. Folds of classes are stratified: the numbers of
/// samples of a class differ by at most one too. The same seed gives the same folds. All pairs together hold `folds` copies of
/// the data.
///
/// # Errors
///
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for fewer than 2 folds,
/// [`Error::InvalidData`](crate::Error::InvalidData) for fewer samples than folds, and for a class that occurs in fewer.
///
/// Source: M. Stone, "Cross-validatory choice and assessment of statistical predictions", 1974.
///
/// ```
/// use mfnet::{Dataset, data::k_folds};
/// use ndarray::Array2;
///
/// let data = Dataset::regression(Array2::<f64>::zeros((10, 3)), Array2::zeros((10, 1)))?;
/// let sizes = k_folds(&data, 3, 7)?.iter().map(|(train, test)| (train.samples(), test.samples())).collect::<Vec<_>>();
/// assert_eq!(sizes, [(6, 4), (7, 3), (7, 3)]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn k_folds<T: Element>(
    dataset: &Dataset<T>,
    folds: usize,
    seed: u64,
) -> Result<Vec<(Dataset<T>, Dataset<T>)>> {
    let pairs = fold_rows(dataset.targets(), folds, seed, &|class| class.to_string())?;
    let select =
        |(train, judged): (Vec<usize>, Vec<usize>)| Ok((dataset.select(&train)?, dataset.select(&judged)?));
    pairs.into_iter().map(select).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn numbered(samples: usize) -> Dataset<f64> {
        let column = Array2::from_shape_fn((samples, 1), |(sample, _)| sample as f64);
        Dataset::regression(column.clone(), column).unwrap()
    }

    fn numbers(dataset: &Dataset<f64>) -> Vec<usize> {
        let values = dataset.values().unwrap();
        values.iter().map(|&value| value as usize).collect()
    }

    #[test]
    fn every_sample_is_evaluated_once_and_not_in_the_training_set_of_its_fold() {
        for (samples, folds) in [(103, 5), (10, 10), (7, 2)] {
            let pairs = k_folds(&numbered(samples), folds, 3).unwrap();
            let sizes: Vec<usize> = pairs.iter().map(|(_, evaluation)| evaluation.samples()).collect();
            assert_eq!(pairs.len(), folds);
            assert!(
                sizes.iter().all(|size| size.abs_diff(samples / folds) <= 1),
                "{sizes:?}"
            );
            let mut evaluation: Vec<usize> = pairs
                .iter()
                .flat_map(|(_, evaluation)| numbers(evaluation))
                .collect();
            assert_ne!(evaluation, (0..samples).collect::<Vec<_>>(), "in random order");
            evaluation.sort_unstable();
            assert_eq!(evaluation, (0..samples).collect::<Vec<_>>());
            for (train, evaluation) in &pairs {
                let mut all = [numbers(train), numbers(evaluation)].concat();
                all.sort_unstable();
                assert_eq!(all, (0..samples).collect::<Vec<_>>());
            }
        }
        assert_eq!(
            k_folds(&numbered(20), 4, 1).unwrap(),
            k_folds(&numbered(20), 4, 1).unwrap()
        );
        assert_ne!(
            k_folds(&numbered(20), 4, 1).unwrap(),
            k_folds(&numbered(20), 4, 2).unwrap()
        );
    }

    #[test]
    fn impossible_numbers_of_folds_are_refused() {
        let message = |samples, folds| k_folds(&numbered(samples), folds, 0).unwrap_err().to_string();
        assert_eq!(message(10, 1), "folds = 1: it must be at least 2");
        assert!(message(3, 4).contains("3 samples, fewer than the 4 folds"));
    }
}
