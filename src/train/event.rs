//! The events that the training loop reports to its observer.

use super::history::EpochRecord;

/// An event of a training, which is passed to the observer of [`Trainer::fit_with`](super::Trainer::fit_with).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A training step is complete.
    Batch {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The number of batches of this epoch that are done.
        done: usize,
        /// The number of batches of an epoch.
        batches: usize,
        /// The mean loss of this epoch's batches so far.
        loss: f64,
    },
    /// An epoch is complete.
    Epoch(&'a EpochRecord),
}
