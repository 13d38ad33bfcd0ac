//! Softmax: the features of a sample become probabilities.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::apply_function;
use crate::element::{Element, compiled};
use crate::kernel::Exp;
use crate::layer::Activation;

/// a_j = e^(z_j - max z) / sum_k e^(z_k - max z): a sample's features become probabilities, which add up to 1.
///
/// Each output depends on all inputs, so that its derivative is a matrix, diag(a) - a a^T, and
///
/// ```text
/// dJ/dz_j = a_j (dJ/da_j - sum_k a_k dJ/da_k)
/// ```
///
/// After the last layer, train with [`ProbabilityCrossEntropyLoss`](crate::loss::ProbabilityCrossEntropyLoss);
/// [`CrossEntropyLoss`](crate::CrossEntropyLoss) contains a softmax, and needs a network without one.
///
/// Source: report, section 4.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Softmax;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        let mut values = values;
        for mut sample in values.columns_mut() {
            let largest = sample.iter().copied().fold(T::neg_infinity(), T::max);
            apply_function(sample.view_mut().insert_axis(Axis(1)), Exp { shift: largest });
            let sum = sample.sum();
            for value in &mut sample {
                *value /= sum;
            }
        }
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        let mut delta = delta;
        for (output, mut delta) in output.columns().into_iter().zip(delta.columns_mut()) {
            let pairs = output.iter().zip(&delta);
            let mean = pairs.fold(T::zero(), |sum, (&a, &delta)| sum + a * delta);
            for (delta, &a) in delta.iter_mut().zip(output) {
                *delta = a * (*delta - mean);
            }
        }
    }
}

impl<T: Element> Activation<T> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(output, delta);
    }

    fn gives_probabilities(&self) -> bool {
        true
    }
}
