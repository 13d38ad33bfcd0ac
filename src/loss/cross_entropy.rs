//! Cross-entropy loss of logits, for classification.

use ndarray::{ArrayView1, ArrayViewMut1};

use super::class_weights::{check_classes, in_words};
use super::sums::{compiled_evaluate, evaluate_methods, sum_over_samples};
use super::{Loss, LossOptions, Output, Reduction, with_reduction};
use crate::data::Targets;
use crate::element::Element;
use crate::error::{Error, Result};

/// Cross-entropy of the softmax of the output: J = -1/m sum_i ln s_i(y_i), S = softmax(Z).
///
/// Gradient: dJ/dZ = (S - Y) / m, Y the one-hot targets; with [`Reduction::Sum`] without the 1/m. (The report's
/// equation 4.8 divides only Y by m: a misprint.) The value is computed by log-sum-exp, so that logits of any size are
/// safe, and a probability counts as at least 1e-100, in f32 as in f64.
///
/// With class weights, the loss and the gradient of a sample are multiplied by the weight of its class. The mean is still
/// over the number of samples, as in Keras; PyTorch divides by the sum of their weights instead.
///
/// With label smoothing e, the targets are the probabilities Q = (1 - e) Y + e/p instead of Y, p classes, as in PyTorch:
///
/// ```text
/// J_i = -(1 - e) w(y_i) ln s_i(y_i) - e/p sum_k w(k) ln s_i(k)          w: the class weights
/// dJ_i/dz_i(k) = s_i(k) sum_j q_i(j) - q_i(k)                            q_i(k) = w(k) ((1 - e) [k = y_i] + e/p)
/// ```
///
/// Each probability counts as at least 1e-100 there, too.
///
/// Targets are classes, or one-hot vectors.
///
/// # Shapes
///
/// Z and Y: p classes x m samples
///
/// Source: report, section 4.2; label smoothing after Szegedy et al. 2016.
///
/// ```
/// use mfnet::{CrossEntropyLoss, Reduction};
///
/// // The report's MNIST figures were made with the sum.
/// let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
/// // The third class counts twice.
/// let weighted = CrossEntropyLoss::default().with_class_weights(vec![1.0, 1.0, 2.0]);
/// let smoothed = CrossEntropyLoss::default().with_label_smoothing(0.1);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct CrossEntropyLoss {
    /// The reduction over a batch. Default: the mean.
    pub reduction: Reduction,
    /// The weight of each class, a finite number of at least 0. Default: empty, which means a weight of 1 for all.
    /// [`balanced_class_weights`](super::balanced_class_weights) computes weights by which all classes count the same.
    pub class_weights: Vec<f64>,
    /// The part of the targets that is spread over all classes, 0 to 1. Default: 0.
    pub label_smoothing: f64,
}

with_reduction!(CrossEntropyLoss);

impl CrossEntropyLoss {
    /// Sets the weight of each class, a finite number of at least 0; an empty list means a weight of 1 for all.
    ///
    /// The weights are checked when the loss is used.
    pub fn with_class_weights(mut self, class_weights: Vec<f64>) -> Self {
        self.class_weights = class_weights;
        self
    }

    /// Sets the part of the targets that is spread over all classes, 0 to 1.
    ///
    /// It is checked when the loss is used.
    pub fn with_label_smoothing(mut self, label_smoothing: f64) -> Self {
        self.label_smoothing = label_smoothing;
        self
    }

    /// The weight of a class.
    fn weight(&self, class: usize) -> f64 {
        self.class_weights.get(class).copied().unwrap_or(1.0)
    }

    /// Returns the loss of a sample with label smoothing. If `delta` is given, it holds the exponentials e^(z - max z), and
    /// its elements are replaced by the gradient; `exponentials` is their sum.
    fn smoothed<T: Element>(
        &self,
        logits: ArrayView1<'_, T>,
        (largest, exponentials): (T, T),
        class: usize,
        scale: T,
        delta: Option<ArrayViewMut1<'_, T>>,
    ) -> f64 {
        let spread = self.label_smoothing / logits.len() as f64;
        // The weighted target q_i(k) of the documentation.
        let target = |k: usize| {
            let own = if k == class {
                1.0 - self.label_smoothing
            } else {
                0.0
            };
            self.weight(k) * (own + spread)
        };
        let (mut loss, mut sum) = (0.0, 0.0);
        for (k, &logit) in logits.iter().enumerate() {
            let log_loss = (exponentials.ln() - (logit - largest)).as_f64();
            let log_loss = if log_loss > LARGEST { LARGEST } else { log_loss };
            loss += target(k) * log_loss;
            sum += target(k);
        }
        if let Some(mut delta) = delta {
            let factor = T::from_f64(sum) * scale / exponentials;
            for (k, place) in delta.iter_mut().enumerate() {
                *place = *place * factor - T::from_f64(target(k)) * scale;
            }
        }
        loss
    }
}

/// The largest loss of a sample, -ln 1e-100, when the probability of its class is 0.
pub(super) const LARGEST: f64 = 230.258_509_299_404_56;

compiled_evaluate!(|loss: CrossEntropyLoss, output, targets, weight, scale, delta| {
    sum_over_samples(
        output,
        targets,
        weight,
        scale,
        delta,
        |logits, class, scale, mut delta| {
            let largest = logits.iter().copied().fold(T::neg_infinity(), T::max);
            let exponential = |logit: T| (logit - largest).exp();
            let exponentials = match &mut delta {
                // The exponentials are needed twice: for their sum and for the gradient.
                Some(delta) => {
                    let mut total = T::zero();
                    for (place, &logit) in delta.iter_mut().zip(logits) {
                        *place = exponential(logit);
                        total += *place;
                    }
                    total
                }
                None => logits
                    .iter()
                    .fold(T::zero(), |total, &logit| total + exponential(logit)),
            };
            if loss.label_smoothing > 0.0 {
                return loss.smoothed(logits, (largest, exponentials), class, scale, delta);
            }
            let value = (exponentials.ln() - (logits[class] - largest)).as_f64();
            // Not `min`, which would turn NaN into a number and hide a diverged network.
            let value = if value > LARGEST { LARGEST } else { value };
            let (value, scale) = match loss.class_weights.get(class) {
                Some(&weight) => (weight * value, T::from_f64(weight) * scale),
                None => (value, scale),
            };
            if let Some(mut delta) = delta {
                let factor = scale / exponentials;
                delta.iter_mut().for_each(|place| *place *= factor);
                delta[class] -= scale;
            }
            value
        },
    )
});

impl<T: Element> Loss<T> for CrossEntropyLoss {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        let options = LossOptions {
            class_weights: self.class_weights.clone(),
            label_smoothing: self.label_smoothing,
            ..LossOptions::of(self.reduction)
        };
        Some(("cross-entropy", options))
    }

    fn expects(&self) -> Output {
        Output::Logits
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            self.reduction.setting(),
            ("class weights", in_words(&self.class_weights)),
            ("label smoothing", self.label_smoothing.to_string()),
        ]
    }

    /// # Errors
    ///
    /// [`Error::InvalidData`](crate::Error::InvalidData) for target values that are not one-hot vectors,
    /// [`Error::Shape`](crate::Error::Shape) for class weights that are not one for each class,
    /// [`Error::InvalidOption`](crate::Error::InvalidOption) for one that is negative or not finite, and for a label
    /// smoothing that is not 0 to 1.
    fn check(&self, targets: &Targets<T>) -> Result<()> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(Error::option("label smoothing", self.label_smoothing, "0 to 1"));
        }
        check_classes("CrossEntropyLoss", &self.class_weights, targets)
    }

    evaluate_methods!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::TargetsView;
    use crate::loss::sums::value_and_gradient;
    use ndarray::{Array2, array};

    #[test]
    fn value_and_gradient_by_hand() {
        // Softmax of (ln 1, ln 3) is (1/4, 3/4).
        let output = array![[0.0], [3.0_f64.ln()]];
        let targets = TargetsView::Classes(&[0]);
        let (sum, delta) = value_and_gradient(&CrossEntropyLoss::default(), &output, targets, 1.0);
        assert!((sum - 4.0_f64.ln()).abs() < 1e-15);
        assert!(
            (&delta - &array![[-0.75], [0.75]])
                .iter()
                .all(|error| error.abs() < 1e-15)
        );
    }

    #[test]
    fn samples_have_the_weight_of_their_class() {
        let output = array![[0.0, 0.0], [3.0_f64.ln(), 3.0_f64.ln()]];
        let loss = CrossEntropyLoss::default().with_class_weights(vec![2.0, 0.5]);
        let vectors = array![[1.0, 0.0], [0.0, 1.0]];
        for targets in [TargetsView::Classes(&[0, 1]), TargetsView::Values(vectors.view())] {
            let (sum, delta) = value_and_gradient(&loss, &output, targets, 0.5);
            assert!((sum - (2.0 * 4.0_f64.ln() + 0.5 * (4.0_f64 / 3.0).ln())).abs() < 1e-15);
            let expected = array![[-0.75, 0.0625], [0.75, -0.0625]];
            assert!(
                (&delta - &expected).iter().all(|error| error.abs() < 1e-15),
                "{delta}"
            );
        }
    }

    /// The values are from PyTorch 2.15, with the sum over the samples where this loss is scaled to the mean:
    ///
    /// ```python
    /// z = torch.tensor([[0.3, -1.0, 2.0], [4.0, 0.5, -0.7]], dtype=torch.float64, requires_grad=True)
    /// y = torch.tensor([2, 1])
    /// for weight in [None, torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64)]:
    ///     z.grad = None
    ///     loss = torch.nn.functional.cross_entropy(z, y, weight, label_smoothing=0.1, reduction="sum")
    ///     loss.backward()
    ///     print(repr(loss.item()), z.grad.tolist())
    /// ```
    #[test]
    fn smoothed_labels_are_those_of_pytorch() {
        let output = array![[0.3, 4.0], [-1.0, 0.5], [2.0, -0.7]];
        let vectors = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]];
        for (class_weights, value, gradient) in [
            (
                vec![],
                3.8275611141906856,
                array![
                    [0.11489212955088879, 0.9288595484058652],
                    [0.0070628178398002076, -0.9042776259572292],
                    [-0.1219549473906889, -0.02458192244863609]
                ],
            ),
            (
                vec![2.0, 1.0, 0.5],
                3.7159611211485872,
                array![
                    [0.0173277623010592, 0.9115627631015184],
                    [-0.010442181001890994, -0.9037933641676275],
                    [-0.0068855812991681685, -0.007769398933891136]
                ],
            ),
        ] {
            let loss = CrossEntropyLoss::default().with_class_weights(class_weights);
            let loss = loss.with_label_smoothing(0.1);
            for targets in [TargetsView::Classes(&[2, 1]), TargetsView::Values(vectors.view())] {
                let (sum, delta) = value_and_gradient(&loss, &output, targets, 0.5);
                assert!((sum - value).abs() < 1e-14, "{sum}");
                let errors: Array2<f64> = delta * 2.0 - &gradient;
                assert!(errors.iter().all(|error| error.abs() < 1e-15), "{errors}");
                assert_eq!(loss.evaluate(output.view(), targets, 0.5, None), sum);
            }
        }
    }

    #[test]
    fn smoothed_labels_of_huge_logits_are_safe() {
        let output = array![[1e4_f32, f32::NAN], [-1e4, 0.0]];
        let loss = CrossEntropyLoss::default().with_label_smoothing(0.5);
        let mut delta = Array2::zeros((2, 1));
        let first = output.slice(ndarray::s![.., ..1]);
        let sum = loss.evaluate(first, TargetsView::Classes(&[1]), 1.0, Some(delta.view_mut()));
        assert_eq!(sum, 0.75 * LARGEST);
        assert_eq!(delta, array![[0.75], [-0.75]]);
        let both = loss.evaluate(output.view(), TargetsView::Classes(&[1, 1]), 1.0, None);
        assert!(both.is_nan(), "the loss of a diverged network is NaN");
    }

    #[test]
    fn invalid_label_smoothing_is_refused() {
        let classes = Targets::<f64>::Classes {
            labels: vec![0, 1],
            classes: 2,
        };
        for (smoothing, fits) in [
            (0.0, true),
            (1.0, true),
            (-0.1, false),
            (1.1, false),
            (f64::NAN, false),
        ] {
            let loss = CrossEntropyLoss::default().with_label_smoothing(smoothing);
            assert_eq!(loss.check(&classes).is_ok(), fits, "{smoothing}");
        }
    }

    #[test]
    fn invalid_class_weights_are_refused() {
        let check = |class_weights: &[f64]| {
            let loss = CrossEntropyLoss::default().with_class_weights(class_weights.to_vec());
            let classes = Targets::<f64>::Classes {
                labels: vec![0, 1],
                classes: 2,
            };
            let vectors = Targets::Values(array![[1.0, 0.0], [0.0, 1.0]]);
            let [first, second] = [classes, vectors].map(|targets| loss.check(&targets).is_ok());
            assert_eq!(first, second);
            first
        };
        assert!(check(&[]) && check(&[1.0, 0.0]));
        for odd in [
            &[1.0][..],
            &[1.0; 3],
            &[1.0, -1.0],
            &[f64::NAN, 1.0],
            &[1.0, f64::INFINITY],
        ] {
            assert!(!check(odd), "{odd:?}");
        }
    }

    #[test]
    fn huge_logits_are_safe_in_both_precisions() {
        fn check<T: Element>() {
            let huge = T::from_f64(1e4);
            let output = array![[huge, -huge], [-huge, huge]];
            let targets = TargetsView::Classes(&[0, 0]);
            let (sum, delta) = value_and_gradient(&CrossEntropyLoss::default(), &output, targets, T::one());
            assert_eq!(
                sum, LARGEST,
                "the probability of the second sample counts as 1e-100"
            );
            let one = T::one();
            assert_eq!(delta, array![[T::zero(), -one], [T::zero(), one]]);
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn the_loss_of_a_diverged_network_is_nan() {
        let output = array![[f64::NAN], [0.0]];
        let sum = CrossEntropyLoss::default().evaluate(output.view(), TargetsView::Classes(&[1]), 1.0, None);
        assert!(sum.is_nan());
    }
}
