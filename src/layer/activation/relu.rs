//! ReLU: negative values become 0.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply, derive};
use crate::element::Element;
use crate::layer::Activation;

/// a = max(0, z); its derivative at 0 is 0.
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu;

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
