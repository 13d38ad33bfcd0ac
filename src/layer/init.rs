//! How weights start: random, scaled so that signals keep their size from layer to layer.

use ndarray::ArrayViewMut2;
use rand_distr::{Distribution, Normal, Uniform};

use crate::element::Element;
use crate::random::{Stream, generator};

/// How a layer's weights start; biases start at 0.
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
    /// All 0: for a model without hidden layers.
    Zeros,
}

impl Initializer {
    /// Fills p x n weights, column by column.
    pub(crate) fn fill<T: Element>(self, weights: ArrayViewMut2<'_, T>, seed: u64) {
        let (outputs, inputs) = weights.dim();
        let (outputs, inputs) = (outputs as f64, inputs as f64);
        match self {
            Initializer::He => draw(weights, seed, Normal::new(0.0, (2.0 / (inputs + 1.0)).sqrt())),
            Initializer::Xavier => {
                let bound = (6.0 / (inputs + outputs)).sqrt();
                draw(weights, seed, Uniform::new(-bound, bound));
            }
            Initializer::LeCun => draw(weights, seed, Normal::new(0.0, (1.0 / inputs).sqrt())),
            Initializer::Zeros => {}
        }
    }
}

fn draw<T: Element, E: std::fmt::Debug>(
    weights: ArrayViewMut2<'_, T>,
    seed: u64,
    distribution: Result<impl Distribution<f64>, E>,
) {
    let distribution = distribution.expect("the spread is positive and finite for at least one input");
    let mut generator = generator(seed, Stream::Weights, 0);
    for weight in weights.reversed_axes() {
        *weight = T::from_f64(distribution.sample(&mut generator));
    }
}
