//! How far rounding can bring a network's gradients away from the exact ones: a bound for each of their numbers, derived from
//! the size of the numbers on the way (a running error analysis, after Wilkinson).

use mfnet::plain::{Activation, Loss, Network, Reduction, Training};
use ndarray::{Array2, ArrayView2, Axis, Zip, s};

/// Bounds of the errors of a batch's mean loss and of its gradients, (outputs + 1) x (inputs + 1) with row 0 = 0.
pub struct Bounds {
    pub loss: f64,
    pub gradients: Vec<Array2<f64>>,
}

/// Numbers, augmented, a sample a column, and a bound for how far each is off.
struct Numbers {
    values: Array2<f64>,
    errors: Array2<f64>,
}

/// The bounds for a batch whose every operation is rounded to a part `epsilon` of its result, twice the most that rounding
/// does, which leaves room for the library's functions and for the plain implementation's own rounding.
///
/// The roundings of a sum's n terms are taken to be as if drawn at random: together they are of the order of sqrt(n), not n
/// (Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019), and 4 sqrt(n) of the most that one can
/// be leaves next to no chance of more.
///
/// # Shapes
///
/// inputs: samples x features; targets: samples x outputs, one-hot for the cross-entropy
pub fn bounds(
    network: &Network,
    inputs: &Array2<f64>,
    targets: &Array2<f64>,
    training: &Training,
    epsilon: f64,
) -> Bounds {
    let exact = |values: Array2<f64>| Numbers {
        errors: Array2::zeros(values.dim()),
        values,
    };
    let mut passes = vec![exact(augmented(inputs))];
    for (weights, activation) in network.layers() {
        let weights = ArrayView2::from_shape((weights.rows(), weights.columns()), weights.values()).unwrap();
        let mut output = product(weights, &passes[passes.len() - 1], epsilon);
        Zip::from(&mut output.values)
            .and(&mut output.errors)
            .for_each(|z, error| {
                *error = error_behind(*activation, *z, *error, epsilon);
                *z = activation.value(*z);
            });
        output.values.row_mut(0).fill(1.0);
        output.errors.row_mut(0).fill(0.0);
        passes.push(output);
    }
    let output = passes.pop().unwrap();
    let (loss, mut delta) = loss_and_delta(&output, &augmented(targets), training, epsilon);
    let mut gradients = Vec::new();
    let mut behind = output;
    for (weights, activation) in network.layers().iter().rev() {
        let weights = ArrayView2::from_shape((weights.rows(), weights.columns()), weights.values()).unwrap();
        Zip::from(&mut delta.values)
            .and(&mut delta.errors)
            .and(&behind.values)
            .and(&behind.errors)
            .for_each(|delta, error, &a, &off| {
                let (slope, slope_error) = slope(*activation, a, off, epsilon);
                *error = *error * (slope + slope_error) + delta.abs() * (slope_error + epsilon);
                *delta *= slope;
            });
        let before = passes.pop().unwrap();
        let sizes = delta.values.mapv(f64::abs);
        let terms = delta.values.ncols() + 2;
        let mut gradient = delta
            .errors
            .dot(&(before.values.mapv(f64::abs) + &before.errors).t());
        gradient += &sizes.dot(&before.errors.t());
        gradient.scaled_add(sum(terms, epsilon), &sizes.dot(&before.values.mapv(f64::abs).t()));
        gradients.push(gradient);
        delta = product(weights.t(), &delta, epsilon);
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

/// A product with exact numbers: sums of as many terms as they have columns.
fn product(weights: ArrayView2<'_, f64>, input: &Numbers, epsilon: f64) -> Numbers {
    let sizes = weights.mapv(f64::abs);
    let terms = weights.ncols() + 1;
    Numbers {
        values: weights.dot(&input.values),
        errors: sizes.dot(&input.errors) + sizes.dot(&input.values.mapv(f64::abs)) * sum(terms, epsilon),
    }
}

/// How far a sum of so many terms is off, as a part of the sum of their sizes.
fn sum(terms: usize, epsilon: f64) -> f64 {
    2.0 * (terms as f64).sqrt() * epsilon
}

/// How far f(z) is off where z is.
fn error_behind(activation: Activation, z: f64, error: f64, epsilon: f64) -> f64 {
    match activation {
        Activation::Relu if z + error < 0.0 => 0.0,
        Activation::Identity | Activation::Relu => error,
        // Values up to 1, by an exponential of which z is known to a part of itself only.
        Activation::Sigmoid => error / 4.0 + (4.0 + z.abs() / 4.0) * epsilon,
        Activation::Tanh => error + 4.0 * epsilon,
    }
}

/// f'(z) by a = f(z), and how far it is off where a is.
fn slope(activation: Activation, a: f64, error: f64, epsilon: f64) -> (f64, f64) {
    match activation {
        Activation::Identity => (1.0, 0.0),
        // Where a is within its error of the kink, it may be on the other side.
        Activation::Relu => (
            f64::from(u8::from(a > 0.0)),
            f64::from(u8::from(error > 0.0 && a <= error)),
        ),
        Activation::Sigmoid => (a * (1.0 - a), error + 2.0 * epsilon),
        Activation::Tanh => (1.0 - a * a, 2.0 * error + error * error + 2.0 * epsilon),
    }
}

/// The bound of the mean loss, and dJ/dP.
fn loss_and_delta(
    output: &Numbers,
    targets: &Array2<f64>,
    training: &Training,
    epsilon: f64,
) -> (f64, Numbers) {
    let samples = targets.ncols() as f64;
    let scale = match training.reduction {
        Reduction::Mean => 1.0 / samples,
        Reduction::Sum => 1.0,
    };
    let outputs = (targets.nrows() - 1) as f64;
    let (mut values, mut errors) = (Array2::zeros(targets.dim()), Array2::zeros(targets.dim()));
    let mut loss = 0.0;
    for sample in 0..targets.ncols() {
        let p = output.values.slice(s![1.., sample]);
        let off = output.errors.slice(s![1.., sample]);
        let y = targets.slice(s![1.., sample]);
        let mut value = values.index_axis_mut(Axis(1), sample);
        let mut error = errors.index_axis_mut(Axis(1), sample);
        let largest = p.fold(f64::NEG_INFINITY, |largest, &p| largest.max(p));
        let total: f64 = p.iter().map(|p| (p - largest).exp()).sum();
        let spread = p.iter().map(|p| largest - p).fold(0.0, f64::max);
        // How far any exponent may be off.
        let exponent = off.fold(0.0_f64, |most, &off| most.max(off)) + spread * epsilon;
        for (index, ((&p, &off), &y)) in p.iter().zip(&off).zip(&y).enumerate() {
            let (exact, bound) = match training.loss {
                Loss::Mse => {
                    loss += 2.0 * (p - y).abs() * off
                        + off * off
                        + (sum(targets.ncols(), epsilon) + 3.0 * epsilon) * (p - y).powi(2);
                    (2.0 * (p - y), 2.0 * off + 4.0 * epsilon * (p.abs() + y.abs()))
                }
                Loss::CrossEntropy => {
                    let probability = (p - largest).exp() / total;
                    let part = (2.0 * exponent).exp_m1() + (outputs + 8.0) * epsilon;
                    (probability - y, probability * part + 4.0 * epsilon)
                }
            };
            value[index + 1] = scale * exact;
            error[index + 1] = scale * bound;
        }
        if training.loss == Loss::CrossEntropy {
            loss += 2.0 * exponent + (outputs + 8.0) * epsilon * (1.0 + spread + total.ln());
        }
    }
    (loss / samples, Numbers { values, errors })
}
