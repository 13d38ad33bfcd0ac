//! Normalisation of features to mean 0 and standard deviation 1, by the statistics of the training split.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::by_rows::fill_by_rows;
use super::dataset::{Dataset, Inputs, check_finite};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::pool;

/// The statistics that normalise features, to be saved with a model: x' = (x - mean) / deviation.
///
/// They are computed from the training data, and applied to training and test data:
///
/// ```
/// use mfnet::data::Normalization;
/// use ndarray::array;
///
/// let (train, test) = (array![[1.0], [3.0]], array![[5.0]]);
/// let normalization = Normalization::of(train.view())?;
/// assert_eq!(normalization.apply(train.view())?, array![[-1.0], [1.0]]);
/// assert_eq!(normalization.apply(test.view())?, array![[3.0]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "save",
    serde(try_from = "Scales", into = "Scales", bound = "T: Element")
)]
pub struct Normalization<T> {
    means: Array1<T>,
    deviations: Array1<T>,
}

/// Statistics as files have them: in `f64`, and not yet checked.
#[cfg(feature = "save")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Scales {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

#[cfg(feature = "save")]
impl<T: Element> From<Normalization<T>> for Scales {
    fn from(Normalization { means, deviations }: Normalization<T>) -> Self {
        let to_f64 = |values: Array1<T>| values.into_iter().map(T::as_f64).collect();
        Scales {
            means: to_f64(means),
            deviations: to_f64(deviations),
        }
    }
}

#[cfg(feature = "save")]
impl<T: Element> TryFrom<Scales> for Normalization<T> {
    type Error = Error;

    fn try_from(Scales { means, deviations }: Scales) -> Result<Self> {
        let from_f64 = |values: Vec<f64>| -> Array1<T> { values.into_iter().map(T::from_f64).collect() };
        Normalization::new(from_f64(means), from_f64(deviations))
    }
}

/// The columns whose statistics one task computes: about a cache line of a row.
const GROUP: usize = 8;

/// The mean and the deviation of each column of some samples; no deviation if one of both is beyond the range of the type.
fn statistics<T: Element>(features: ArrayView2<'_, T>) -> Vec<(T, Option<T>)> {
    let samples = features.nrows() as f64;
    let first = features.row(0);
    let mut is_constant = vec![true; features.ncols()];
    let mut means = vec![0.0; features.ncols()];
    for row in features.rows() {
        let columns = is_constant.iter_mut().zip(&mut means);
        for ((value, first), (is_constant, sum)) in row.iter().zip(first).zip(columns) {
            *is_constant &= value == first;
            *sum += value.as_f64();
        }
    }
    means.iter_mut().for_each(|sum| *sum /= samples);
    let mut variances = vec![0.0; features.ncols()];
    for row in features.rows() {
        for ((value, mean), sum) in row.iter().zip(&means).zip(&mut variances) {
            *sum += (value.as_f64() - mean).powi(2);
        }
    }
    let of_column = |column: usize| {
        if is_constant[column] {
            return (first[column], Some(T::one()));
        }
        let (mean, variance) = (T::from_f64(means[column]), variances[column] / samples);
        let deviation = T::from_f64(variance.sqrt());
        let is_usable = mean.is_finite() && deviation.is_finite() && deviation > T::zero();
        (mean, Some(deviation).filter(|_| is_usable))
    };
    (0..features.ncols()).map(of_column).collect()
}

/// Normalises features by their own statistics, and returns these too, to be applied to other data.
///
/// # Shapes
///
/// samples x features -> samples x features
///
/// # Errors
///
/// As [`Normalization::of`].
///
/// ```
/// use ndarray::array;
///
/// let (features, normalization) = mfnet::data::normalize_features(array![[1.0], [3.0]].view())?;
/// assert_eq!(features, array![[-1.0], [1.0]]);
/// assert_eq!(mfnet::data::denormalize_features(features.view(), &normalization)?, array![[1.0], [3.0]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn normalize_features<T: Element>(features: ArrayView2<'_, T>) -> Result<(Array2<T>, Normalization<T>)> {
    let normalization = Normalization::of(features)?;
    let normalized = normalization.apply(features)?;
    Ok((normalized, normalization))
}

/// Undoes [`normalize_features`]: x = x' deviation + mean.
///
/// # Shapes
///
/// samples x features -> samples x features
///
/// # Errors
///
/// [`Error::Shape`] for another number of features.
pub fn denormalize_features<T: Element>(
    features: ArrayView2<'_, T>,
    normalization: &Normalization<T>,
) -> Result<Array2<T>> {
    normalization.check("denormalize_features", features)?;
    Ok(&features * &normalization.deviations + &normalization.means)
}

impl<T: Element> Normalization<T> {
    /// Computes the mean and the (population) standard deviation of each feature in f64. A feature that is the same in every
    /// sample is centred only: its deviation is 1.
    ///
    /// # Shapes
    ///
    /// samples x features
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for no samples, a number that is not finite, or a feature whose deviation is beyond the range of
    /// its type, with its column.
    pub fn of(features: ArrayView2<'_, T>) -> Result<Self> {
        if features.nrows() == 0 {
            return Err(Error::data("features to normalise", "there are no samples"));
        }
        check_finite("features to normalise", features)?;
        let groups: Vec<ArrayView2<'_, T>> = features.axis_chunks_iter(Axis(1), GROUP).collect();
        let statistics: Vec<Vec<(T, Option<T>)>> =
            pool::enter(|| groups.into_par_iter().map(statistics).collect());
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for (column, (mean, deviation)) in statistics.into_iter().flatten().enumerate() {
            let Some(deviation) = deviation else {
                let problem = format_args!(
                    "the deviation of column {column} is beyond the range of {}",
                    T::NAME
                );
                return Err(Error::data("features to normalise", problem));
            };
            means.push(mean);
            deviations.push(deviation);
        }
        Ok(Normalization {
            means: means.into(),
            deviations: deviations.into(),
        })
    }

    /// Creates a normalisation from saved statistics: the mean and the deviation of each feature.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for unequal numbers of both; [`Error::InvalidData`] for a number that is not finite, or a
    /// deviation that is not above 0, with its column, counted from 0.
    pub fn new(means: impl Into<Array1<T>>, deviations: impl Into<Array1<T>>) -> Result<Self> {
        let (means, deviations) = (means.into(), deviations.into());
        if means.len() != deviations.len() {
            return Err(Error::shape(
                "Normalization::new",
                format_args!("{} deviations, as there are means", means.len()),
                deviations.len(),
            ));
        }
        for (column, (mean, deviation)) in means.iter().zip(&deviations).enumerate() {
            if !mean.is_finite() || !deviation.is_finite() || *deviation <= T::zero() {
                return Err(Error::data(
                    "normalisation",
                    format_args!(
                        "column {column} has mean {mean} and deviation {deviation}, which must be above 0"
                    ),
                ));
            }
        }
        Ok(Normalization { means, deviations })
    }

    /// Normalises features by these statistics, not by their own: x' = (x - mean) / deviation.
    ///
    /// # Shapes
    ///
    /// samples x features -> samples x features
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features.
    pub fn apply(&self, features: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.check("Normalization::apply", features)?;
        let width = features.ncols();
        let mut values = vec![T::zero(); features.len()];
        fill_by_rows(&mut values, width, |rows, values| {
            let rows = features.slice(s![rows, ..]);
            for (row, values) in rows.rows().into_iter().zip(values.chunks_mut(width)) {
                let scales = self.means.iter().zip(&self.deviations);
                for ((value, raw), (&mean, &deviation)) in values.iter_mut().zip(row).zip(scales) {
                    *value = (*raw - mean) / deviation;
                }
            }
        });
        Ok(Array2::from_shape_vec(features.dim(), values).expect("as many values as there were"))
    }

    /// Returns the data set with normalised inputs; pixels become numbers, targets stay as they are.
    ///
    /// # Errors
    ///
    /// As [`Normalization::apply`].
    pub fn apply_to(&self, dataset: &Dataset<T>) -> Result<Dataset<T>> {
        let inputs = self.apply(dataset.to_values().view())?;
        Dataset::new(Inputs::Values(inputs), dataset.targets().clone())
    }

    /// The mean of each feature.
    pub fn means(&self) -> &Array1<T> {
        &self.means
    }

    /// The standard deviation of each feature, above 0.
    pub fn deviations(&self) -> &Array1<T> {
        &self.deviations
    }

    /// Leaves a feature as it is.
    pub(super) fn exempt(&mut self, feature: usize) {
        self.means[feature] = T::zero();
        self.deviations[feature] = T::one();
    }

    fn check(&self, operation: &'static str, features: ArrayView2<'_, T>) -> Result<()> {
        if features.ncols() == self.means.len() {
            return Ok(());
        }
        Err(Error::shape(
            operation,
            format_args!("samples x {}", self.means.len()),
            format_args!("{} x {}", features.nrows(), features.ncols()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn other_data_is_scaled_by_the_training_statistics() {
        let (_, normalization) = normalize_features(array![[0.0, 1.0], [4.0, 3.0]].view()).unwrap();
        assert_eq!(normalization.means(), &array![2.0, 2.0]);
        assert_eq!(normalization.deviations(), &array![2.0, 1.0]);
        assert_eq!(
            normalization.apply(array![[6.0, 2.0]].view()).unwrap(),
            array![[2.0, 0.0]]
        );
    }

    #[test]
    fn saved_statistics_are_checked() {
        let (_, normalization) = normalize_features(array![[0.0, 1.0], [4.0, 3.0]].view()).unwrap();
        assert_eq!(
            Normalization::new(vec![2.0, 2.0], vec![2.0, 1.0]).unwrap(),
            normalization
        );
        for (mean, deviation) in [
            (0.0, 0.0),
            (0.0, -1.0),
            (f64::NAN, 1.0),
            (0.0, f64::INFINITY),
            (0.0, f64::NAN),
        ] {
            let error = Normalization::new(vec![0.0, mean], vec![1.0, deviation]).unwrap_err();
            assert!(error.to_string().contains("column 1"), "{error}");
        }
        assert!(Normalization::new(vec![0.0], vec![1.0, 1.0]).is_err());
    }

    #[test]
    fn errors_name_what_cannot_be_normalised() {
        let (constant, _) = normalize_features(array![[1.0, 0.1], [2.0, 0.1], [3.0, 0.1]].view()).unwrap();
        assert_eq!(constant.column(1), array![0.0, 0.0, 0.0], "exactly");
        let huge = normalize_features(array![[1.0, 1e300], [2.0, -1e300]].view()).unwrap_err();
        assert!(
            huge.to_string().contains("column 1 is beyond the range of f64"),
            "{huge}"
        );
        let broken = normalize_features(array![[1.0], [f64::NAN]].view()).unwrap_err();
        assert!(broken.to_string().contains("row 1, column 0"), "{broken}");
        assert!(normalize_features(Array2::<f64>::zeros((0, 3)).view()).is_err());
        let (_, one) = normalize_features(array![[1.0], [2.0]].view()).unwrap();
        assert!(one.apply(array![[1.0, 2.0]].view()).is_err());
    }
}
