//! The data sets of a training: training set, validation set and test set.

use crate::data::Dataset;

/// The data sets of a training.
///
/// ```
/// use mfnet::{Dataset, Sets};
/// use ndarray::array;
///
/// let line = Dataset::regression(array![[0.0], [1.0]], array![[1.0], [3.0]])?;
/// let (train, test) = (&line, &line);
/// let sets = Sets::from(train).with_test(test);
/// assert!(sets.validation.is_none());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Sets<'a, T> {
    /// The training set.
    pub train: &'a Dataset<T>,
    /// The validation set, evaluated after every epoch. Its loss decides early stopping and plateau schedules; without a
    /// validation set the training loss decides.
    pub validation: Option<&'a Dataset<T>>,
    /// The test set, which decides nothing. Evaluated every
    /// [`TrainOptions::test_interval`](super::TrainOptions::test_interval) epochs and after the last.
    pub test: Option<&'a Dataset<T>>,
}

impl<'a, T> Sets<'a, T> {
    /// Sets the validation set; `None` removes it.
    pub fn with_validation(self, validation: impl Into<Option<&'a Dataset<T>>>) -> Self {
        Sets {
            validation: validation.into(),
            ..self
        }
    }

    /// Sets the test set; `None` removes it.
    pub fn with_test(self, test: impl Into<Option<&'a Dataset<T>>>) -> Self {
        Sets {
            test: test.into(),
            ..self
        }
    }
}

// Not derived: copying the references does not need `T: Clone`.
impl<T> Clone for Sets<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Sets<'_, T> {}

impl<'a, T> From<&'a Dataset<T>> for Sets<'a, T> {
    fn from(train: &'a Dataset<T>) -> Self {
        Sets {
            train,
            validation: None,
            test: None,
        }
    }
}
