//! The identity: no activation at all.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::element::Element;
use crate::layer::Activation;

/// a = z: no activation at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity;

impl<T: Element> Activation<T> for Identity {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn forward(&self, _values: ArrayViewMut2<'_, T>) {}

    fn backward(&self, _output: ArrayView2<'_, T>, _delta: ArrayViewMut2<'_, T>) {}
}
