//! The activations: identity needs none, the others overwrite the values they are applied to.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Activation;
use crate::element::Element;
use crate::kernel::simd;

/// a = z: no activation at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity;

/// a = max(0, z); its derivative at 0 is 0.
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu;

/// a = 1 / (1 + e^-z), between 0 and 1; its derivative is a (1 - a).
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sigmoid;

/// a = tanh z, between -1 and 1; its derivative is 1 - a^2.
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tanh;

/// a_j = e^(z_j - max z) / sum_k e^(z_k - max z): a sample's features become probabilities, which add up to 1.
///
/// Each output depends on all inputs, so that its derivative is a matrix, diag(a) - a a^T, and
///
/// ```text
/// dJ/dz_j = a_j (dJ/da_j - sum_k a_k dJ/da_k)
/// ```
///
/// Behind the last layer it goes with [`ProbabilityCrossEntropyLoss`](crate::ProbabilityCrossEntropyLoss);
/// [`CrossEntropyLoss`](crate::CrossEntropyLoss) has a softmax of its own, and wants a network without.
///
/// Source: report, section 4.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Softmax;

impl<T: Element> Activation<T> for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn forward(&self, _values: ArrayViewMut2<'_, T>) {}

    fn backward(&self, _output: ArrayView2<'_, T>, _delta: ArrayViewMut2<'_, T>) {}
}

impl<T: Element> Activation<T> for Relu {
    fn name(&self) -> &'static str {
        "ReLU"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        // Not a maximum, which would turn NaN into 0 and hide a diverged network.
        apply(values, |z| if z < T::zero() { T::zero() } else { z });
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        derive(
            output,
            delta,
            |a, delta| if a > T::zero() { delta } else { T::zero() },
        );
    }
}

impl<T: Element> Activation<T> for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        apply(values, |z| T::one() / (T::one() + (-z).exp()));
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        derive(output, delta, |a, delta| delta * (a * (T::one() - a)));
    }
}

impl<T: Element> Activation<T> for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        apply(values, T::tanh);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        derive(output, delta, |a, delta| delta * (T::one() - a * a));
    }
}

impl<T: Element> Activation<T> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn forward(&self, mut values: ArrayViewMut2<'_, T>) {
        for mut sample in values.columns_mut() {
            let largest = sample.iter().copied().fold(T::neg_infinity(), T::max);
            let mut sum = T::zero();
            for value in &mut sample {
                *value = (*value - largest).exp();
                sum += *value;
            }
            for value in &mut sample {
                *value /= sum;
            }
        }
    }

    fn backward(&self, output: ArrayView2<'_, T>, mut delta: ArrayViewMut2<'_, T>) {
        for (output, mut delta) in output.columns().into_iter().zip(delta.columns_mut()) {
            let pairs = output.iter().zip(&delta);
            let mean = pairs.fold(T::zero(), |sum, (&a, &delta)| sum + a * delta);
            for (delta, &a) in delta.iter_mut().zip(output) {
                *delta = a * (*delta - mean);
            }
        }
    }

    fn gives_probabilities(&self) -> bool {
        true
    }
}

/// Overwrites each value. A sample's values lie next to each other, so that each column is one plain loop.
#[inline(always)]
fn apply<T: Element>(mut values: ArrayViewMut2<'_, T>, f: impl Fn(T) -> T) {
    simd(
        #[inline(always)]
        || {
            for mut column in values.columns_mut() {
                match column.as_slice_mut() {
                    Some(values) => values.iter_mut().for_each(|value| *value = f(*value)),
                    None => column.map_inplace(|value| *value = f(*value)),
                }
            }
        },
    );
}

/// Overwrites each delta, given the output it belongs to.
#[inline(always)]
fn derive<T: Element>(output: ArrayView2<'_, T>, mut delta: ArrayViewMut2<'_, T>, f: impl Fn(T, T) -> T) {
    simd(
        #[inline(always)]
        || {
            for (output, mut delta) in output.columns().into_iter().zip(delta.columns_mut()) {
                match (output.as_slice(), delta.as_slice_mut()) {
                    (Some(output), Some(delta)) => {
                        for (delta, &output) in delta.iter_mut().zip(output) {
                            *delta = f(output, *delta);
                        }
                    }
                    _ => delta.zip_mut_with(&output, |delta, &output| *delta = f(output, *delta)),
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn forward(activation: &dyn Activation<f64>, mut values: Array2<f64>) -> Array2<f64> {
        activation.forward(values.view_mut());
        values
    }

    #[test]
    fn values_by_hand() {
        assert_eq!(
            forward(&Relu, array![[-1.0, 0.0], [2.0, -0.5]]),
            array![[0.0, 0.0], [2.0, 0.0]]
        );
        assert_eq!(
            forward(&Sigmoid, array![[0.0], [3.0_f64.ln()]]),
            array![[0.5], [0.75]]
        );
        let tanh = forward(&Tanh, array![[0.0, 0.5 * 3.0_f64.ln()]]);
        assert!(
            (&tanh - &array![[0.0, 0.5]])
                .iter()
                .all(|error| error.abs() < 1e-15),
            "{tanh}"
        );
        assert_eq!(forward(&Identity, array![[-1.0, 2.0]]), array![[-1.0, 2.0]]);
    }

    #[test]
    fn derivatives_by_hand() {
        let mut delta = array![[1.0, 2.0, 3.0]];
        Activation::<f64>::backward(&Relu, array![[0.0, 1.0, 5.0]].view(), delta.view_mut());
        assert_eq!(delta, array![[0.0, 2.0, 3.0]], "0 at 0");
        let mut delta = array![[4.0]];
        Activation::<f64>::backward(&Sigmoid, array![[0.5]].view(), delta.view_mut());
        assert_eq!(delta, array![[1.0]]);
        let mut delta = array![[4.0]];
        Activation::<f64>::backward(&Tanh, array![[0.5]].view(), delta.view_mut());
        assert_eq!(delta, array![[3.0]]);
    }

    #[test]
    fn softmax_by_hand() {
        let values = array![[0.0, 1000.0], [3.0_f64.ln(), 0.0]];
        let output = forward(&Softmax, values);
        let expected = array![[0.25, 1.0], [0.75, 0.0]];
        assert!(
            (&output - &expected).iter().all(|error| error.abs() < 1e-15),
            "{output}"
        );
        // diag(a) - a a^T = 3/16 ((1, -1), (-1, 1))
        let mut delta = array![[5.0, 5.0], [1.0, 1.0]];
        Activation::<f64>::backward(&Softmax, expected.view(), delta.view_mut());
        assert!(
            (&delta - &array![[0.75, 0.0], [-0.75, 0.0]])
                .iter()
                .all(|error| error.abs() < 1e-15)
        );
    }

    #[test]
    fn a_value_that_is_not_a_number_stays_visible() {
        assert!(forward(&Relu, array![[f64::NAN]])[[0, 0]].is_nan());
        let softmax = forward(&Softmax, array![[1.0], [f64::NAN]]);
        assert!(softmax.iter().all(|value| value.is_nan()));
    }

    #[test]
    fn saturated_values_are_finite() {
        let extremes = array![[-1e4, 1e4, f64::MAX, f64::MIN, 1e-310]];
        for activation in [&Sigmoid as &dyn Activation<f64>, &Tanh] {
            assert!(
                forward(activation, extremes.clone())
                    .iter()
                    .all(|value| value.is_finite())
            );
        }
    }
}
