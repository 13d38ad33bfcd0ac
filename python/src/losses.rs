//! Losses with scikit-learn's factors, and the factor of a batch with sample weights.

use mfnet::loss::{Output, TargetsView};
use mfnet::{Element, Loss, Reduction, Targets};
use ndarray::{ArrayView2, ArrayViewMut2, Zip};

use crate::arrays::Number;

/// Half of the squared error: the gradient is Z - Y for each sample, and the loss that is reported |Z - Y|^2 / (2 p) for p outputs.
///
/// scikit-learn divides the loss that it reports by the number of outputs, and not its gradient.
#[derive(Debug)]
pub(crate) struct HalfSquaredLoss;

/// Half of the Poisson deviance of Y, given the logarithm Z of the expected count: y ln(y / e^z) - y + e^z, summed over outputs.
#[derive(Debug)]
pub(crate) struct HalfPoissonLoss;

/// A loss, and a factor for the samples of one batch.
#[derive(Debug)]
pub(crate) struct Scaled<'a, T> {
    pub(crate) loss: &'a dyn Loss<T>,
    pub(crate) factor: f64,
}

impl<T: Number> Loss<T> for HalfSquaredLoss {
    fn name(&self) -> &'static str {
        "half squared error"
    }

    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }

    fn evaluate(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64 {
        let outputs = output.nrows() as f64;
        let mut sum = 0.0;
        over_pairs(output, targets, delta, |z, y| {
            let error = z - y;
            sum += error.as_f64() * error.as_f64();
            scale * error
        });
        0.5 * sum / outputs
    }
}

impl<T: Number> Loss<T> for HalfPoissonLoss {
    fn name(&self) -> &'static str {
        "half Poisson deviance"
    }

    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }

    fn evaluate(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64 {
        let mut sum = 0.0;
        over_pairs(output, targets, delta, |z, y| {
            let (logarithm, count) = (z.as_f64(), y.as_f64());
            let expected = logarithm.exp();
            let ratio = if count > 0.0 {
                count * (count.ln() - logarithm)
            } else {
                0.0
            };
            sum += ratio - count + expected;
            scale * (z.exp() - y)
        });
        sum
    }
}

/// Calls a function for each output and its target; its result is the gradient.
fn over_pairs<T: Element>(
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    delta: Option<ArrayViewMut2<'_, T>>,
    mut gradient: impl FnMut(T, T) -> T,
) {
    // Networks of these losses are given numbers only.
    let TargetsView::Values(targets) = targets else {
        return;
    };
    match delta {
        Some(delta) => Zip::from(delta)
            .and(output)
            .and(targets)
            .for_each(|delta, &z, &y| *delta = gradient(z, y)),
        None => Zip::from(output).and(targets).for_each(|&z, &y| {
            gradient(z, y);
        }),
    }
}

impl<T: Number> Loss<T> for Scaled<'_, T> {
    fn name(&self) -> &'static str {
        self.loss.name()
    }

    fn reduction(&self) -> Reduction {
        self.loss.reduction()
    }

    fn expects(&self) -> Output {
        self.loss.expects()
    }

    fn check(&self, targets: &Targets<T>) -> mfnet::Result<()> {
        self.loss.check(targets)
    }

    fn evaluate(
        &self,
        output: ArrayView2<'_, T>,
        targets: TargetsView<'_, T>,
        scale: T,
        delta: Option<ArrayViewMut2<'_, T>>,
    ) -> f64 {
        let scale = T::from_f64(scale.as_f64() * self.factor);
        self.factor * self.loss.evaluate(output, targets, scale, delta)
    }
}
