//! Sample weights: the loss of each sample, and its gradient, times the weight of the sample.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::{Loss, TargetsView};
use crate::element::Element;

/// The weights of all samples of a data set, and the samples of a shard by their indices.
pub(crate) type SampleWeights<'a, T> = Option<(&'a [T], &'a [usize])>;

/// The weight of a sample by its place in the shard; `None` if all samples count the same.
pub(super) type Weight<'a, T> = Option<&'a (dyn Fn(usize) -> T + 'a)>;

/// As [`Loss::evaluate`], with the loss and the gradient of each sample times its weight, if there are weights.
pub(crate) fn evaluate_weighted<T: Element>(
    loss: &dyn Loss<T>,
    weights: SampleWeights<'_, T>,
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    scale: T,
    delta: Option<ArrayViewMut2<'_, T>>,
) -> f64 {
    match weights {
        None => loss.evaluate(output, targets, scale, delta),
        Some((weights, indices)) => {
            let weight = |sample: usize| weights[indices[sample]];
            loss.evaluate_weighted(output, targets, &weight, scale, delta)
        }
    }
}

/// Evaluates a loss for each sample on its own, with its weight.
pub(super) fn one_by_one<T: Element, L: Loss<T> + ?Sized>(
    loss: &L,
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    weight: &dyn Fn(usize) -> T,
    scale: T,
    mut delta: Option<ArrayViewMut2<'_, T>>,
) -> f64 {
    let mut sum = 0.0;
    for sample in 0..output.ncols() {
        let column = s![.., sample..=sample];
        let weight = weight(sample);
        let mut delta = delta.as_mut().map(|delta| delta.slice_mut(column));
        if weight == T::zero() {
            if let Some(delta) = &mut delta {
                delta.fill(T::zero());
            }
            continue;
        }
        let targets = match &targets {
            TargetsView::Values(values) => TargetsView::Values(values.slice(column)),
            TargetsView::Classes(labels) => TargetsView::Classes(&labels[sample..=sample]),
        };
        sum += weight.as_f64() * loss.evaluate(output.slice(column), targets, scale * weight, delta);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{CrossEntropyLoss, LossOptions, MseLoss, Output, by_name, names, softmax};
    use ndarray::{Array2, array};

    #[test]
    fn value_and_gradient_by_hand() {
        let (output, targets) = (array![[2.0, 0.0, 3.0]], array![[1.0, 1.0, 0.0]]);
        let mut delta = Array2::from_elem((1, 3), 9.0);
        let weights = [9.0, 0.5, 2.0, 0.0];
        let sum = evaluate_weighted(
            &MseLoss::default(),
            Some((&weights, &[1, 2, 3])),
            output.view(),
            TargetsView::Values(targets.view()),
            0.5,
            Some(delta.view_mut()),
        );
        assert_eq!((sum, delta), (0.5 + 2.0, array![[0.5, -2.0, 0.0]]));
    }

    #[test]
    fn one_pass_is_one_by_one() {
        let output = array![[0.3, -1.0, 2.0, f64::NAN, 0.1], [2.0, 0.5, -0.5, 1.0, -3.0]];
        let weights = [0.5, 2.0, 1.0, 0.0, 0.25];
        let weight = |sample: usize| weights[sample];
        let answers = array![[1.0, 0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0]];
        let options = LossOptions {
            label_smoothing: 0.1,
            ..LossOptions::default()
        };
        let smoothed: Box<dyn Loss<f64>> = by_name("cross-entropy", options).unwrap();
        let named = names()
            .into_iter()
            .map(|named| by_name(named.name, LossOptions::default()).unwrap());
        let losses: Vec<Box<dyn Loss<f64>>> = named.chain([smoothed]).collect();
        for loss in &losses {
            let output = match loss.expects() {
                Output::Probabilities => softmax(output.t()).reversed_axes(),
                _ => output.clone(),
            };
            for targets in [
                TargetsView::Values(answers.view()),
                TargetsView::Classes(&[0, 1, 0, 0, 1]),
            ] {
                let of = |one_pass: bool, with_delta: bool| {
                    let mut delta = Array2::from_elem((2, 5), 9.0);
                    let given = with_delta.then(|| delta.view_mut());
                    let sum = match one_pass {
                        true => loss.evaluate_weighted(output.view(), targets, &weight, 0.5, given),
                        false => one_by_one(&**loss, output.view(), targets, &weight, 0.5, given),
                    };
                    (sum, delta)
                };
                for with_delta in [true, false] {
                    let ((sum, delta), (expected, deltas)) = (of(true, with_delta), of(false, with_delta));
                    assert!(
                        (sum - expected).abs() < 1e-14,
                        "{loss:?}: {sum} is not {expected}"
                    );
                    for (found, expected) in delta.iter().zip(&deltas) {
                        assert!(
                            (found - expected).abs() < 1e-15,
                            "{loss:?}: {delta} is not {deltas}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn weights_of_1_change_nothing() {
        let output = array![[0.3, -1.0, 2.0], [2.0, 0.5, -0.5]];
        let of = |weights| {
            let mut delta = Array2::zeros((2, 3));
            let targets = TargetsView::Classes(&[1, 0, 0]);
            let loss = CrossEntropyLoss::default().with_class_weights(vec![2.0, 0.5]);
            let sum = evaluate_weighted(
                &loss,
                weights,
                output.view(),
                targets,
                0.25,
                Some(delta.view_mut()),
            );
            (sum, delta)
        };
        let (plain, weighted) = (of(None), of(Some((&[1.0; 3], &[0, 1, 2]))));
        assert!((plain.0 - weighted.0).abs() < 1e-15);
        assert!(
            (plain.1 - weighted.1)
                .iter()
                .all(|error| f64::abs(*error) < 1e-16)
        );
    }
}
