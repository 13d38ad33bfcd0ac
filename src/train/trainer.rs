//! The trainer: a network with its loss, its optimizer and how far it has come.

use std::ops::ControlFlow;

use super::history::History;
use super::options::TrainOptions;
use super::run::{Event, Parts, Run};
use super::sets::Sets;
use super::state::TrainState;
use crate::data::Dataset;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::NeuralNetwork;
use crate::optimizer::Optimizer;

/// A training that can be stopped and gone on with: network, loss, optimizer and options, and where it stands.
///
/// ```
/// use mfnet::optimizer::{Adam, Schedule};
/// use mfnet::{CrossEntropyLoss, NeuralNetwork, Sets, TrainOptions, Trainer, classes, train_test_split};
/// use std::ops::ControlFlow::Continue;
///
/// let (train, test) = mfnet::data::digits::digits::<f32>(7, 2_000, 500)?;
/// let (train, validation) = train_test_split(&train, 0.1, 7)?;
/// let network = NeuralNetwork::builder(784).linear(64).relu().dropout(0.2).linear(10).seed(7).build()?;
/// let options = TrainOptions {
///     epochs: 20,
///     batch_size: 100,
///     schedule: Schedule::cosine(20),
///     early_stopping: Some(3),
///     ..TrainOptions::default()
/// };
/// let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Adam::new(0.005)?).options(options);
/// let sets = Sets { train: &train, validation: Some(&validation), test: Some(&test) };
/// let history = trainer.fit(sets, |_| Continue(()))?;
/// assert!(history.test().and_then(|test| test.accuracy) > Some(0.7));
///
/// let network = trainer.into_network();
/// let digits = classes(network.predict_proba(test.to_values().view())?.view());
/// assert_eq!(digits.len(), 500);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct Trainer<T> {
    pub(crate) network: NeuralNetwork<T>,
    loss: Box<dyn Loss<T>>,
    pub(crate) optimizer: Box<dyn Optimizer<T>>,
    options: TrainOptions,
    pub(crate) state: TrainState<T>,
}

impl<T: Element> Trainer<T> {
    /// A trainer before its first epoch, with the default options.
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
        optimizer: Box<dyn Optimizer<T>>,
    ) -> Self {
        Trainer {
            network,
            loss,
            optimizer,
            options: TrainOptions::default(),
            state: TrainState::default(),
        }
    }

    /// Sets the options; they are checked when training begins. With more epochs than before, a training that was over
    /// goes on, also one that was stopped early.
    pub fn options(mut self, options: TrainOptions) -> Self {
        self.options = options;
        self.state.history.restored = None;
        self
    }

    /// Trains up to [`TrainOptions::epochs`], from where the trainer stands, or until early stopping or the observer
    /// ends it.
    ///
    /// The observer hears of every batch and every epoch; [`ControlFlow::Break`] from it ends the training, and another
    /// call goes on from there. Work is shared among the threads of rayon's current pool; the result does not depend on
    /// their number.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for options out of their range, [`Error::Shape`] for a data set that does not fit the
    /// network, [`Error::InvalidData`] for targets that the loss has no meaning for, and [`Error::Diverged`] when a loss
    /// is not finite: the weights are then those before that batch; or when a weight or running statistic is not, at the
    /// end of an epoch or where the observer ends the training. Without an error all of them are finite. After one they
    /// may not be: the step before may have been what was too long.
    pub fn fit<'a>(
        &mut self,
        sets: impl Into<Sets<'a, T>>,
        observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
    ) -> Result<&History> {
        Run::new(parts(self), sets.into())?.finish(observer)?;
        Ok(&self.state.history)
    }

    /// As [`Trainer::fit`], an epoch at a time, for a loop of your own around it.
    ///
    /// # Errors
    ///
    /// As [`Trainer::fit`].
    pub fn start<'a>(&'a mut self, sets: impl Into<Sets<'a, T>>) -> Result<Run<'a, T>> {
        Run::new(parts(self), sets.into())
    }

    /// Learns from each sample of a data set once, which may be another one each time, and gives the mean loss of its
    /// batches; it counts as an epoch, of which the history keeps a record of some 100 bytes, and as many as you like may
    /// follow one another.
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
        let options = TrainOptions {
            epochs: self.state.history.epochs.len() + 1,
            early_stopping: None,
            ..self.options.clone()
        };
        self.state.history.restored = None;
        let mut parts = parts(self);
        parts.options = &options;
        let record = Run::new(parts, Sets::from(data))?.epoch(|_| ControlFlow::Continue(()))?;
        let loss = record.map(|record| record.train_loss);
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
