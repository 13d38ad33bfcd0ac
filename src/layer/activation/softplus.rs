//! Softplus, a smooth ReLU.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply_function, derive_function};
use crate::element::{Element, compiled};
use crate::kernel;
use crate::layer::Activation;

/// a = log(1 + e^z); its derivative is the sigmoid of z, 1 - e^-a.
///
/// As PyTorch's `Softplus` with its default beta of 1, but above 20, its default threshold, where that returns z itself.
///
/// Source: Dugas, Bengio, Belisle, Nadeau and Garcia 2001.
#[derive(Debug, Clone, Copy, Default)]
pub struct Softplus;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        apply_function(values, kernel::Softplus);
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        derive_function(output, delta, kernel::SoftplusDerivative);
    }
}

impl<T: Element> Activation<T> for Softplus {
    fn name(&self) -> &'static str {
        "softplus"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(output, delta);
    }
}
