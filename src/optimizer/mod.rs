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
/// Row 0 of every tensor is constant; its gradient is 0. For each step, [`Optimizer::start_step`] is called once, then
/// [`Optimizer::update`] for each tensor from the first layer's to the last's. Only where
/// [`Optimizer::plain_rate`] gives a rate is neither called.
///
/// ```
/// use mfnet::optimizer::Optimizer;
/// use ndarray::Array2;
///
/// /// W <- W - rate sign(dJ/dW)
/// #[derive(Debug)]
/// struct SignDescent {
///     rate: f32,
/// }
///
/// impl Optimizer<f32> for SignDescent {
///     fn update(&mut self, _index: usize, weights: &mut Array2<f32>, gradient: &mut Array2<f32>) {
///         let sign = |number: f32| if number == 0.0 { 0.0 } else { number.signum() };
///         weights.zip_mut_with(gradient, |weight, &number| *weight -= self.rate * sign(number));
///     }
/// }
/// ```
pub trait Optimizer<T: Element>: fmt::Debug + Send {
    /// The step length, if an update is W <- W - rate dJ/dW and nothing else; it is then fused into the gradient.
    ///
    /// None by default.
    fn plain_rate(&self) -> Option<f64> {
        None
    }

    /// Looks at all gradients before the first update of a step.
    fn start_step(&mut self, _gradients: &mut dyn Iterator<Item = &Array2<T>>) {}

    /// Changes the tensor with this index, counted from 0, by its gradient, which may be overwritten.
    ///
    /// # Shapes
    ///
    /// both alike, and laid out alike: column-major, or row-major where the layer has few outputs
    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>);
}
