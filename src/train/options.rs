//! The options of a training.

use super::tolerance::Tolerance;
use crate::data::Shuffle;
use crate::error::{Error, Result};
use crate::metrics::Score;
use crate::optimizer::Schedule;

/// The options of a training: epochs, batches, learning-rate schedule and early stopping.
///
/// ```
/// use mfnet::TrainOptions;
///
/// let options = TrainOptions::default().with_epochs(30).with_early_stopping(5);
/// assert_eq!((options.epochs, options.batch_size), (30, 1024));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrainOptions {
    /// The number of epochs, at least 1. Default: 100.
    pub epochs: usize,
    /// The number of samples of a batch, at least 1; a data set of fewer samples is one batch. Default: 1024.
    pub batch_size: usize,
    /// The unit shuffled before each epoch: samples or whole batches. Default: the samples.
    pub shuffle: Shuffle,
    /// The seed of the shuffles. Default: 0.
    pub seed: u64,
    /// Whether the last, short batch of an epoch is left out, as
    /// [`DataLoader::with_drop_last`](crate::DataLoader::with_drop_last) does. Default: `false`.
    pub drop_last: bool,
    /// The number of samples that one task works on, at least 1, for experiments with speed: see
    /// [`Workspace::with_shard_size`](crate::Workspace::with_shard_size). Default: `None`, chosen by the shape of the network.
    pub shard_size: Option<usize>,
    /// The number of epochs between evaluations of the test set, at least 1; it is always evaluated after the last epoch.
    /// Default: 1.
    pub test_interval: usize,
    /// The learning-rate schedule. Default: a constant rate.
    pub schedule: Schedule,
    /// The number of epochs of the linear warm-up, which changes the rate in each step: see
    /// [`Scheduler::with_warmup`](crate::optimizer::Scheduler::with_warmup). Default: 0, no warm-up.
    pub warmup_epochs: usize,
    /// The patience of early stopping: the number of epochs in a row without improvement after which the training ends; 0
    /// counts as 1. It follows the validation loss, or the training loss without a validation set. At the end of the
    /// training, early or not, the weights of the best epoch are restored. Default: no early stopping.
    pub early_stopping: Option<usize>,
    /// The score on the validation set that early stopping follows instead of the loss. Default: [`Score::Loss`].
    pub early_stopping_score: Score,
    /// The least improvement: a loss must be below the best one by more than this, a score better by more than this, a finite number of at least 0.
    /// Default: 0.
    pub min_delta: f64,
    /// The rule that ends a training whose training loss hardly falls any more. Default: `None`, no such rule.
    pub tolerance: Option<Tolerance>,
    /// The L2 penalty alpha, a finite number of at least 0: each step minimizes J + alpha/2 |W|^2 / m instead of J, where W
    /// are the weights that training changes, without the biases, and m is the number of samples of the batch. The training
    /// loss includes the penalty, losses on other sets do not. As scikit-learn's `alpha`. Default: 0.
    pub l2_penalty: f64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            epochs: 100,
            batch_size: 1024,
            shuffle: Shuffle::Samples,
            seed: 0,
            drop_last: false,
            shard_size: None,
            test_interval: 1,
            schedule: Schedule::Constant,
            warmup_epochs: 0,
            early_stopping: None,
            early_stopping_score: Score::Loss,
            min_delta: 0.0,
            tolerance: None,
            l2_penalty: 0.0,
        }
    }
}

impl TrainOptions {
    /// Sets [`TrainOptions::epochs`].
    pub fn with_epochs(self, epochs: usize) -> Self {
        TrainOptions { epochs, ..self }
    }

    /// Sets [`TrainOptions::batch_size`].
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        TrainOptions { batch_size, ..self }
    }

    /// Sets [`TrainOptions::shuffle`].
    pub fn with_shuffle(self, shuffle: Shuffle) -> Self {
        TrainOptions { shuffle, ..self }
    }

    /// Sets [`TrainOptions::seed`].
    pub fn with_seed(self, seed: u64) -> Self {
        TrainOptions { seed, ..self }
    }

    /// Sets [`TrainOptions::shard_size`].
    pub fn with_shard_size(self, shard_size: impl Into<Option<usize>>) -> Self {
        let shard_size = shard_size.into();
        TrainOptions { shard_size, ..self }
    }

    /// Sets [`TrainOptions::drop_last`].
    pub fn with_drop_last(self, drop_last: bool) -> Self {
        TrainOptions { drop_last, ..self }
    }

    /// Sets [`TrainOptions::test_interval`].
    pub fn with_test_interval(self, test_interval: usize) -> Self {
        TrainOptions {
            test_interval,
            ..self
        }
    }

    /// Sets [`TrainOptions::schedule`].
    pub fn with_schedule(self, schedule: Schedule) -> Self {
        TrainOptions { schedule, ..self }
    }

    /// Sets [`TrainOptions::warmup_epochs`].
    pub fn with_warmup_epochs(self, warmup_epochs: usize) -> Self {
        TrainOptions {
            warmup_epochs,
            ..self
        }
    }

    /// Sets [`TrainOptions::early_stopping`], the patience; `None` turns early stopping off.
    pub fn with_early_stopping(self, patience: impl Into<Option<usize>>) -> Self {
        TrainOptions {
            early_stopping: patience.into(),
            ..self
        }
    }

    /// Sets [`TrainOptions::early_stopping_score`].
    pub fn with_early_stopping_score(self, early_stopping_score: Score) -> Self {
        TrainOptions {
            early_stopping_score,
            ..self
        }
    }

    /// Sets [`TrainOptions::min_delta`].
    pub fn with_min_delta(self, min_delta: f64) -> Self {
        TrainOptions { min_delta, ..self }
    }

    /// Sets [`TrainOptions::tolerance`]; `None` turns the rule off.
    pub fn with_tolerance(self, tolerance: impl Into<Option<Tolerance>>) -> Self {
        let tolerance = tolerance.into();
        TrainOptions { tolerance, ..self }
    }

    /// Sets [`TrainOptions::l2_penalty`].
    pub fn with_l2_penalty(self, l2_penalty: f64) -> Self {
        TrainOptions { l2_penalty, ..self }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::option("epochs", 0, "at least 1"));
        }
        if self.shard_size == Some(0) {
            return Err(Error::option("shard size", 0, "at least 1"));
        }
        if self.test_interval == 0 {
            return Err(Error::option("test interval", 0, "at least 1"));
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return Err(Error::option(
                "min delta",
                self.min_delta,
                "a finite number of at least 0",
            ));
        }
        check_penalty(self.l2_penalty)?;
        if self.schedule == Schedule::Adaptive && self.early_stopping.is_none() && self.tolerance.is_none() {
            let expected = "used with a tolerance or early stopping, which decides when the rate falls";
            return Err(Error::option("schedule", "adaptive", expected));
        }
        self.tolerance.map_or(Ok(()), Tolerance::check)
    }
}

/// Checks an L2 penalty.
pub(super) fn check_penalty(penalty: f64) -> Result<()> {
    if penalty >= 0.0 && penalty.is_finite() {
        return Ok(());
    }
    Err(Error::option(
        "L2 penalty",
        penalty,
        "a finite number of at least 0",
    ))
}
