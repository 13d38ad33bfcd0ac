//! Bounds of the distance that rounding can put between a network's computed gradients and the exact ones: one bound for each
//! number, from a running error analysis. In it a bound is computed beside each number, from the sizes of the numbers that
//! it is made of.
//!
//! **One operation.** With u the unit roundoff, the computed a + b, a - b, ab and a / b are the exact ones times 1 + d with
//! |d| <= u. The functions exp, ln and tanh are assumed right to 3 units in the last place, which
//! are 6 u. The assumption is not derived here, nor checked against a table of the errors of a mathematical library.
//!
//! **Sums.** Computed in whatever order, a sum of n products differs from the exact one by at most n u S, S = sum |a_i b_i|, up
//! to terms in u^2 (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 3.1). To first order the
//! difference is a sum of roundings, each times a product or a partial sum: n products, whose squares add up to at most S^2,
//! and n - 1 partial sums, none larger than S. If the roundings are independent and have the mean 0, Hoeffding's inequality
//! gives more than L sqrt(n) u S a probability of at most 2 exp(-L^2 / 2) (as in Higham and Mary, "A new approach to
//! probabilistic rounding error analysis", 2019, theorem 2.4). [`LENGTH`] is L = 8: that is below 3e-14 for one sum, and below
//! 0.003 for the 1e11 sums of a million test cases. The smaller bound of the two is taken; they meet at n = 64.
//!
//! **Errors of what comes in.** W (A + E) - W A is at most |W| |E|; (D + F)(A + E)' - D A' is at most |F| |A|' + |D| |E|' +
//! |F| |E|'. A function moves by at most its argument's error times its largest slope there.
//!
//! **Kinks.** The slope of a ReLU is 0 or 1, and where the argument is 0 up to its error the computed one may be either. Its
//! error is then taken to be 1, so that the sample's whole contribution through this unit counts as error. Such bounds are
//! true but may say little: what is left of the gradient is for the user of the bounds to see.
//!
//! Of products of two errors only those are kept that a kink can make large.

use mfnet::plain::{Activation, Loss, Network, Reduction, Training};
use ndarray::{Array2, ArrayView2, Axis, Zip, s};

/// Bounds of the errors of a batch's mean loss and of its gradients, (outputs + 1) x (inputs + 1) with row 0 = 0.
pub struct Bounds {
    pub loss: f64,
    pub gradients: Vec<Array2<f64>>,
}

/// The L of a sum's bound L sqrt(n) u.
const LENGTH: f64 = 8.0;

/// The error of exp, ln and tanh, as a multiple of u.
const FUNCTION: f64 = 6.0;

/// Numbers, augmented, a sample a column, and a bound for how far each is off.
struct Numbers {
    values: Array2<f64>,
    errors: Array2<f64>,
}

impl Numbers {
    fn sizes(&self) -> Array2<f64> {
        self.values.mapv(f64::abs)
    }
}

/// The bounds for a batch whose every operation is rounded by at most the part `unit` of its result. Where two roundings
/// of the same computation are compared, `unit` is the sum of theirs.
///
/// # Shapes
///
/// inputs: samples x features; targets: samples x outputs, one-hot for the cross-entropy
pub fn bounds(
    network: &Network,
    inputs: &Array2<f64>,
    targets: &Array2<f64>,
    training: &Training,
    unit: f64,
) -> Bounds {
    let exact = |values: Array2<f64>| Numbers {
        errors: Array2::zeros(values.dim()),
        values,
    };
    let mut passes = vec![exact(augmented(inputs))];
    for (weights, activation) in network.layers() {
        let weights = ArrayView2::from_shape((weights.rows(), weights.columns()), weights.values()).unwrap();
        let mut output = product(weights, &passes[passes.len() - 1], unit);
        Zip::from(&mut output.values)
            .and(&mut output.errors)
            .for_each(|z, error| {
                *error = error_behind(*activation, *z, *error, unit);
                *z = activation.value(*z);
            });
        output.values.row_mut(0).fill(1.0);
        output.errors.row_mut(0).fill(0.0);
        passes.push(output);
    }
    let output = passes.pop().unwrap();
    let (loss, mut delta) = loss_and_delta(&output, &augmented(targets), training, unit);
    let mut gradients = Vec::new();
    let mut behind = output;
    for (weights, activation) in network.layers().iter().rev() {
        let weights = ArrayView2::from_shape((weights.rows(), weights.columns()), weights.values()).unwrap();
        Zip::from(&mut delta.values)
            .and(&mut delta.errors)
            .and(&behind.values)
            .and(&behind.errors)
            .for_each(|delta, error, &a, &off| {
                let (slope, slope_error) = slope(*activation, a, off, unit);
                // No slope is larger than 1.
                let largest = (slope + slope_error).min(1.0);
                *error = *error * largest + delta.abs() * (slope_error + slope * unit);
                *delta *= slope;
            });
        let before = passes.pop().unwrap();
        let (deltas, inputs) = (delta.sizes(), before.sizes());
        let largest_inputs = &inputs + &before.errors;
        let largest = (&deltas + &delta.errors).dot(&largest_inputs.t());
        let errors = delta.errors.dot(&largest_inputs.t()) + deltas.dot(&before.errors.t());
        // One term more than samples, for a factor 1 / samples.
        gradients.push(errors + sum(deltas.ncols() + 1, unit) * largest);
        delta = product(weights.t(), &delta, unit);
        delta.values.row_mut(0).fill(0.0);
        delta.errors.row_mut(0).fill(0.0);
        behind = before;
    }
    gradients.reverse();
    Bounds { loss, gradients }
}

/// samples x features -> (features + 1) x samples.
fn augmented(samples: &Array2<f64>) -> Array2<f64> {
    let mut all = Array2::ones((samples.ncols() + 1, samples.nrows()));
    all.slice_mut(s![1.., ..]).assign(&samples.t());
    all
}

/// The product with exact weights: sums of as many terms as these have columns.
fn product(weights: ArrayView2<'_, f64>, input: &Numbers, unit: f64) -> Numbers {
    let sizes = weights.mapv(f64::abs);
    let rounding = sum(weights.ncols(), unit) * sizes.dot(&(input.sizes() + &input.errors));
    Numbers {
        values: weights.dot(&input.values),
        errors: sizes.dot(&input.errors) + rounding,
    }
}

/// The bound of the error of a sum of so many products, as a part of the sum of their sizes.
fn sum(terms: usize, unit: f64) -> f64 {
    let terms = terms as f64;
    terms.min(LENGTH * terms.sqrt()) * unit
}

/// The error of f(z), from that of z. No slope is larger than 1, and the sigmoid's none than 1/4.
fn error_behind(activation: Activation, z: f64, error: f64, unit: f64) -> f64 {
    match activation {
        Activation::Relu if z + error < 0.0 => 0.0,
        Activation::Identity | Activation::Relu => error,
        // 1 / (1 + exp(-z)), at most 1, with an addition and a division.
        Activation::Sigmoid => error / 4.0 + (FUNCTION + 2.0) * unit,
        Activation::Tanh => error + FUNCTION * unit,
    }
}

/// f'(z) by a = f(z), and its error, from that of a.
fn slope(activation: Activation, a: f64, error: f64, unit: f64) -> (f64, f64) {
    match activation {
        Activation::Identity => (1.0, 0.0),
        // Where a is within its error of the kink, it may be on the other side.
        Activation::Relu => (
            f64::from(u8::from(a > 0.0)),
            f64::from(u8::from(error > 0.0 && a <= error)),
        ),
        // Two operations. a (1 - a) has slopes of at most 1 where a is between 0 and 1.
        Activation::Sigmoid => (a * (1.0 - a), error + 2.0 * unit),
        // Two operations. (a + e)^2 - a^2 is 2 a e + e^2.
        Activation::Tanh => (1.0 - a * a, 2.0 * error + error * error + 2.0 * unit),
    }
}

/// The bound of the mean loss, and dJ/dP.
///
/// The squared error: with d = p - y, the distance of (d + e)^2 from d^2 is at most 2 |d| e + e^2. Both implementations add
/// up samples x outputs terms.
///
/// The cross-entropy of a sample of class c is ln sum_i exp(p_i) - p_c, and dJ/dp_j is s_j - y_j with
/// s_j = exp(p_j - ln sum_i exp(p_i)). If no p_i is off by more than e, then the loss, and ln s_j, are off by at most 2 e.
/// Whether they are computed with the largest p subtracted throughout, or with ln sum_i exp(p_i) as one number, their
/// roundings are at most u times the largest |p|, twice the largest difference of two p (numerator and denominator), and
/// what ln sum_i exp(p_i - max) takes: a sum, functions of what is given and operations. `exponent` is all of this.
fn loss_and_delta(output: &Numbers, targets: &Array2<f64>, training: &Training, unit: f64) -> (f64, Numbers) {
    let samples = targets.ncols() as f64;
    let scale = match training.reduction {
        Reduction::Mean => 1.0 / samples,
        Reduction::Sum => 1.0,
    };
    let outputs = targets.nrows() - 1;
    // The square of a difference, and divisions by the number of samples.
    let summed = sum(outputs * targets.ncols(), unit) + 5.0 * unit;
    let (mut values, mut errors) = (Array2::zeros(targets.dim()), Array2::zeros(targets.dim()));
    let mut loss = 0.0;
    for sample in 0..targets.ncols() {
        let p = output.values.slice(s![1.., sample]);
        let off = output.errors.slice(s![1.., sample]);
        let y = targets.slice(s![1.., sample]);
        let mut value = values.index_axis_mut(Axis(1), sample);
        let mut error = errors.index_axis_mut(Axis(1), sample);
        let largest = p.fold(f64::NEG_INFINITY, |largest, &p| largest.max(p));
        let log_total = p.iter().map(|p| (p - largest).exp()).sum::<f64>().ln();
        let spread = p.iter().map(|p| largest - p).fold(0.0, f64::max);
        let exponent = 2.0 * off.fold(0.0_f64, |most, &off| most.max(off))
            + (largest.abs() + 2.0 * spread + (FUNCTION + 2.0) * log_total) * unit
            + sum(outputs, unit)
            + (2.0 * FUNCTION + 4.0) * unit;
        for (index, ((&p, &off), &y)) in p.iter().zip(&off).zip(&y).enumerate() {
            let (exact, bound) = match training.loss {
                Loss::Mse => {
                    let size = (p - y).abs();
                    loss += 2.0 * size * off + off * off + summed * (size + off).powi(2);
                    // The difference, the factor, and what that is made of.
                    (2.0 * (p - y), 2.0 * off + 6.0 * unit * (size + off))
                }
                Loss::CrossEntropy => {
                    let probability = (p - largest - log_total).exp();
                    loss += y * (exponent + summed * (largest + log_total - p + exponent));
                    let bound = probability * exponent.exp_m1();
                    (
                        probability - y,
                        bound + 3.0 * unit * ((probability - y).abs() + bound),
                    )
                }
            };
            value[index + 1] = scale * exact;
            error[index + 1] = scale * bound;
        }
    }
    (loss / samples, Numbers { values, errors })
}
