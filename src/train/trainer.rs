//! The trainer: network, loss, optimizer and options, and the progress of their training.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::event::Event;
use super::history::History;
use super::options::TrainOptions;
use super::run::{Run, RunKind, TrainerParts};
use super::sets::Sets;
use super::state::TrainState;
use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::NeuralNetwork;
use crate::optimizer::Optimizer;
use crate::ranks::Communicator;

/// A training that can be stopped and continued: network, loss, optimizer and options, and the progress so far.
///
/// ```
/// use mfnet::optimizer::{Adam, Schedule};
/// use mfnet::{CrossEntropyLoss, NeuralNetwork, Sets, TrainOptions, Trainer, argmax};
/// use mfnet::data::train_test_split;
///
/// let (train, test) = mfnet::data::digits::digits::<f32>(7, 2_000, 500)?;
/// let (train, validation) = train_test_split(&train, 0.1, 7)?;
/// let network = NeuralNetwork::builder(784).linear(64).relu().dropout(0.2).linear(10).seed(7).build()?;
/// let options = TrainOptions::default()
///     .with_epochs(20)
///     .with_batch_size(100)
///     .with_schedule(Schedule::cosine(20))
///     .with_early_stopping(3);
/// let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Adam::new(0.005)?).options(options);
/// let history = trainer.fit(Sets::from(&train).with_validation(&validation).with_test(&test))?;
/// assert!(history.test().and_then(|test| test.accuracy) > Some(0.7));
///
/// let network = trainer.into_network();
/// let digits = argmax(network.predict_proba(test.to_values().view())?.view())?;
/// assert_eq!(digits.len(), 500);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct Trainer<T> {
    pub(crate) network: NeuralNetwork<T>,
    pub(crate) loss: Box<dyn Loss<T>>,
    pub(crate) optimizer: Box<dyn Optimizer<T>>,
    pub(crate) options: TrainOptions,
    pub(crate) state: TrainState<T>,
    communicator: Option<Arc<dyn Communicator>>,
}

impl<T: Element> Trainer<T> {
    /// Creates a trainer with the default options.
    ///
    /// The optimizer is [reset](Optimizer::reset): its state of another training is of no use to this network.
    pub fn new(
        network: NeuralNetwork<T>,
        loss: impl Loss<T> + 'static,
        optimizer: impl Optimizer<T> + 'static,
    ) -> Self {
        Trainer::from_parts(network, Box::new(loss), Box::new(optimizer))
    }

    /// As [`Trainer::new`], with a loss and an optimizer whose types are chosen at run time.
    pub fn from_parts(
        network: NeuralNetwork<T>,
        loss: Box<dyn Loss<T>>,
        mut optimizer: Box<dyn Optimizer<T>>,
    ) -> Self {
        optimizer.reset();
        Trainer {
            network,
            loss,
            optimizer,
            options: TrainOptions::default(),
            state: TrainState::default(),
            communicator: None,
        }
    }

    /// Sets the options, which are checked when training begins.
    ///
    /// With more epochs than before, a training that was over can be continued. So can one that early stopping ended: it
    /// continues from the best weights, which stay those to improve on, and its patience starts anew. With another batch
    /// size, shuffle, seed or drop-last, an interrupted epoch is started again.
    pub fn options(mut self, options: TrainOptions) -> Self {
        self.options = options;
        self.state.reopen();
        self
    }

    /// Shares the work on each batch with the other ranks of a communicator: each of these trains the same network on the same
    /// data with the same options, and gets the bits of a training in one process.
    ///
    /// A batch has 2, 4 or 8 leaves of at least 256 samples each, of which a rank computes its share; every rank computes all of a
    /// smaller batch. Evaluations are computed on each rank. Where the observer of one rank stops the training, it stops on
    /// all. Before the first step, ranks that differ in options, data, network, precision or version are refused by an
    /// [`Error::InvalidData`] that names the difference.
    ///
    /// Default: a single process.
    pub fn communicator(mut self, communicator: Arc<dyn Communicator>) -> Self {
        self.communicator = Some(communicator);
        self
    }

    /// Trains until [`TrainOptions::epochs`] are complete, or until early stopping ends the training.
    ///
    /// Epochs of earlier calls count, those of [`Trainer::partial_fit`] do not. If no epoch is left, nothing is done. The
    /// work is shared among the threads of rayon's current pool; the result does not depend on their number.
    ///
    /// The schedule starts from the optimizer's own learning rate, and changes it for the time of each step only.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for options out of their range, [`Error::Shape`] for a data set that does not fit the
    /// network, [`Error::InvalidData`] for targets that the loss does not accept, for a loss that does not fit the output
    /// of the network (with or without softmax), and for other data than those of a checkpoint that was loaded.
    ///
    /// [`Error::Diverged`] if the loss of a batch is not finite: the weights are then those before that batch. The same if
    /// a weight or a running statistic is not finite at the end of an epoch, or where the observer stops the training.
    /// Without an error all of them are finite; after an error they may not be, if the last step was too long.
    pub fn fit<'a>(&mut self, sets: impl Into<Sets<'a, T>>) -> Result<&History> {
        self.fit_with(sets, |_| ControlFlow::Continue(()))
    }

    /// As [`Trainer::fit`], with an observer that is called after every batch and every epoch.
    ///
    /// [`ControlFlow::Break`] from the observer stops the training. Another call continues it, in the middle of an epoch if
    /// it was stopped there, and gives the same bits as a training that was never stopped. With other data than before (or
    /// another batch size, shuffle, seed or drop-last) the interrupted epoch is discarded, and a new one begins.
    ///
    /// The observer runs on the thread of rayon's pool that drives the training, which need not be the thread of the caller:
    /// it must be `Send` and cannot rely on thread-locals of the caller. A panic in the observer reaches the caller, and the
    /// next call starts the epoch again.
    ///
    /// # Errors
    ///
    /// As [`Trainer::fit`].
    ///
    /// ```
    /// use mfnet::{CrossEntropyLoss, Event, NeuralNetwork, Sgd, StopReason, TrainOptions, Trainer};
    /// use std::ops::ControlFlow::{Break, Continue};
    ///
    /// let (train, _) = mfnet::data::digits::digits::<f32>(7, 1_000, 200)?;
    /// let network = NeuralNetwork::builder(784).linear(10).build()?;
    /// let options = TrainOptions::default().with_batch_size(100);
    /// let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Sgd::new(0.1)?).options(options);
    /// // Ends with the first epoch whose loss is below 1.
    /// let history = trainer.fit_with(&train, |event| match event {
    ///     Event::Epoch(record) if record.train_loss < 1.0 => Break(()),
    ///     _ => Continue(()),
    /// })?;
    /// assert!(history.stopped == Some(StopReason::Observer) && history.train_loss() < Some(1.0));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn fit_with<'a>(
        &mut self,
        sets: impl Into<Sets<'a, T>>,
        observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
    ) -> Result<&History> {
        Run::new(parts(self), sets.into(), RunKind::Fit)?.finish(observer)?;
        Ok(&self.state.history)
    }

    /// Starts or continues the training of [`Trainer::fit`] epoch by epoch, for a loop of your own.
    ///
    /// # Errors
    ///
    /// As [`Trainer::fit`].
    pub fn start<'a>(&'a mut self, sets: impl Into<Sets<'a, T>>) -> Result<Run<'a, T>> {
        Run::new(parts(self), sets.into(), RunKind::Fit)
    }

    /// Trains for one epoch on a data set, which may be another one in each call; returns the mean loss of its batches.
    ///
    /// Each call adds a record of some 100 bytes to the history; their number is not limited. Partial fits do not count as
    /// epochs of [`Trainer::fit`], and train at the optimizer's own learning rate, without schedule, warm-up or early
    /// stopping. The exception: if a `fit` on the same data was interrupted in the middle of an epoch, that epoch is
    /// completed, as part of `fit`.
    ///
    /// # Errors
    ///
    /// As [`Trainer::fit`].
    ///
    /// ```
    /// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, Trainer};
    /// use ndarray::array;
    ///
    /// let network = NeuralNetwork::<f64>::builder(1).linear(1).build()?;
    /// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
    /// for step in 0..300 {
    ///     let x = f64::from(step % 3);
    ///     trainer.partial_fit(&Dataset::regression(array![[x]], array![[2.0 * x + 1.0]])?)?;
    /// }
    /// assert!((trainer.network().predict(array![[3.0]].view())?[[0, 0]] - 7.0).abs() < 0.01);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn partial_fit(&mut self, data: &Dataset<T>) -> Result<f64> {
        let mut run = Run::new(parts(self), Sets::from(data), RunKind::Partial)?;
        run.state.reopen();
        let loss = run.epoch()?.map(|record| record.train_loss);
        loss.ok_or_else(|| Error::data("Trainer::partial_fit", "there was no epoch"))
    }

    /// The network as it is now.
    pub fn network(&self) -> &NeuralNetwork<T> {
        &self.network
    }

    /// Returns the network, and drops the rest of the trainer.
    pub fn into_network(self) -> NeuralNetwork<T> {
        self.network
    }

    /// The history: the epochs so far.
    pub fn history(&self) -> &History {
        &self.state.history
    }
}

fn parts<T>(trainer: &mut Trainer<T>) -> TrainerParts<'_, T> {
    TrainerParts {
        network: &mut trainer.network,
        loss: &*trainer.loss,
        optimizer: &mut *trainer.optimizer,
        options: &trainer.options,
        state: &mut trainer.state,
        communicator: trainer.communicator.as_ref(),
    }
}
