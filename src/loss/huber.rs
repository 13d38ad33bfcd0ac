//! Huber loss, for regression with outliers among the targets.

use super::sums::{check_numbers, compiled_evaluate, evaluate_methods, sum_over_outputs};
use super::{Loss, LossOptions, Reduction, with_reduction};
use crate::data::Targets;
use crate::element::Element;
use crate::error::{Error, Result};

/// Huber loss: J = 1/m sum_i sum_k h(z_i(k) - y_i(k)), summed over outputs, averaged over samples, as
/// [`MseLoss`](super::MseLoss) sums and averages.
///
/// ```text
/// h(e) = e^2 / 2                for |e| <= delta
///        delta (|e| - delta/2)  for |e| > delta
/// ```
///
/// Gradient: dJ/dZ = E / m where |E| <= delta, and delta sign(E) / m elsewhere, E = Z - Y; with [`Reduction::Sum`] without
/// the 1/m. Small errors count as half of those of `MseLoss`, large ones by their distance, so that an outlier among the
/// targets moves the network no further than an error of delta does. PyTorch's `HuberLoss` takes the mean over the outputs
/// too: J is the number of outputs times that.
///
/// Delta is in the unit of the targets that the loss sees. Where a [`Schema`](crate::data::Schema) normalises the targets,
/// as the command does, that unit is the deviation of the target.
///
/// For targets that are numbers.
///
/// # Shapes
///
/// Z and Y: p outputs x m samples
///
/// Source: P. Huber, "Robust estimation of a location parameter", 1964.
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::baseline::mean_predictor;
/// use mfnet::loss::HuberLoss;
/// use ndarray::array;
///
/// // The mean is 4: one target is off by 1, one by 3, and two by 2.
/// let data = Dataset::regression(array![[1.0], [2.0], [3.0], [4.0]], array![[3.0], [7.0], [2.0], [4.0]])?;
/// let loss = mean_predictor(&data)?.evaluate(&data, &HuberLoss::default().with_delta(2.0))?.loss;
/// assert_eq!(loss, (0.5 + 2.0 * (3.0 - 1.0) + 2.0 + 0.0) / 4.0);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HuberLoss {
    /// The reduction over a batch. Default: the mean.
    pub reduction: Reduction,
    /// The error up to which squares count, and distances beyond; a finite number above 0. Default: 1.
    pub delta: f64,
}

impl Default for HuberLoss {
    fn default() -> Self {
        HuberLoss {
            reduction: Reduction::default(),
            delta: 1.0,
        }
    }
}

with_reduction!(HuberLoss);

impl HuberLoss {
    /// Sets the error up to which squares count, a finite number above 0.
    ///
    /// It is checked when the loss is used.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }
}

compiled_evaluate!(|loss: HuberLoss, output, targets, weight, scale, delta| {
    let (bend, half) = (T::from_f64(loss.delta), T::from_f64(0.5));
    sum_over_outputs(output, targets, weight, delta, |z: T, y| {
        let residual = z - y;
        let size = residual.abs();
        if size <= bend {
            (half * residual * residual, scale * residual)
        } else {
            (bend * (size - half * bend), scale * (bend * residual.signum()))
        }
    })
});

impl<T: Element> Loss<T> for HuberLoss {
    fn name(&self) -> &'static str {
        "Huber"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        let options = LossOptions {
            huber_delta: Some(self.delta),
            ..LossOptions::of(self.reduction)
        };
        Some(("huber", options))
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![self.reduction.setting(), ("delta", self.delta.to_string())]
    }

    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a delta that is not a finite number above 0, [`Error::InvalidData`] for targets that are
    /// classes.
    fn check(&self, targets: &Targets<T>) -> Result<()> {
        if !(self.delta > 0.0 && self.delta.is_finite()) {
            return Err(Error::option(
                "Huber delta",
                self.delta,
                "a finite number above 0",
            ));
        }
        check_numbers("HuberLoss", targets)
    }

    evaluate_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::TargetsView;
    use crate::loss::sums::value_and_gradient;
    use ndarray::{Array2, array};

    /// The sum of the losses and the gradient for the targets 0.
    fn of(loss: HuberLoss, output: &Array2<f64>) -> (f64, Array2<f64>) {
        let targets = Array2::zeros(output.dim());
        value_and_gradient(&loss, output, TargetsView::Values(targets.view()), 0.25)
    }

    #[test]
    fn value_and_gradient_by_hand() {
        let output = array![[0.5, -1.0, 2.0, -3.0]];
        let (sum, delta) = of(HuberLoss::default(), &output);
        assert_eq!(sum, 0.125 + 0.5 + 1.5 + 2.5);
        assert_eq!(delta, array![[0.125, -0.25, 0.25, -0.25]]);
        let (sum, delta) = of(HuberLoss::default().with_delta(2.0), &output);
        assert_eq!(sum, 0.125 + 0.5 + 2.0 + 4.0);
        assert_eq!(delta, array![[0.125, -0.25, 0.5, -0.5]]);
    }

    #[test]
    fn a_prediction_that_is_not_a_number_stays_visible() {
        let (sum, delta) = of(HuberLoss::default(), &array![[f64::NAN]]);
        assert!(sum.is_nan() && delta[[0, 0]].is_nan());
    }

    #[test]
    fn deltas_out_of_range_and_classes_are_refused() {
        let numbers = Targets::Values(array![[0.5]]);
        for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = HuberLoss::default()
                .with_delta(delta)
                .check(&numbers)
                .unwrap_err();
            assert!(error.to_string().contains("a finite number above 0"), "{error}");
        }
        let classes = Targets::<f64>::Classes {
            labels: vec![0],
            classes: 2,
        };
        assert!(HuberLoss::default().check(&classes).is_err());
        HuberLoss::default().check(&numbers).unwrap();
    }
}
