//! Losses: the loss of a batch of predictions, and its gradient.

use super::Matrix;

/// The loss function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Mean squared error: (p - y)^2, summed over the outputs of a sample.
    Mse,
    /// Cross-entropy of softmax(p): -y log softmax(p), summed over the classes of a sample.
    ///
    /// The softmax is inside the loss, so the last layer's activation is the identity. Targets are one-hot, or any
    /// distribution over the classes: the gradient takes them to add up to 1.
    CrossEntropy,
}

/// How the losses of the samples are reduced to the loss of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reduction {
    /// Their mean; the default.
    #[default]
    Mean,
    /// Their sum, as in the report's MNIST results.
    Sum,
}

impl Loss {
    /// J, of augmented predictions P and targets Y.
    ///
    /// # Shapes
    ///
    /// P, Y: (outputs + 1) x m
    pub(super) fn value(self, p: &Matrix, y: &Matrix, reduction: Reduction) -> f64 {
        let mut sum = 0.0;
        for sample in 0..p.columns() {
            let shift = log_sum_exp(p, sample);
            for output in 1..p.rows() {
                let (p, y) = (p[[output, sample]], y[[output, sample]]);
                sum += match self {
                    Loss::Mse => (p - y) * (p - y),
                    Loss::CrossEntropy => -y * (p - shift),
                };
            }
        }
        sum / divisor(reduction, p.columns())
    }

    /// dJ/dP: 2 (P - Y) for the squared error and softmax(P) - Y for the cross-entropy, divided by m if the
    /// reduction is the mean; row 0 is 0.
    ///
    /// # Shapes
    ///
    /// P, Y, dJ/dP: (outputs + 1) x m
    pub(super) fn gradient(self, p: &Matrix, y: &Matrix, reduction: Reduction) -> Matrix {
        let mut gradient = Matrix::zeros(p.rows(), p.columns());
        for sample in 0..p.columns() {
            let shift = log_sum_exp(p, sample);
            for output in 1..p.rows() {
                let (p_value, y_value) = (p[[output, sample]], y[[output, sample]]);
                let of_sample = match self {
                    Loss::Mse => 2.0 * (p_value - y_value),
                    Loss::CrossEntropy => (p_value - shift).exp() - y_value,
                };
                gradient[[output, sample]] = of_sample / divisor(reduction, p.columns());
            }
        }
        gradient
    }
}

fn divisor(reduction: Reduction, samples: usize) -> f64 {
    match reduction {
        Reduction::Mean => samples as f64,
        Reduction::Sum => 1.0,
    }
}

/// log(sum of exp(p)) over a sample's outputs, so that log softmax(p) = p - this. The largest p is subtracted first, since
/// exp(p) may be infinite.
fn log_sum_exp(p: &Matrix, sample: usize) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for output in 1..p.rows() {
        largest = largest.max(p[[output, sample]]);
    }
    let mut sum = 0.0;
    for output in 1..p.rows() {
        sum += (p[[output, sample]] - largest).exp();
    }
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Loss; 2] = [Loss::Mse, Loss::CrossEntropy];

    fn predictions() -> Matrix {
        Matrix::new(3, 2, vec![0.3, -1.2, 2.0, 0.1, -0.4, 0.9])
            .unwrap()
            .augment()
    }

    fn targets() -> Matrix {
        Matrix::new(3, 2, vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
            .unwrap()
            .augment()
    }

    #[test]
    fn mse_by_hand() {
        let p = Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]).unwrap().augment();
        let y = Matrix::new(2, 2, vec![0.0, 4.0, 3.0, 3.0]).unwrap().augment();
        // Sample 1: 1 + 4; sample 2: 0 + 1.
        assert_eq!(Loss::Mse.value(&p, &y, Reduction::Sum), 6.0);
        assert_eq!(Loss::Mse.value(&p, &y, Reduction::Mean), 3.0);
        let sum = Loss::Mse.gradient(&p, &y, Reduction::Sum);
        assert_eq!(sum.values(), [0.0, 0.0, 2.0, 0.0, -4.0, 2.0]);
        let mean = Loss::Mse.gradient(&p, &y, Reduction::Mean);
        assert_eq!(mean.values(), [0.0, 0.0, 1.0, 0.0, -2.0, 1.0]);
    }

    #[test]
    fn cross_entropy_by_hand() {
        // Equal scores: each of two classes has probability 1/2.
        let p = Matrix::new(2, 2, vec![5.0, 5.0, -1.0, -1.0]).unwrap().augment();
        let y = Matrix::new(2, 2, vec![1.0, 0.0, 0.0, 1.0]).unwrap().augment();
        let ln_2 = std::f64::consts::LN_2;
        assert!((Loss::CrossEntropy.value(&p, &y, Reduction::Mean) - ln_2).abs() < 1e-15);
        assert!((Loss::CrossEntropy.value(&p, &y, Reduction::Sum) - 2.0 * ln_2).abs() < 1e-15);
        let gradient = Loss::CrossEntropy.gradient(&p, &y, Reduction::Mean);
        for (value, expected) in gradient.values().iter().zip([0.0, 0.0, -0.25, 0.25, 0.25, -0.25]) {
            assert!((value - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn huge_scores_stay_finite() {
        let p = Matrix::new(1, 2, vec![1e4, -1e4]).unwrap().augment();
        let y = Matrix::new(1, 2, vec![0.0, 1.0]).unwrap().augment();
        assert_eq!(Loss::CrossEntropy.value(&p, &y, Reduction::Mean), 2e4);
        let gradient = Loss::CrossEntropy.gradient(&p, &y, Reduction::Mean);
        assert_eq!(gradient.values(), [0.0, 1.0, -1.0]);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_values() {
        let step = 1e-5;
        for loss in BOTH {
            for reduction in [Reduction::Mean, Reduction::Sum] {
                let (p, y) = (predictions(), targets());
                let gradient = loss.gradient(&p, &y, reduction);
                assert_eq!(gradient.row(0), [0.0, 0.0, 0.0]);
                for output in 1..p.rows() {
                    for sample in 0..p.columns() {
                        let (mut above, mut below) = (p.clone(), p.clone());
                        above[[output, sample]] += step;
                        below[[output, sample]] -= step;
                        let rise = loss.value(&above, &y, reduction) - loss.value(&below, &y, reduction);
                        let difference = (gradient[[output, sample]] - rise / (2.0 * step)).abs();
                        assert!(difference < 1e-8, "{loss:?} {reduction:?}: off by {difference}");
                    }
                }
            }
        }
    }
}
