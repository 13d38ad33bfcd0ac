//! Cross-entropy loss of probabilities, for networks that end in a softmax.

use super::class_weights::{check_classes, in_words};
use super::cross_entropy::LARGEST;
use super::sums::{compiled_evaluate, evaluate_methods, sum_over_samples};
use super::{Loss, LossOptions, Output, Reduction, with_reduction};
use crate::data::Targets;
use crate::element::Element;
use crate::error::Result;

/// Cross-entropy of an output of probabilities: J = -1/m sum_i ln p_i(y_i).
///
/// Gradient: dJ/dp_i(y_i) = -1 / (m p_i(y_i)), 0 for the other classes; with [`Reduction::Sum`] without the 1/m. For a
/// network that ends in a [`Softmax`](crate::layer::Softmax), whose Jacobian turns this gradient into (P - Y) / m: value
/// and gradients are those of [`CrossEntropyLoss`](super::CrossEntropyLoss) without that softmax.
///
/// A probability counts as at least 1e-100 in the value, and as at least 1e-100 in f64 and 1e-30 in f32 in the gradient:
/// below that, the gradient of the right class vanishes. Training on logits has no such limit.
///
/// Class weights are as in [`CrossEntropyLoss`](super::CrossEntropyLoss). Targets are classes, or one-hot vectors.
///
/// # Shapes
///
/// P and Y: p classes x m samples
///
/// Source: report, section 4.2.
///
/// ```
/// use mfnet::{Dataset, NeuralNetwork};
/// use mfnet::loss::ProbabilityCrossEntropyLoss;
/// use ndarray::array;
///
/// let data = Dataset::classification(array![[0.0], [1.0]], vec![0, 1], 2)?;
/// let network = NeuralNetwork::<f64>::builder(1).linear(2).softmax().seed(7).build()?;
/// let probabilities = network.predict(array![[0.0], [1.0]].view())?;
/// let expected = -(probabilities[[0, 0]].ln() + probabilities[[1, 1]].ln()) / 2.0;
/// let loss = network.evaluate(&data, &ProbabilityCrossEntropyLoss::default())?.loss;
/// assert!((loss - expected).abs() < 1e-15);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ProbabilityCrossEntropyLoss {
    /// The reduction over a batch. Default: the mean.
    pub reduction: Reduction,
    /// The weight of each class, a finite number of at least 0. Default: empty, which means a weight of 1 for all.
    pub class_weights: Vec<f64>,
}

with_reduction!(ProbabilityCrossEntropyLoss);

impl ProbabilityCrossEntropyLoss {
    /// Sets the weight of each class, a finite number of at least 0; an empty list means a weight of 1 for all.
    ///
    /// The weights are checked when the loss is used.
    pub fn with_class_weights(mut self, class_weights: Vec<f64>) -> Self {
        self.class_weights = class_weights;
        self
    }
}

/// The smallest divisor of a gradient: its inverse, and small multiples of that, are finite in f32, too.
fn smallest<T: Element>() -> T {
    let floor = if T::NAME == f32::NAME { 1e-30 } else { 1e-100 };
    T::from_f64(floor)
}

compiled_evaluate!(
    |loss: ProbabilityCrossEntropyLoss, output, targets, weight, scale, delta| {
        sum_over_samples(
            output,
            targets,
            weight,
            scale,
            delta,
            |probabilities, class, scale, delta| {
                let probability = probabilities[class];
                let value = -probability.as_f64().ln();
                let weight = loss.class_weights.get(class).copied().unwrap_or(1.0);
                if let Some(mut delta) = delta {
                    delta.fill(T::zero());
                    let smallest = smallest::<T>();
                    let divisor = if probability < smallest {
                        smallest
                    } else {
                        probability
                    };
                    delta[class] = -(T::from_f64(weight) * scale) / divisor;
                }
                // Neither `min` here nor `max` above, which would turn NaN into a number and hide a diverged network.
                weight * if value > LARGEST { LARGEST } else { value }
            },
        )
    }
);

impl<T: Element> Loss<T> for ProbabilityCrossEntropyLoss {
    fn name(&self) -> &'static str {
        "cross-entropy of probabilities"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        let options = LossOptions {
            class_weights: self.class_weights.clone(),
            ..LossOptions::of(self.reduction)
        };
        Some(("probability-cross-entropy", options))
    }

    fn expects(&self) -> Output {
        Output::Probabilities
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let weights = ("class weights", in_words(&self.class_weights));
        vec![self.reduction.setting(), weights]
    }

    /// # Errors
    ///
    /// Those of [`CrossEntropyLoss`](super::CrossEntropyLoss).
    fn check(&self, targets: &Targets<T>) -> Result<()> {
        check_classes("ProbabilityCrossEntropyLoss", &self.class_weights, targets)
    }

    evaluate_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Activation, Softmax};
    use crate::loss::sums::value_and_gradient;
    use crate::loss::{CrossEntropyLoss, TargetsView};
    use ndarray::{Array2, array};

    /// The value, and the gradient with respect to the logits, of a loss of the logits or of their softmax.
    fn of_logits(loss: &dyn Loss<f64>, logits: &Array2<f64>, softmax: bool) -> (f64, Array2<f64>) {
        let mut output = logits.clone();
        if softmax {
            Softmax.forward(output.view_mut());
        }
        let (value, mut delta) = value_and_gradient(loss, &output, TargetsView::Classes(&[2, 0]), 0.5);
        if softmax {
            Softmax.backward(output.view(), delta.view_mut());
        }
        (value, delta)
    }

    #[test]
    fn behind_a_softmax_it_is_the_cross_entropy_of_the_logits() {
        let logits = array![[0.3, -1.0], [2.0, 0.5], [-0.7, 4.0]];
        for class_weights in [vec![], vec![2.0, 1.0, 0.5]] {
            let one = ProbabilityCrossEntropyLoss::default().with_class_weights(class_weights.clone());
            let other = CrossEntropyLoss::default().with_class_weights(class_weights);
            let (value, delta) = of_logits(&one, &logits, true);
            let (expected, expected_delta) = of_logits(&other, &logits, false);
            assert!((value - expected).abs() < 1e-14, "{value}, not {expected}");
            let errors = &delta - &expected_delta;
            assert!(errors.iter().all(|error| error.abs() < 1e-15), "{errors}");
        }
    }

    #[test]
    fn a_probability_of_zero_is_safe_in_both_precisions() {
        fn check<T: Element>() {
            let (zero, one) = (T::zero(), T::one());
            let output = array![[zero], [one]];
            let loss = ProbabilityCrossEntropyLoss::default();
            let (sum, mut delta) = value_and_gradient(&loss, &output, TargetsView::Classes(&[0]), one);
            assert_eq!(sum, LARGEST);
            assert!(delta.iter().all(|value: &T| value.is_finite()));
            Softmax.backward(output.view(), delta.view_mut());
            assert!(delta.iter().all(|value| value.is_finite()));
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn the_loss_of_a_diverged_network_is_nan() {
        let output = array![[f64::NAN], [0.0]];
        let loss = ProbabilityCrossEntropyLoss::default();
        let (sum, delta) = value_and_gradient(&loss, &output, TargetsView::Classes(&[0]), 1.0);
        assert!(sum.is_nan() && delta[[0, 0]].is_nan());
    }
}
