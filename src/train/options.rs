//! What a training is told.

use crate::data::Shuffle;
use crate::error::{Error, Result};
use crate::optimizer::Schedule;

/// How long and in which portions to train.
///
/// ```
/// use mfnet::TrainOptions;
///
/// let options = TrainOptions { epochs: 30, ..TrainOptions::default() };
/// assert_eq!(options.batch_size, 1024);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Times that every sample is learned from, at least 1. Default: 100.
    pub epochs: usize,
    /// Samples of a step, at least 1; the whole set or more is one batch. Default: 1024.
    pub batch_size: usize,
    /// What is put in a fresh order before each epoch. Default: the samples.
    pub shuffle: Shuffle,
    /// The seed of those orders. Default: 0.
    pub seed: u64,
    /// Epochs from one evaluation of the test set to the next, at least 1; the last epoch is always evaluated.
    /// Default: 1.
    pub test_interval: usize,
    /// How the learning rate goes. Default: it stays as it is.
    pub schedule: Schedule,
    /// Ends the training when so many epochs in a row, 0 counting as 1, were not better than the best before, by the loss
    /// on the validation set (on the training set where there is none); the network then goes back to the weights of the
    /// best epoch, as it does after the last one. Default: none of this.
    pub early_stopping: Option<usize>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            epochs: 100,
            batch_size: 1024,
            shuffle: Shuffle::Samples,
            seed: 0,
            test_interval: 1,
            schedule: Schedule::Constant,
            early_stopping: None,
        }
    }
}

impl TrainOptions {
    pub(super) fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::option("epochs", 0, "at least 1"));
        }
        if self.test_interval == 0 {
            return Err(Error::option("test interval", 0, "at least 1"));
        }
        Ok(())
    }
}
