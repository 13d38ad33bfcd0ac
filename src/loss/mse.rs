//! Mean squared error, for regression.

use super::sums::{compiled_evaluate, evaluate_methods, sum_over_outputs};
use super::{Loss, LossOptions, Reduction, with_reduction};
use crate::element::Element;

/// Mean squared error: J = 1/m sum_i |z_i - y_i|^2, summed over features, averaged over samples.
///
/// Gradient: dJ/dZ = 2 (Z - Y) / m; with [`Reduction::Sum`] without the 1/m. Labels stand for their one-hot vectors.
///
/// # Shapes
///
/// Z and Y: p outputs x m samples
///
/// Source: report, section 4.1.
///
/// ```
/// use mfnet::{Dataset, MseLoss};
/// use mfnet::baseline::mean_predictor;
/// use ndarray::array;
///
/// // The mean is 4, and both targets are off by 1.
/// let data = Dataset::regression(array![[1.0], [2.0]], array![[3.0], [5.0]])?;
/// assert_eq!(mean_predictor(&data)?.evaluate(&data, &MseLoss::default())?.loss, 1.0);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct MseLoss {
    /// The reduction over a batch. Default: the mean.
    pub reduction: Reduction,
}

with_reduction!(MseLoss);

compiled_evaluate!(|_loss: MseLoss, output, targets, weight, scale, delta| {
    let doubled = scale + scale;
    sum_over_outputs(output, targets, weight, delta, |z, y| {
        let residual = z - y;
        (residual * residual, doubled * residual)
    })
});

impl<T: Element> Loss<T> for MseLoss {
    fn name(&self) -> &'static str {
        "MSE"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        Some(("mse", LossOptions::of(self.reduction)))
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
        let output = array![[2.0, 0.0, 3.0, 1.0]];
        let targets = array![[1.0, 1.0, 2.0, 2.0]];
        let targets = TargetsView::Values(targets.view());
        let (sum, delta) = value_and_gradient(&MseLoss::default(), &output, targets, 0.25);
        assert_eq!(sum / 4.0, 1.0, "the loss of the report's Appendix A");
        assert_eq!(delta, array![[0.5, -0.5, 0.5, -0.5]]);
    }

    #[test]
    fn labels_are_one_hot_vectors() {
        let output = array![[0.5, 0.0], [0.0, 3.0]];
        let sum = |targets| MseLoss::default().evaluate(output.view(), targets, 1.0, None);
        let vectors = array![[1.0, 0.0], [0.0, 1.0]];
        assert_eq!(sum(TargetsView::Classes(&[0, 1])), 0.25 + 4.0);
        assert_eq!(sum(TargetsView::Values(vectors.view())), 0.25 + 4.0);
    }
}
