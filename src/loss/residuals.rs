//! The sum over the residuals z - y of a shard, which the losses of numbers share.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{TargetsView, Weight};
use crate::element::Element;

/// Returns the sum of `value(z - y)` over all outputs and samples, each times the sample's weight if there are weights. If
/// `delta` is given, it is overwritten with `slope(z - y)`, with the same weights. Labels stand for their one-hot vectors.
///
/// Always inlined, so that it is compiled with the function of the loss that calls it.
///
/// # Shapes
///
/// output and delta: p x m; targets: p x m, or m labels below p
#[inline(always)]
pub(super) fn sum_over_residuals<T: Element>(
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    weight: Weight<'_, T>,
    delta: Option<ArrayViewMut2<'_, T>>,
    value: impl Fn(T) -> T,
    slope: impl Fn(T) -> T,
) -> f64 {
    match weight {
        None => sum_over(output, targets, delta, |_, residual| {
            (value(residual), slope(residual))
        }),
        // A sample of weight 0 counts as nothing, whatever its loss.
        Some(weight) => sum_over(output, targets, delta, |sample, residual| match weight(sample) {
            zero if zero == T::zero() => (zero, zero),
            weight => (weight * value(residual), weight * slope(residual)),
        }),
    }
}

/// Returns the sum of the first of `of(sample, z - y)`, and overwrites `delta` with the second.
#[inline(always)]
fn sum_over<T: Element>(
    output: ArrayView2<'_, T>,
    targets: TargetsView<'_, T>,
    mut delta: Option<ArrayViewMut2<'_, T>>,
    of: impl Fn(usize, T) -> (T, T),
) -> f64 {
    let mut sum = 0.0;
    // Feature by feature: features are few, and the samples of a row are independent of each other.
    for (feature, output) in output.rows().into_iter().enumerate() {
        let mut values = T::zero();
        let mut add = |sample: usize, z: T, y: T| {
            let (value, slope) = of(sample, z - y);
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
