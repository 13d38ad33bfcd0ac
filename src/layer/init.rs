//! Initial weights: random, scaled so that signals keep their size from layer to layer.

use std::str::FromStr;

use ndarray::{ArrayViewMut2, Axis};
use rand::Rng;
use rand_distr::{Distribution, Normal, Uniform};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::names::{self, Named};
use crate::random::{Stream, generator};

/// The initial weights of a layer; biases start at 0 unless the initialiser says otherwise.
///
/// n is the number of inputs, p the number of outputs. Default: [`Initializer::He`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Initializer {
    /// Normal, standard deviation sqrt(2 / (n + 1)): for ReLU. Source: report, section 3.1, after He et al. 2015.
    #[default]
    He,
    /// Uniform between +-sqrt(6 / (n + p)): for tanh and sigmoid. Source: Glorot and Bengio 2010.
    Xavier,
    /// Normal, standard deviation sqrt(1 / n). Source: LeCun et al. 1998.
    LeCun,
    /// Uniform between +-1 / sqrt(n), the biases too: PyTorch's default, for any activation. Biases of their own place the
    /// kinks of ReLU all over the data instead of all at 0, which counts where features are few.
    PyTorch,
    /// All 0: for a model without hidden layers.
    Zeros,
    /// Orthonormal rows, or orthonormal columns where there are more outputs than inputs: a signal keeps its length,
    /// except for what fewer outputs cannot represent. The gain is 1, as in PyTorch's `orthogonal_`; needs LAPACK.
    /// Source: Saxe et al. 2014.
    #[cfg(feature = "linalg")]
    Orthogonal,
}

/// All initialisers, by the names that users write.
const TABLE: &[(Named, Initializer)] = &[
    (Named::new("he", "Normal, for ReLU"), Initializer::He),
    (
        Named::new("xavier", "Uniform, for tanh and sigmoid; also known as Glorot").with_aliases(&["glorot"]),
        Initializer::Xavier,
    ),
    (
        Named::new("lecun", "Normal, with half the variance of He"),
        Initializer::LeCun,
    ),
    #[cfg(feature = "linalg")]
    (
        Named::new("orthogonal", "With orthonormal rows or columns"),
        Initializer::Orthogonal,
    ),
    (
        Named::new("pytorch", "Uniform, biases too; PyTorch's default").with_aliases(&["torch"]),
        Initializer::PyTorch,
    ),
    (Named::new("zeros", "All 0"), Initializer::Zeros),
];

/// Parses the name of an initialiser, such as `xavier`.
///
/// # Errors
///
/// [`Error::InvalidData`] for an unknown name; the message lists the known ones.
///
/// ```
/// use mfnet::layer::Initializer;
///
/// assert_eq!("glorot".parse::<Initializer>()?, Initializer::Xavier);
/// # Ok::<(), mfnet::Error>(())
/// ```
impl FromStr for Initializer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(names::find("initializer", name, TABLE)?.0)
    }
}

impl Initializer {
    /// The names of all initialisers.
    pub fn names() -> Vec<Named> {
        TABLE.iter().map(|(named, _)| *named).collect()
    }

    /// Fills weights, column by column, and their biases, which are 0 before.
    ///
    /// # Shapes
    ///
    /// augmented: p x (n + 1), the biases in column 0
    pub(crate) fn fill<T: Element>(self, augmented: ArrayViewMut2<'_, T>, seed: u64) {
        let (biases, weights) = augmented.split_at(Axis(1), 1);
        let (outputs, inputs) = weights.dim();
        let (outputs, inputs) = (outputs as f64, inputs as f64);
        match self {
            Initializer::He => draw(weights, seed, Normal::new(0.0, (2.0 / (inputs + 1.0)).sqrt())),
            Initializer::Xavier => {
                let bound = (6.0 / (inputs + outputs)).sqrt();
                draw(weights, seed, Uniform::new(-bound, bound));
            }
            Initializer::LeCun => draw(weights, seed, Normal::new(0.0, (1.0 / inputs).sqrt())),
            Initializer::PyTorch => {
                let bound = inputs.sqrt().recip();
                draw(weights, seed, Uniform::new(-bound, bound));
                // Another stream: the biases are no repetition of the first weights.
                draw(
                    biases,
                    generator(seed, Stream::Weights, 1).next_u64(),
                    Uniform::new(-bound, bound),
                );
            }
            Initializer::Zeros => {}
            #[cfg(feature = "linalg")]
            Initializer::Orthogonal => orthogonal(weights, seed),
        }
    }
}

fn draw<T: Element, E: std::fmt::Debug>(
    weights: ArrayViewMut2<'_, T>,
    seed: u64,
    distribution: std::result::Result<impl Distribution<f64>, E>,
) {
    let distribution = distribution.expect("the spread is positive and finite for at least one input");
    let mut generator = generator(seed, Stream::Weights, 0);
    for weight in weights.reversed_axes() {
        *weight = T::from_f64(distribution.sample(&mut generator));
    }
}

/// Writes the Q of a random matrix's QR decomposition. The sign of each column of Q is arbitrary: choosing it so that
/// R's diagonal is positive makes all orthonormal matrices equally likely.
#[cfg(feature = "linalg")]
fn orthogonal<T: Element>(mut weights: ArrayViewMut2<'_, T>, seed: u64) {
    use ndarray::Array2;
    use ndarray_linalg::QRInto;

    let (outputs, inputs) = weights.dim();
    if outputs == 0 || inputs == 0 {
        return;
    }
    // LAPACK is in the same library as the products, and needs the same preparation.
    let _ = crate::blas::blas();
    let mut numbers = Array2::zeros((outputs.max(inputs), outputs.min(inputs)));
    draw(numbers.view_mut(), seed, Normal::new(0.0, 1.0));
    let (mut columns, r) = numbers
        .qr_into()
        .expect("LAPACK decomposes any matrix of finite numbers");
    for (mut column, &sign) in columns.columns_mut().into_iter().zip(r.diag()) {
        if sign < 0.0 {
            column.mapv_inplace(|value: f64| -value);
        }
    }
    let columns = if outputs < inputs {
        columns.t()
    } else {
        columns.view()
    };
    weights.zip_mut_with(&columns, |weight, &value| *weight = T::from_f64(value));
}

#[cfg(all(test, feature = "linalg"))]
mod tests {
    use super::super::super::property;
    use super::*;
    use ndarray::{Array2, ShapeBuilder, s};
    use proptest::prelude::*;

    fn orthogonal(shape: (usize, usize), column_major: bool, seed: u64) -> Array2<f64> {
        let mut augmented = Array2::zeros((shape.0, shape.1 + 1).set_f(column_major));
        Initializer::Orthogonal.fill(augmented.view_mut(), seed);
        assert!(augmented.column(0).iter().all(|&bias| bias == 0.0));
        augmented.slice_move(s![.., 1..])
    }

    proptest! {
        #![proptest_config(property::config(64))]

        #[test]
        fn the_shorter_side_is_orthonormal(outputs in 1..40_usize, inputs in 1..40_usize, seed: u64, layout: bool) {
            let weights = orthogonal((outputs, inputs), layout, seed);
            let products = if outputs < inputs { weights.dot(&weights.t()) } else { weights.t().dot(&weights) };
            let error = products - Array2::<f64>::eye(outputs.min(inputs));
            prop_assert!(error.iter().all(|error| error.abs() < 1e-13), "{}", error);
        }
    }

    #[test]
    fn both_signs_are_equally_likely() {
        // Without the sign of R's diagonal, the first number would always be negative.
        let positive = (0..400)
            .filter(|&seed| orthogonal((3, 3), true, seed)[[0, 0]] > 0.0)
            .count();
        assert!((150..250).contains(&positive), "{positive} of 400");
    }

    #[test]
    fn a_seed_has_one_matrix_in_any_layout_and_precision() {
        let weights = orthogonal((4, 7), true, 7);
        assert_eq!(weights, orthogonal((4, 7), false, 7));
        assert_ne!(weights, orthogonal((4, 7), true, 8));
        let mut narrow = Array2::<f32>::zeros((4, 8));
        Initializer::Orthogonal.fill(narrow.view_mut(), 7);
        assert_eq!(narrow.slice(s![.., 1..]), weights.mapv(|value| value as f32));
    }
}
