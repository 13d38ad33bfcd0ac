//! The sums over the samples of a shard that the losses share, and the macro that compiles a loss for both types.

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use super::class_weights::class_of;
use super::{TargetsView, Weight};
use crate::data::Targets;
use crate::element::Element;
use crate::error::{Error, Result};

/// Defines the function `evaluate`, by which [`evaluate_methods`] evaluates the named loss, and
/// [compiles](crate::element::compiled) its body for `f32` and `f64`.
macro_rules! compiled_evaluate {
    (|$loss:ident: $type:ty, $output:ident, $targets:ident, $weight:ident, $scale:ident, $delta:ident| $body:expr) => {
        $crate::element::compiled! {
            fn evaluate<'a, 'b, T>(
                $loss: &'a $type,
                $output: ndarray::ArrayView2<'a, T>,
                $targets: $crate::loss::TargetsView<'b, T>,
                $weight: $crate::loss::Weight<'a, T>,
                $scale: T,
                $delta: Option<ndarray::ArrayViewMut2<'a, T>>,
            ) -> f64 {
                $body
            }
        }
    };
}

/// [`Loss::evaluate`](super::Loss::evaluate) and [`Loss::evaluate_weighted`](super::Loss::evaluate_weighted) by the function that
/// [`compiled_evaluate`] defines.
macro_rules! evaluate_methods {
    () => {
        fn evaluate(
            &self,
            output: ndarray::ArrayView2<'_, T>,
            targets: $crate::loss::TargetsView<'_, T>,
            scale: T,
            delta: Option<ndarray::ArrayViewMut2<'_, T>>,
        ) -> f64 {
            evaluate(self, output, targets, None, scale, delta)
        }

        fn evaluate_weighted(
            &self,
            output: ndarray::ArrayView2<'_, T>,
            targets: $crate::loss::TargetsView<'_, T>,
            weight: &dyn Fn(usize) -> T,
            scale: T,
            delta: Option<ndarray::ArrayViewMut2<'_, T>>,
        ) -> f64 {
            evaluate(self, output, targets, Some(weight), scale, delta)
        }
    };
}

pub(super) use {compiled_evaluate, evaluate_methods};

/// Returns the sum of a loss of numbers over all outputs and samples. `loss(z, y)` is the value for an output z with the
/// target y, and the slope with respect to z, both times the sample's weight if there are weights; if `delta` is given, it is
/// overwritten with the slopes. Labels stand for their one-hot vectors.
///
/// Always inlined, so that it is compiled with the function of the loss that calls it.
///
/// # Shapes
///
/// output and delta: p x m; targets: p x m, or m labels below p
#[inline(always)]
pub(super) fn sum_over_outputs<T: Element>(
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    weight: Weight<'_, T>,
    delta: Option<ArrayViewMut2<'_, T>>,
    loss: impl Fn(T, T) -> (T, T),
) -> f64 {
    match weight {
        None => sum_over_cells(output, targets, delta, |_, z, y| loss(z, y)),
        // A sample of weight 0 counts as nothing, whatever its loss.
        Some(weight) => sum_over_cells(output, targets, delta, |sample, z, y| match weight(sample) {
            zero if zero == T::zero() => (zero, zero),
            weight => {
                let (value, slope) = loss(z, y);
                (weight * value, weight * slope)
            }
        }),
    }
}

/// The sum over all outputs and samples of the first of `of(sample, z, y)`; the second goes into `delta`.
#[inline(always)]
fn sum_over_cells<T: Element>(
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    mut delta: Option<ArrayViewMut2<'_, T>>,
    of: impl Fn(usize, T, T) -> (T, T),
) -> f64 {
    let mut sum = 0.0;
    // Feature by feature: features are few, and the samples of a row are independent of each other.
    for (feature, output) in output.rows().into_iter().enumerate() {
        let mut values = T::zero();
        let mut add = |sample: usize, z: T, y: T| {
            let (value, slope) = of(sample, z, y);
            values += value;
            if let Some(delta) = &mut delta {
                delta[[feature, sample]] = slope;
            }
        };
        match targets {
            TargetsView::Values(targets) => {
                for (sample, (&z, &y)) in output.iter().zip(targets.row(feature)).enumerate() {
                    add(sample, z, y);
                }
            }
            TargetsView::Classes(labels) => {
                for (sample, (&z, &label)) in output.iter().zip(labels).enumerate() {
                    let y = if label as usize == feature {
                        T::one()
                    } else {
                        T::zero()
                    };
                    add(sample, z, y);
                }
            }
        }
        sum += values.as_f64();
    }
    sum
}

/// Returns the sum of a loss of classes over all samples, each times its weight if there are weights.
/// `loss(outputs, class, scale, delta)` is the value for the outputs of a sample of this class; if it is given a `delta`, it
/// overwrites that with the gradient times `scale`.
///
/// Always inlined, so that it is compiled with the function of the loss that calls it.
///
/// # Shapes
///
/// output and delta: p x m; targets: p x m, or m labels below p
#[inline(always)]
pub(super) fn sum_over_samples<T: Element>(
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    weight: Weight<'_, T>,
    scale: T,
    mut delta: Option<ArrayViewMut2<'_, T>>,
    loss: impl Fn(ArrayView1<'_, T>, usize, T, Option<ArrayViewMut1<'_, T>>) -> f64,
) -> f64 {
    let mut sum = 0.0;
    for (sample, outputs) in output.columns().into_iter().enumerate() {
        let delta = delta.as_mut().map(|delta| delta.column_mut(sample));
        let class = class_of(targets, sample);
        match (weight.map(|weight| weight(sample)), delta) {
            (None, delta) => sum += loss(outputs, class, scale, delta),
            // A sample of weight 0 counts as nothing, whatever its loss.
            (Some(weight), Some(mut delta)) if weight == T::zero() => delta.fill(weight),
            (Some(weight), None) if weight == T::zero() => {}
            (Some(weight), delta) => sum += weight.as_f64() * loss(outputs, class, weight * scale, delta),
        }
    }
    sum
}

/// Refuses targets that are classes.
pub(super) fn check_numbers<T>(loss: &str, targets: &Targets<T>) -> Result<()> {
    match targets {
        Targets::Values(_) => Ok(()),
        Targets::Classes { .. } => Err(Error::data(
            loss,
            "the loss is for numbers, and the targets are classes: take the CrossEntropyLoss",
        )),
    }
}

/// The sum of the losses of the samples of a shard, and the gradient, for tests.
#[cfg(test)]
pub(super) fn value_and_gradient<T: Element>(
    loss: &dyn super::Loss<T>,
    output: &ndarray::Array2<T>,
    targets: TargetsView<'_, T>,
    scale: T,
) -> (f64, ndarray::Array2<T>) {
    let mut delta = ndarray::Array2::from_elem(output.dim(), T::from_f64(9.0));
    let sum = loss.evaluate(output.view(), targets, scale, Some(delta.view_mut()));
    (sum, delta)
}
