//! Sample weights: the loss of each sample, and its gradient, times the weight of the sample.

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::{Loss, TargetsView};
use crate::element::Element;

/// The weights of all samples of a data set, and the samples of a shard by their indices.
pub(crate) type SampleWeights<'a, T> = Option<(&'a [T], &'a [usize])>;

/// As [`Loss::evaluate`], with the loss and the gradient of each sample times its weight, if there are weights. A sample of
/// weight 0 counts as nothing, whatever its loss.
pub(crate) fn evaluate_weighted<T: Element>(
    loss: &dyn Loss<T>,
    weights: SampleWeights<'_, T>,
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    scale: T,
    mut delta: Option<ArrayViewMut2<'_, T>>,
) -> f64 {
    let Some((weights, indices)) = weights else {
        return loss.evaluate(output, targets, scale, delta);
    };
    let mut sum = 0.0;
    for (sample, &index) in indices.iter().enumerate() {
        let column = s![.., sample..=sample];
        let weight = weights[index];
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
    use crate::loss::{CrossEntropyLoss, MseLoss};
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
