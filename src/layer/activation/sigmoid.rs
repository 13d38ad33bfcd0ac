//! The sigmoid, between 0 and 1.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply_function, derive};
use crate::element::{Element, compiled};
use crate::kernel;
use crate::layer::Activation;

/// a = 1 / (1 + e^-z), between 0 and 1; its derivative is a (1 - a).
///
/// Source: report, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sigmoid;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        apply_function(values, kernel::Sigmoid);
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        derive(output, delta, |a, delta| delta * (a * (T::one() - a)));
    }
}

impl<T: Element> Activation<T> for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(output, delta);
    }
}
