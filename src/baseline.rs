//! Baselines, to compare trained models with: the mean of the targets, and the least-squares fit.

use ndarray::{Array2, Axis};

use crate::data::{Dataset, Targets};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::Linear;
use crate::network::NeuralNetwork;

/// Returns the naive predictor: a network whose weights are 0, and which predicts the mean of the targets for any input.
///
/// Its mean squared error on the training set is the variance of the targets, which any model should beat. Where the samples
/// have weights, mean and variance are weighted.
///
/// # Errors
///
/// [`Error::InvalidData`] for targets that are classes.
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::baseline::mean_predictor;
/// use ndarray::array;
///
/// let data = Dataset::regression(array![[1.0], [2.0]], array![[3.0], [5.0]])?;
/// assert_eq!(mean_predictor(&data)?.predict(array![[7.0]].view())?, array![[4.0]]);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn mean_predictor<T: Element>(data: &Dataset<T>) -> Result<NeuralNetwork<T>> {
    let targets = targets_of("mean_predictor", data)?;
    let mut targets = targets.mapv(T::as_f64);
    if let Some(weights) = data.weights() {
        weight_rows(&mut targets, weights, |weight| weight);
    }
    let means = targets.mean_axis(Axis(0)).unwrap_or_default();
    let weights = Array2::zeros((data.outputs(), data.features()));
    linear_network(&weights, &means.mapv(T::from_f64).to_vec())
}

/// Returns the closed-form fit of a linear model, as a network of one layer: min over W of sum_i |W a_i - y_i|^2.
///
/// Where the samples have weights w_i, each square counts times w_i. No linear model has a smaller mean squared error on the
/// training set. Where features depend on each other, such as the inputs of a category, which add up to the bias feature, many
/// weights have this error: the fit has the smallest sum of squared weights, bias included. Computed in f64 by LAPACK's singular
/// value decomposition of the design matrix (with the bias feature: samples x (features + 1)).
///
/// # Errors
///
/// [`Error::InvalidData`] for targets that are classes, and for fewer samples than weights: a fit would have no errors to
/// compare with.
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::baseline::least_squares;
/// use ndarray::array;
///
/// // y = 1 + 2 x
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let prediction = least_squares(&line)?.predict(array![[10.0]].view())?;
/// assert!((prediction[[0, 0]] - 21.0_f64).abs() < 1e-9);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[cfg(feature = "linalg")]
pub fn least_squares<T: Element>(data: &Dataset<T>) -> Result<NeuralNetwork<T>> {
    use ndarray::s;
    use ndarray_linalg::{JobSvd, SVDDCInto};

    let mut targets = targets_of("least_squares", data)?.mapv(T::as_f64);
    let mut design = Array2::ones((data.samples(), data.features() + 1));
    design
        .slice_mut(s![.., 1..])
        .assign(&data.to_values().mapv(T::as_f64));
    if let Some(weights) = data.weights() {
        weight_rows(&mut design, weights, f64::sqrt);
        weight_rows(&mut targets, weights, f64::sqrt);
    }
    let unknowns = design.ncols();
    if data.samples() < unknowns {
        return Err(Error::data(
            "least_squares",
            format_args!("{} samples do not determine {unknowns} weights", data.samples()),
        ));
    }
    // LAPACK is in the same library as BLAS, and needs the same setup.
    let _ = crate::blas::blas();
    let decomposed = design.svddc_into(JobSvd::Some);
    let (left, values, right) = decomposed.map_err(|error| Error::data("least_squares", error))?;
    let (Some(left), Some(right)) = (left, right) else {
        return Err(Error::data(
            "least_squares",
            "LAPACK returned no singular vectors",
        ));
    };
    // Features were rounded to a T: their rounding errors have singular values up to about the largest one times the rounding of
    // a T, whatever the number of samples. Directions of such values are those of features that depend on each other.
    let largest = values.iter().fold(0.0_f64, |most, &value| most.max(value));
    let of_features = 4.0 * T::epsilon().as_f64() * unknowns as f64;
    let of_lapack = f64::EPSILON * data.samples() as f64;
    let smallest = largest * of_features.max(of_lapack);
    let mut coordinates = left.t().dot(&targets);
    for (mut row, &value) in coordinates.rows_mut().into_iter().zip(&values) {
        row *= if value > smallest { 1.0 / value } else { 0.0 };
    }
    let solution = right.t().dot(&coordinates).mapv(T::from_f64);
    linear_network(
        &solution.slice(s![1.., ..]).reversed_axes().to_owned(),
        &solution.row(0).to_vec(),
    )
}

/// Multiplies each row by a function of its sample's weight.
fn weight_rows<T: Element>(rows: &mut Array2<f64>, weights: &[T], factor: fn(f64) -> f64) {
    for (mut row, &weight) in rows.rows_mut().into_iter().zip(weights) {
        row *= factor(weight.as_f64());
    }
}

fn targets_of<'a, T: Element>(operation: &'static str, data: &'a Dataset<T>) -> Result<&'a Array2<T>> {
    match data.targets() {
        Targets::Values(values) => Ok(values),
        Targets::Classes { .. } => Err(Error::data(operation, "the targets are classes, not numbers")),
    }
}

fn linear_network<T: Element>(weights: &Array2<T>, biases: &[T]) -> Result<NeuralNetwork<T>> {
    let layer = Linear::from_weights(weights.view(), biases)?;
    NeuralNetwork::builder(weights.ncols())
        .layer(Box::new(layer))
        .build()
}

#[cfg(all(test, feature = "linalg"))]
mod tests {
    use super::*;
    use crate::data::{Inputs, Preparation, RawSamples, Schema, TargetTransform};
    use ndarray::array;

    /// The inputs of a category add up to the bias feature but for rounding, which must not pass for information.
    #[test]
    fn dependence_is_seen_through_rounding() {
        for samples in [50, 400, 1000] {
            let number = |(row, column): (usize, usize)| match column {
                0 => ((row * 37 % 101) as f32 - 50.0) / 29.15,
                _ if row % 3 == column - 1 => std::f32::consts::SQRT_2,
                _ => -std::f32::consts::FRAC_1_SQRT_2,
            };
            let inputs = Array2::from_shape_fn((samples, 4), number);
            let targets = inputs.slice(ndarray::s![.., ..1]).mapv(|value| 3.0 * value + 1.0);
            let data = Dataset::regression(inputs, targets.clone()).unwrap();
            let fit = least_squares(&data).unwrap();
            let largest = |values: &mut dyn Iterator<Item = f32>| {
                values.fold(0.0, |most: f32, value| most.max(value.abs()))
            };
            let snapshot = fit.snapshot();
            assert!(
                largest(&mut snapshot.iter().flatten().copied()) < 4.0,
                "{snapshot:?}"
            );
            let errors = fit.predict_dataset(&data).unwrap() - targets;
            assert!(largest(&mut errors.iter().copied()) < 1e-4, "{samples}: {errors}");
        }
    }

    /// ```python
    /// i = np.arange(12)
    /// x = np.column_stack([i * 7 % 12 / 3.0, np.eye(3)[i % 3]])
    /// y = np.exp(0.5 * x[:, 0] - 0.3 * (i % 3) + 0.2 * (i * 3 % 5 - 2.0))
    /// with_bias = lambda x: np.column_stack([np.ones(len(x)), x])
    /// fit = np.linalg.lstsq(with_bias(x), y, rcond=None)[0]
    /// print(with_bias(np.array([[1.0, 0, 1, 0], [4.0, 0, 0, 1], [2.0, 1, 1, 0], [2.0, 0, 0, 0]])) @ fit)
    /// root = np.sqrt(i * 3 % 5)
    /// weighted = np.linalg.lstsq(with_bias(x) * root[:, None], y * root, rcond=None)[0]
    /// print(with_bias(np.array([[1.0, 0, 1, 0], [4.0, 0, 0, 1]])) @ weighted)
    /// ```
    #[test]
    fn fits_of_dependent_features_are_those_of_numpy() {
        let inputs = Array2::from_shape_fn((12, 4), |(i, feature)| match feature {
            0 => (i * 7 % 12) as f64 / 3.0,
            _ => f64::from(i % 3 == feature - 1),
        });
        let target = |i: usize| {
            let slope = 0.5 * inputs[[i, 0]] - 0.3 * (i % 3) as f64;
            (slope + 0.2 * ((i * 3 % 5) as f64 - 2.0)).exp()
        };
        let targets = Array2::from_shape_fn((12, 1), |(i, _)| target(i));
        let data = Dataset::regression(inputs, targets).unwrap();
        let new = array![[1.0, 0.0, 1.0, 0.0], [4.0, 0.0, 0.0, 1.0]];
        let fit = least_squares(&data).unwrap();
        assert_close(
            &fit.predict(new.view()).unwrap(),
            [0.9929050140121173, 3.9415814534121982],
        );
        // Of rows that no combination of training rows makes, the smallest weights tell.
        let odd = array![[2.0, 1.0, 1.0, 0.0], [2.0, 0.0, 0.0, 0.0]];
        assert_close(
            &fit.predict(odd.view()).unwrap(),
            [3.3266325136255808, 2.4227379890125933],
        );
        let weights: Vec<f64> = (0..12).map(|i| (i * 3 % 5) as f64).collect();
        let weighted = least_squares(&data.with_weights(&weights).unwrap()).unwrap();
        assert_close(
            &weighted.predict(new.view()).unwrap(),
            [0.8196214323488378, 5.833512890522966],
        );
    }

    #[test]
    fn least_squares_by_hand() {
        // y = 1 + 2 a - b, and one point off the plane by residuals that are orthogonal to it.
        let inputs = array![[0.0_f64, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let targets = array![[1.0 + 0.5], [3.0 - 0.5], [-0.5], [2.0 + 0.5]];
        let fit = least_squares(&Dataset::regression(inputs, targets).unwrap()).unwrap();
        let prediction = fit.predict(array![[0.0, 0.0], [3.0, 2.0]].view()).unwrap();
        assert!(
            (&prediction - &array![[1.0], [5.0]])
                .iter()
                .all(|error| error.abs() < 1e-12),
            "{prediction}"
        );
    }

    /// Twelve samples of two features and a positive target.
    fn positive() -> Dataset<f64> {
        let inputs = Array2::from_shape_fn((12, 2), |(i, feature)| match feature {
            0 => (i * 7 % 12) as f64 / 3.0,
            _ => (i * 5 % 7) as f64 - 3.0,
        });
        let target =
            |i: usize| (0.5 * inputs[[i, 0]] - 0.2 * inputs[[i, 1]] + 0.3 * ((i * 3 % 5) as f64 - 2.0)).exp();
        let targets = Array2::from_shape_fn((12, 1), |(i, _)| target(i));
        Dataset::regression(inputs, targets).unwrap()
    }

    fn assert_close(found: &Array2<f64>, expected: [f64; 2]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12 * expected,
                "{found} is not {expected}"
            );
        }
    }

    const NEW: [[f64; 2]; 2] = [[1.0, -2.0], [4.0, 3.0]];

    #[test]
    fn weighted_fits_are_those_of_scikit_learn() {
        // LinearRegression().fit(x, y, sample_weight=i * 3 % 5).predict(new) for i = np.arange(12) and the data above.
        let weights: Vec<f64> = (0..12).map(|i| (i * 3 % 5) as f64).collect();
        let fit = least_squares(&positive().with_weights(&weights).unwrap()).unwrap();
        let predictions = fit.predict(ndarray::arr2(&NEW).view()).unwrap();
        assert_close(&predictions, [3.67674508966392, 8.993201963435368]);
    }

    #[test]
    fn transformed_targets_are_those_of_scikit_learn() {
        // TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp).fit(x, y).predict(new), and the same
        // with np.log1p and np.expm1.
        for (target_transform, expected) in [
            (TargetTransform::Log, [1.9793873781216518, 5.496491680087031]),
            (TargetTransform::Log1p, [2.1715800383888793, 5.303014801105606]),
        ] {
            let preparation = Preparation {
                target_transform,
                ..Preparation::default()
            };
            let data = positive();
            let fitted = Schema::of(&data)
                .fit(RawSamples::from(data), &preparation)
                .unwrap();
            let network = least_squares(&fitted.train).unwrap();
            let new = fitted
                .schema
                .scale_inputs(Inputs::Values(ndarray::arr2(&NEW)))
                .unwrap();
            let Inputs::Values(new) = new else {
                panic!("numbers")
            };
            let predictions = fitted
                .schema
                .unscale(network.predict(new.view()).unwrap())
                .unwrap();
            assert_close(&predictions, expected);
        }
    }

    #[test]
    fn too_few_samples_and_classes_are_refused() {
        let few = Dataset::regression(array![[1.0, 2.0]], array![[1.0]]).unwrap();
        let error = least_squares(&few).unwrap_err().to_string();
        assert!(error.contains("1 samples do not determine 3 weights"), "{error}");
        let classes = Dataset::classification(array![[1.0], [2.0]], vec![0, 1], 2).unwrap();
        assert!(least_squares(&classes).is_err());
    }
}
