//! Binary cross-entropy of logits, for targets that are yes or no.

use ndarray::Array2;

use super::class_weights::in_words;
use super::sums::{compiled_evaluate, evaluate_methods};
use super::{Loss, LossOptions, Output, Reduction, TargetsView, with_reduction};
use crate::data::{Dataset, Targets};
use crate::element::Element;
use crate::error::{Error, Result};

/// Binary cross-entropy of the sigmoid of each output: J = 1/m sum_i sum_k l_i(k), summed over outputs, averaged over samples,
/// as [`MseLoss`](super::MseLoss) sums and averages. Each output is a yes or no of its own: a sample may have several labels,
/// or none.
///
/// ```text
/// l = -w y ln s(z) - (1 - y) ln(1 - s(z))     s(z) = 1 / (1 + e^-z), w the weight of the positives
/// dl/dz = (1 - y) s(z) - w y (1 - s(z))
/// ```
///
/// With [`Reduction::Sum`], the gradient is without the 1/m. ln s(z) is computed as min(z, 0) - ln(1 + e^-|z|), so that
/// logits of any size are safe. PyTorch's `BCEWithLogitsLoss` takes the mean over the outputs too: J is the number of outputs
/// times that; its `pos_weight` is w.
///
/// Targets are the values 0 (no) and 1 (yes). [`Schema::binary`](crate::data::Schema::binary) leaves them unscaled.
///
/// # Shapes
///
/// Z and Y: p outputs x m samples
///
/// ```
/// use mfnet::loss::BinaryCrossEntropyLoss;
/// use mfnet::{Dataset, NeuralNetwork};
/// use ndarray::array;
///
/// // The first sample has both labels, the second one none.
/// let data = Dataset::regression(array![[1.0], [2.0]], array![[1.0, 1.0], [0.0, 0.0]])?;
/// let network = NeuralNetwork::<f64>::builder(1).linear(2).seed(7).build()?;
/// let logits = network.predict(array![[1.0], [2.0]].view())?;
/// let wrong = |z: f64| (1.0 + z.exp()).ln();
/// let expected = (wrong(-logits[[0, 0]]) + wrong(-logits[[0, 1]]) + wrong(logits[[1, 0]]) + wrong(logits[[1, 1]])) / 2.0;
/// let loss = network.evaluate(&data, &BinaryCrossEntropyLoss::default())?.loss;
/// assert!((loss - expected).abs() < 1e-12);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct BinaryCrossEntropyLoss {
    /// The reduction over a batch. Default: the mean.
    pub reduction: Reduction,
    /// The weight of each output's positives, a finite number of at least 0. Default: empty, which means a weight of 1 for
    /// all. [`balanced_positive_weights`] computes weights by which yes and no count the same.
    pub positive_weights: Vec<f64>,
}

with_reduction!(BinaryCrossEntropyLoss);

impl BinaryCrossEntropyLoss {
    /// Sets the weight of each output's positives, a finite number of at least 0; an empty list means a weight of 1 for all.
    ///
    /// The weights are checked when the loss is used.
    pub fn with_positive_weights(mut self, positive_weights: Vec<f64>) -> Self {
        self.positive_weights = positive_weights;
        self
    }
}

/// Returns for each output the number of its samples that are no over the number of those that are yes: with these weights of
/// the positives, both have the same total weight. Where the samples have weights, their sums count instead of numbers.
///
/// # Errors
///
/// [`Error::InvalidData`] for targets that are not 0 and 1, and for an output without a sample that is yes and counts.
///
/// ```
/// use mfnet::Dataset;
/// use mfnet::loss::{BinaryCrossEntropyLoss, balanced_positive_weights};
/// use ndarray::{Array2, array};
///
/// let answers = array![[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]];
/// let weights = balanced_positive_weights(&Dataset::regression(Array2::zeros((4, 1)), answers)?)?;
/// assert_eq!(weights, [3.0, 1.0 / 3.0]);
/// let loss = BinaryCrossEntropyLoss::default().with_positive_weights(weights);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn balanced_positive_weights<T: Element>(data: &Dataset<T>) -> Result<Vec<f64>> {
    const OPERATION: &str = "balanced_positive_weights";
    let targets = data.targets();
    let Targets::Values(values) = targets else {
        return Err(check_answers(OPERATION, targets)
            .err()
            .unwrap_or_else(|| Error::data(OPERATION, "the targets are classes")));
    };
    check_answers(OPERATION, targets)?;
    let weight = |sample: usize| data.weights().map_or(1.0, |weights| weights[sample].as_f64());
    let balance = |(output, column): (usize, ndarray::ArrayView1<'_, T>)| {
        let [mut positives, mut negatives] = [0.0; 2];
        for (sample, &value) in column.iter().enumerate() {
            match value == T::one() {
                true => positives += weight(sample),
                false => negatives += weight(sample),
            }
        }
        match positives > 0.0 {
            true => Ok(negatives / positives),
            false => Err(Error::data(
                OPERATION,
                format_args!("no sample is yes in output {output} and counts, so no weight balances it"),
            )),
        }
    };
    values.columns().into_iter().enumerate().map(balance).collect()
}

/// Refuses targets that are not the values 0 and 1.
fn check_answers<T: Element>(operation: &str, targets: &Targets<T>) -> Result<()> {
    let Targets::Values(values) = targets else {
        let problem =
            "the targets are classes, and the loss is for the values 0 and 1: take the CrossEntropyLoss";
        return Err(Error::data(operation, problem));
    };
    let is_answer = |value: T| value == T::zero() || value == T::one();
    match values.indexed_iter().find(|&(_, &value)| !is_answer(value)) {
        None => Ok(()),
        Some(((row, output), value)) => Err(Error::data(
            operation,
            format_args!(
                "row {row}, output {output} has the target {value}: it must be 0 or 1 (Schema::binary leaves targets \
                 unscaled)"
            ),
        )),
    }
}

compiled_evaluate!(
    |loss: BinaryCrossEntropyLoss, output, targets, weight, scale, delta| {
        let mut delta = delta;
        let mut sum = 0.0;
        // Output by output: each has its weight.
        for (place, output) in output.rows().into_iter().enumerate() {
            let of_positive = loss.positive_weights.get(place).copied().unwrap_or(1.0);
            for (sample, &z) in output.iter().enumerate() {
                let (times, scale) = match weight.map(|weight| weight(sample)) {
                    None => (1.0, scale),
                    // A sample of weight 0 counts as nothing, whatever its loss.
                    Some(weight) if weight == T::zero() => {
                        if let Some(delta) = &mut delta {
                            delta[[place, sample]] = weight;
                        }
                        continue;
                    }
                    Some(weight) => (weight.as_f64(), weight * scale),
                };
                let positive = T::from_f64(of_positive) * scale;
                let is_yes = match targets {
                    TargetsView::Values(values) => values[[place, sample]] == T::one(),
                    TargetsView::Classes(labels) => labels[sample] as usize == place,
                };
                // The logit of the wrong answer, its e^-|x|, and the probability of that answer.
                let x = if is_yes { -z } else { z };
                let small = (-x.abs()).exp();
                let largest = if x < T::zero() { T::zero() } else { x };
                let loss = (largest + small.ln_1p()).as_f64();
                sum += times * if is_yes { of_positive * loss } else { loss };
                if let Some(delta) = &mut delta {
                    let wrong = if x < T::zero() { small } else { T::one() } / (T::one() + small);
                    delta[[place, sample]] = if is_yes {
                        -(positive * wrong)
                    } else {
                        scale * wrong
                    };
                }
            }
        }
        sum
    }
);

impl<T: Element> Loss<T> for BinaryCrossEntropyLoss {
    fn name(&self) -> &'static str {
        "binary cross-entropy"
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn options(&self) -> Option<(&'static str, LossOptions)> {
        let options = LossOptions {
            positive_weights: self.positive_weights.clone(),
            ..LossOptions::of(self.reduction)
        };
        Some(("bce", options))
    }

    fn expects(&self) -> Output {
        Output::BinaryLogits
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let weights = ("positive weights", in_words(&self.positive_weights));
        vec![self.reduction.setting(), weights]
    }

    /// # Errors
    ///
    /// [`Error::InvalidData`] for targets that are not the values 0 and 1, [`Error::Shape`] for weights that are not one for
    /// each output, [`Error::InvalidOption`] for one that is negative or not finite.
    fn check(&self, targets: &Targets<T>) -> Result<()> {
        check_answers("BinaryCrossEntropyLoss", targets)?;
        let outputs = targets.outputs();
        let weights = &self.positive_weights;
        if !weights.is_empty() && weights.len() != outputs {
            return Err(Error::shape(
                "BinaryCrossEntropyLoss",
                format_args!("{outputs} weights of positives, one for each output"),
                weights.len(),
            ));
        }
        match weights
            .iter()
            .find(|weight| !(**weight >= 0.0 && weight.is_finite()))
        {
            None => Ok(()),
            Some(weight) => Err(Error::option(
                "weight of positives",
                weight,
                "a finite number of at least 0",
            )),
        }
    }

    evaluate_methods!();
}

/// Sigmoid: s(z) = 1 / (1 + e^-z), element by element: turns logits of yes and no into probabilities of yes.
///
/// # Shapes
///
/// samples x outputs -> samples x outputs
///
/// ```
/// use mfnet::loss::sigmoid;
/// use ndarray::array;
///
/// assert_eq!(sigmoid(array![[0.0, 1000.0, -1000.0]]), array![[0.5, 1.0, 0.0]]);
/// ```
pub fn sigmoid<T: Element>(logits: Array2<T>) -> Array2<T> {
    logits.mapv_into(|z| {
        let small = (-z.abs()).exp();
        let larger = if z < T::zero() { small } else { T::one() };
        larger / (T::one() + small)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::sums::value_and_gradient;
    use ndarray::array;

    fn of(loss: &BinaryCrossEntropyLoss, output: &Array2<f64>, targets: &Array2<f64>) -> (f64, Array2<f64>) {
        value_and_gradient(loss, output, TargetsView::Values(targets.view()), 0.5)
    }

    fn assert_close(found: &Array2<f64>, expected: &Array2<f64>) {
        let errors = found - expected;
        assert!(errors.iter().all(|error| error.abs() < 1e-15), "{found}");
    }

    #[test]
    fn value_and_gradient_by_hand() {
        // The sigmoid of ln 3 is 3/4.
        let z = 3.0_f64.ln();
        let (output, targets) = (array![[z, z], [0.0, -z]], array![[1.0, 0.0], [1.0, 1.0]]);
        let (sum, delta) = of(&BinaryCrossEntropyLoss::default(), &output, &targets);
        let [quarter, half, three] = [0.25_f64, 0.5, 0.75].map(|probability| -probability.ln());
        assert!((sum - (three + quarter + half + quarter)).abs() < 1e-15, "{sum}");
        assert_close(&delta, &array![[-0.125, 0.375], [-0.25, -0.375]]);
        let weighted = BinaryCrossEntropyLoss::default().with_positive_weights(vec![2.0, 4.0]);
        let (sum, delta) = of(&weighted, &output, &targets);
        assert!(
            (sum - (2.0 * three + quarter + 4.0 * (half + quarter))).abs() < 1e-14,
            "{sum}"
        );
        assert_close(&delta, &array![[-0.25, 0.375], [-1.0, -1.5]]);
    }

    #[test]
    fn logits_of_any_size_are_safe_and_nan_stays_visible() {
        let loss = BinaryCrossEntropyLoss::default();
        let (output, targets) = (
            array![[1e4, -1e4, f64::INFINITY, 1e4]],
            array![[1.0, 0.0, 1.0, 0.0]],
        );
        let (sum, delta) = of(&loss, &output, &targets);
        assert_eq!((sum, delta), (1e4, array![[-0.0, 0.0, -0.0, 0.5]]));
        let (sum, delta) = of(&loss, &array![[f64::NAN]], &array![[1.0]]);
        assert!(sum.is_nan() && delta[[0, 0]].is_nan());
        // Where 1 - s(z) rounds to 0, the loss and the gradient keep their digits.
        let (sum, delta) = of(&loss, &array![[50.0]], &array![[1.0]]);
        let small = (-50.0_f64).exp();
        assert!((sum / small - 1.0).abs() < 1e-14 && (delta[[0, 0]] / small + 0.5).abs() < 1e-14);
    }

    #[test]
    fn targets_and_weights_that_do_not_fit_are_refused() {
        let loss = BinaryCrossEntropyLoss::default();
        let message = |loss: &BinaryCrossEntropyLoss, targets| {
            Loss::<f64>::check(loss, &targets).unwrap_err().to_string()
        };
        let odd = Targets::Values(array![[0.0, 1.0], [1.0, 0.5]]);
        assert!(message(&loss, odd).contains("row 1, output 1 has the target 0.5: it must be 0 or 1"));
        let classes = Targets::Classes {
            labels: vec![0],
            classes: 2,
        };
        assert!(message(&loss, classes).contains("the targets are classes"));
        let good = || Targets::Values(array![[0.0, 1.0]]);
        loss.check(&good()).unwrap();
        let one = loss.clone().with_positive_weights(vec![1.0]);
        assert!(message(&one, good()).contains("2 weights of positives"));
        let negative = loss.with_positive_weights(vec![1.0, -1.0]);
        assert!(message(&negative, good()).contains("weight of positives = -1"));
    }

    #[test]
    fn an_output_without_positives_has_no_balance() {
        let data = |answers: Array2<f64>| Dataset::regression(Array2::zeros((2, 1)), answers).unwrap();
        let error = balanced_positive_weights(&data(array![[0.0, 1.0], [0.0, 0.0]])).unwrap_err();
        assert!(
            error.to_string().contains("no sample is yes in output 0"),
            "{error}"
        );
        let weighted = data(array![[0.0], [1.0]]).with_weights(&[1.0, 0.0]).unwrap();
        assert!(balanced_positive_weights(&weighted).is_err());
    }

    #[test]
    fn the_weights_of_samples_count_in_the_balance() {
        let answers = array![[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]];
        let data = Dataset::regression(Array2::zeros((3, 1)), answers).unwrap();
        let weighted = data.with_weights(&[2.0, 3.0, 1.0]).unwrap();
        assert_eq!(balanced_positive_weights(&weighted).unwrap(), [2.0, 0.5]);
    }
}
