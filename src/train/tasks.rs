//! Training in one call, for the two kinds of task.

use std::ops::ControlFlow;

use super::history::History;
use super::options::TrainOptions;
use super::run::{Event, Parts, Run};
use super::sets::Sets;
use super::state::TrainState;
use crate::data::{Dataset, Targets};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::NeuralNetwork;
use crate::optimizer::Optimizer;

/// Trains a network on a data set, without a test set.
///
/// The observer hears of every batch and every epoch; [`ControlFlow::Break`] from it ends the training, and the history
/// then holds the epochs that were completed. Work is shared among the threads of rayon's current pool; the result does
/// not depend on their number.
///
/// # Errors
///
/// [`Error::InvalidOption`] for no epochs or a batch size of 0, [`Error::Shape`] for a data set that does not fit the
/// network, [`Error::InvalidData`] for targets that the loss has no meaning for, and [`Error::Diverged`] when a loss is
/// not finite: the weights are then those before that batch; or when a weight or running statistic is not, at the end of an
/// epoch or where the observer ends the training. Without an error all of them are finite.
///
/// ```
/// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, TrainOptions, train};
/// use ndarray::array;
/// use std::ops::ControlFlow;
///
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let mut network = NeuralNetwork::<f64>::builder(1).linear(1).seed(7).build()?;
/// let options = TrainOptions { epochs: 500, ..TrainOptions::default() };
/// train(&mut network, &line, &MseLoss::default(), &mut Sgd::new(0.1)?, &options, |_| ControlFlow::Continue(()))?;
/// assert!((network.predict(array![[3.0]].view())?[[0, 0]] - 7.0).abs() < 1e-6);
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn train<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
    options: &TrainOptions,
    observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
) -> Result<History> {
    run(network, Sets::from(data), loss, optimizer, options, observer)
}

/// Trains a network for regression, with an evaluation of the test set every [`TrainOptions::test_interval`] epochs.
///
/// `data` is the training set and the test set. As [`train`] in all else.
///
/// # Errors
///
/// As [`train`]; [`Error::InvalidData`] also for targets that are classes.
pub fn train_test_regression<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: (&Dataset<T>, &Dataset<T>),
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
    options: &TrainOptions,
    observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
) -> Result<History> {
    for dataset in [data.0, data.1] {
        if let Targets::Classes { .. } = dataset.targets() {
            return Err(Error::data(
                "train_test_regression",
                "the targets are classes, not numbers",
            ));
        }
    }
    run(network, sets(data), loss, optimizer, options, observer)
}

/// Trains a network for classification, with an evaluation of the test set, accuracy included, every
/// [`TrainOptions::test_interval`] epochs.
///
/// `data` is the training set and the test set. As [`train`] in all else.
///
/// # Errors
///
/// As [`train`]; [`Error::InvalidData`] also for targets that are not classes.
///
/// ```
/// use mfnet::{CrossEntropyLoss, Event, NeuralNetwork, Sgd, TrainOptions, train_test_classification};
/// use std::ops::ControlFlow;
///
/// let (train, test) = mfnet::data::digits::digits::<f32>(7, 1_000, 200)?;
/// let mut network = NeuralNetwork::builder(784).linear(10).build()?;
/// let options = TrainOptions { batch_size: 100, ..TrainOptions::default() };
/// let (loss, mut sgd) = (CrossEntropyLoss::default(), Sgd::new(0.1)?);
/// // Ends with the first epoch whose loss is below 1.
/// let observer = |event: Event<'_>| match event {
///     Event::Epoch(record) if record.train_loss < 1.0 => ControlFlow::Break(()),
///     _ => ControlFlow::Continue(()),
/// };
/// let history = train_test_classification(&mut network, (&train, &test), &loss, &mut sgd, &options, observer)?;
/// assert!(history.stopped && history.train_loss() < Some(1.0));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn train_test_classification<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: (&Dataset<T>, &Dataset<T>),
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
    options: &TrainOptions,
    observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
) -> Result<History> {
    for dataset in [data.0, data.1] {
        if let Targets::Values(_) = dataset.targets() {
            return Err(Error::data(
                "train_test_classification",
                "the targets are numbers, not classes",
            ));
        }
    }
    run(network, sets(data), loss, optimizer, options, observer)
}

/// The training set and the test set.
fn sets<'a, T>((train, test): (&'a Dataset<T>, &'a Dataset<T>)) -> Sets<'a, T> {
    Sets {
        train,
        validation: None,
        test: Some(test),
    }
}

fn run<T: Element>(
    network: &mut NeuralNetwork<T>,
    sets: Sets<'_, T>,
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
    options: &TrainOptions,
    observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
) -> Result<History> {
    let mut state = TrainState::default();
    let parts = Parts {
        network,
        loss,
        optimizer,
        options,
        state: &mut state,
    };
    Run::new(parts, sets)?.finish(observer)?;
    Ok(state.history)
}
