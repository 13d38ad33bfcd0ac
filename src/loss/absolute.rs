//! Mean absolute error, for regression with outliers among the targets.

use super::sums::{check_numbers, compiled_evaluate, evaluate_methods, sum_over_outputs};
use super::{Loss, LossOptions, Reduction, with_reduction};
use crate::data::Targets;
use crate::element::Element;
use crate::error::Result;

/// Mean absolute error: J = 1/m sum_i sum_k |z_i(k) - y_i(k)|, summed over outputs, averaged over samples, as
/// [`MseLoss`](super::MseLoss) sums and averages.
///
/// Gradient: dJ/dZ = sign(Z - Y) / m, 0 where Z = Y; with [`Reduction::Sum`] without the 1/m. The network learns the median
/// of the targets, not their mean: an outlier counts by its side alone. PyTorch's `L1Loss` takes the mean over the outputs
/// too: J is the number of outputs times that.
///
/// For targets that are numbers: the median of one-hot vectors tells no class.
///
/// # Shapes
///
/// Z and Y: p outputs x m samples
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::baseline::mean_predictor;
/// use mfnet::loss::AbsoluteLoss;
/// use ndarray::array;
///
/// // The mean is 5, and the targets are off by 2, 2 and 4.
/// let data = Dataset::regression(array![[1.0], [2.0], [3.0]], array![[3.0], [3.0], [9.0]])?;
/// let loss = mean_predictor(&data)?.evaluate(&data, &AbsoluteLoss::default())?.loss;
/// assert_eq!(loss, (2.0 + 2.0 + 4.0) / 3.0);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct AbsoluteLoss {
    /// The reduction over a batch. Default: the mean.
    pub reduction: Reduction,
}

with_reduction!(AbsoluteLoss);

compiled_evaluate!(|_loss: AbsoluteLoss, output, targets, weight, scale, delta| {
    sum_over_outputs(output, targets, weight, delta, |z: T, y| {
        let residual = z - y;
        let sign = if residual == T::zero() {
            T::zero()
        } else {
            scale * residual.signum()
        };
        (residual.abs(), sign)
    })
});

impl<T: Element> Loss<T> for AbsoluteLoss {
    fn name(&self) -> &'static str {
        "MAE"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        Some(("mae", LossOptions::of(self.reduction)))
    }

    /// # Errors
    ///
    /// [`Error::InvalidData`](crate::Error::InvalidData) for targets that are classes.
    fn check(&self, targets: &Targets<T>) -> Result<()> {
        check_numbers("AbsoluteLoss", targets)
    }

    evaluate_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::TargetsView;
    use crate::loss::sums::value_and_gradient;
    use ndarray::array;

    #[test]
    fn value_and_gradient_by_hand() {
        let output = array![[2.0, 0.0, 3.0, 1.0], [0.0, 0.0, 0.0, -7.5]];
        let targets = array![[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]];
        let targets = TargetsView::Values(targets.view());
        let (sum, delta) = value_and_gradient(&AbsoluteLoss::default(), &output, targets, 0.25);
        assert_eq!(sum, 1.0 + 3.0 + 1.0 + 7.5);
        assert_eq!(delta, array![[0.25, -0.25, 0.0, -0.25], [0.0, 0.0, 0.0, -0.25]]);
    }

    #[test]
    fn a_prediction_that_is_not_a_number_stays_visible() {
        let (output, targets) = (array![[f64::NAN]], array![[1.0]]);
        let targets = TargetsView::Values(targets.view());
        let (sum, delta) = value_and_gradient(&AbsoluteLoss::default(), &output, targets, 1.0);
        assert!(sum.is_nan() && delta[[0, 0]].is_nan());
    }

    #[test]
    fn classes_are_refused() {
        let classes = Targets::<f32>::Classes {
            labels: vec![0],
            classes: 2,
        };
        let error = AbsoluteLoss::default().check(&classes).unwrap_err().to_string();
        assert!(
            error.contains("for numbers, and the targets are classes"),
            "{error}"
        );
    }
}
