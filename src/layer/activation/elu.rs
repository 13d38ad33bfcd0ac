//! ELU: negative values approach a limit along an exponential.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply_function, derive};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::kernel;
use crate::layer::Activation;

/// a = z where z > 0, else alpha (e^z - 1); its derivative is 1 where z > 0, else a + alpha. Default: an alpha of 1.
///
/// As PyTorch's `ELU`. Far below 0, a is close to -alpha, and its derivative close to 0.
///
/// An ONNX file stores alpha as `f32`, whatever the precision of the network.
///
/// Source: Clevert, Unterthiner and Hochreiter 2016.
///
/// ```
/// use mfnet::{NeuralNetwork, layer::Elu};
///
/// let elu = Elu::new(0.5)?;
/// let network = NeuralNetwork::<f32>::builder(4).linear(8).activation(Box::new(elu)).linear(1).build()?;
/// assert_eq!(network.architecture(), "4 - 8 ELU - 1");
/// assert!(Elu::new(-0.5).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elu {
    alpha: f64,
}

impl Elu {
    /// An ELU whose values are above -alpha.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for an alpha that is negative or not finite: the sign of a result must determine that of
    /// its argument.
    pub fn new(alpha: f64) -> Result<Self> {
        if alpha >= 0.0 && alpha.is_finite() {
            return Ok(Elu { alpha });
        }
        Err(Error::option(
            "alpha of ELU",
            alpha,
            "a finite number of at least 0",
        ))
    }

    /// The number alpha.
    pub fn alpha(self) -> f64 {
        self.alpha
    }
}

impl Default for Elu {
    fn default() -> Self {
        Elu { alpha: 1.0 }
    }
}

compiled! {
    fn forward<'a, 'b, T>(
        alpha: f64,
        values: ArrayViewMut2<'a, T>,
    ) {
        apply_function(values, kernel::Elu { alpha: T::from_f64(alpha) });
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        alpha: f64,
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        let alpha = T::from_f64(alpha);
        derive(
            output,
            delta,
            |a, delta| if a > T::zero() { delta } else { (a + alpha) * delta },
        );
    }
}

impl<T: Element> Activation<T> for Elu {
    fn name(&self) -> &'static str {
        "ELU"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(self.alpha, values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(self.alpha, output, delta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_alphas_are_refused() {
        for odd in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(Elu::new(odd).is_err(), "{odd}");
        }
        assert_eq!(Elu::new(0.0).unwrap().alpha(), 0.0);
        assert_eq!(Elu::default().alpha(), 1.0);
    }
}
