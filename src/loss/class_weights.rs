//! Class weights, which make rare classes count as much as frequent ones.

use crate::data::{Dataset, Targets, TargetsView, one_hot_decode};
use crate::element::Element;
use crate::error::{Error, Result};

/// Returns the weight n / (k n_c) of each class c, where n_c of the n samples of k classes are of class c. All classes then
/// have the same total weight, and the mean weight of a sample is 1. Where the samples have weights, n and n_c are their sums: a
/// sample of weight 2 counts as two. As scikit-learn's `"balanced"`, with its `sample_weight`.
///
/// Targets are classes, or one-hot vectors.
///
/// # Errors
///
/// [`Error::InvalidData`] for a class without samples, or whose samples all have the weight 0, and for target values that are not
/// one-hot vectors.
///
/// ```
/// use mfnet::loss::balanced_class_weights;
/// use mfnet::{CrossEntropyLoss, Dataset};
/// use ndarray::Array2;
///
/// let data = Dataset::<f32>::classification(Array2::zeros((4, 1)), vec![0, 0, 0, 1], 2)?;
/// let class_weights = balanced_class_weights(&data)?;
/// assert_eq!(class_weights, [4.0 / 6.0, 2.0]);
/// let loss = CrossEntropyLoss::default().with_class_weights(class_weights);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn balanced_class_weights<T: Element>(data: &Dataset<T>) -> Result<Vec<f64>> {
    let weight = |sample: usize| data.weights().map_or(1.0, |weights| weights[sample].as_f64());
    match data.targets() {
        Targets::Classes { labels, classes } => balanced(labels, *classes, weight),
        Targets::Values(values) => balanced(&one_hot_decode(values.view())?, values.ncols(), weight),
    }
}

fn balanced(labels: &[u32], classes: usize, weight: impl Fn(usize) -> f64) -> Result<Vec<f64>> {
    const OPERATION: &str = "balanced_class_weights";
    let mut sums = vec![0.0; classes];
    for (row, &label) in labels.iter().enumerate() {
        match sums.get_mut(label as usize) {
            Some(sum) => *sum += weight(row),
            None => {
                let problem = format_args!("row {row} has class {label}, and there are {classes}");
                return Err(Error::data(OPERATION, problem));
            }
        }
    }
    let all: f64 = sums.iter().sum();
    let balance = |(class, &sum): (usize, &f64)| match sum > 0.0 {
        true => Ok(all / (classes as f64 * sum)),
        false => Err(Error::data(
            OPERATION,
            format_args!("no sample counts for class {class}, so no weight balances it"),
        )),
    };
    sums.iter().enumerate().map(balance).collect()
}

/// Refuses targets that are not classes, class weights that are not one for each class, and weights out of range.
pub(super) fn check_classes<T: Element>(
    loss: &'static str,
    class_weights: &[f64],
    targets: &Targets<T>,
) -> Result<()> {
    let classes = targets.outputs();
    if !class_weights.is_empty() && class_weights.len() != classes {
        return Err(Error::shape(
            loss,
            format_args!("{classes} class weights, one for each class"),
            class_weights.len(),
        ));
    }
    let fits = |weight: &f64| *weight >= 0.0 && weight.is_finite();
    if let Some(weight) = class_weights.iter().find(|weight| !fits(weight)) {
        return Err(Error::option(
            "class weight",
            weight,
            "a finite number of at least 0",
        ));
    }
    match targets {
        Targets::Values(values) => one_hot_decode(values.view()).map(|_| ()),
        Targets::Classes { .. } => Ok(()),
    }
}

/// Weights as a [setting](super::Loss::settings) of a loss.
pub(super) fn in_words(weights: &[f64]) -> String {
    if weights.is_empty() {
        return "none".to_owned();
    }
    let weights: Vec<String> = weights.iter().map(f64::to_string).collect();
    weights.join(", ")
}

/// The class of a sample of a shard, by its label or its one-hot vector.
pub(super) fn class_of<T: Element>(targets: TargetsView<'_, T>, sample: usize) -> usize {
    match targets {
        TargetsView::Classes(labels) => labels[sample] as usize,
        TargetsView::Values(values) => {
            let one = values.column(sample).iter().position(|&value| value == T::one());
            one.unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn once(_: usize) -> f64 {
        1.0
    }

    #[test]
    fn weights_as_scikit_learns() {
        // compute_class_weight("balanced", classes=np.arange(3), y=[0, 0, 0, 1, 1, 2])
        let expected = [2.0 / 3.0, 1.0, 2.0];
        let labels = [0, 0, 0, 1, 1, 2];
        assert_eq!(balanced(&labels, 3, once).unwrap(), expected);
        // The same with sample_weight=[1, 2, 3, 0.5, 0, 1.5], printed
        let weights = [1.0, 2.0, 3.0, 0.5, 0.0, 1.5];
        let expected = [
            0.444_444_444_444_444_4,
            5.333_333_333_333_333,
            1.777_777_777_777_777_7,
        ];
        let found = balanced(&labels, 3, |sample| weights[sample]).unwrap();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} is not {expected}");
        }
        let vectors = array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]];
        let data = Dataset::regression(Array2::<f64>::zeros((4, 1)), vectors).unwrap();
        assert_eq!(balanced_class_weights(&data).unwrap(), [4.0 / 6.0, 2.0]);
        let weighted = data.with_weights(&[1.0, 0.0, 2.0, 1.0]).unwrap();
        assert_eq!(balanced_class_weights(&weighted).unwrap(), [1.0, 1.0]);
    }

    #[test]
    fn targets_that_no_weights_balance_are_refused() {
        let error = balanced(&[0, 0, 2], 3, once).unwrap_err();
        assert!(error.to_string().contains("class 1"), "{error}");
        assert!(balanced(&[0, 3], 3, once).is_err());
        assert!(balanced(&[], 2, once).is_err());
        assert!(balanced(&[0, 1], 2, |sample| sample as f64).is_err());
        let numbers = Dataset::regression(array![[0.0], [1.0]], array![[0.5], [2.0]]).unwrap();
        assert!(balanced_class_weights(&numbers).is_err());
    }
}
