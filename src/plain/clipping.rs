//! Gradient clipping: limits the norm of gradients.

use super::Matrix;

/// How gradients that are too long are shortened before a step: G <- G limit / |G|, if |G| > limit.
///
/// |G| is the L2 norm, and the limit is positive. A tensor is a layer's weights with their biases; the constant row 0 does
/// not count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Clipping {
    /// No clipping; the default.
    #[default]
    None,
    /// Each tensor on its own, as in the report.
    PerTensor(f64),
    /// All tensors together, as if they were one.
    Global(f64),
}

impl Clipping {
    /// Shortens the gradients, one for each layer.
    pub(super) fn clip(self, gradients: &mut [Matrix]) {
        match self {
            Clipping::None => {}
            Clipping::PerTensor(limit) => {
                for gradient in gradients {
                    let norm = sum_of_squares(gradient).sqrt();
                    shorten(gradient, norm, limit);
                }
            }
            Clipping::Global(limit) => {
                let mut sum = 0.0;
                for gradient in gradients.iter() {
                    sum += sum_of_squares(gradient);
                }
                for gradient in gradients {
                    shorten(gradient, sum.sqrt(), limit);
                }
            }
        }
    }
}

fn sum_of_squares(gradient: &Matrix) -> f64 {
    let mut sum = 0.0;
    for row in 1..gradient.rows() {
        for value in gradient.row(row) {
            sum += value * value;
        }
    }
    sum
}

fn shorten(gradient: &mut Matrix, norm: f64, limit: f64) {
    if norm > limit {
        for row in 1..gradient.rows() {
            for column in 0..gradient.columns() {
                gradient[[row, column]] *= limit / norm;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Norms 5 and 12, together 13; row 0 holds numbers that would show if they were counted or scaled.
    fn gradients() -> Vec<Matrix> {
        vec![
            Matrix::new(2, 2, vec![100.0, 100.0, 3.0, -4.0]).unwrap(),
            Matrix::new(3, 1, vec![100.0, 0.0, 12.0]).unwrap(),
        ]
    }

    fn assert_clipped(clipping: Clipping, first: [f64; 2], second: [f64; 2]) {
        let mut clipped = gradients();
        clipping.clip(&mut clipped);
        assert_eq!(clipped[0].row(0), [100.0, 100.0]);
        assert_eq!(clipped[1].row(0), [100.0]);
        for (value, expected) in clipped[0].row(1).iter().zip(first) {
            assert!(
                (value - expected).abs() < 1e-15,
                "{clipping:?}: {value}, not {expected}"
            );
        }
        for (value, expected) in clipped[1].values()[1..].iter().zip(second) {
            assert!(
                (value - expected).abs() < 1e-15,
                "{clipping:?}: {value}, not {expected}"
            );
        }
    }

    #[test]
    fn each_tensor_on_its_own() {
        assert_clipped(Clipping::PerTensor(1.0), [0.6, -0.8], [0.0, 1.0]);
        assert_clipped(Clipping::PerTensor(6.0), [3.0, -4.0], [0.0, 6.0]);
        assert_clipped(Clipping::PerTensor(12.0), [3.0, -4.0], [0.0, 12.0]);
    }

    #[test]
    fn all_tensors_together() {
        assert_clipped(Clipping::Global(6.5), [1.5, -2.0], [0.0, 6.0]);
        assert_clipped(Clipping::Global(13.0), [3.0, -4.0], [0.0, 12.0]);
    }

    #[test]
    fn not_at_all() {
        assert_clipped(Clipping::None, [3.0, -4.0], [0.0, 12.0]);
        let mut zeros = vec![Matrix::zeros(2, 2)];
        Clipping::PerTensor(1.0).clip(&mut zeros);
        assert_eq!(zeros, [Matrix::zeros(2, 2)]);
    }
}
