//! The hyperbolic tangent, between -1 and 1.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply_function, derive};
use crate::element::{Element, compiled};
use crate::kernel;
use crate::layer::Activation;

/// a = tanh z, between -1 and 1; its derivative is 1 - a^2.
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tanh;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        apply_function(values, kernel::Tanh);
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        derive(output, delta, |a, delta| delta * (T::one() - a * a));
    }
}

impl<T: Element> Activation<T> for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(output, delta);
    }
}
