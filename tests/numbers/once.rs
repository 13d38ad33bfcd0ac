//! Numbers of either precision, and trainings as short as can be.

use std::ops::ControlFlow::Continue;

use mfnet::loss::Loss;
use mfnet::optimizer::Optimizer;
use mfnet::{Dataset, Element, History, NeuralNetwork, TrainOptions, train};

/// As the type has them; a rate of 1e300 is infinite in f32.
pub fn number<T: Element>(value: f64) -> T {
    T::from_f64(value)
}

/// The largest number of the type.
pub fn max<T: Element>() -> T {
    T::from_f64(if T::NAME == "f32" {
        f64::from(f32::MAX)
    } else {
        f64::MAX
    })
}

/// One epoch, of one batch.
pub fn fit<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
) -> mfnet::Result<History> {
    let options = TrainOptions {
        epochs: 1,
        ..TrainOptions::default()
    };
    train(network, data, loss, optimizer, &options, |_| Continue(()))
}
