//! Mean squared error, for regression.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::residuals::sum_over_residuals;
use super::{Loss, LossOptions, Reduction, TargetsView, Weight};
use crate::element::{Element, compiled};

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

impl MseLoss {
    /// Sets the reduction.
    pub fn with_reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

compiled! {
    fn evaluate<'a, 'b, T>(
        output: ArrayView2<'a, T>,
        targets: TargetsView<'b, T>,
        weight: Weight<'a, T>,
        scale: T,
        delta: Option<ArrayViewMut2<'a, T>>,
    ) -> f64 {
        let doubled = scale + scale;
        sum_over_residuals(output, targets, weight, delta, |residual| residual * residual, |residual| doubled * residual)
    }
}

impl<T: Element> Loss<T> for MseLoss {
    fn name(&self) -> &'static str {
        "MSE"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        let options = LossOptions {
            reduction: self.reduction,
            ..LossOptions::default()
        };
        Some(("mse", options))
    }

    fn evaluate(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64 {
        evaluate(output, targets, None, scale, delta)
    }

    fn evaluate_weighted(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        weight: &dyn Fn(usize) -> T,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64 {
        evaluate(output, targets, Some(weight), scale, delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn value_and_gradient_by_hand() {
        let output = array![[2.0, 0.0, 3.0, 1.0]];
        let targets = array![[1.0, 1.0, 2.0, 2.0]];
        let mut delta = Array2::zeros((1, 4));
        let sum = MseLoss::default().evaluate(
            output.view(),
            TargetsView::Values(targets.view()),
            0.25,
            Some(delta.view_mut()),
        );
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
