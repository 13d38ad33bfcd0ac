//! Scores for regression: R^2, RMSE and MAE.

use ndarray::{ArrayView2, Zip};

use crate::element::Element;
use crate::error::{Error, Result};

/// The scores of a regression. Each is computed for each output, and is the mean over the outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub struct RegressionScores {
    /// R^2 = 1 - sum (z - y)^2 / sum (y - mean y)^2: 1 at best, 0 for the mean predictor, negative for worse. An output
    /// whose targets are all the same scores 1 if all predictions are exact, and 0 otherwise. NaN for a single sample, whose
    /// target has no spread to compare with.
    pub r2: f64,
    /// The root of the mean squared error, in the unit of the targets.
    pub rmse: f64,
    /// The mean absolute error, in the unit of the targets.
    pub mae: f64,
}

/// Computes R^2, RMSE and MAE in f64, as scikit-learn's `r2_score`, `root_mean_squared_error` and
/// `mean_absolute_error`.
///
/// # Shapes
///
/// both: samples x outputs
///
/// # Errors
///
/// [`Error::Shape`] for unequal shapes, [`Error::InvalidData`] for no samples or no outputs.
///
/// ```
/// use mfnet::metrics::regression_scores;
/// use ndarray::array;
///
/// let scores = regression_scores(array![[1.0], [2.0], [4.0]].view(), array![[1.0], [2.0], [3.0]].view())?;
/// assert_eq!((scores.r2, scores.rmse), (0.5, (1.0_f64 / 3.0).sqrt()));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn regression_scores<T: Element>(
    predicted: ArrayView2<'_, T>,
    targets: ArrayView2<'_, T>,
) -> Result<RegressionScores> {
    let (samples, outputs) = targets.dim();
    if predicted.dim() != targets.dim() {
        return Err(Error::shape(
            "regression_scores",
            format_args!("{samples} x {outputs} predictions, as targets"),
            format_args!("{} x {}", predicted.nrows(), predicted.ncols()),
        ));
    }
    if targets.is_empty() {
        return Err(Error::data("regression_scores", "there are no targets"));
    }
    let mut scores = RegressionScores {
        r2: 0.0,
        rmse: 0.0,
        mae: 0.0,
    };
    for (predicted, targets) in predicted.columns().into_iter().zip(targets.columns()) {
        let count = samples as f64;
        let mean = targets.iter().map(|target| target.as_f64()).sum::<f64>() / count;
        let [mut squares, mut spread, mut distances] = [0.0; 3];
        Zip::from(predicted).and(targets).for_each(|predicted, target| {
            let (error, deviation) = (predicted.as_f64() - target.as_f64(), target.as_f64() - mean);
            squares += error * error;
            spread += deviation * deviation;
            distances += error.abs();
        });
        scores.r2 += match (squares, spread) {
            _ if samples == 1 => f64::NAN,
            (0.0, _) => 1.0,
            (_, 0.0) => 0.0,
            _ => 1.0 - squares / spread,
        } / outputs as f64;
        scores.rmse += (squares / count).sqrt() / outputs as f64;
        scores.mae += distances / count / outputs as f64;
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn assert_scores(predicted: Array2<f64>, targets: Array2<f64>, expected: [f64; 3]) {
        let found = regression_scores(predicted.view(), targets.view()).unwrap();
        let found = [found.r2, found.rmse, found.mae];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
        }
    }

    /// ```python
    /// targets = [[0.5, 1], [-1, 1], [7, -6], [2, 3]]
    /// predicted = [[0, 2], [-1, 2], [8, -5], [2.5, 2]]
    /// for score in (r2_score, root_mean_squared_error, mean_absolute_error): print(score(targets, predicted))
    /// ```
    #[test]
    fn scores_as_scikit_learns() {
        let targets = array![[0.5, 1.0], [-1.0, 1.0], [7.0, -6.0], [2.0, 3.0]];
        let predicted = array![[0.0, 2.0], [-1.0, 2.0], [8.0, -5.0], [2.5, 2.0]];
        assert_scores(
            predicted,
            targets,
            [0.936_493_862_735_862_1, 0.806_186_217_847_897_2, 0.75],
        );
    }

    #[test]
    fn targets_that_are_all_the_same() {
        let targets = array![[2.0], [2.0]];
        assert_scores(targets.clone(), targets.clone(), [1.0, 0.0, 0.0]);
        assert_scores(array![[1.0], [3.0]], targets, [0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_single_sample_has_no_r2() {
        for predicted in [1.0, 2.0] {
            let scores = regression_scores(array![[predicted]].view(), array![[2.0]].view()).unwrap();
            assert!(scores.r2.is_nan() && scores.mae == 2.0 - predicted, "{scores:?}");
        }
    }

    #[test]
    fn a_prediction_of_nan_makes_the_scores_nan() {
        let scores =
            regression_scores(array![[f64::NAN], [1.0]].view(), array![[1.0], [2.0]].view()).unwrap();
        assert!(scores.r2.is_nan() && scores.rmse.is_nan() && scores.mae.is_nan());
    }

    #[test]
    fn invalid_shapes_are_refused() {
        let ones = Array2::<f32>::ones;
        assert!(regression_scores(ones((2, 1)).view(), ones((1, 2)).view()).is_err());
        assert!(regression_scores(ones((0, 1)).view(), ones((0, 1)).view()).is_err());
        assert!(regression_scores(ones((1, 0)).view(), ones((1, 0)).view()).is_err());
    }
}
