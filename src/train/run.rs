//! The training loop.

use std::ops::ControlFlow;
use std::time::Instant;

use super::history::{EpochRecord, History};
use super::options::TrainOptions;
use super::sets::Sets;
use super::state::{Best, Partial, TrainState};
use crate::data::{DataLoader, Dataset};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::network::{Evaluation, NeuralNetwork, Workspace};
use crate::optimizer::{Optimizer, Scheduler};
use crate::pool;

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

/// A training under way, an epoch at a time: what [`Trainer::start`](super::Trainer::start) gives.
///
/// ```
/// use mfnet::{Dataset, MseLoss, NeuralNetwork, Sets, Sgd, Trainer};
/// use ndarray::array;
/// use std::ops::ControlFlow::Continue;
///
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let network = NeuralNetwork::<f64>::builder(1).linear(1).build()?;
/// let mut trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?);
/// let mut run = trainer.start(Sets::from(&line))?;
/// while let Some(record) = run.epoch(|_| Continue(()))? {
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
    loss: &'a dyn Loss<T>,
    options: &'a TrainOptions,
    scheduler: Scheduler,
    loader: DataLoader<'a, T>,
    workspace: Workspace<T>,
    validation: Option<Held<'a, T>>,
    test: Option<Held<'a, T>>,
}

/// A data set to judge by, and the memory for it.
#[derive(Debug)]
struct Held<'a, T> {
    data: &'a Dataset<T>,
    workspace: Workspace<T>,
}

/// What a training needs besides its data.
pub(super) struct Parts<'a, T> {
    pub(super) network: &'a mut NeuralNetwork<T>,
    pub(super) loss: &'a dyn Loss<T>,
    pub(super) optimizer: &'a mut dyn Optimizer<T>,
    pub(super) options: &'a TrainOptions,
    pub(super) state: &'a mut TrainState<T>,
}

impl<'a, T: Element> Run<'a, T> {
    /// Goes on where the state stands.
    pub(super) fn new(parts: Parts<'a, T>, sets: Sets<'a, T>) -> Result<Self> {
        let Parts {
            network,
            loss,
            optimizer,
            options,
            state,
        } = parts;
        options.check()?;
        network.check_dataset("training set", sets.train)?;
        loss.check(sets.train.targets())?;
        let hold = |name, data: Option<&'a Dataset<T>>| -> Result<Option<Held<'a, T>>> {
            let Some(data) = data else { return Ok(None) };
            network.check_dataset(name, data)?;
            loss.check(data.targets())?;
            let workspace = Workspace::for_prediction(network, data.samples());
            Ok(Some(Held { data, workspace }))
        };
        let validation = hold("validation set", sets.validation)?;
        let test = hold("test set", sets.test)?;
        let base_rate = *state.base_rate.get_or_insert(optimizer.learning_rate());
        let mut scheduler = Scheduler::new(options.schedule, base_rate)?;
        if let Some(schedule) = state.schedule {
            scheduler.restore(schedule)?;
        }
        state.history.samples = sets.train.samples();
        state.history.stopped = false;
        let loader = DataLoader::new(sets.train, options.batch_size, options.shuffle, options.seed)?;
        let (full, rest) = (loader.batch_size(), sets.train.samples() % loader.batch_size());
        for samples in [full, if rest == 0 { full } else { rest }] {
            network.check_batch("training", samples)?;
        }
        Ok(Run {
            workspace: Workspace::new(network, loader.batch_size()),
            network,
            optimizer,
            state,
            loss,
            options,
            scheduler,
            loader,
            validation,
            test,
        })
    }

    /// The next epoch, evaluations included; none when the training is over, or when the observer ended it.
    ///
    /// The training is over after [`TrainOptions::epochs`], or when early stopping finds it so. What the observer ends
    /// in the middle of an epoch goes on from there with the next call.
    ///
    /// # Errors
    ///
    /// [`Error::Diverged`] when a loss is not finite: the weights are then those before that batch; and when a weight is not,
    /// after the epoch or where the observer ends it.
    pub fn epoch(
        &mut self,
        observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
    ) -> Result<Option<EpochRecord>> {
        // On a thread of the pool, where handing out work costs least and allocates nothing.
        pool::enter(|| self.next(observer))
    }

    /// All epochs that are left.
    pub(super) fn finish(
        &mut self,
        mut observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send,
    ) -> Result<()> {
        let all = || {
            while self.next(&mut observer)?.is_some() {}
            Ok(())
        };
        pool::enter(all)
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.state.history
    }

    /// The network as it is now.
    pub fn network(&self) -> &NeuralNetwork<T> {
        self.network
    }

    fn next(
        &mut self,
        mut observer: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Option<EpochRecord>> {
        let epoch = self.state.history.epochs.len() + 1;
        if self.state.history.stopped || self.is_over() {
            return Ok(None);
        }
        self.optimizer.set_learning_rate(self.scheduler.rate(epoch));
        let Some((train_loss, seconds)) = self.learn(epoch, &mut observer)? else {
            self.state.history.stopped = true;
            return Ok(None);
        };
        let mut record = EpochRecord {
            epoch,
            train_loss,
            validation: judge(self.network, self.loss, &mut self.validation)?,
            test: None,
            learning_rate: self.optimizer.learning_rate(),
            seconds,
        };
        let waited = self.note(&record);
        let last = epoch == self.options.epochs || waited;
        if last || epoch.is_multiple_of(self.options.test_interval) {
            record.test = judge(self.network, self.loss, &mut self.test)?;
        }
        if last {
            self.go_back(epoch)?;
        }
        let flow = observer(Event::Epoch(&record));
        self.state.history.epochs.push(record.clone());
        self.state.history.stopped = flow.is_break() && !self.is_over();
        Ok(Some(record))
    }

    /// Goes back to the best weights, if early stopping kept them and they are of an earlier epoch.
    fn go_back(&mut self, epoch: usize) -> Result<()> {
        let best = self.state.best.as_ref().filter(|best| best.epoch != epoch);
        let Some(best) = best.filter(|_| self.options.early_stopping.is_some()) else {
            return Ok(());
        };
        let best_epoch = best.epoch;
        self.network.restore_snapshot(&best.weights);
        self.state.history.restored = Some(best_epoch);
        if self.state.history.epochs[best_epoch - 1].test.is_none() {
            let test = judge(self.network, self.loss, &mut self.test)?;
            self.state.history.epochs[best_epoch - 1].test = test;
        }
        Ok(())
    }

    /// Whether no epoch is left: all were completed, or early stopping went back to the best.
    fn is_over(&self) -> bool {
        let history = &self.state.history;
        history.restored.is_some() || history.epochs.len() >= self.options.epochs
    }

    /// Learns from what is left of an epoch: its mean loss and its seconds; none if the observer ended it.
    fn learn(
        &mut self,
        epoch: usize,
        observer: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Option<(f64, f64)>> {
        let start = Instant::now();
        let Partial {
            batches: done_before,
            mut loss,
            seconds,
        } = self.state.partial.take().unwrap_or_default();
        self.loader.start_epoch(epoch as u64);
        let batches = self.loader.batches().len();
        for (index, batch) in self.loader.batches().enumerate().skip(done_before) {
            let done = index + 1;
            let batch_loss = self
                .network
                .forward_backward(&batch, self.loss, &mut self.workspace)?;
            if !batch_loss.is_finite() {
                return Err(Error::Diverged {
                    epoch,
                    batch: done,
                    loss: batch_loss,
                });
            }
            self.network
                .apply_gradients(self.optimizer, &mut self.workspace)?;
            loss += batch_loss;
            let event = Event::Batch {
                epoch,
                done,
                batches,
                loss: loss / done as f64,
            };
            if observer(event).is_break() {
                self.check_finite(epoch, done, loss)?;
                self.state.partial = Some(Partial {
                    batches: done,
                    loss,
                    seconds: seconds + start.elapsed().as_secs_f64(),
                });
                return Ok(None);
            }
        }
        self.check_finite(epoch, batches, loss)?;
        let seconds = seconds + start.elapsed().as_secs_f64();
        Ok(Some((loss / batches as f64, seconds)))
    }

    /// Refuses to hand out a network that is not finite: that a step was too long shows in the next batch's loss, if there is
    /// one, and not even there where a unit is saturated or off. Looked at when an epoch ends, since a look at every step
    /// would take time.
    fn check_finite(&self, epoch: usize, batches: usize, losses: f64) -> Result<()> {
        if self.network.is_finite() {
            return Ok(());
        }
        Err(Error::Diverged {
            epoch,
            batch: batches,
            loss: losses / batches as f64,
        })
    }

    /// Lets schedule and early stopping know of an epoch; whether the latter has waited long enough.
    fn note(&mut self, record: &EpochRecord) -> bool {
        let loss = record.monitored();
        self.scheduler.observe(loss);
        self.state.schedule = Some(self.scheduler.state());
        let Some(patience) = self.options.early_stopping else {
            return false;
        };
        match &self.state.best {
            Some(best) if loss >= best.loss || loss.is_nan() => record.epoch - best.epoch >= patience.max(1),
            _ => {
                self.state.best = Some(Best {
                    epoch: record.epoch,
                    loss,
                    weights: self.network.snapshot(),
                });
                false
            }
        }
    }
}

/// Evaluates a data set, if there is such.
fn judge<T: Element>(
    network: &NeuralNetwork<T>,
    loss: &dyn Loss<T>,
    held: &mut Option<Held<'_, T>>,
) -> Result<Option<Evaluation>> {
    let Some(Held { data, workspace }) = held else {
        return Ok(None);
    };
    network.evaluate_in(workspace, data, loss).map(Some)
}
