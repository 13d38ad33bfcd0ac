//! Activations: a function of each number, and its derivative.

use super::Matrix;

/// The function a layer applies to each of its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// z; the layer stays linear.
    Identity,
    /// max(0, z); its derivative at 0 is 0.
    Relu,
    /// 1 / (1 + exp(-z))
    Sigmoid,
    /// tanh(z)
    Tanh,
}

impl Activation {
    /// f(z)
    pub fn value(self, z: f64) -> f64 {
        match self {
            Activation::Identity => z,
            Activation::Relu if z > 0.0 => z,
            Activation::Relu => 0.0,
            Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
            Activation::Tanh => z.tanh(),
        }
    }

    /// f'(z)
    pub fn derivative(self, z: f64) -> f64 {
        match self {
            Activation::Identity => 1.0,
            Activation::Relu if z > 0.0 => 1.0,
            Activation::Relu => 0.0,
            Activation::Sigmoid => self.value(z) * (1.0 - self.value(z)),
            Activation::Tanh => 1.0 - z.tanh().powi(2),
        }
    }

    /// A = f(Z) in every row but the bias feature's, which stays 1.
    pub(super) fn forward(self, z: &Matrix) -> Matrix {
        let mut a = z.clone();
        for row in 1..z.rows() {
            for column in 0..z.columns() {
                a[[row, column]] = self.value(z[[row, column]]);
            }
        }
        a
    }

    /// Delta = dJ/dZ = dJ/dA * f'(Z), number by number; row 0 is 0, since no weight can change the bias feature.
    ///
    /// The identity zeroes row 0 as well: otherwise row 0 of W would change between two linear layers.
    pub(super) fn backward(self, z: &Matrix, output_gradient: &Matrix) -> Matrix {
        let mut delta = Matrix::zeros(z.rows(), z.columns());
        for row in 1..z.rows() {
            for column in 0..z.columns() {
                delta[[row, column]] = output_gradient[[row, column]] * self.derivative(z[[row, column]]);
            }
        }
        delta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 4] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Sigmoid,
        Activation::Tanh,
    ];

    #[test]
    fn derivatives_are_the_slopes_of_the_values() {
        let step = 1e-5;
        for activation in ALL {
            for z in [-2.5, -0.7, -0.01, 0.02, 0.4, 1.9] {
                let slope = (activation.value(z + step) - activation.value(z - step)) / (2.0 * step);
                let difference = (activation.derivative(z) - slope).abs();
                assert!(difference < 1e-9, "{activation:?} at {z}: off by {difference}");
            }
        }
    }

    #[test]
    fn known_values() {
        assert_eq!(Activation::Relu.derivative(0.0), 0.0);
        assert_eq!(Activation::Sigmoid.value(0.0), 0.5);
        assert_eq!(Activation::Sigmoid.value(-1000.0), 0.0);
        assert_eq!(Activation::Sigmoid.derivative(1000.0), 0.0);
        assert!((Activation::Tanh.value(0.5) - 0.46211715726000975).abs() < 1e-15);
    }

    #[test]
    fn the_bias_row_is_left_alone() {
        let z = Matrix::new(2, 2, vec![1.0, 1.0, -3.0, 4.0]).unwrap();
        let gradient = Matrix::new(2, 2, vec![9.0, 9.0, 9.0, 9.0]).unwrap();
        for activation in ALL {
            assert_eq!(activation.forward(&z).row(0), [1.0, 1.0]);
            assert_eq!(activation.backward(&z, &gradient).row(0), [0.0, 0.0]);
        }
    }
}
