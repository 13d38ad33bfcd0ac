//! SiLU, also known as swish: z weighted by its sigmoid.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply_function, derive_function};
use crate::element::{Element, compiled};
use crate::kernel;
use crate::layer::Activation;

/// a = z s(z), where s(z) = 1 / (1 + e^-z) is the sigmoid; its derivative is s(z) (1 + z (1 - s(z))).
///
/// As PyTorch's `SiLU`. From z = 0 downwards it falls to -0.28 at z = -1.28 and rises again to 0, so that the derivative is
/// computed from z.
///
/// Source: Elfwing, Uchibe and Doya 2018.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silu;

compiled! {
    fn forward<'a, 'b, T>(
        values: ArrayViewMut2<'a, T>,
    ) {
        apply_function(values, kernel::Silu);
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        input: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        derive_function(input, delta, kernel::SiluDerivative);
    }
}

impl<T: Element> Activation<T> for Silu {
    fn name(&self) -> &'static str {
        "SiLU"
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
