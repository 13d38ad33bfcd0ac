//! GELU: z weighted by the probability that a standard normal variable is below it.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply_function, derive_function};
use crate::element::{Element, compiled};
use crate::kernel;
use crate::layer::Activation;

/// a = z Phi(z), where Phi(z) = (1 + erf(z / sqrt 2)) / 2 is the distribution function of the standard normal distribution;
/// its derivative is Phi(z) + z phi(z), with the density phi(z) = e^(-z^2 / 2) / sqrt(2 pi).
///
/// As PyTorch's `GELU`: exact, without the approximation by tanh. From z = 0 downwards it falls to -0.17 at z = -0.75 and rises
/// again to 0, so that the derivative is computed from z.
///
/// Source: Hendrycks and Gimpel 2016.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gelu;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        apply_function(values, kernel::Gelu);
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        input: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        derive_function(input, delta, kernel::GeluDerivative);
    }
}

impl<T: Element> Activation<T> for Gelu {
    fn name(&self) -> &'static str {
        "GELU"
    }

    fn needs_input(&self) -> bool {
        true
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(values);
    }

    fn backward(&self, input: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(input, delta);
    }
}
