//! The training loop.

use std::ops::ControlFlow;
use std::time::Instant;

use super::history::{EpochRecord, History};
use super::options::TrainOptions;
use crate::data::{DataLoader, Dataset, Targets};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::{NeuralNetwork, Workspace};
use crate::optimizer::Optimizer;

/// What the loop tells its observer.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A batch was learned from.
    Batch {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batches of this epoch that are done.
        done: usize,
        /// The batches of an epoch.
        batches: usize,
        /// The mean loss of this epoch's batches so far.
        loss: f64,
    },
    /// An epoch is over.
    Epoch(&'a EpochRecord),
}

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
/// not finite: the weights are then those before that batch.
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
    run(network, data, None, loss, optimizer, options, observer)
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
    run(network, data.0, Some(data.1), loss, optimizer, options, observer)
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
    run(network, data.0, Some(data.1), loss, optimizer, options, observer)
}

fn run<T: Element>(
    network: &mut NeuralNetwork<T>,
    data: &Dataset<T>,
    test: Option<&Dataset<T>>,
    loss: &dyn Loss<T>,
    optimizer: &mut dyn Optimizer<T>,
    options: &TrainOptions,
    observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
) -> Result<History> {
    options.check()?;
    network.check_dataset("training set", data)?;
    loss.check(data.targets())?;
    let mut test = match test {
        Some(test) => {
            network.check_dataset("test set", test)?;
            loss.check(test.targets())?;
            Some((test, Workspace::for_prediction(network, test.samples())))
        }
        None => None,
    };
    let loader = DataLoader::new(data, options.batch_size, options.shuffle, options.seed)?;
    let mut training = Training {
        workspace: Workspace::new(network, loader.batch_size()),
        network,
        loader,
        loss,
        optimizer,
        observer,
    };
    // On a thread of the pool, where handing out work costs least and allocates nothing.
    let ((), history) = rayon::join(
        || (),
        || {
            let mut history = History {
                samples: data.samples(),
                ..History::default()
            };
            for epoch in 1..=options.epochs {
                let Some(mut record) = training.epoch(epoch)? else {
                    history.stopped = true;
                    break;
                };
                if let Some((test, workspace)) = &mut test
                    && (epoch % options.test_interval == 0 || epoch == options.epochs)
                {
                    record.test = Some(training.network.evaluate_in(workspace, test, loss)?);
                }
                let flow = (training.observer)(Event::Epoch(&record));
                history.epochs.push(record);
                if flow.is_break() {
                    history.stopped = epoch < options.epochs;
                    break;
                }
            }
            Ok(history)
        },
    );
    history
}

/// All that an epoch needs.
struct Training<'a, T, O> {
    network: &'a mut NeuralNetwork<T>,
    loader: DataLoader<'a, T>,
    loss: &'a dyn Loss<T>,
    optimizer: &'a mut dyn Optimizer<T>,
    workspace: Workspace<T>,
    observer: O,
}

impl<T: Element, O: FnMut(Event<'_>) -> ControlFlow<()>> Training<'_, T, O> {
    /// One epoch without its evaluation; none if the observer ended it.
    fn epoch(&mut self, epoch: usize) -> Result<Option<EpochRecord>> {
        let start = Instant::now();
        self.loader.start_epoch(epoch as u64);
        let batches = self.loader.batches().len();
        let mut sum = 0.0;
        for (index, batch) in self.loader.batches().enumerate() {
            let done = index + 1;
            let loss = self.network.propagate(&batch, self.loss, &mut self.workspace)?;
            if !loss.is_finite() {
                return Err(Error::Diverged {
                    epoch,
                    batch: done,
                    loss,
                });
            }
            self.network.update(self.optimizer, &mut self.workspace)?;
            sum += loss;
            let loss = sum / done as f64;
            if (self.observer)(Event::Batch {
                epoch,
                done,
                batches,
                loss,
            })
            .is_break()
            {
                return Ok(None);
            }
        }
        Ok(Some(EpochRecord {
            epoch,
            train_loss: sum / batches as f64,
            test: None,
            seconds: start.elapsed().as_secs_f64(),
        }))
    }
}
