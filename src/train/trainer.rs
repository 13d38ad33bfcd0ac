//! The trainer: a network with its loss, its optimizer and how far it has come.

use std::ops::ControlFlow;

use super::event::Event;
use super::history::History;
use super::options::TrainOptions;
use super::run::{Kind, Parts, Run};
use super::sets::Sets;
use super::state::TrainState;
use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::NeuralNetwork;
use crate::optimizer::Optimizer;

/// A training that can be stopped and continued: network, loss, optimizer and options, and how far it has come.
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
}

impl<T: Element> Trainer<T> {
    /// A trainer before its first epoch, with the default options.
    ///
    /// The optimizer is [reset](Optimizer::reset): what it remembers of another training is of no use to this network.
    pub fn new(
        network: NeuralNetwork<T>,
        loss: impl Loss<T> + 'static,
        optimizer: impl Optimizer<T> + 'static,
    ) -> Self {
        Trainer::from_parts(network, Box::new(loss), Box::new(optimizer))
    }

    /// As [`Trainer::new`], with a loss and an optimizer that were chosen while the program runs.
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
        }
    }

    /// Sets the options; they are checked when training begins. With more epochs than before, a training that was over
    /// goes on. So does one that early stopping ended, from the best weights: its patience counts anew, and these stay the
    /// weights to beat.
    ///
    /// With another batch size, shuffle, seed or drop-last, an epoch that was interrupted is begun anew.
    pub fn options(mut self, options: TrainOptions) -> Self {
        self.options = options;
        self.state.reopen();
        self
    }

    /// Trains up to [`TrainOptions::epochs`], from where the trainer stands, or until early stopping ends it.
    ///
    /// Epochs of [`Trainer::partial_fit`] do not count. Where no epoch is left, nothing is done. Work is shared among the
    /// threads of rayon's current pool; the result does not depend on their number.
    ///
    /// Outside of a step the optimizer has the learning rate that it was given with; the schedule starts from that rate.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for options out of their range, [`Error::Shape`] for a data set that does not fit the
    /// network, [`Error::InvalidData`] for targets that the loss has no meaning for, for a loss that does not fit the output
    /// of the network (a softmax, or none), and for other data than those of a checkpoint that was loaded; and
    /// [`Error::Diverged`] when a loss is not finite: the weights are then those before that batch; or when a weight or
    /// running statistic is not, at the end of an epoch or where the observer ends the training. Without an error all of
    /// them are finite. After one they may not be: the step before may have been what was too long.
    pub fn fit<'a>(&mut self, sets: impl Into<Sets<'a, T>>) -> Result<&History> {
        self.fit_with(sets, |_| ControlFlow::Continue(()))
    }

    /// As [`Trainer::fit`], with an observer that hears of every batch and every epoch.
    ///
    /// [`ControlFlow::Break`] from it ends the training. Another call continues it, in the middle of an epoch if that is where
    /// it was, with the same bits as if it had never ended. With other data than before (or another batch size, shuffle,
    /// seed or drop-last) that epoch is given up, and a fresh one begun.
    ///
    /// The observer runs on a thread of rayon's pool, the one that drives the training, which need not be the thread that
    /// calls: hence `Send`, and no thread-local of the caller can be relied on. A panic in it goes on to the
    /// caller, and the next call begins the epoch anew.
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
        Run::new(parts(self), sets.into(), Kind::Fit)?.finish(observer)?;
        Ok(&self.state.history)
    }

    /// As [`Trainer::fit`], an epoch at a time, for a loop of your own around it.
    ///
    /// # Errors
    ///
    /// As [`Trainer::fit`].
    pub fn start<'a>(&'a mut self, sets: impl Into<Sets<'a, T>>) -> Result<Run<'a, T>> {
        Run::new(parts(self), sets.into(), Kind::Fit)
    }

    /// Learns from each sample of a data set once, which may be another one each time, and returns the mean loss of its
    /// batches.
    ///
    /// The history keeps a record of it, of some 100 bytes, and as many partial fits as you like may follow one another. They
    /// use up no epochs of [`Trainer::fit`], and train at the optimizer's own learning rate: schedule, warm-up and early
    /// stopping are `fit`'s. Only where a `fit` on the same data was interrupted in the middle of an epoch, that epoch is
    /// completed, as one of `fit`.
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
        let mut run = Run::new(parts(self), Sets::from(data), Kind::Partial)?;
        run.state.reopen();
        let loss = run.epoch()?.map(|record| record.train_loss);
        loss.ok_or_else(|| Error::data("Trainer::partial_fit", "there was no epoch"))
    }

    /// The network as it is now.
    pub fn network(&self) -> &NeuralNetwork<T> {
        &self.network
    }

    /// The network, for others to use.
    pub fn into_network(self) -> NeuralNetwork<T> {
        self.network
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.state.history
    }
}

fn parts<T>(trainer: &mut Trainer<T>) -> Parts<'_, T> {
    Parts {
        network: &mut trainer.network,
        loss: &*trainer.loss,
        optimizer: &mut *trainer.optimizer,
        options: &trainer.options,
        state: &mut trainer.state,
    }
}
