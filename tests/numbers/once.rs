//! Numbers of either precision, and trainings as short as can be.

use std::mem;

use mfnet::loss::Loss;
use mfnet::optimizer::Optimizer;
use mfnet::{Dataset, Element, History, NeuralNetwork, Sets, TrainOptions, Trainer};

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

/// Trains a network where it is, so that it can be looked at whatever comes of it.
pub fn train<'a, T: Element>(
    network: &mut NeuralNetwork<T>,
    sets: impl Into<Sets<'a, T>>,
    loss: Box<dyn Loss<T>>,
    optimizer: Box<dyn Optimizer<T>>,
    options: &TrainOptions,
) -> mfnet::Result<History> {
    let placeholder = NeuralNetwork::builder(1).linear(1).build()?;
    let taken = mem::replace(network, placeholder);
    let mut trainer = Trainer::from_parts(taken, loss, optimizer).options(options.clone());
    let result = trainer.fit(sets).cloned();
    *network = trainer.into_network();
    result
}

/// One epoch, of one batch.
pub fn fit<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: Box<dyn Loss<T>>,
    optimizer: Box<dyn Optimizer<T>>,
) -> mfnet::Result<History> {
    train(
        network,
        data,
        loss,
        optimizer,
        &TrainOptions::default().with_epochs(1),
    )
}
