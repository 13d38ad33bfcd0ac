//! Optimizers: what a gradient does to the weights.

mod clip;
mod sgd;

use std::fmt;

use ndarray::Array2;

pub use clip::Clip;
pub use sgd::Sgd;

use crate::element::Element;

/// A rule that changes weights by their gradients.
///
/// Row 0 of every tensor is constant; its gradient is 0.
pub trait Optimizer<T: Element>: fmt::Debug + Send {
    /// The step length, if an update is W <- W - rate dJ/dW and nothing else; it is then fused into the gradient.
    fn plain_rate(&self) -> Option<f64> {
        None
    }

    /// Looks at all gradients before the first update of a step.
    fn start_step(&mut self, gradients: &mut dyn Iterator<Item = &Array2<T>>);

    /// Changes the tensor with this index by its gradient, which may be overwritten.
    ///
    /// # Shapes
    ///
    /// both alike, column-major
    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>);
}
