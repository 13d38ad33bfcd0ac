//! ReLU: negative values become 0.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply, derive};
use crate::element::{Element, compiled};
use crate::layer::Activation;

/// a = max(0, z); its derivative at 0 is 0.
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Relu;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        // Not a maximum, which would turn NaN into 0 and hide a diverged network.
        apply(values, |z| if z < T::zero() { T::zero() } else { z });
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        derive(
            output,
            delta,
            |a, delta| if a > T::zero() { delta } else { T::zero() },
        );
    }
}

impl<T: Element> Activation<T> for Relu {
    fn name(&self) -> &'static str {
        "ReLU"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(output, delta);
    }
}
