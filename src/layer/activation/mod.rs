//! The activation functions, which overwrite the values they are applied to.
//!
//! [`by_name`] makes one from the name that users write. A new activation has a file of its own and an entry in the
//! table of names.

mod elu;
mod gelu;
mod identity;
mod leaky_relu;
mod relu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod tanh;

use ndarray::{ArrayView2, ArrayViewMut2};

pub use elu::Elu;
pub use gelu::Gelu;
pub use identity::Identity;
pub use leaky_relu::LeakyRelu;
pub use relu::Relu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use tanh::Tanh;

use super::Activation;
use crate::element::Element;
use crate::error::Result;
use crate::kernel::{Function, map, scale, simd};
use crate::names::{self, Named};

/// Makes an activation from the number behind its name, if there is one.
type Make<T> = fn(Option<f64>) -> Result<Box<dyn Activation<T>>>;

/// All activations, by the names that users write.
fn table<T: Element>() -> [(Named, Make<T>); 10] {
    [
        (Named::new("relu", "max(0, z)"), |_| Ok(Box::new(Relu))),
        (
            Named::new(
                "leaky-relu",
                "z above 0, slope times z below; 0.01 is the default slope",
            )
            .with_parameter("slope"),
            |slope| Ok(Box::new(slope.map_or(Ok(LeakyRelu::default()), LeakyRelu::new)?)),
        ),
        (
            Named::new(
                "elu",
                "z above 0, alpha times (e^z - 1) below; 1 is the default alpha",
            )
            .with_parameter("alpha"),
            |alpha| Ok(Box::new(alpha.map_or(Ok(Elu::default()), Elu::new)?)),
        ),
        (
            Named::new("gelu", "z times the normal distribution function of z"),
            |_| Ok(Box::new(Gelu)),
        ),
        (
            Named::new("silu", "z times the sigmoid of z; also known as swish").with_aliases(&["swish"]),
            |_| Ok(Box::new(Silu)),
        ),
        (Named::new("softplus", "log(1 + e^z)"), |_| Ok(Box::new(Softplus))),
        (Named::new("sigmoid", "1 / (1 + e^-z)"), |_| Ok(Box::new(Sigmoid))),
        (Named::new("tanh", "Hyperbolic tangent"), |_| Ok(Box::new(Tanh))),
        (
            Named::new("softmax", "Probabilities over the units of the layer"),
            |_| Ok(Box::new(Softmax)),
        ),
        (Named::new("identity", "No activation"), |_| {
            Ok(Box::new(Identity))
        }),
    ]
}

/// The names of all activations.
pub fn names() -> Vec<Named> {
    table::<f32>().map(|(named, _)| named).to_vec()
}

/// Returns the activation with this name, which may take a number after a colon, such as `leaky-relu:0.2`.
///
/// # Errors
///
/// [`Error::InvalidData`](crate::Error::InvalidData) for an unknown name, with the known ones in the message, and for a
/// number that the activation does not take or that cannot be parsed;
/// [`Error::InvalidOption`](crate::Error::InvalidOption) for a number that is out of range.
///
/// ```
/// use mfnet::layer::{Activation, activation};
/// use ndarray::array;
///
/// let leaky = activation::by_name::<f64>("leaky-relu:0.25")?;
/// let mut values = array![[2.0, -2.0]];
/// leaky.forward(values.view_mut());
/// assert_eq!(values, array![[2.0, -0.5]]);
/// assert!(activation::by_name::<f64>("tan").unwrap_err().to_string().contains("did you mean tanh?"));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn by_name<T: Element>(name: &str) -> Result<Box<dyn Activation<T>>> {
    let (make, parameter) = names::find("activation", name, &table())?;
    make(parameter)
}

/// Replaces each value by a vectorised function's. A sample's values are contiguous.
pub(super) fn apply_function<T: Element>(mut values: ArrayViewMut2<'_, T>, function: impl Function<T>) {
    for mut column in values.columns_mut() {
        match column.as_slice_mut() {
            Some(values) => map(function, values),
            None => column.map_inplace(|value| map(function, std::slice::from_mut(value))),
        }
    }
}

/// Multiplies each delta by a vectorised function's value at the number in the same place of `values`.
pub(super) fn derive_function<T: Element>(
    values: ArrayView2<'_, T>,
    mut delta: ArrayViewMut2<'_, T>,
    function: impl Function<T>,
) {
    for (values, mut delta) in values.columns().into_iter().zip(delta.columns_mut()) {
        match (values.as_slice(), delta.as_slice_mut()) {
            (Some(values), Some(delta)) => scale(function, values, delta),
            _ => delta.zip_mut_with(&values, |delta, value| {
                scale(function, std::slice::from_ref(value), std::slice::from_mut(delta));
            }),
        }
    }
}

/// Applies `f` to each value in place. A sample's values are contiguous, so that each column is one plain loop.
#[inline(always)]
pub(super) fn apply<T: Element>(mut values: ArrayViewMut2<'_, T>, f: impl Fn(T) -> T) {
    simd(
        #[inline(always)]
        || {
            for mut column in values.columns_mut() {
                match column.as_slice_mut() {
                    Some(values) => values.iter_mut().for_each(|value| *value = f(*value)),
                    None => column.map_inplace(|value| *value = f(*value)),
                }
            }
        },
    );
}

/// Replaces each delta by `f` of its output and itself.
#[inline(always)]
pub(super) fn derive<T: Element>(
    output: ArrayView2<'_, T>,
    mut delta: ArrayViewMut2<'_, T>,
    f: impl Fn(T, T) -> T,
) {
    simd(
        #[inline(always)]
        || {
            for (output, mut delta) in output.columns().into_iter().zip(delta.columns_mut()) {
                match (output.as_slice(), delta.as_slice_mut()) {
                    (Some(output), Some(delta)) => {
                        for (delta, &output) in delta.iter_mut().zip(output) {
                            *delta = f(output, *delta);
                        }
                    }
                    _ => delta.zip_mut_with(&output, |delta, &output| *delta = f(output, *delta)),
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn forward(activation: &dyn Activation<f64>, mut values: Array2<f64>) -> Array2<f64> {
        activation.forward(values.view_mut());
        values
    }

    #[test]
    fn values_by_hand() {
        assert_eq!(
            forward(&Relu, array![[-1.0, 0.0], [2.0, -0.5]]),
            array![[0.0, 0.0], [2.0, 0.0]]
        );
        assert_eq!(
            forward(&Sigmoid, array![[0.0], [3.0_f64.ln()]]),
            array![[0.5], [0.75]]
        );
        let tanh = forward(&Tanh, array![[0.0, 0.5 * 3.0_f64.ln()]]);
        assert!(
            (&tanh - &array![[0.0, 0.5]])
                .iter()
                .all(|error| error.abs() < 1e-15),
            "{tanh}"
        );
        assert_eq!(forward(&Identity, array![[-1.0, 2.0]]), array![[-1.0, 2.0]]);
    }

    #[test]
    fn derivatives_by_hand() {
        let mut delta = array![[1.0, 2.0, 3.0]];
        Activation::<f64>::backward(&Relu, array![[0.0, 1.0, 5.0]].view(), delta.view_mut());
        assert_eq!(delta, array![[0.0, 2.0, 3.0]], "0 at 0");
        let mut delta = array![[4.0]];
        Activation::<f64>::backward(&Sigmoid, array![[0.5]].view(), delta.view_mut());
        assert_eq!(delta, array![[1.0]]);
        let mut delta = array![[4.0]];
        Activation::<f64>::backward(&Tanh, array![[0.5]].view(), delta.view_mut());
        assert_eq!(delta, array![[3.0]]);
    }

    #[test]
    fn softmax_by_hand() {
        let values = array![[0.0, 1000.0], [3.0_f64.ln(), 0.0]];
        let output = forward(&Softmax, values);
        let expected = array![[0.25, 1.0], [0.75, 0.0]];
        assert!(
            (&output - &expected).iter().all(|error| error.abs() < 1e-15),
            "{output}"
        );
        // diag(a) - a a^T = 3/16 ((1, -1), (-1, 1))
        let mut delta = array![[5.0, 5.0], [1.0, 1.0]];
        Activation::<f64>::backward(&Softmax, expected.view(), delta.view_mut());
        assert!(
            (&delta - &array![[0.75, 0.0], [-0.75, 0.0]])
                .iter()
                .all(|error| error.abs() < 1e-15)
        );
    }

    /// Expected values from PyTorch 2.15:
    ///
    /// ```python
    /// modules = torch.nn.ELU(), torch.nn.ELU(0.3), torch.nn.GELU(), torch.nn.SiLU(), torch.nn.Softplus()
    /// for module in modules:
    ///     z = torch.tensor([-30.0, -6.0, -1.25, -0.01, 0.0, 0.5, 3.0, 40.0], dtype=torch.float64, requires_grad=True)
    ///     a = module(z)
    ///     (a * torch.arange(1.0, 9.0)).sum().backward()
    ///     print(module, a.tolist(), z.grad.tolist())
    /// ```
    #[test]
    fn smooth_activations_are_those_of_pytorch() {
        let expected = [
            (
                "elu",
                [
                    -0.9999999999999064,
                    -0.9975212478233336,
                    -0.7134952031398099,
                    -0.009950166250831947,
                    0.0,
                    0.5,
                    3.0,
                    40.0,
                ],
                [
                    9.357622968840175e-14,
                    0.004957504353332717,
                    0.8595143905805702,
                    3.9601993349966724,
                    5.0,
                    6.0,
                    7.0,
                    8.0,
                ],
            ),
            (
                "elu:0.3",
                [
                    -0.2999999999999719,
                    -0.2992563743470001,
                    -0.21404856094194294,
                    -0.002985049875249584,
                    0.0,
                    0.5,
                    3.0,
                    40.0,
                ],
                [
                    2.8072868906520524e-14,
                    0.001487251305999815,
                    0.25785431717417107,
                    1.1880598004990017,
                    1.5,
                    6.0,
                    7.0,
                    8.0,
                ],
            ),
            (
                "gelu",
                [
                    -0.0,
                    -5.919525869479969e-09,
                    -0.13206221708356905,
                    -0.004960106436853684,
                    0.0,
                    0.34573123063700656,
                    2.99595030590511,
                    40.0,
                ],
                [
                    -4.420938404635643e-195,
                    -7.093741890805278e-08,
                    -0.36798474920826646,
                    1.9680856813900303,
                    2.5,
                    5.204970747936978,
                    7.083619530429287,
                    8.0,
                ],
            ),
            (
                "silu",
                [
                    -2.8072868906517896e-12,
                    -0.014835738939808647,
                    -0.27837517353163604,
                    -0.00497500020833125,
                    0.0,
                    0.3112296656009273,
                    2.8577223804672998,
                    40.0,
                ],
                [
                    -2.713710660963134e-12,
                    -0.024652865183051025,
                    0.01895746525406271,
                    1.9800003333283338,
                    2.5,
                    4.439767123815911,
                    7.616728742106185,
                    8.0,
                ],
            ),
            (
                "softplus",
                [
                    9.357622968839737e-14,
                    0.0024756851377304495,
                    0.2519290813453729,
                    0.6881596805078624,
                    std::f64::consts::LN_2,
                    0.9740769841801067,
                    3.048587351573742,
                    40.0,
                ],
                [
                    9.3576229688393e-14,
                    0.0049452463132695496,
                    0.6681004164759264,
                    1.9900000833325,
                    2.5,
                    3.7347559872111273,
                    6.668018887757032,
                    8.0,
                ],
            ),
        ];
        for (name, values, deltas) in expected {
            let activation = by_name::<f64>(name).unwrap();
            let input = array![[-30.0, -6.0, -1.25, -0.01, 0.0, 0.5, 3.0, 40.0]];
            let output = forward(&*activation, input.clone());
            let mut delta = array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]];
            let needed = if activation.needs_input() {
                input
            } else {
                output.clone()
            };
            activation.backward(needed.view(), delta.view_mut());
            for (found, expected) in [(output, values), (delta, deltas)] {
                for (found, expected) in found.iter().zip(expected) {
                    let error = (found - expected).abs();
                    assert!(error < 4e-15, "{name}: {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn columns_that_are_not_contiguous_give_the_same() {
        for named in names() {
            let activation = by_name::<f64>(named.name).unwrap();
            let input = Array2::from_shape_fn((5, 7), |(row, column)| row as f64 - 0.7 * column as f64);
            let [rows, columns] = [
                input.clone(),
                input.t().as_standard_layout().into_owned().reversed_axes(),
            ]
            .map(|mut values| {
                let input = values.clone();
                activation.forward(values.view_mut());
                let needed = if activation.needs_input() { &input } else { &values };
                let mut delta = input.clone() + 0.5;
                activation.backward(needed.view(), delta.view_mut());
                (values, delta)
            });
            assert!(
                (&rows.0 - &columns.0)
                    .iter()
                    .chain(&(&rows.1 - &columns.1))
                    .all(|error| error.abs() < 1e-14),
                "{named}"
            );
        }
    }

    #[test]
    fn a_value_that_is_not_a_number_stays_visible() {
        assert!(forward(&Relu, array![[f64::NAN]])[[0, 0]].is_nan());
        for named in names() {
            let activation = by_name::<f64>(named.name).unwrap();
            assert!(
                forward(&*activation, array![[f64::NAN]])[[0, 0]].is_nan(),
                "{named}"
            );
        }
        for name in ["elu", "gelu", "silu", "softplus"] {
            let mut delta = array![[1.0, f64::NAN]];
            by_name::<f64>(name)
                .unwrap()
                .backward(array![[f64::NAN, 1.0]].view(), delta.view_mut());
            assert!(delta.iter().all(|delta| delta.is_nan()), "{name}");
        }
        let softmax = forward(&Softmax, array![[1.0], [f64::NAN]]);
        assert!(softmax.iter().all(|value| value.is_nan()));
    }

    #[test]
    fn saturated_values_are_finite() {
        let extremes = array![[-1e4, 1e4, f64::MAX, f64::MIN, 1e-310]];
        for named in names() {
            let activation = by_name::<f64>(named.name).unwrap();
            let output = forward(&*activation, extremes.clone());
            let mut delta = Array2::ones(extremes.dim());
            let needed = if activation.needs_input() {
                &extremes
            } else {
                &output
            };
            activation.backward(needed.view(), delta.view_mut());
            assert!(
                output.iter().chain(&delta).all(|value| value.is_finite()),
                "{named}"
            );
        }
    }

    #[test]
    fn every_name_makes_an_activation() {
        for named in names() {
            assert!(by_name::<f32>(named.name).is_ok(), "{named}");
            let with_number = by_name::<f64>(&format!("{}:0.5", named.name));
            assert_eq!(with_number.is_ok(), named.parameter.is_some(), "{named}");
        }
        assert!(by_name::<f32>("leaky-relu:-1").is_err());
        assert!(by_name::<f32>("elu:-1").is_err());
        assert_eq!(by_name::<f32>("swish").unwrap().name(), "SiLU");
    }
}
