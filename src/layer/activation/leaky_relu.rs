//! Leaky ReLU: negative values become small instead of 0.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{apply, derive};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::layer::Activation;

/// a = z where z > 0, else slope z; its derivative is 1 where z > 0, else the slope. Default: a slope of 0.01.
///
/// As PyTorch's `LeakyReLU`. Unlike with [`Relu`](super::Relu), units whose arguments are all negative still have a
/// gradient.
///
/// An ONNX file stores the slope as `f32`, whatever the precision of the network.
///
/// Source: Maas, Hannun and Ng 2013.
///
/// ```
/// use mfnet::{NeuralNetwork, layer::LeakyRelu};
///
/// let leaky = LeakyRelu::new(0.2)?;
/// let network = NeuralNetwork::<f32>::builder(4).linear(8).activation(Box::new(leaky)).linear(1).build()?;
/// assert_eq!(network.architecture(), "4 - 8 LeakyReLU - 1");
/// assert!(LeakyRelu::new(-0.1).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakyRelu {
    slope: f64,
}

impl LeakyRelu {
    /// A leaky ReLU with this slope below 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a slope that is negative or not finite: the sign of a result must determine that of
    /// its argument.
    pub fn new(slope: f64) -> Result<Self> {
        if slope >= 0.0 && slope.is_finite() {
            return Ok(LeakyRelu { slope });
        }
        Err(Error::option(
            "slope of LeakyReLU",
            slope,
            "a finite number of at least 0",
        ))
    }

    /// The slope below 0.
    pub fn slope(self) -> f64 {
        self.slope
    }
}

impl Default for LeakyRelu {
    fn default() -> Self {
        LeakyRelu { slope: 0.01 }
    }
}

compiled! {
    fn forward<'a, 'b, T>(
        slope: f64,
        values: ArrayViewMut2<'a, T>,
    ) {
        let slope = T::from_f64(slope);
        // NaN stays NaN in either branch, so that a diverged network is noticed.
        apply(values, |z| if z > T::zero() { z } else { slope * z });
    }
}

compiled! {
    fn backward<'a, 'b, T>(
        slope: f64,
        output: ArrayView2<'a, T>,
        delta: ArrayViewMut2<'a, T>,
    ) {
        let slope = T::from_f64(slope);
        derive(
            output,
            delta,
            |a, delta| if a > T::zero() { delta } else { slope * delta },
        );
    }
}

impl<T: Element> Activation<T> for LeakyRelu {
    fn name(&self) -> &'static str {
        "LeakyReLU"
    }

    fn forward(&self, values: ArrayViewMut2<'_, T>) {
        forward(self.slope, values);
    }

    fn backward(&self, output: ArrayView2<'_, T>, delta: ArrayViewMut2<'_, T>) {
        backward(self.slope, output, delta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Expected values from PyTorch 2.15:
    ///
    /// ```python
    /// z = torch.tensor([-3.0, -0.5, 0.0, 0.25, 7.0], dtype=torch.float64, requires_grad=True)
    /// for slope in [0.2, 0.01]:
    ///     z.grad = None
    ///     a = torch.nn.LeakyReLU(slope)(z)
    ///     (a * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])).sum().backward()
    ///     print(a.tolist(), z.grad.tolist())
    /// ```
    #[test]
    fn values_and_derivatives_are_those_of_pytorch() {
        for (leaky, expected, expected_delta) in [
            (
                LeakyRelu::new(0.2).unwrap(),
                [-0.6000000000000001, -0.1, 0.0, 0.25, 7.0],
                [0.2, 0.4, 0.6000000000000001, 4.0, 5.0],
            ),
            (
                LeakyRelu::default(),
                [-0.03, -0.005, 0.0, 0.25, 7.0],
                [0.01, 0.02, 0.03, 4.0, 5.0],
            ),
        ] {
            let mut values = array![[-3.0, -0.5, 0.0, 0.25, 7.0]];
            leaky.forward(values.view_mut());
            assert_eq!(values, array![expected]);
            let mut delta = array![[1.0, 2.0, 3.0, 4.0, 5.0]];
            leaky.backward(values.view(), delta.view_mut());
            assert_eq!(delta, array![expected_delta]);
        }
    }

    #[test]
    fn a_value_that_is_not_a_number_stays_visible() {
        let mut values = array![[f32::NAN]];
        LeakyRelu::default().forward(values.view_mut());
        assert!(values[[0, 0]].is_nan());
    }

    #[test]
    fn odd_slopes_are_refused() {
        for odd in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(LeakyRelu::new(odd).is_err(), "{odd}");
        }
        assert_eq!(LeakyRelu::new(0.0).unwrap().slope(), 0.0);
    }
}
