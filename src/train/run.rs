//! The training loop.

use std::ops::ControlFlow;
use std::time::Instant;

use super::divergence::{check_loss, check_weights};
use super::event::Event;
use super::history::{EpochRecord, History, StopReason};
use super::monitor;
use super::options::TrainOptions;
use super::sets::Sets;
use super::state::{BatchOrder, InterruptedEpoch, TrainState};
use crate::data::{DataLoader, Dataset};
use crate::element::{Element, compiled};
use crate::error::Result;
use crate::loss::Loss;
use crate::metrics::Score;
use crate::network::{Evaluation, NeuralNetwork, Workspace};
use crate::optimizer::{Optimizer, Scheduler};
use crate::pool;

/// A training that runs epoch by epoch, as [`Trainer::start`](super::Trainer::start) returns it.
///
/// ```
/// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sgd, Trainer};
/// use ndarray::array;
///
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let network = NeuralNetwork::<f64>::builder(1).linear(1).build()?;
/// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
/// let mut run = trainer.start(&line)?;
/// while let Some(record) = run.epoch()? {
///     if record.train_loss < 0.01 {
///         break;
///     }
/// }
/// assert!(run.history().epochs.len() < 100);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct Run<'a, T> {
    pub(crate) network: &'a mut NeuralNetwork<T>,
    pub(crate) optimizer: &'a mut dyn Optimizer<T>,
    pub(crate) state: &'a mut TrainState<T>,
    pub(crate) loss: &'a dyn Loss<T>,
    pub(crate) options: &'a TrainOptions,
    kind: RunKind,
    scheduler: Scheduler,
    loader: DataLoader<'a, T>,
    workspace: Workspace<T>,
    validation: Option<EvaluationSet<'a, T>>,
    test: Option<EvaluationSet<'a, T>>,
    /// Whether the observer stopped at the end of the last epoch, so that the next call has to return `None`.
    stop_is_due: bool,
}

/// The method of the trainer that a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunKind {
    /// `fit`: the epochs of the options, with schedule and early stopping.
    Fit,
    /// `partial_fit`: one epoch at the optimizer's own learning rate.
    Partial,
}

/// A validation or test set, with the workspace to evaluate it.
#[derive(Debug)]
struct EvaluationSet<'a, T> {
    data: &'a Dataset<T>,
    workspace: Workspace<T>,
}

/// The fields of a trainer, borrowed for a run.
pub(super) struct TrainerParts<'a, T> {
    pub(super) network: &'a mut NeuralNetwork<T>,
    pub(super) loss: &'a dyn Loss<T>,
    pub(super) optimizer: &'a mut dyn Optimizer<T>,
    pub(super) options: &'a TrainOptions,
    pub(super) state: &'a mut TrainState<T>,
}

/// The results of the batches of an epoch.
struct TrainedBatches {
    /// The mean of the losses of the batches.
    loss: f64,
    /// The same, each batch counted by its number of samples; `None` if all have the same number.
    loss_per_sample: Option<f64>,
    seconds: f64,
    /// The learning rate of the last step.
    learning_rate: f64,
}

/// The record of an epoch, and whether the observer lets the training continue.
type Outcome = (EpochRecord, ControlFlow<()>);

/// The function that is called after each batch and each epoch.
type Observer<'a> = dyn FnMut(Event<'_>) -> ControlFlow<()> + Send + 'a;

// The loop runs on a thread of the pool, from where sharing work costs least and allocates nothing.
compiled! {
    fn train_epoch<'a, 'b, T>(run: &'a mut Run<'b, T>, observer: &'a mut Observer<'a>) -> Result<Option<Outcome>> {
        pool::enter(|| run.train_epoch(observer))
    }
}

compiled! {
    fn train_all<'a, 'b, T>(run: &'a mut Run<'b, T>, observer: &'a mut Observer<'a>) -> Result<()> {
        pool::enter(|| {
            while let Some((_, ControlFlow::Continue(()))) = run.train_epoch(observer)? {}
            Ok(())
        })
    }
}

compiled! {
    fn start<'a, 'b, T>(parts: TrainerParts<'b, T>, sets: Sets<'b, T>, kind: RunKind) -> Result<Run<'b, T>> {
        let TrainerParts {
            network,
            loss,
            optimizer,
            options,
            state,
        } = parts;
        options.check()?;
        network.check_loss("training", loss)?;
        network.check_dataset("training set", sets.train)?;
        loss.check(sets.train.targets())?;
        if options.early_stopping.is_some() && kind == RunKind::Fit {
            monitor::check(options.early_stopping_score, sets.validation, loss)?;
        }
        let evaluation_set = |name, data: Option<&'b Dataset<T>>| -> Result<Option<EvaluationSet<'b, T>>> {
            let Some(data) = data else { return Ok(None) };
            network.check_dataset(name, data)?;
            loss.check(data.targets())?;
            let workspace = Workspace::for_prediction(network, data.samples())?;
            Ok(Some(EvaluationSet { data, workspace }))
        };
        let validation = evaluation_set("validation set", sets.validation)?;
        let test = evaluation_set("test set", sets.test)?;
        let scheduler = Scheduler::new(options.schedule, optimizer.learning_rate())?;
        let loader = DataLoader::new(sets.train, options.batch_size, options.shuffle, options.seed)?;
        let loader = loader.with_drop_last(options.drop_last);
        let mut scheduler = scheduler.with_warmup(options.warmup_epochs).with_samples(loader.samples());
        if let Some(schedule) = state.schedule {
            scheduler.restore(schedule)?;
        }
        let (full, rest) = (loader.batch_size(), loader.samples() % loader.batch_size());
        for samples in [full, if rest == 0 { full } else { rest }] {
            network.check_batch("training", samples)?;
        }
        state.take_data(&sets, kind == RunKind::Fit, options)?;
        let workspace = match options.shard_size {
            Some(size) => Workspace::with_shard_size(network, loader.batch_size(), size)?,
            None => Workspace::new(network, loader.batch_size())?,
        };
        Ok(Run {
            workspace,
            network,
            optimizer,
            state,
            loss,
            options,
            kind,
            scheduler,
            loader,
            validation,
            test,
            stop_is_due: false,
        })
    }
}

impl<'a, T: Element> Run<'a, T> {
    /// Starts or continues a training, by its state. After an error nothing has changed.
    pub(super) fn new(parts: TrainerParts<'a, T>, sets: Sets<'a, T>, kind: RunKind) -> Result<Self> {
        start(parts, sets, kind)
    }

    /// Trains the next epoch and evaluates the network; returns `None` when the training is over.
    ///
    /// The training is over after [`TrainOptions::epochs`], or when early stopping ends it.
    ///
    /// # Errors
    ///
    /// [`Error::Diverged`](crate::Error::Diverged) if the loss of a batch is not finite: the weights are then those before
    /// that batch. The same if a weight or a running statistic is not finite at the end of the epoch, or where the observer
    /// stops. And the errors of [`Optimizer::start_step`].
    pub fn epoch(&mut self) -> Result<Option<EpochRecord>> {
        self.epoch_with(|_| ControlFlow::Continue(()))
    }

    /// As [`Run::epoch`], with an observer that is called after every batch and after the epoch.
    ///
    /// [`ControlFlow::Break`] from the observer stops the training with `None`, so that a loop over the epochs ends: in the
    /// middle of an epoch this call returns it, at the end of an epoch the next call. The call after that continues the
    /// training, in the middle of the epoch if it was stopped there.
    ///
    /// The observer runs on a thread of rayon's pool, as that of [`Trainer::fit_with`](super::Trainer::fit_with) does.
    ///
    /// # Errors
    ///
    /// As [`Run::epoch`].
    pub fn epoch_with(
        &mut self,
        mut observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
    ) -> Result<Option<EpochRecord>> {
        if std::mem::take(&mut self.stop_is_due) {
            return Ok(None);
        }
        let outcome = train_epoch(self, &mut observer)?;
        self.stop_is_due = matches!(outcome, Some((_, ControlFlow::Break(()))));
        Ok(outcome.map(|(record, _)| record))
    }

    /// Trains all remaining epochs.
    pub(super) fn finish(
        &mut self,
        mut observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
    ) -> Result<()> {
        train_all(self, &mut observer)
    }

    /// The history: the epochs so far.
    pub fn history(&self) -> &History {
        &self.state.history
    }

    /// The network as it is now.
    pub fn network(&self) -> &NeuralNetwork<T> {
        self.network
    }

    fn train_epoch(&mut self, observer: &mut Observer<'_>) -> Result<Option<Outcome>> {
        if self.is_over() {
            // The observer stopped the training, and no epoch was left when it was to continue: it ends here.
            if self.state.history.stopped == Some(StopReason::Observer) {
                self.state.history.stopped = None;
                self.restore_best(self.state.history.epochs.len())?;
            }
            return Ok(None);
        }
        // An epoch that `fit` began belongs to `fit`, even if `partial_fit` completes it.
        let is_fit = self.kind == RunKind::Fit || self.state.interrupted.is_some();
        let epoch = self.state.history.epochs.len() + 1;
        (self.state.history.stopped, self.state.history.restored) = (None, None);
        let Some(trained) = self.train_batches(epoch, is_fit, observer)? else {
            self.state.history.stopped = Some(StopReason::Observer);
            return Ok(None);
        };
        let validation = evaluate(self.network, self.loss, &mut self.validation)?;
        let mut record = EpochRecord {
            epoch,
            samples: self.loader.samples(),
            train_loss: trained.loss,
            loss_per_sample: trained.loss_per_sample,
            score: self.score(validation)?,
            validation,
            test: None,
            learning_rate: trained.learning_rate,
            seconds: trained.seconds,
        };
        let mut ended = None;
        if is_fit {
            self.state.epochs += 1;
            // A partial fit that completes an epoch has no validation loss to compare with those of `fit`.
            let validates = self.state.data.is_some_and(|data| data.validation.is_some());
            if record.validation.is_some() || !validates {
                self.scheduler.observe(record.monitored());
                ended = self.end(&record).filter(|_| self.kind == RunKind::Fit);
                self.state.schedule = Some(self.scheduler.state());
            }
        }
        let is_last =
            self.kind == RunKind::Partial || self.state.epochs == self.options.epochs || ended.is_some();
        if is_last || self.state.epochs.is_multiple_of(self.options.test_interval) {
            record.test = evaluate(self.network, self.loss, &mut self.test)?;
        }
        if is_last {
            self.restore_best(epoch)?;
        }
        // Before the observer, which may panic.
        self.state.history.epochs.push(record.clone());
        self.state.history.stopped = ended;
        let flow = observer(Event::Epoch(&record));
        if ended.is_none() && flow.is_break() && !self.is_over() {
            self.state.history.stopped = Some(StopReason::Observer);
        }
        Ok(Some((record, flow)))
    }

    /// The score that early stopping follows; `None` without early stopping, and where it follows the loss.
    fn score(&self, evaluation: Option<Evaluation>) -> Result<Option<f64>> {
        let score = self.options.early_stopping_score;
        let (Some(set), Some(evaluation)) = (&self.validation, evaluation) else {
            return Ok(None);
        };
        if self.options.early_stopping.is_none() || score == Score::Loss {
            return Ok(None);
        }
        monitor::score_of(score, self.network, self.loss, set.data, evaluation).map(Some)
    }

    /// Restores the weights of the best epoch, if early stopping is on.
    fn restore_best(&mut self, epoch: usize) -> Result<()> {
        if self.kind == RunKind::Partial || self.options.early_stopping.is_none() {
            return Ok(());
        }
        let Some(best) = self.state.early_stop.restore_best(self.network, epoch) else {
            return Ok(());
        };
        self.state.history.restored = Some(best);
        if self.state.history.epochs[best - 1].test.is_none() {
            let test = evaluate(self.network, self.loss, &mut self.test)?;
            self.state.history.epochs[best - 1].test = test;
        }
        Ok(())
    }

    /// Whether no epoch is left: all are complete, or early stopping or the tolerance ended the training.
    fn is_over(&self) -> bool {
        self.kind == RunKind::Fit
            && (self.state.history.has_ended() || self.state.epochs >= self.options.epochs)
    }

    /// Trains on the remaining batches of an epoch; returns `None` if the observer stopped.
    fn train_batches(
        &mut self,
        epoch: usize,
        is_fit: bool,
        observer: &mut Observer<'_>,
    ) -> Result<Option<TrainedBatches>> {
        let start = Instant::now();
        let interrupted = self.state.interrupted.take();
        let (done_before, mut loss, seconds) = match interrupted {
            Some(interrupted) => (interrupted.batches, interrupted.loss, interrupted.seconds),
            None => (0, 0.0, 0.0),
        };
        let mut loss_of_samples = match interrupted {
            Some(interrupted) => interrupted.loss_of_samples,
            None => Some(0.0),
        };
        self.loader.start_epoch(epoch as u64);
        let batches = self.loader.batches().len();
        let (scheduler, fit_epoch) = (&self.scheduler, self.state.epochs + 1);
        let rate = |batch| match is_fit {
            true => scheduler.step_rate(fit_epoch, batch, batches),
            false => scheduler.base_rate(),
        };
        for (index, batch) in self.loader.batches().enumerate().skip(done_before) {
            let done = index + 1;
            let mut batch_loss = self
                .network
                .forward_backward(&batch, self.loss, &mut self.workspace)?;
            let penalty = self.options.l2_penalty / batch.samples() as f64;
            if penalty > 0.0 {
                batch_loss += penalty / 2.0 * self.network.squared_weights();
            }
            check_loss(epoch, done, batch_loss)?;
            let scheduled = ScheduledRate::set(self.optimizer, rate(index));
            self.network.apply_penalized_gradients(
                &mut *scheduled.optimizer,
                &mut self.workspace,
                penalty,
            )?;
            drop(scheduled);
            loss += batch_loss;
            loss_of_samples = loss_of_samples.map(|sum| sum + batch_loss * batch.samples() as f64);
            let event = Event::Batch {
                epoch,
                done,
                batches,
                loss: loss / done as f64,
            };
            if observer(event).is_break() {
                check_weights(self.network, epoch, done, loss / done as f64)?;
                self.state.interrupted = Some(InterruptedEpoch {
                    batches: done,
                    loss,
                    loss_of_samples,
                    seconds: seconds + start.elapsed().as_secs_f64(),
                    order: BatchOrder::new(batch.dataset().fingerprint(), self.options),
                });
                return Ok(None);
            }
        }
        check_weights(self.network, epoch, batches, loss / batches as f64)?;
        Ok(Some(TrainedBatches {
            loss: loss / batches as f64,
            loss_per_sample: loss_of_samples
                .filter(|_| !self.loader.samples().is_multiple_of(self.loader.batch_size()))
                .map(|sum| sum / self.loader.samples() as f64),
            seconds: seconds + start.elapsed().as_secs_f64(),
            learning_rate: rate(batches - 1),
        }))
    }

    /// Reports an epoch to early stopping and the tolerance; returns the rule that ends the training. The adaptive schedule
    /// lowers the learning rate instead, as long as it can.
    fn end(&mut self, record: &EpochRecord) -> Option<StopReason> {
        let stops_early = self.stops_early(record);
        let tolerance = self.options.tolerance;
        let has_converged = tolerance
            .is_some_and(|tolerance| self.state.tolerance.observe(record.loss_per_sample(), tolerance));
        if !stops_early && !has_converged {
            return None;
        }
        if self.scheduler.lower_adaptive_rate() {
            (self.state.early_stop.bad_epochs, self.state.tolerance.bad_epochs) = (0, 0);
            return None;
        }
        Some(match stops_early {
            true => StopReason::EarlyStopping,
            false => StopReason::Converged,
        })
    }

    /// Reports an epoch to early stopping; returns whether it ends the training.
    fn stops_early(&mut self, record: &EpochRecord) -> bool {
        let Some(patience) = self.options.early_stopping else {
            return false;
        };
        let value = match record.score {
            Some(value) => (self.options.early_stopping_score, value),
            None => (Score::Loss, record.monitored()),
        };
        let early_stop = &mut self.state.early_stop;
        early_stop.observe(self.network, record.epoch, value, self.options.min_delta);
        early_stop.is_due(patience)
    }
}

/// An optimizer with the learning rate of a schedule; dropping it restores the rate that the user set.
struct ScheduledRate<'a, T: Element> {
    optimizer: &'a mut dyn Optimizer<T>,
    base_rate: f64,
}

impl<'a, T: Element> ScheduledRate<'a, T> {
    fn set(optimizer: &'a mut dyn Optimizer<T>, rate: f64) -> Self {
        let base_rate = optimizer.learning_rate();
        optimizer.set_learning_rate(rate);
        ScheduledRate { optimizer, base_rate }
    }
}

impl<T: Element> Drop for ScheduledRate<'_, T> {
    fn drop(&mut self) {
        self.optimizer.set_learning_rate(self.base_rate);
    }
}

/// Evaluates the network on a data set, if there is one.
fn evaluate<T: Element>(
    network: &NeuralNetwork<T>,
    loss: &dyn Loss<T>,
    set: &mut Option<EvaluationSet<'_, T>>,
) -> Result<Option<Evaluation>> {
    let Some(EvaluationSet { data, workspace }) = set else {
        return Ok(None);
    };
    network.evaluate_in(workspace, data, loss).map(Some)
}
