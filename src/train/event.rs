//! The events that the training loop reports to its observer.

use super::history::EpochRecord;

/// An event of a training, as the observer of [`Trainer::fit_with`](super::Trainer::fit_with) hears it.
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
