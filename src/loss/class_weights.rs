//! Class weights, which make rare classes count as much as frequent ones.

use crate::data::{Targets, TargetsView, one_hot_decode};
use crate::element::Element;
use crate::error::{Error, Result};

/// Returns the weight n / (k n_c) of each class c, where n_c of the n samples of k classes are of class c. All classes then
/// have the same total weight, and the mean weight of a sample is 1. As scikit-learn's `"balanced"`.
///
/// Targets are classes, or one-hot vectors.
///
/// # Errors
///
/// [`Error::InvalidData`] for a class without samples, and for target values that are not one-hot vectors.
///
/// ```
/// use mfnet::{CrossEntropyLoss, Targets};
/// use mfnet::loss::balanced_class_weights;
///
/// let targets = Targets::<f32>::Classes { labels: vec![0, 0, 0, 1], classes: 2 };
/// let class_weights = balanced_class_weights(&targets)?;
/// assert_eq!(class_weights, [4.0 / 6.0, 2.0]);
/// let loss = CrossEntropyLoss::default().with_class_weights(class_weights);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn balanced_class_weights<T: Element>(targets: &Targets<T>) -> Result<Vec<f64>> {
    match targets {
        Targets::Classes { labels, classes } => balanced(labels, *classes),
        Targets::Values(values) => balanced(&one_hot_decode(values.view())?, values.ncols()),
    }
}

fn balanced(labels: &[u32], classes: usize) -> Result<Vec<f64>> {
    let mut counts = vec![0_usize; classes];
    for (row, &label) in labels.iter().enumerate() {
        match counts.get_mut(label as usize) {
            Some(count) => *count += 1,
            None => {
                let problem = format_args!("row {row} has class {label}, and there are {classes}");
                return Err(Error::data("balanced_class_weights", problem));
            }
        }
    }
    let weight = |(class, &count): (usize, &usize)| match count {
        0 => Err(Error::data(
            "balanced_class_weights",
            format_args!("no sample has class {class}, so no weight balances it"),
        )),
        count => Ok(labels.len() as f64 / (classes as f64 * count as f64)),
    };
    counts.iter().enumerate().map(weight).collect()
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
    use ndarray::array;

    #[test]
    fn weights_as_scikit_learns() {
        // compute_class_weight("balanced", classes=np.arange(3), y=[0, 0, 0, 1, 1, 2])
        let expected = [2.0 / 3.0, 1.0, 2.0];
        assert_eq!(balanced(&[0, 0, 0, 1, 1, 2], 3).unwrap(), expected);
        let vectors = Targets::Values(array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
        assert_eq!(balanced_class_weights(&vectors).unwrap(), [4.0 / 6.0, 2.0]);
    }

    #[test]
    fn targets_that_no_weights_balance_are_refused() {
        let error = balanced(&[0, 0, 2], 3).unwrap_err();
        assert!(error.to_string().contains("class 1"), "{error}");
        assert!(balanced(&[0, 3], 3).is_err());
        assert!(balanced(&[], 2).is_err());
        let numbers = Targets::Values(array![[0.5], [2.0]]);
        assert!(balanced_class_weights(&numbers).is_err());
    }
}
